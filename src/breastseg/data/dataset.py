"""What a data set is to the rest of the software: a name, where it came from, and its cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from breastseg.core.case import Case
from breastseg.core.errors import BreastsegError, DataSetError, GroundTruthError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.mask import Mask
from breastseg.data.cohorts import patient_key
from breastseg.io.write import well_formed

_LONG = 100  # letters of a name in a message
NORMAL = "normal"
"""The label of a view without a lesion."""


@dataclass(frozen=True)
class CaseRef:
    """Where one case lies on disk, and what is known of it without opening it.

    Cheap to make by the thousand and to send to another process; `load` opens the files. A data
    set whose files are no plain images has a subclass of its own, which reads them in
    `read_image` and `read_mask_array`.

    Attributes:
        case_id: unique within the source.
        patient_id: cases of one patient share it, within the source.
        label: ``"benign"``, ``"malignant"``, ``"normal"`` or another class; None if unknown.
        source: the data set's name.
        image_path: the image.
        mask_paths: the files that hold the masks; ``()`` says that there is no lesion,
            None says that there is no ground truth.
        scanner: the device, where it is stated.
        fold: the fold of the published partition, where there is one.
        spacing_mm: (row, column) distance of pixel centres in millimetres, where the data set
            states it apart from the image.
        modality: what made the image; unknown where it is not stated.
        tags: what is unusual in the image, such as ``"marks"``; ``()`` says that nothing is,
            None that it is not stated.
    """

    case_id: str
    patient_id: str
    label: str | None
    source: str
    image_path: Path
    mask_paths: tuple[Path, ...] | None
    scanner: str | None = None
    fold: int | None = None
    spacing_mm: tuple[float, float] | None = None
    modality: Modality = Modality.UNKNOWN
    tags: tuple[str, ...] | None = None

    masks_are_images: ClassVar[bool] = True
    """Whether each of `mask_paths` is an image of the image's size that
    `breastseg.data.lesion_pixels` can read."""

    is_volume: ClassVar[bool] = False
    """Whether the case is a volume, (phases, slices, rows, columns), and no image."""

    def __post_init__(self) -> None:
        """Names come from files, whose names may be no text, and go into files, which must be."""
        for name in ("case_id", "patient_id", "source"):
            object.__setattr__(self, name, well_formed(getattr(self, name)))

    @property
    def key(self) -> str:
        """Unique over all sources: ``"source/case_id"``."""
        return f"{self.source}/{self.case_id}"

    @property
    def patient_key(self) -> str:
        """The patient, unique over all sources; see `breastseg.data.cohorts.patient_key`."""
        return patient_key(self.source, self.patient_id)

    @property
    def image_paths(self) -> tuple[Path, ...]:
        """The files, or folders of files, that the image is read from."""
        return (self.image_path,)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that the case is read from: its image, then its masks."""
        return (*self.image_paths, *(self.mask_paths or ()))

    @property
    def is_normal(self) -> bool:
        """True where it is stated that there is no lesion."""
        return self.mask_paths == () or self.label == NORMAL

    def load(self) -> Case:
        """Read the image and its masks, merged into one mask.

        Returns:
            The case; its image is that of `read_image`, its mask is None where the ground truth
            is not known.

        Raises:
            UnreadableError: the image is missing or damaged.
            GroundTruthError: the image can be read and its ground truth cannot be used.
        """
        image = self.read_image()
        mask = None
        if self.mask_paths is not None:
            try:
                mask = self.read_mask(image.grid)
            except BreastsegError as error:
                raise GroundTruthError(error.given, error.allowed, error.remedy) from error
        return Case(
            case_id=self.case_id,
            patient_id=self.patient_id,
            images=(image,),
            mask=mask,
            label=self.label,
            source=self.source,
            scanner=self.scanner,
        )

    def read_image(self) -> Image:
        """The image alone.

        Returns:
            (1, rows, columns) in the file's dtype; colours become grey.

        Raises:
            UnreadableError: the file is missing or damaged.
        """
        from breastseg.io.raster import read_raster

        return _grey(the_image(read_raster(self.image_path, self.key)), self)

    def read_mask(self, grid: Grid) -> Mask:
        """The ground truth on the image's grid; what is raised as for `read_mask_array`."""
        return Mask(self.read_mask_array(grid.shape), grid)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All masks together.

        Args:
            shape: of the image's grid.

        Returns:
            Of that shape, True inside any lesion; nowhere where there is no lesion, or where the
            ground truth is not known.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: a mask does not fit the image, or it cannot be told what in it is
                lesion (see `breastseg.data.lesion_pixels`).
        """
        from breastseg.data.lesion_pixels import read_lesion_pixels

        merged = np.zeros(shape, bool)
        for path in self.mask_paths or ():
            part = read_lesion_pixels(path, f"{self.key}: {path.name}").lesion
            if part.shape != shape:
                raise DataSetError(
                    f"{self.key}: {path.name} has {part.shape} pixels, the image {shape}",
                    "masks of the image's size",
                    "repair or remove the file, or leave the case out",
                )
            merged |= part
        return merged


def the_image(image: Image) -> Image:
    """The image of a file that holds one.

    Raises:
        DataSetError: its file holds more, of which it cannot be told which is meant.
    """
    if image.frame is not None:
        raise DataSetError(
            f"{image.source}: a file of several images", "one image a case", "export the one meant"
        )
    return image


def _grey(image: Image, ref: CaseRef) -> Image:
    array = image.array
    if array.shape[0] != 1:
        grey = image.grey()
        # Back to the file's own dtype: whole grey levels, and a quarter of the memory.
        array = (np.rint(grey).astype(array.dtype) if array.dtype.kind in "ui" else grey)[None]
    grid = image.grid
    if ref.spacing_mm is not None:
        grid = replace(grid, spacing_mm=ref.spacing_mm, regions=())
    return replace(image, array=array, grid=grid, modality=ref.modality)


@dataclass(frozen=True)
class DataSetInfo:
    """What to know of a data set before using it.

    Attributes:
        title: its full name.
        paper: the publication that its authors ask to be cited.
        doi: of that publication; empty where there is none.
        licence: in words.
        home: where to get it.
        tree: the expected files, as text.
    """

    title: str
    paper: str
    doi: str
    licence: str
    home: str
    tree: str


class Notice(str):
    """A remark that changes what a figure means, such as classes that count as one lesion."""

    __slots__ = ()


class Fault(Notice):
    """A remark that says that something is wrong, such as images and masks that do not pair."""

    __slots__ = ()


class DataSet(Protocol):
    """A collection of cases in a folder."""

    @property
    def name(self) -> str:
        """The name under which its cases are known; the source of their keys."""

    @property
    def root(self) -> Path:
        """The folder that holds it."""

    @property
    def info(self) -> DataSetInfo:
        """Where it came from and how it lies on disk."""

    def cases(self) -> tuple[CaseRef, ...]:
        """All cases whose image is there, sorted by case_id.

        Raises:
            DataSetError: the layout is not the expected one; says what is missing.
        """

    def remarks(self) -> tuple[str, ...]:
        """What in this copy is incomplete or left over, though it can be used; often empty.

        A `Notice` among them is said wherever the data are used; a `Fault` says that a command
        should not end as if all was well.
        """


def locate(root: Path, places: Iterable[str], marks: Iterable[str]) -> Path:
    """The first of the folders ``root / place`` that holds all marks; `root` where none does."""
    wanted = tuple(marks)
    for place in places:
        folder = root / place
        if all((folder / mark).exists() for mark in wanted):
            return folder
    return root


def require(root: Path, wanted: Iterable[str], info: DataSetInfo) -> None:
    """Check that files and folders are there.

    Raises:
        DataSetError: names each that is missing, the expected tree, and where to get the data.
    """
    if not root.is_dir():
        raise DataSetError(
            f"no folder {root} for {info.title}",
            f"a folder that holds {info.tree}",
            f"get it from {info.home}",
        )
    missing = [name for name in wanted if not (root / name).exists()]
    if missing:
        raise DataSetError(
            f"{info.title}: no {' and no '.join(missing)} in {root}",
            f"a folder that holds {info.tree}",
            f"get it from {info.home}",
        )


def require_images(cases: Iterable[CaseRef]) -> None:
    """Check that no case is a volume, for what looks at images only.

    Raises:
        DataSetError: one is.
    """
    volumes = sorted({case.source for case in cases if case.is_volume})
    if volumes:
        raise DataSetError(
            f"{', '.join(volumes)}: holds volumes",
            "data sets of images",
            "segment volumes with a method for volumes",
        )


def some(names: Iterable[str], limit: int = 5) -> str:
    """The first few names, long ones cut, and how many more there are, for a message."""
    listed = [n if len(n) <= _LONG else f"{n[: _LONG // 2]}...{n[-20:]}" for n in sorted(names)]
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
