"""Splits that keep patients, and images of one another, on one side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef, some
from breastseg.data.files import read_json
from breastseg.data.grouping import components


@dataclass(frozen=True)
class Split:
    """Which cases belong to which part.

    Attributes:
        seed: what the draw was made with.
        fractions: the fraction asked for, by part.
        parts: the keys of the cases, sorted, by part.

    Raises:
        DataSetError: a case stands in two parts.
    """

    seed: int
    fractions: Mapping[str, float]
    parts: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        counts = Counter(key for keys in self.parts.values() for key in set(keys))
        shared = [key for key, count in counts.items() if count > 1]
        if shared:
            raise DataSetError(
                f"{len(shared)} cases stand in several parts: {some(shared)}", "one part a case"
            )

    def write(self, path: Path) -> None:
        """Write it as JSON; the file appears whole or not at all."""
        from breastseg.io.write import write_text

        content = {
            "seed": self.seed,
            "fractions": dict(self.fractions),
            "parts": {part: list(keys) for part, keys in self.parts.items()},
        }
        write_text(path, json.dumps(content, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Split:
        """Read what `write` wrote; of hand-made files only ``parts`` is needed.

        Raises:
            DataSetError: the file is missing, not JSON, or not a split.
        """
        allowed = '{"seed": 0, "fractions": {"train": 0.8, ...}, "parts": {"train": [keys], ...}}'
        content = read_json(path, allowed)
        content = content if isinstance(content, dict) else {}
        parts = content.get("parts")
        if not isinstance(parts, dict) or not all(
            isinstance(keys, list) and all(isinstance(key, str) for key in keys)
            for keys in parts.values()
        ):
            raise DataSetError(f"{path} is no split", allowed)
        seed, fractions = content.get("seed", 0), content.get("fractions", {})
        if not isinstance(seed, int) or not isinstance(fractions, dict):
            raise DataSetError(f"{path} is no split", allowed)
        return cls(seed, fractions, {part: tuple(keys) for part, keys in parts.items()})

    def renamed(self, cases: Sequence[CaseRef]) -> Split:
        """The same split where its one source goes by another name now, as a renamed table does.

        That is so where it names one source that is not among the cases, and lists exactly the
        cases of one source that it does not name.

        Args:
            cases: all that are there.
        """
        there: dict[str, set[str]] = {}
        for case in cases:
            there.setdefault(case.source, set()).add(case.case_id)
        listed: dict[str, set[str]] = {}
        for key in (key for keys in self.parts.values() for key in keys):
            source, _, case_id = key.partition("/")
            listed.setdefault(source, set()).add(case_id)
        gone = listed.keys() - there.keys()
        if len(gone) != 1:
            return self
        (old,) = gone
        new = [name for name in there if name not in listed and there[name] == listed[old]]
        if len(new) != 1:
            return self

        def now(key: str) -> str:
            source, _, case_id = key.partition("/")
            return f"{new[0]}/{case_id}" if source == old else key

        parts = {part: tuple(map(now, keys)) for part, keys in self.parts.items()}
        return Split(self.seed, self.fractions, parts)

    def check_patients(self, cases: Sequence[CaseRef], name: str) -> None:
        """Refuse a split that parts a patient.

        Args:
            cases: all that are there.
            name: what messages call the split.

        Raises:
            DataSetError: a patient stands in several parts.
        """
        part_of = {key: part for part, keys in self.parts.items() for key in keys}
        found: dict[str, set[str]] = {}
        for case in cases:
            if case.key in part_of:
                found.setdefault(case.patient_key, set()).add(part_of[case.key])
        parted = [patient for patient, parts in found.items() if len(parts) > 1]
        if parted:
            raise DataSetError(
                f"{name}: {len(parted)} patients stand in several parts: {some(parted)}",
                "each patient in one part",
                "draw the split again from the data as they are now",
            )


def split(
    cases: Sequence[CaseRef],
    fractions: Mapping[str, float],
    seed: int,
    groups: Mapping[str, int] | None = None,
) -> Split:
    """Deal cases into parts at random, alike in source and label.

    Cases of one patient, and cases of one group, form a block, as do those joined over several
    steps; a block is never parted. Blocks are dealt in random order, the large ones first, each
    to the part that its sources and labels are most short of. A part that is left without any gets
    one of a part that has several, so that none is empty where there are as many blocks as parts.

    Args:
        cases: distinct cases; their order does not matter.
        fractions: the fraction of each part, above 0; divided by their sum.
        seed: of the draw; the same seed and cases give the same split.
        groups: a group number by case key, from
            `breastseg.data.audit.near_duplicate_groups`; cases not in it stand alone.

    Raises:
        DataSetError: no cases, a case twice, or fractions that are not above 0.
    """
    _check(cases, fractions)
    ordered = sorted(cases, key=lambda case: case.key)
    blocks = _blocks(ordered, groups or {})
    given = _deal(_content(ordered, blocks), np.array(list(fractions.values()), float), seed)
    names = list(fractions)
    parts: dict[str, list[str]] = {name: [] for name in names}
    for case, block in zip(ordered, blocks, strict=True):
        parts[names[given[block]]].append(case.key)
    return Split(seed, dict(fractions), {name: tuple(keys) for name, keys in parts.items()})


def folds(
    cases: Sequence[CaseRef], count: int, seed: int, groups: Mapping[str, int] | None = None
) -> Split:
    """A split into `count` equal parts named ``"1"``, ``"2"``, ...; see `split`.

    Raises:
        DataSetError: fewer than two folds, one that no patient is left for, or as `split`.
    """
    if count < 2:
        raise DataSetError(f"{count} folds", "2 or more")
    if count > len(cases):
        raise DataSetError(f"{count} folds of {len(cases)} cases", "a case a fold or more")
    parts = {str(number): 1 / count for number in range(1, count + 1)}
    return without_empty(split(cases, parts, seed, groups))


def without_empty(drawn: Split) -> Split:
    """The split, each of whose parts holds a case.

    Raises:
        DataSetError: a part that no patient is left for.
    """
    empty = [name for name, keys in drawn.parts.items() if not keys]
    if empty:
        raise DataSetError(
            f"{len(drawn.parts)} parts, of which {len(empty)} would be empty: {some(empty)}",
            "a patient a part or more, where those with a duplicate count as one",
            "ask for fewer parts, or add images of other patients",
        )
    return drawn


def _check(cases: Sequence[CaseRef], fractions: Mapping[str, float]) -> None:
    if not cases:
        raise DataSetError("no cases to split", "at least one")
    keys = Counter(case.key for case in cases)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise DataSetError(f"{len(twice)} cases given twice: {some(twice)}", "distinct cases")
    if not fractions or not all(np.isfinite(f) and f > 0 for f in fractions.values()):
        raise DataSetError(
            f"fractions {dict(fractions)}", "one part or more, each fraction above 0"
        )


def _blocks(cases: Sequence[CaseRef], groups: Mapping[str, int]) -> list[int]:
    """A block number a case, from 0: the connected components over patients and groups."""
    first: dict[str, int] = {}
    links = []
    for number, case in enumerate(cases):
        ties = [f"patient {case.patient_key}"]
        if case.key in groups:
            ties.append(f"group {groups[case.key]}")
        links += [(number, first.setdefault(tie, number)) for tie in ties]
    return components(len(cases), links)


def _content(cases: Sequence[CaseRef], blocks: Sequence[int]) -> NDArray[np.float64]:
    """(blocks, strata): how many cases of each source, label and presence a block has."""
    names = [f"{case.source}/{case.label}/{case.is_normal}" for case in cases]
    strata, members = np.unique(np.array(names), return_inverse=True)
    content = np.zeros((max(blocks) + 1, len(strata)))
    np.add.at(content, (np.array(blocks), members), 1)
    return content


def _deal(content: NDArray[np.float64], fraction: NDArray[np.float64], seed: int) -> list[int]:
    """The part of each block, given what the blocks hold and the parts' fractions.

    No part is left empty where there are as many blocks as parts.
    """
    rng = np.random.default_rng(seed)
    total = content.sum(axis=0)
    lacking = np.outer(fraction / fraction.sum(), total)
    shuffled = rng.permutation(len(content))
    order = shuffled[np.argsort(-content[shuffled].sum(axis=1), kind="stable")]
    given = [0] * len(content)
    for block in order:
        # A part's need counts relative to the size of the stratum, so that a common label does
        # not drown a rare one. Ties go to the part that lacks most in all, then to chance.
        need = (lacking * content[block] / total).sum(axis=1).round(9)
        part = np.lexsort((rng.random(len(fraction)), -lacking.sum(axis=1).round(9), -need))[0]
        given[block] = int(part)
        lacking[part] -= content[block]
    for part in range(len(fraction)):
        if part not in given:
            _give_one(given, part, content, lacking)
    return given


def _give_one(
    given: list[int], part: int, content: NDArray[np.float64], lacking: NDArray[np.float64]
) -> None:
    """Give an empty part a block; `given` and `lacking` are changed.

    It comes from the part that has most beyond its fraction, and is the block that is the smallest
    fraction of what that part holds of its sources and labels.
    """
    held = Counter(given)
    rich = [one for one, blocks in held.items() if blocks > 1]
    if not rich:
        return
    giver = min(rich, key=lambda one: (lacking[one].sum().round(9), one))
    blocks = [block for block, of in enumerate(given) if of == giver]
    total = np.maximum(content[blocks].sum(axis=0), 1)
    block = min(blocks, key=lambda one: (content[one] / total).sum().round(9))
    given[block] = part
    lacking[giver] += content[block]
    lacking[part] -= content[block]
