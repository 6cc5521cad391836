"""An image and the kinds of images there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import GeometryError, InputError
from breastseg.core.grid import Grid
from breastseg.core.preview import preview
from breastseg.core.reference import Reference


class Modality(StrEnum):
    """What made the image.

    ``UNKNOWN`` is what a plain PNG is; ``OTHER`` is known to be none of those before it.
    """

    ULTRASOUND = "ultrasound"
    MAMMOGRAPHY = "mammography"
    MRI = "mri"
    HISTOPATHOLOGY = "histopathology"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    """Pixels on a grid, as a viewer would show them (bright is large).

    Attributes:
        array: (channels, *grid.shape), any real dtype; 1 channel for grey, 3 for RGB.
            Kept as a read-only view; the caller's array is not copied and never changed.
        grid: where the pixels lie.
        modality: what made the image.
        source: where it came from, for messages and reports.
        frame: index in a multi-frame file, from 0; None for a single frame.
        view: side and view as the file states them, such as ``"L MLO"``; empty where it does not.
        remarks: what must be known of the image before a result is trusted, in words.
        scan: the part that shows the scan, on an ultrasound screen whose file states it.
        reference: the DICOM frames that it was read from; None for what is no DICOM.
        phases: of a volume, what each channel is, in words: its file or series, and its time where
            that is stated; empty where nothing is known.

    Raises:
        GeometryError: the array's shape is not (channels, *grid.shape), or `scan` does not lie in
            the image.
        InputError: the dtype is not a real number.
    """

    array: NDArray[np.generic]
    grid: Grid
    modality: Modality = Modality.UNKNOWN
    source: str = ""
    frame: int | None = None
    view: str = ""
    remarks: tuple[str, ...] = ()
    scan: Box | None = None
    reference: Reference | None = None
    phases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.array.shape[1:] != self.grid.shape or self.array.ndim != self.grid.ndim + 1:
            raise GeometryError(
                f"image array of shape {self.array.shape} on a grid of {self.grid.shape}",
                "(channels, *grid.shape)",
            )
        if self.scan is not None and not self.scan.fits(self.grid.shape):
            raise GeometryError(
                f"a scan in the box {self.scan} on a grid of {self.grid.shape}", "a box within it"
            )
        if self.array.shape[0] < 1 or self.array.dtype.kind not in "uifb":
            raise InputError(
                f"image of {self.array.shape[0]} channels, dtype {self.array.dtype}",
                "at least one channel of real numbers",
            )
        view = self.array.view()
        view.flags.writeable = False
        object.__setattr__(self, "array", view)

    @property
    def modality_name(self) -> str:
        """For messages: the modality or, of another one, DICOM's term for it."""
        said = self.reference.tags.get("Modality") if self.reference else None
        return f"{said} (DICOM)" if self.modality is Modality.OTHER and said else self.modality

    def __repr__(self) -> str:
        """What it is, in one line, without its pixels."""
        name = f"{self.source} " if self.source else ""
        frame = "" if self.frame is None else f"frame {self.frame} "
        channels, kind = len(self.array), self.array.dtype
        return (
            f"<Image {name}{frame}({self.modality}): {self.grid}, "
            f"{channels} channel{'s' * (channels > 1)} of {kind}>"
        )

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the image, or the middle slice of a volume."""
        return preview(self.array)

    def grey(self) -> NDArray[np.floating]:
        """The luminance, in the array's own units (ITU-R BT.601 for RGB).

        Returns:
            grid.shape; float32, or float64 where float32 cannot hold the array's values.
        """
        dtype = np.result_type(self.array.dtype, np.float32)
        if self.array.shape[0] == 3:
            weights = np.array([0.299, 0.587, 0.114], dtype)
            return np.asarray(np.tensordot(weights, self.array.astype(dtype), axes=1))
        return np.asarray(self.array[0], dtype)
