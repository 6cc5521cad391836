"""A mask that was drawn or corrected by hand, measured as the mask of a method is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.data.lesion_pixels import LesionPixels, lesion_pixels, read_lesion_pixels
from breastseg.io.volume import VOLUME_SUFFIXES, grid_difference, read_volume
from breastseg.io.write import write_png
from breastseg.measure.finding import Finding, findings
from breastseg.measure.skin import LaidSkin
from breastseg.results.drawing import drawn, shown
from breastseg.results.entry import success
from breastseg.results.reading import Spacing, read_source
from breastseg.results.report import write_report
from breastseg.results.run import Run
from breastseg.results.schema import Entry, Files, LesionRecord
from breastseg.results.source import Source, printable


@dataclass(frozen=True, eq=False)
class GivenMask:
    """A mask on its image.

    Attributes:
        image: an image or a volume, with what must be known of the mask among its remarks.
        mask: bool of the grid's shape.
        skin: as a person has laid it; None where it is looked for in the image.
    """

    image: Image
    mask: NDArray[np.bool_]
    skin: LaidSkin | None = None

    def __post_init__(self) -> None:
        if self.mask.shape != self.image.grid.shape:
            raise GeometryError(
                f"a mask of {self.mask.shape} for an image of {self.image.grid.shape}",
                "one size",
                "draw the mask on the image itself",
            )

    @property
    def prediction(self) -> Prediction:
        """The mask as what a method returns, to be drawn and written as such."""
        certain = self.mask.astype(np.float32)
        return Prediction(certain, self.image.grid, Provenance("given mask", ""))

    def measure(self, name: str, files: Files) -> tuple[Entry, tuple[Finding, ...]]:
        """Its entry, which has no probabilities, and its lesions.

        Args:
            name: of the image.
            files: what is written for it.
        """
        found = findings(self.prediction, self.image, skin=self.skin)
        entry = success(name, self.image, self.prediction, found, files)
        lesions = tuple(map(_without_probability, entry.lesions))
        laid = None if self.skin is None else self.skin.ends
        return replace(entry, lesions=lesions, skin_line=laid), found


def read_given_mask(image: Path, mask: Path, spacing_mm: Spacing | None = None) -> GivenMask:
    """Read a mask and the image or volume that it was drawn on.

    Args:
        image: what `read_source` reads, with one image in it; or NIfTI, NRRD, MetaImage.
        mask: of the same size; of a volume a file on its grid. 0 is background.
        spacing_mm: as for `read_source`.

    Raises:
        BreastsegError: a file cannot be read, or the mask does not fit.
        InputError: an image of several frames.
        DataSetError: what in the mask is lesion cannot be told, see `lesion_pixels`.
    """
    name = printable(mask)
    if image.name.lower().endswith(VOLUME_SUFFIXES):
        volume, labels = read_volume(image), read_volume(mask)
        difference = grid_difference(volume.grid, labels.grid)
        if difference:
            raise GeometryError(
                f"{name}: {difference} than the image", "a mask on the image's own voxels"
            )
        return _told(volume, lesion_pixels(labels.array, name), name)
    frames = read_source(Source(printable(image), image), spacing_mm)
    first = next(frames)
    if next(frames, None) is not None:
        raise InputError(f"{image}: several frames", "one image", "save the frame as an image")
    return _told(first, read_lesion_pixels(mask, name), name)


def measure_mask(image: Path, mask: Path, run: Run, spacing_mm: Spacing | None = None) -> Entry:
    """Measure a mask, and write what is known of it where the run has a folder.

    Args:
        image: as for `read_given_mask`.
        mask: likewise.
        run: takes the entry; in its folder the overlay and the report of an image are written.
        spacing_mm: as for `read_given_mask`.

    Raises:
        BreastsegError: as `read_given_mask`, or the folder cannot be written.
    """
    complete = False
    try:
        given = read_given_mask(image, mask, spacing_mm)
        pictured = run.root is not None and given.mask.ndim == 2
        files = Files(image="seen.png", overlay="overlay.png") if pictured else Files()
        entry, found = given.measure(printable(image), files)
        if pictured:
            _draw(run, given, files, found)
        run.add(entry)
        complete = True
    finally:
        run.close(complete)
    if pictured and run.root is not None:
        write_report(run.root, run.document())
    return entry


def _draw(run: Run, given: GivenMask, files: Files, found: Sequence[Finding]) -> None:
    arrays = {
        files.image or "": shown(given.image, given.prediction),
        files.overlay or "": drawn(given.image, given.prediction, found, skin=given.skin),
    }
    refusal = run.claim(*arrays)
    if refusal is not None or run.root is None:
        raise refusal or InputError("an overlay without a folder", "a folder")
    with run.writing(*arrays):
        for name, array in arrays.items():
            write_png(run.root / name, array)


def _told(image: Image, read: LesionPixels, name: str) -> GivenMask:
    if len(read.values) > 1:
        merged = f"{name}: the values {', '.join(read.values)} were all taken as lesion"
        image = replace(image, remarks=(*image.remarks, merged))
    return GivenMask(image, read.lesion)


def _without_probability(lesion: LesionRecord) -> LesionRecord:
    return replace(lesion, mean_probability=None, max_probability=None)
