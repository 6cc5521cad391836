"""The report: a line for each image as it is written, by which a run that was killed goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.io.write import write_text

REPORT_NAME = "report.jsonl"


@dataclass(frozen=True)
class Done:
    """An image that an earlier run has written.

    Attributes:
        path: where it is.
        is_held_back: that it waits for a person to look at it.
    """

    path: Path
    is_held_back: bool


class Report:
    """Adds line after line; each reaches the operating system before the call returns.

    Of a report that is there, the lines of images that are there stay. A last line that was cut off
    goes, and its image is made again.

    Args:
        out: folder of the images and of the report.
        held_back: folder of the images that a person has to look at.

    Attributes:
        done: the images that are there, by `Key.fingerprint` of the file that each came from.

    Raises:
        InputError: a line is not one of a report, or it cannot be written.
    """

    def __init__(self, out: Path, held_back: Path) -> None:
        self._path = out / REPORT_NAME
        self.done: dict[str, Done] = {}
        kept = []
        for line in self._lines():
            try:
                said = json.loads(line)
                original, file, left = said["original"], said["file"], said["pixels"]["text_left"]
                places = [(held_back if left else out) / file, out / file]
            except (ValueError, LookupError, TypeError) as error:
                raise InputError(
                    f"{self._path}: holds a line that no de-identification wrote",
                    "the report of the run that is continued",
                    "choose another folder",
                ) from error
            # a person who has looked at it may have moved it
            path = next((one for one in places if one.is_file()), None)
            if path is not None:
                self.done[original] = Done(path, bool(left) and path == places[0])
                kept.append(line + "\n")
        write_text(self._path, "".join(kept))

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8").split("\n")[:-1]
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self._path}: cannot be read", "the report of a run") from error

    def add(self, said: Mapping[str, object]) -> None:
        """Add the line of an image.

        Raises:
            InputError: it cannot be written, as on a full disk.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(said) + "\n")
        except OSError as error:
            raise InputError(
                f"{self._path}: cannot be written ({error.strerror or error})",
                remedy="make room, then continue the run",
            ) from error
