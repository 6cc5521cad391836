"""From texts such as ``BUSI=data/BUSI`` and ``split:FILE#train`` to cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.data.catalogue import open_data_set
from breastseg.data.dataset import CaseRef, DataSet, require_pictures
from breastseg.data.selection import select


def parse_source(text: str) -> tuple[str, Path]:
    """Split ``"BUSI=/path"`` into the name and the folder, for `open_data_set`.

    Raises:
        DataSetError: there is no name or no folder.
    """
    name, _, path = text.partition("=")
    if not name.strip() or not path.strip():
        raise DataSetError(f"source {text!r}", "NAME=FOLDER, for example BUSI=data/BUSI")
    return name.strip(), Path(path.strip()).expanduser()


def open_data_sets(sources: Sequence[str]) -> tuple[DataSet, ...]:
    """The data sets of the sources.

    Args:
        sources: ``NAME=FOLDER`` each; see `parse_source`.

    Raises:
        DataSetError: none is given, one is unknown, or two have one name.
    """
    if not sources:
        raise DataSetError("no data set", "NAME=FOLDER, for example BUSI=data/BUSI")
    opened = tuple(open_data_set(*parse_source(text)) for text in sources)
    names = [data_set.name for data_set in opened]
    if len(set(names)) < len(names):
        raise DataSetError(f"data sets named {', '.join(names)}", "each name once")
    return opened


def select_cases(
    sources: Sequence[str], selections: Sequence[str], volumes: bool = False
) -> tuple[CaseRef, ...]:
    """The cases of all data sets that the selections name.

    Args:
        sources: ``NAME=FOLDER`` each; see `parse_source`.
        selections: see `breastseg.data.selection.select`; each for all data sets or, as
            ``NAME=SELECTION``, for one; that of its own name counts for a data set that has one.
            All cases where there is none.
        volumes: whether cases may be volumes.

    Raises:
        DataSetError: a data set or a selection that cannot be used, one of volumes, or no case is
            left.
    """
    data_sets = open_data_sets(sources)
    general, own = _sorted_out(selections, [data_set.name for data_set in data_sets])
    cases: list[CaseRef] = []
    for data_set in data_sets:
        spec = own.get(data_set.name.lower(), general)
        cases += select(data_set.cases(), spec, Path.cwd())
    if not cases:
        raise DataSetError(f"no case is left by {' '.join(selections)}", "at least one case")
    if not volumes:
        require_pictures(cases)
    return tuple(cases)


def portable_words(sources: Sequence[str], selections: Sequence[str]) -> list[str]:
    """The options again, without folders of this machine: for the record of a run."""
    words = [f"{text.partition('=')[0]}=FOLDER" for text in sources]
    specs = [re.sub(r"(?<=:)[^#\s]*/", "", text) for text in selections]
    return ["--data", *words, *(("--split", *specs) if specs else ())]


def _sorted_out(selections: Sequence[str], names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The selection for all data sets, and those for one by its name in lower case."""
    known = {name.lower() for name in names}
    general: list[str] = []
    own: dict[str, str] = {}
    for text in selections:
        name, equals, spec = text.partition("=")
        if not equals or "/" in name or ":" in name:
            general.append(text)
        elif name.lower() not in known:
            raise DataSetError(f"selection {text}", f"NAME one of {', '.join(names)}")
        elif own.setdefault(name.lower(), spec) != spec:
            raise DataSetError(f"two selections for {name}", "one; join them with ' & '")
    if len(general) > 1:
        raise DataSetError(f"{len(general)} selections for all data sets", "one, or NAME=SELECTION")
    return (general or ["all"])[0], own
