"""From ``--data NAME=FOLDER`` and ``--split SPEC`` to cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.core.errors import DataSetError
from breastseg.data.catalogue import open_data_set, parse_source
from breastseg.data.dataset import CaseRef, DataSet, require_pictures
from breastseg.data.selection import select

Words = tuple[tuple[str, ...], ...]
"""The words after each occurrence of an option: ``--data A B --data C`` is ((A, B), (C,))."""

DataOption = Annotated[
    tyro.conf.UseAppendAction[Words],
    tyro.conf.arg(metavar="NAME=FOLDER ...", help_behavior_hint=""),
]
"""``--data BUSI=data/BUSI --data folder=scans`` or ``--data BUSI=data/BUSI folder=scans``."""


def open_data_sets(data: Words) -> tuple[DataSet, ...]:
    """The data sets of ``--data``.

    Raises:
        DataSetError: none is given, one is unknown, or two have one name.
    """
    if not data:
        raise DataSetError("no data set", "--data NAME=FOLDER, for example --data BUSI=data/BUSI")
    opened = tuple(open_data_set(*parse_source(text)) for words in data for text in words)
    names = [data_set.name for data_set in opened]
    if len(set(names)) < len(names):
        raise DataSetError(f"data sets named {', '.join(names)}", "each name once")
    return opened


def select_cases(data: Words, splits: Words, volumes: bool = False) -> tuple[CaseRef, ...]:
    """The cases of all data sets that the selections name.

    Args:
        data: ``NAME=FOLDER`` each.
        splits: selections (see `breastseg.data.selection.select`), each for all data sets or, as
            ``NAME=SELECTION``, for one; that of its own name counts for a data set that has one.
            All cases where there is none.
        volumes: whether cases may be volumes.

    Raises:
        DataSetError: a data set or a selection that cannot be used, one of volumes, or no case is
            left.
    """
    data_sets = open_data_sets(data)
    specs = [spec for words in splits for spec in words]
    general, own = _sorted_out(specs, [data_set.name for data_set in data_sets])
    cases: list[CaseRef] = []
    for data_set in data_sets:
        spec = own.get(data_set.name.lower(), general)
        cases += select(data_set.cases(), spec, Path.cwd())
    if not cases:
        raise DataSetError(f"no case is left by --split {' '.join(specs)}", "at least one case")
    if not volumes:
        require_pictures(cases)
    return tuple(cases)


def portable_words(data: Words, splits: Words) -> list[str]:
    """The options again, without folders of this machine: for the record of a run."""
    words = [f"{text.partition('=')[0]}=FOLDER" for given in data for text in given]
    specs = [re.sub(r"(?<=:)[^#\s]*/", "", text) for given in splits for text in given]
    return ["--data", *words, *(("--split", *specs) if specs else ())]


def _sorted_out(splits: Sequence[str], names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The selection for all data sets, and those for one by its name in lower case."""
    known = {name.lower() for name in names}
    general: list[str] = []
    own: dict[str, str] = {}
    for text in splits:
        name, equals, spec = text.partition("=")
        if not equals or "/" in name or ":" in name:
            general.append(text)
        elif name.lower() not in known:
            raise DataSetError(f"--split {text}", f"NAME one of {', '.join(names)}")
        elif own.setdefault(name.lower(), spec) != spec:
            raise DataSetError(f"two selections for {name}", "one; join them with ' & '")
    if len(general) > 1:
        raise DataSetError(f"{len(general)} selections for all data sets", "one, or NAME=SELECTION")
    return (general or ["all"])[0], own
