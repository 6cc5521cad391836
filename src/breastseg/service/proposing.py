"""The masks that a project's method proposes, and the queue's order, which comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from breastseg.annotation.priority import proposed_case
from breastseg.annotation.project import Project, ProjectCase, open_project
from breastseg.core.image import Image
from breastseg.core.segmenter import Segmenter


@dataclass(frozen=True)
class Waiting:
    """A case that waits for a mask.

    Attributes:
        case: its name.
        held: its image, as the store has it.
        spacing_mm: (row, column) as a person has stated it.
    """

    case: str
    held: dict[str, Any]
    spacing_mm: tuple[float, float] | None


@dataclass(frozen=True)
class Proposals:
    """Masks to be proposed anew, since the project has got another method.

    Attributes:
        folder: of the project.
        method: that proposes them.
        waiting: the cases.
    """

    folder: Path
    method: str
    waiting: tuple[Waiting, ...]


def propose(
    project: Project, name: str, patient: str, image: Image, segmenter: Segmenter
) -> ProjectCase:
    """Add an image with the mask that a method proposes, or replace what is known of it."""
    prediction = segmenter.segment(image)
    case = proposed_case(name, patient, image, prediction.probability)
    case = replace(case, method=project.settings.method)
    project.add(case, prediction.mask().foreground)
    return case


def outdated(project: Project) -> Iterator[ProjectCase]:
    """The cases that nobody has read, whose mask comes from another method than the project's."""
    for case in project.cases():
        if case.method != project.settings.method and not project.readings(case.name):
            yield case


def renew(
    task: Proposals,
    read: Callable[[Waiting], Image],
    segmenter: Segmenter,
    told: Callable[[float], None],
) -> int:
    """Propose all masks of a task; what was read or done meanwhile is left.

    Args:
        task: what is to be done; it ends where the project has got yet another method.
        read: gives the image of a case.
        segmenter: the method.
        told: of the fraction that is done.

    Returns:
        How many were proposed.
    """
    count = 0
    known = {case.name: case for case in outdated(open_project(task.folder))}
    for done, one in enumerate(task.waiting, start=1):
        project = open_project(task.folder)
        if project.settings.method != task.method:
            break
        case = known.get(one.case)
        if case is not None and not project.readings(case.name):
            propose(project, case.name, case.patient, read(one), segmenter)
            count += 1
        told(done / len(task.waiting))
    return count
