"""The folder that ``breastseg segment`` writes into, and what guards the files in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from breastseg.core.errors import InputError
from breastseg.core.image import Image
from breastseg.results.document import CSV_NAME, JSON_NAME, Finding, write_results
from breastseg.results.source import Source, unused

if TYPE_CHECKING:
    from breastseg.core.prediction import Prediction


class OutputFolder:
    """A folder of masks and overlays, and of maps of uncertainty where they are asked for.

    Args:
        root: the folder; made if it is missing.
        sources: what will be read, so that it is never written over.
        overwrite: replace files that are there already.
        uncertainty: also write the map of uncertainty, which every prediction then has.

    Raises:
        InputError: the folder cannot be written, or holds the results of an earlier run.
    """

    def __init__(
        self, root: Path, sources: Sequence[Source], overwrite: bool, uncertainty: bool = False
    ) -> None:
        self.root = root
        self._parts = ("mask", "overlay", *(["uncertainty"] if uncertainty else []))
        self._overwrite = overwrite
        self._inputs = {source.path.resolve() for source in sources}
        self._stems = {source.stem.casefold() for source in sources}
        for name in (JSON_NAME, CSV_NAME):
            refusal = self._refusal(root / name)
            if refusal is not None:
                raise refusal
        # An empty result, so that a folder that cannot be written is known before the work.
        write_results(root, [], complete=False)

    def save(
        self, source: Source, image: Image, prediction: Prediction, found: Sequence[Finding]
    ) -> dict[str, str] | InputError:
        """Write the mask and the overlay of one image, and how unsure they are.

        Returns:
            The names of the files as ``mask``, ``overlay`` and ``uncertainty``; or, with nothing
            written, why one of them must not be replaced.

        Raises:
            InputError: the folder cannot be written any more.
        """
        from breastseg.io.overlay import overlay
        from breastseg.io.write import write_png

        stem = source.stem
        if image.frame is not None:
            stem = unused(f"{stem}_f{image.frame + 1:04d}", self._stems)
        files = {part: f"{stem}_{part}.png" for part in self._parts}
        for name in files.values():
            refusal = self._refusal(self.root / name)
            if refusal is not None:
                return refusal
        mask = prediction.mask().foreground
        marks = [
            ends
            for finding in found
            for ends in (finding.measured.longest_ends, finding.measured.perpendicular_ends)
        ]
        spacing_mm = prediction.grid.spacing_mm
        in_plane = None if spacing_mm is None else (spacing_mm[0], spacing_mm[1])
        write_png(self.root / files["mask"], mask, in_plane)
        drawn = overlay(_seen(image, prediction), mask, None, marks)
        write_png(self.root / files["overlay"], drawn, in_plane)
        if "uncertainty" in files and prediction.uncertainty is not None:
            grey = np.rint(prediction.uncertainty * 255).astype(np.uint8)
            write_png(self.root / files["uncertainty"], grey, in_plane)
        return files

    def _refusal(self, path: Path) -> InputError | None:
        if path.resolve() in self._inputs:
            return InputError(
                f"{path}: is one of the inputs and is not written over",
                remedy="choose another folder with --out",
            )
        if path.exists() and not self._overwrite:
            return InputError(
                f"{path}: is there already",
                remedy="choose another folder with --out, or replace it with --overwrite",
            )
        return None


def _seen(image: Image, prediction: Prediction) -> Image:
    """The picture, black where it was not looked at: on a screen, that is where names stand."""
    if prediction.seen is None:
        return image
    part = prediction.seen.trailing
    array = np.full_like(image.array, image.array.min())
    array[part] = image.array[part]
    return replace(image, array=array)
