"""How far an image of a project is, and which one a reader should see next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from breastseg.annotation.priority import order_by_gain
from breastseg.annotation.project import Project, ProjectCase
from breastseg.annotation.reading import Decision, Reading


class Status(StrEnum):
    """How far an image is."""

    OPEN = "open"  # more readers are needed
    LABELLED = "labelled"  # enough readers gave a mask
    REJECTED = "rejected"  # more readers rejected it than gave a mask


def status_of(readings: Sequence[Reading], readers_per_case: int) -> Status:
    """How far an image is.

    A reader who hands an image on does not count: it waits for another one. Rejections count as
    decisions; an image that as many reject as label is labelled.

    Args:
        readings: the latest of each reader.
        readers_per_case: how many must decide.
    """
    decided = _decided(readings)
    if decided < readers_per_case:
        return Status.OPEN
    rejected = sum(reading.decision is Decision.REJECTED for reading in readings)
    return Status.REJECTED if 2 * rejected > decided else Status.LABELLED


def next_case(
    project: Project, reader: str, open_now: Mapping[str, int] | None = None
) -> ProjectCase | None:
    """The image that a reader should see next.

    Images that others have begun come first, so that cases become complete; then the image on
    which the method is unsure and that is unlike the others, see `breastseg.annotation.priority`.

    Args:
        project: the project.
        reader: who asks. A reader never sees an image twice, nor what others said of it.
        open_now: before how many other readers an image is open at the moment, by its name.

    Returns:
        None where nothing is left for this reader.
    """
    needed = project.settings.readers_per_case
    seen: list[ProjectCase] = []
    begun: list[ProjectCase] = []
    fresh: list[ProjectCase] = []
    for case in project.cases():
        readings = project.readings(case.name)
        missing = needed - _decided(readings) - (open_now or {}).get(case.name, 0)
        if readings or missing <= 0:
            seen.append(case)
        if missing > 0 and all(reading.reader != reader for reading in readings):
            (begun if readings else fresh).append(case)
    if begun:
        return begun[0]
    return order_by_gain(fresh, seen, count=1)[0] if fresh else None


def _decided(readings: Sequence[Reading]) -> int:
    """How many readers did not hand the image on."""
    return sum(reading.decision is not Decision.HANDED_ON for reading in readings)
