"""Which patients of a project train a network and which score it, once and for all.

A patient who is held out stays held out however often a network is retrained, and one who was
trained on never becomes a judge: else a later score would flatter the network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from breastseg.annotation.progress import Status, status_of
from breastseg.annotation.project import Project, ProjectCase, read_stored
from breastseg.core.errors import InputError, UnreadableError
from breastseg.io.write import write_text

HELD_OUT_FRACTION = 0.25
MIN_HELD_OUT = 2
"""Patients: a figure of one alone has no interval."""
MIN_TRAIN = 2
_FILE = "parts.json"


@dataclass(frozen=True)
class Parts:
    """The labelled cases of a project, patients apart.

    Attributes:
        train: names of the cases to train on, sorted.
        held_out: names of the cases to score on, sorted.
        patients: how many patients each has, in that order.
    """

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    patients: tuple[int, int]


def labelled_parts(project: Project) -> Parts:
    """Assign the patients of all labelled cases, and keep who was assigned before.

    About a quarter of the patients is held out, at least two.

    Raises:
        InputError: too few patients have labelled cases, or the file cannot be written.
        UnreadableError: a file of the project is damaged.
    """
    needed = project.settings.readers_per_case
    cases = [
        case
        for case in project.cases()
        if status_of(project.readings(case.name), needed) is Status.LABELLED
    ]
    path = project.folder / _FILE
    held_out = _assigned({case.patient for case in cases}, _read(path))
    train = {case.patient for case in cases} - {name for name, held in held_out.items() if held}
    apart = {case.patient for case in cases} - train
    if len(train) < MIN_TRAIN or len(apart) < MIN_HELD_OUT:
        raise InputError(
            f"labelled images of {len(train) + len(apart)} patients",
            f"at least {MIN_TRAIN} patients to train on and {MIN_HELD_OUT} others to score on",
            "label images of more patients first",
        )
    write_text(path, json.dumps(held_out, indent=1, sort_keys=True))
    return Parts(_names(cases, train), _names(cases, apart), (len(train), len(apart)))


def _assigned(patients: Iterable[str], known: dict[str, bool]) -> dict[str, bool]:
    """Whether each patient is held out; new ones in the order of a digest of their names."""
    assigned = dict(known)
    new = sorted(
        set(patients) - known.keys(), key=lambda name: hashlib.sha256(name.encode()).digest()
    )
    for name in new:
        wanted = max(MIN_HELD_OUT, round(HELD_OUT_FRACTION * (len(assigned) + 1)))
        assigned[name] = sum(assigned.values()) < wanted
    return assigned


def _names(cases: Iterable[ProjectCase], patients: set[str]) -> tuple[str, ...]:
    return tuple(sorted(case.name for case in cases if case.patient in patients))


def _read(path: Path) -> dict[str, bool]:
    if not path.is_file():
        return {}
    content = read_stored(path)
    if not all(type(value) is bool for value in content.values()):
        raise UnreadableError(f"{path}: no parts of a project", "the JSON that was written")
    return content
