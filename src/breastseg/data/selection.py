"""Choosing cases with one line of text, so that a recipe or a command can say which it used."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef, some
from breastseg.data.split import Split

FORMS = (
    "all, none, lesions, normals, plain, tag:marks,doppler, fold:1,2,3, patient:ID,ID, list:FILE, "
    "split:FILE#PART,PART, split:FILE#-PART or fraction:0.25#SEED, joined by ' & ' where several "
    "must hold"
)


def select(cases: Sequence[CaseRef], spec: str, base: Path) -> tuple[CaseRef, ...]:
    """The cases that a specification names, in the order given.

    ``lesions`` are the cases not stated to be normal; ``plain`` those stated to have no tag, such
    as ``marks``, and ``tag:marks`` those that have it. A ``list`` has one case id, or
    ``source/case_id``, a line. ``split:FILE#1,2`` is two parts together, ``split:FILE#-1`` all
    parts but one. A part of a ``split`` may also name cases of sources that are not
    among `cases`; those are passed over.

    Args:
        cases: what to choose from.
        spec: ``all``, ``none``, ``lesions``, ``normals``, ``plain``, ``tag:marks``, ``fold:1,2``,
            ``patient:ID,ID``, ``list:FILE``, ``split:FILE#PART`` or ``fraction:0.25#SEED`` (about
            a quarter of the patients); several, joined by ``" & "``, must all hold.
        base: where a relative FILE is looked for first; then under BREASTSEG_DATA, then in the
            working directory.

    Raises:
        DataSetError: the specification is none of these, its file is missing, or it names a
            case, fold, tag or part that does not exist.
    """
    chosen = {case.key for case in cases}
    for term in spec.split(" & "):
        chosen &= _keys(cases, term.strip(), base)
    return tuple(case for case in cases if case.key in chosen)


def _keys(cases: Sequence[CaseRef], term: str, base: Path) -> set[str]:
    tests: Mapping[str, Callable[[CaseRef], bool]] = {
        "all": lambda _: True,
        "none": lambda _: False,
        "lesions": lambda case: not case.is_normal,
        "normals": lambda case: case.is_normal,
    }
    if term in tests:
        return {case.key for case in cases if tests[term](case)}
    form, _, what = term.partition(":")
    if form == "split" and "#" in what:
        file, _, part = what.rpartition("#")
        return _of_part(cases, _find(file, base), part)
    forms: Mapping[str, Callable[[], set[str]]] = {
        "tag": lambda: _tagged(cases, term),
        "fold": lambda: _of_folds(cases, what),
        "patient": lambda: _of_patients(cases, what),
        "fraction": lambda: _fraction(cases, what),
        "list": lambda: _listed(cases, _find(what, base)),
    }
    if term == "plain":
        return _tagged(cases, term)
    if form in forms and what:
        return forms[form]()
    raise DataSetError(f"selection {term!r}", FORMS)


def _tagged(cases: Sequence[CaseRef], term: str) -> set[str]:
    """The cases with one of the tags; without any tag where none is asked for."""
    stated = {case.key: case.tags for case in cases if case.tags is not None}
    known = sorted({tag for tags in stated.values() for tag in tags})
    names = term.partition(":")[2]
    wanted = {word.strip().lower() for word in names.split(",")} - {""}
    if not stated:
        raise DataSetError(
            f"selection {term!r}: no tags are stated", "data with tags, such as BUS-UCLM"
        )
    if not wanted <= set(known):
        raise DataSetError(f"selection {term!r}: no such tag", f"of {', '.join(known) or 'none'}")
    return {key for key, tags in stated.items() if (wanted & set(tags) if wanted else not tags)}


def _fraction(cases: Sequence[CaseRef], what: str) -> set[str]:
    """About that fraction of the patients; with one seed a smaller one lies within a larger."""
    text, _, seed = what.partition("#")
    try:
        fraction = float(text)
    except ValueError:
        fraction = -1.0
    if not 0 < fraction <= 1:
        raise DataSetError(
            f"selection 'fraction:{what}'", "fraction:0.25 or fraction:0.25#SEED, up to 1"
        )

    def place(case: CaseRef) -> float:
        name = f"{seed}/{case.patient_key}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64

    return {case.key for case in cases if place(case) < fraction}


def _of_folds(cases: Sequence[CaseRef], numbers: str) -> set[str]:
    there = {case.fold for case in cases if case.fold is not None}
    words = [word.strip() for word in numbers.split(",")]
    absent = [word for word in words if not word.isdecimal() or int(word) not in there]
    if absent:
        raise DataSetError(
            f"selection 'fold:{numbers}': no fold {', '.join(absent)}",
            f"folds {', '.join(map(str, sorted(there)))}" if there else "data with folds",
        )
    folds = {int(word) for word in words}
    return {case.key for case in cases if case.fold in folds}


def _of_patients(cases: Sequence[CaseRef], names: str) -> set[str]:
    wanted = {name.strip() for name in names.split(",")}
    absent = wanted - {case.patient_id for case in cases}
    if absent:
        raise DataSetError(
            f"selection 'patient:{names}': no patient {some(absent)}",
            f"patients such as {some({case.patient_id for case in cases})}",
        )
    return {case.key for case in cases if case.patient_id in wanted}


def _listed(cases: Sequence[CaseRef], path: Path) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "one case id a line") from error
    wanted = {line.strip() for line in lines} - {""}
    found = [case for case in cases if case.case_id in wanted or case.key in wanted]
    unknown = wanted - {name for case in found for name in (case.case_id, case.key)}
    if unknown:
        raise DataSetError(
            f"{path.name} names {len(unknown)} cases that are not there: {some(unknown)}",
            "case ids of the chosen data set",
            "check that the list belongs to this data set",
        )
    shared = [name for name, n in Counter(case.case_id for case in found).items() if n > 1]
    if wanted.intersection(shared):
        raise DataSetError(
            f"{path.name}: several data sets have a case {some(wanted.intersection(shared))}",
            "source/case_id for these",
        )
    return {case.key for case in found}


def _of_part(cases: Sequence[CaseRef], path: Path, part: str) -> set[str]:
    split = Split.read(path).renamed(cases)
    split.check_patients(cases, path.name)
    listed = _of_parts(split, part, path.name)
    sources = {case.source for case in cases}
    here = {key for key in listed if key.partition("/")[0] in sources}
    if listed and not here:
        raise DataSetError(
            f"part {part} of {path.name} has no case of {', '.join(sorted(sources))}",
            "a split of these data sets",
        )
    unknown = here - {case.key for case in cases}
    if unknown:
        raise DataSetError(
            f"part {part} of {path.name} names {len(unknown)} cases that are not there: "
            f"{some(unknown)}",
            "a split of these data sets, made from a copy no larger than this one",
        )
    return here


def _of_parts(split: Split, names: str, file: str) -> set[str]:
    """The cases of the parts ``"1,2"``, or of all but those of ``"-1"``."""
    but = names.startswith("-") and names not in split.parts
    words = [word.strip() for word in names.removeprefix("-" if but else "").split(",")]
    wanted = [names] if names in split.parts else words
    absent = [word for word in wanted if word not in split.parts]
    if absent:
        raise DataSetError(
            f"{file} has no part {', '.join(map(repr, absent))}", f"one of {', '.join(split.parts)}"
        )
    return {
        key for part, keys in split.parts.items() if (part in wanted) is not but for key in keys
    }


def _find(name: str, base: Path) -> Path:
    """The file itself, or under `base`, BREASTSEG_DATA or the working directory."""
    data = os.environ.get("BREASTSEG_DATA")
    folders = [base, *([Path(data)] if data else []), Path.cwd()]
    for folder in folders:
        # An absolute name replaces the folder.
        if (folder / name).is_file():
            return folder / name
    looked = ", ".join(str(folder) for folder in dict.fromkeys(folders))
    raise DataSetError(f"no file {name}", f"a path under {looked}, or an absolute one")
