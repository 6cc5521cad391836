"""A bundle as a segmenter."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import Bundle, OutputSpec
from breastseg.core.errors import GeometryError, InputError, UnsupportedError
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance, Scalar
from breastseg.inference.bundle_folder import MODEL, read_bundle
from breastseg.inference.postprocess import bring_back
from breastseg.inference.session import OnnxNetwork, usable_cores
from breastseg.preprocess.prepare import prepare


class OnnxSegmenter:
    """Runs the network of a bundle as it was measured.

    May be used from several threads at once. The network is opened when it is first needed.

    Args:
        folder: the bundle.
        threads: CPU cores that one call computes on; 0 takes all that the process may use.
        output: an operating point in place of the bundle's own.
        force: also take images that are known to be of another modality than the bundle's.

    Raises:
        BundleError: the bundle is damaged.
        InputError: `threads` is negative.
    """

    def __init__(
        self,
        folder: Path,
        threads: int = 0,
        output: OutputSpec | None = None,
        force: bool = False,
    ) -> None:
        if threads < 0:
            raise InputError(f"threads = {threads}", "1 or more, or 0 for all cores")
        self.bundle: Bundle = read_bundle(folder)
        self.output: OutputSpec = output or self.bundle.output
        self.force = force
        self.folder = folder
        self.threads = threads or usable_cores()
        self._opened: OnnxNetwork | None = None
        self._opening = threading.Lock()

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.bundle.name

    def on_one_core(self) -> OnnxSegmenter:
        """The same segmenter with one core a call, to be called from several threads at once."""
        if self.threads == 1:
            return self
        return OnnxSegmenter(self.folder, 1, self.output, self.force)

    @property
    def _network(self) -> OnnxNetwork:
        with self._opening:
            if self._opened is None:
                path = self.folder / MODEL
                self._opened = OnnxNetwork(path, self.bundle.input, self.threads)
            return self._opened

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one 2-D image, grey or RGB; colour counts by its luminance.

        Raises:
            InputError: the image is of another modality than the bundle's.
            UnsupportedError: a volume, or a prompt: the network takes none.
            BundleError: the network cannot be run.
        """
        if prompt is not None:
            raise UnsupportedError(
                f"a prompt for {self.name!r}", "none: this network looks at the whole image"
            )
        return self.segment_batch([image])[0]

    def segment_batch(self, images: Sequence[Image]) -> list[Prediction]:
        """Outline several images, of any sizes, in one run of the network.

        Raises:
            InputError: an image is of another modality than the bundle's.
            UnsupportedError: a volume.
            BundleError: the network cannot be run.
        """
        if not images:
            return []
        for image in images:
            self._check_modality(image)
        prepared = [prepare(image, self.bundle.input) for image in images]
        maps = self.probabilities(np.stack([array for array, _ in prepared]))
        return [
            Prediction(
                bring_back(values, placement, self.output),
                image.grid,
                self._provenance(image),
                self.output.threshold,
            )
            for image, values, (_, placement) in zip(images, maps, prepared, strict=True)
        ]

    def probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's own maps, averaged with the mirrored ones where the bundle says so.

        Args:
            batch: (N, channels, rows, columns) of prepared images, float32.

        Returns:
            (N, rows, columns) float32, 0 to 1, before any post-processing.

        Raises:
            GeometryError: another shape.
            BundleError: the network cannot be run.
        """
        spec = self.bundle.input
        if batch.ndim != 4 or batch.shape[1:] != (spec.channels, *spec.size):
            raise GeometryError(
                f"a batch of shape {batch.shape}", f"(N, {spec.channels}, *{spec.size})"
            )
        batch = np.ascontiguousarray(batch, np.float32)
        maps = self._network(batch)[:, 0]
        if self.output.flip_average:
            mirrored = self._network(np.ascontiguousarray(batch[..., ::-1]))[:, 0]
            maps = (maps + mirrored[..., ::-1]) * np.float32(0.5)
        return np.clip(maps, 0, 1)

    def _check_modality(self, image: Image) -> None:
        known = image.modality is not Modality.UNKNOWN
        if known and image.modality is not self.bundle.modality and not self.force:
            raise InputError(
                f"{image.source or 'image'}: modality {image.modality}",
                f"{self.name!r} was trained and measured on {self.bundle.modality} only",
                "choose another bundle, or force it and check every outline",
            )

    def _provenance(self, image: Image) -> Provenance:
        spec, output = self.bundle.input, self.output
        parameters: dict[str, Scalar] = {
            "input_rows": spec.size[0],
            "input_columns": spec.size[1],
            "intensity": spec.intensity.value,
            "fit": spec.fit.value,
            **asdict(output),
        }
        return Provenance(
            segmenter=self.bundle.name,
            version=self.bundle.version,
            parameters=parameters,
            weights_sha256=self.bundle.weights_sha256,
            steps=self._steps(image),
        )

    def _steps(self, image: Image) -> tuple[str, ...]:
        spec, output = self.bundle.input, self.output
        rows, columns = image.grid.shape
        steps = ["colour to luminance"] if image.array.shape[0] == 3 else []
        steps += [
            "grey levels stretched to the image's own minimum and maximum",
            f"{rows}x{columns} pixels brought to {spec.size[0]}x{spec.size[1]} ({spec.fit})",
            f"intensity scale {spec.intensity}",
            f"network: {self.bundle.network}",
        ]
        if output.flip_average:
            steps.append("averaged with the prediction for the mirrored image")
        if output.min_peak > output.threshold:
            steps.append(f"outlines with a peak below {output.min_peak:g} dropped")
        if output.min_area_fraction > 0:
            steps.append(f"outlines below {output.min_area_fraction:g} of the image dropped")
        if output.largest_only:
            steps.append("only the largest outline kept")
        steps.append(f"brought back to {rows}x{columns} pixels, outlined at {output.threshold:g}")
        return tuple(steps)
