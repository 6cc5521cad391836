"""The labelling projects of a service, and which of their images are open before whom."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from breastseg.annotation.progress import next_case
from breastseg.annotation.project import (
    Project,
    ProjectCase,
    ProjectSettings,
    create_project,
    open_project,
)
from breastseg.annotation.reading import Reading
from breastseg.service.problem import ConflictError, NotFoundError

OPEN_S = 1800.0
"""How long an image stays open before a reader who says nothing of it."""
_NAME = re.compile(r"([0-9a-f]{32})-(\d+)-(\d+)")


@dataclass(frozen=True)
class Place:
    """Where the image of a case lies.

    Attributes:
        scan: name of the scan.
        image: of the scan.
        frame: of the image; 0 for a still.
    """

    scan: str
    image: int
    frame: int

    @property
    def case(self) -> str:
        """The name of the case in a project."""
        return f"{self.scan}-{self.image}-{self.frame}"


def place_of(case: str) -> Place:
    """Where the image of a case lies.

    Raises:
        NotFoundError: no case has such a name.
    """
    found = _NAME.fullmatch(case)
    if found is None:
        raise NotFoundError("no such image in the project", remedy="ask for the next one")
    return Place(found[1], int(found[2]), int(found[3]))


class Labelling:
    """The projects of a service; may be used from several threads at once.

    Args:
        root: holds a folder for each project.
        clock: seconds that only grow.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str, str], float] = {}  # project, reader, case: since when

    def create(self, settings: ProjectSettings) -> tuple[str, Project]:
        """A new project and its name."""
        name = secrets.token_hex(16)
        return name, create_project(self._root / name, settings)

    def all(self) -> dict[str, Project]:
        """The projects by their names."""
        names = sorted(path.parent.name for path in self._root.glob("*/project.json"))
        return {name: open_project(self._root / name) for name in names}

    def one(self, name: str) -> Project:
        """A project.

        Raises:
            NotFoundError: there is none of that name.
        """
        if not (self._root / name / "project.json").is_file():
            raise NotFoundError("no such project", remedy="list the projects")
        return open_project(self._root / name)

    def next(self, name: str, reader: str) -> ProjectCase | None:
        """The image that a reader should see next, which is then open before that reader.

        A reader who asks again without having decided gets the same image again.

        Raises:
            NotFoundError: there is no such project.
        """
        project = self.one(name)
        with self._lock:
            now = self._clock()
            self._open = {k: since for k, since in self._open.items() if now - since < OPEN_S}
            others: dict[str, int] = {}
            for of, who, case in self._open:
                if of == name and who != reader:
                    others[case] = others.get(case, 0) + 1
                elif of == name:
                    return {known.name: known for known in project.cases()}[case]
            found = next_case(project, reader, others)
            if found is not None:
                self._open[name, reader, found.name] = now
            return found

    def record(self, name: str, reading: Reading, first: bool) -> None:
        """Keep what a reader has decided on an image, which is then no longer open.

        Args:
            name: of the project.
            reading: the decision.
            first: refuse it where the reader has decided on the image before.

        Raises:
            ConflictError: the reader has, be it in another window at the same moment.
        """
        project = self.one(name)
        with self._lock:
            earlier = project.readings(reading.case) if first else ()
            if any(one.reader == reading.reader for one in earlier):
                raise ConflictError(
                    "a decision on an image that you have decided on already, as in another window",
                    "one decision",
                    "go on with the next image; the earlier decision holds",
                )
            project.record(reading)
            self._open.pop((name, reading.reader, reading.case), None)
