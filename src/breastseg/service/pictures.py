"""Which images a scan's files hold, and reading them again."""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from breastseg.core.errors import BreastsegError, InputError, as_breastseg_error
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.io.find import search_folder
from breastseg.io.open import is_dicom_file, open_image, open_images
from breastseg.io.volume_series import read_phases
from breastseg.service.files import Files
from breastseg.service.receiving import Received
from breastseg.service.series import volumes_among
from breastseg.service.titles import number_of, title_of

ScaledRegion = tuple[tuple[int, int, int, int], tuple[float, float] | None]


@dataclass(frozen=True)
class Held:
    """One image of a scan: a still, a cine loop or a volume, and where its pixels lie.

    Attributes:
        name: what the user calls its file.
        kind: ``"volume"``, or ``"image"`` for what has frames side by side or is a still.
        files: SHA-256 of its files; several for the slices of a series.
        first: its first frame in the file.
        frames: frames of a cine loop or slices of a volume; 1 for a still.
        shape: (rows, columns), or (slices, rows, columns).
        channels: 1 for grey, 3 for colour; the phases of a volume.
        dtype: of the pixels, as NumPy calls it.
        low: the smallest value.
        high: the largest value.
        spacing_mm: along each axis of `shape`; None where the files do not state it.
        regions: parts with scales of their own: (row0, column0, row1, column1) and (row, column)
            spacing, None where that is unknown.
        modality: what made it.
        view: side and view as the file states them.
        phases: of a volume, in words.
        remarks: what must be known of it before a result is trusted.
        study_date: YYYY-MM-DD as the file states it; empty where it does not.
        refers: whether DICOM objects can refer to it: an image of an archive, with its UIDs.
        number: its series and place there as the file states them; empty where it does not.
    """

    name: str
    kind: Literal["image", "volume"]
    files: tuple[str, ...]
    first: int
    frames: int
    shape: tuple[int, ...]
    channels: int
    dtype: str
    low: float
    high: float
    spacing_mm: tuple[float, ...] | None
    regions: tuple[ScaledRegion, ...]
    modality: str
    view: str
    phases: tuple[str, ...]
    remarks: tuple[str, ...]
    study_date: str = ""
    refers: bool = False
    number: str = ""

    @classmethod
    def of(cls, image: Image, received: Received, files: tuple[str, ...]) -> Held:
        """What is known of an image that was read.

        Args:
            image: as it was read.
            received: its file, or the first one.
            files: SHA-256 of all of them.
        """
        finite = image.array[np.isfinite(image.array)]
        return cls(
            name=received.name if received.named else title_of(image, received.name),
            kind="volume" if image.grid.ndim == 3 else "image",
            files=files,
            first=image.frame or 0,
            frames=image.grid.shape[0] if image.grid.ndim == 3 else 1,
            shape=image.grid.shape,
            channels=len(image.array),
            dtype=image.array.dtype.name,
            low=float(finite.min()) if finite.size else 0.0,
            high=float(finite.max()) if finite.size else 0.0,
            spacing_mm=image.grid.spacing_mm,
            regions=tuple(
                (
                    (one.box.start[0], one.box.start[1], one.box.stop[0], one.box.stop[1]),
                    one.spacing_mm,
                )
                for one in image.grid.regions
            ),
            modality=image.modality.value,
            view=image.view,
            phases=image.phases,
            remarks=image.remarks,
            study_date=_study_date(image),
            refers=image.grid.ndim == 2 and _has_uids(image),
            number=number_of(image),
        )

    @classmethod
    def from_row(cls, row: dict[str, object]) -> Held:
        """From what the store holds."""
        lists = ("files", "shape", "spacing_mm", "phases", "remarks")
        held = {key: tuple(v) if key in lists and v is not None else v for key, v in row.items()}  # type: ignore[arg-type]
        regions = row["regions"]
        assert isinstance(regions, list | tuple)
        held["regions"] = tuple((tuple(box), step and tuple(step)) for box, step in regions)
        return cls(**held)  # type: ignore[arg-type]

    def as_row(self) -> dict[str, object]:
        """As the store holds it."""
        return asdict(self)

    def joined(self, frame: Held) -> Held | None:
        """With one more frame; None where that is an image of its own."""
        alike = replace(
            frame,
            first=self.first,
            frames=self.frames,
            low=self.low,
            high=self.high,
            remarks=self.remarks,
        )
        if alike != self or self.kind == "volume":
            return None
        remarks = tuple(dict.fromkeys((*self.remarks, *frame.remarks)))
        low, high = min(self.low, frame.low), max(self.high, frame.high)
        return replace(self, frames=self.frames + 1, low=low, high=high, remarks=remarks)


def _has_uids(image: Image) -> bool:
    stated = () if image.reference is None else image.reference.frames
    return bool(stated) and all(one.instance_uid and one.class_uid for one in stated)


def _study_date(image: Image) -> str:
    """The date of a DICOM image's study (PS3.5 6.2, DA) as YYYY-MM-DD; else empty."""
    stated = "" if image.reference is None else image.reference.tags.get("StudyDate", "")
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", stated)
    return "-".join(found.groups()) if found else ""


@dataclass(frozen=True)
class Problem:
    """A file that could not be read, and why.

    Attributes:
        name: what the user calls it.
        message: what is wrong, in one line.
    """

    name: str
    message: str


def take_in(
    store: Files, files: Sequence[Received]
) -> tuple[tuple[Held, ...], tuple[Problem, ...]]:
    """Move files into the store, and find the images in them.

    DICOM slices of one series that lie in space become a volume, as do the frames of enhanced MR.
    What is no image is passed over.

    Args:
        store: takes the files.
        files: alone in their folder.
    """
    received = {one.path: one for one in files}
    paths = search_folder(files[0].path.parent).images
    images: list[Held] = []
    problems: list[Problem] = []
    stacked: set[Path] = set()
    for group in volumes_among(paths):
        try:
            volume = _volume_of(store, group, received[group[0]])
        except BreastsegError:
            continue  # its slices are images of their own then
        images.append(volume)
        stacked.update(group)
    for path in paths:
        if path in stacked:
            continue
        try:
            found = list(_found(path, received[path]))
        except BreastsegError as error:
            problems.append(Problem(received[path].name, str(error)))
            continue
        digest = store.keep(path)
        images += [replace(one, files=(digest,)) for one in found]
    return tuple(images), tuple(problems)


def _volume_of(store: Files, group: Sequence[Path], first: Received) -> Held:
    """The volume of a group of slices, whose files are kept."""
    with store.scratch() as folder:
        for number, path in enumerate(group):
            os.link(path, folder / f"{number:06d}")
        image = read_phases([folder])
    return Held.of(image, first, tuple(store.keep(path) for path in group))


def _found(path: Path, received: Received) -> Iterator[Held]:
    """The images of one file; frames of one size belong together."""
    last: Held | None = None
    try:
        for image in open_images(path, received.name):
            one = Held.of(image, received, ())
            joined = None if last is None else last.joined(one)
            if last is not None and joined is None:
                yield last
            last = joined or one
    except BreastsegError:
        raise
    except Exception as error:
        raise as_breastseg_error(error, received.name) from error
    if last is not None:
        yield last


class Pictures:
    """Decoded images, held within a limit of memory; may be used from several threads at once.

    Args:
        store: holds their files.
        most: bytes to hold; what was not asked for longest goes first.
    """

    def __init__(self, store: Files, most: int) -> None:
        self._store = store
        self._most = most
        self._held: OrderedDict[Hashable, Image] = OrderedDict()
        self._lock = threading.Lock()

    def image(
        self,
        held: Held,
        frame: int | None = None,
        spacing_mm: tuple[float, ...] | None = None,
        phase: int = 0,
    ) -> Image:
        """Read an image.

        Args:
            held: which.
            frame: of a cine loop, or a slice of a volume; None for the whole volume or a still.
            spacing_mm: (row, column) as a person has stated it, for an image that states none.
            phase: which phase a slice of a volume shows.

        Raises:
            InputError: there is no such frame or phase.
        """
        if frame is not None and not 0 <= frame < held.frames:
            raise InputError(f"frame {frame}", f"0 to {held.frames - 1}")
        if phase and not (held.kind == "volume" and phase < held.channels):
            raise InputError(
                f"phase {phase}", f"0 to {len(held.phases) - 1}" if held.phases else "0"
            )
        if held.kind == "volume":
            volume = self._once((held.files, "volume"), lambda: self._volume(held))
            return volume if frame is None else slice_of(volume, frame, phase)
        number = held.first + (frame or 0)
        path = self._store.blob(held.files[0])
        image = self._once((held.files, number), lambda: open_image(path, number, held.name))
        if spacing_mm is None or image.grid.spacing_mm is not None:
            return image
        return replace(image, grid=replace(image.grid, spacing_mm=spacing_mm))

    def _volume(self, held: Held) -> Image:
        if len(held.files) == 1 and not is_dicom_file(self._store.blob(held.files[0])):
            return open_image(self._store.blob(held.files[0]), 0, held.name)
        with self._store.folder_of(held.files) as folder:
            return replace(read_phases([folder]), source=held.name)

    def _once(self, key: Hashable, read: Callable[[], Image]) -> Image:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        image = read()
        with self._lock:
            self._held[key] = image
            while sum(one.array.nbytes for one in self._held.values()) > self._most:
                self._held.popitem(last=False)
        return image


def slice_of(volume: Image, index: int, phase: int = 0) -> Image:
    """One slice of a phase of a volume as an image on a grid of its own."""
    spacing = volume.grid.spacing_mm
    return Image(
        volume.array[phase : phase + 1, index],
        Grid(volume.grid.shape[1:], None if spacing is None else spacing[1:]),
        volume.modality,
        source=volume.source,
        frame=index,
        remarks=volume.remarks,
    )
