"""From texts such as ``BUSI=data/BUSI`` and ``split:FILE#train`` to cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.data.catalogue import DATA_SETS, OWN, open_data_set
from breastseg.data.dataset import CaseRef, DataSet, DataSetInfo, require_images
from breastseg.data.selection import select
from breastseg.io.real_path import at_home

_NAME = re.compile(r"[\w.-]+")
FORMS = "NAME=FOLDER, for example BUSI=data/BUSI, or NAME=KIND:PATH for data of one's own"


@dataclass(frozen=True)
class Named:
    """Data of one's own under a name that stays when files and folders are renamed.

    Attributes:
        name: the source of its cases' keys.
        data_set: where the cases come from.
    """

    name: str
    data_set: DataSet

    @property
    def root(self) -> Path:
        """The folder that holds it."""
        return self.data_set.root

    @property
    def info(self) -> DataSetInfo:
        """How it lies on disk."""
        return self.data_set.info

    def cases(self) -> tuple[CaseRef, ...]:
        """All cases, under the name.

        Raises:
            DataSetError: the layout is not the expected one.
        """
        return tuple(replace(case, source=self.name) for case in self.data_set.cases())

    def remarks(self) -> tuple[str, ...]:
        """What is incomplete or left over."""
        return self.data_set.remarks()


def open_source(text: str) -> DataSet:
    """Open ``"BUSI=/path"``, ``"folder=/path"`` or ``"clinic=folder:/path"``.

    The last gives data of one's own a name; without one it has the name of its folder or table,
    which changes when that is renamed.

    Raises:
        DataSetError: it is not of these forms, or names no known data set.
    """
    name, _, place = (part.strip() for part in text.partition("="))
    if not name or not place:
        raise DataSetError(f"source {text!r}", FORMS)
    kind, colon, path = place.partition(":")
    if not colon or kind.lower() not in {known.lower() for known in DATA_SETS}:
        return open_data_set(name, at_home(place))
    if kind.lower() not in OWN:
        raise DataSetError(
            f"source {text!r}: {kind} has a name of its own", f"{kind}=FOLDER, without {name}="
        )
    if not path or name.lower() in {known.lower() for known in DATA_SETS}:
        raise DataSetError(f"source {text!r}", "a name that no known data set has, and a path")
    if not _NAME.fullmatch(name):
        raise DataSetError(f"source {text!r}", "a name of letters, digits, '-', '_' and '.'")
    return Named(name, open_data_set(kind, at_home(path)))


def open_data_sets(sources: Sequence[str]) -> tuple[DataSet, ...]:
    """The data sets of the sources.

    Args:
        sources: ``NAME=FOLDER`` or ``NAME=KIND:PATH`` each; see `open_source`.

    Raises:
        DataSetError: none is given, one is unknown, or two have one name.
    """
    if not sources:
        raise DataSetError("no data set", FORMS)
    opened = tuple(open_source(text) for text in sources)
    names = [data_set.name for data_set in opened]
    if len(set(names)) < len(names):
        raise DataSetError(
            f"data sets named {', '.join(names)}", "each name once", "name them: NAME=KIND:PATH"
        )
    return opened


def select_cases(
    sources: Sequence[str], selections: Sequence[str], volumes: bool = False
) -> tuple[CaseRef, ...]:
    """The cases of all data sets that the selections name.

    Args:
        sources: as for `open_data_sets`.
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
        require_images(cases)
    return tuple(cases)


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
