"""A bundle for volumes as a segmenter."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import Bundle, OutputSpec, VolumeSpec
from breastseg.core.errors import BundleError, InputError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance, Scalar
from breastseg.core.segmenter import Segmenter
from breastseg.inference.engine import Engine
from breastseg.inference.network import Network
from breastseg.inference.opened import opened_bundle
from breastseg.inference.postprocess import postprocess
from breastseg.inference.session import usable_cores
from breastseg.inference.sliding_window import sliding_window
from breastseg.inference.temperature import tempered
from breastseg.io.memory import check_memory
from breastseg.preprocess.orientation import oriented, reorientation
from breastseg.preprocess.volume import prepare_volume, resample


@runtime_checkable
class EstimatesMemory(Protocol):
    """A method that knows what it takes."""

    def memory_for(self, grid: Grid) -> int:
        """About how many bytes one call takes on such a grid beside the image."""


class VolumeSegmenter(Segmenter):
    """Runs the network of a bundle for volumes as it was measured.

    May be used from several threads at once. The network is loaded when it is first needed, and
    shared by all that open the same bundle.

    Args:
        folder: the bundle.
        threads: CPU cores that one call computes on; 0 takes all that the process may use.
        output: an operating point in place of the bundle's own.
        force: also take volumes that are known to be of another modality than the bundle's.
        engine: what runs the network.

    Raises:
        BundleError: the bundle is damaged, or one for images.
        InputError: `threads` is negative.
    """

    def __init__(
        self,
        folder: Path,
        threads: int = 0,
        output: OutputSpec | None = None,
        force: bool = False,
        engine: Engine = "onnxruntime",
    ) -> None:
        if threads < 0:
            raise InputError(f"threads = {threads}", "1 or more, or 0 for all cores")
        self._opened = opened_bundle(folder)
        self._loaded: Network | None = None
        if self.bundle.volume is None:
            raise BundleError(f"{folder}: a network for images", "one for volumes")
        self.spec: VolumeSpec = self.bundle.volume
        self.output: OutputSpec = output or self.bundle.output
        self.force = force
        self.engine = engine
        self.folder = folder
        self.threads = threads or usable_cores()

    @property
    def bundle(self) -> Bundle:
        """What the bundle says of itself."""
        return self._opened.description

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.bundle.name

    @property
    def dimensions(self) -> int:
        """3: it is for volumes."""
        return 3

    @property
    def phases(self) -> int:
        """How many phases of a study it takes."""
        return self.spec.channels

    def on_one_core(self) -> VolumeSegmenter:
        """The same segmenter with one core a call, to be called from several threads at once."""
        if self.threads == 1:
            return self
        return VolumeSegmenter(self.folder, 1, self.output, self.force, self.engine)

    @property
    def _network(self) -> Network:
        if self._loaded is None:
            self._loaded = self._opened.network(self.threads, self.engine)
        return self._loaded

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one volume.

        Args:
            image: (channels, slices, rows, columns), the phases in the order of their time; of
                more than the network takes, the first ones count.
            prompt: none is taken.

        Raises:
            InputError: another modality, or fewer phases than the bundle's.
            GeometryError: an image instead of a volume, or unknown spacing.
            UnsupportedError: a prompt, or more memory than the limit (`breastseg.io.memory`).
            BundleError: the network cannot be run.
        """
        return self.prediction_of(image, *self.map_of(image, prompt))

    def map_of(
        self, image: Image, prompt: Prompt | None = None
    ) -> tuple[NDArray[np.float32], tuple[int, ...]]:
        """The network's map before the rules of the operating point; otherwise as `segment`.

        Returns:
            (slices, rows, columns) of the volume's own grid, float32, 0 to 1; and the shape at
            which the network worked, in the orientation of its training.
        """
        if prompt is not None:
            raise UnsupportedError(
                f"a prompt for {self.name!r}", "none: this network looks at the whole volume"
            )
        self.check_modality(image)
        turn = reorientation(image.grid, self.spec.orientation)
        turned = oriented(image, self.spec.orientation)
        check_study_memory(self, image.grid, image.array.nbytes, image.source or "volume")
        prepared = prepare_volume(turned, self.spec)
        found = sliding_window(prepared, self.patches, self.spec.patch, self.spec.overlap)
        shape = prepared.shape[1:]
        del prepared
        found = resample(found, turned.grid.shape)
        return turn.undo(np.clip(found, 0, 1, out=found)), shape

    def prediction_of(
        self, image: Image, probability: NDArray[np.float32], shape: tuple[int, ...]
    ) -> Prediction:
        """What the operating point makes of a map; arguments as `map_of` returns them."""
        # in the orientation of training: which of two equal masks comes first depends on it
        turn = reorientation(image.grid, self.spec.orientation)
        least = self.spec.min_volume_mm3 / float(np.prod(turn.grid(image.grid).steps))
        probability = turn.undo(postprocess(turn.apply(probability), self.output, least))
        provenance = self._provenance(image, shape)
        return Prediction(
            probability,
            image.grid,
            provenance,
            self.output.threshold,
            target=self.bundle.target,
        )

    def patches(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's own maps at the bundle's temperature, averaged with the flipped ones.

        That average, over the columns' mirror image, is taken where the bundle says so.

        Args:
            batch: (N, channels, *patch) float32 as `prepare_volume` scales it.

        Returns:
            (N, 1, *patch) float32, 0 to 1.

        Raises:
            BundleError: the network cannot be run.
        """
        temperature = self.output.temperature
        maps = tempered(self._network(batch), temperature)
        if self.output.flip_average:
            flipped = self._network(np.ascontiguousarray(batch[..., ::-1]))
            maps = (maps + tempered(flipped, temperature)[..., ::-1]) * np.float32(0.5)
        return maps

    def check_modality(self, image: Image) -> None:
        """Refuse a volume that is known to be of another modality, unless that is forced.

        Raises:
            InputError: it is.
        """
        known = image.modality is not Modality.UNKNOWN
        if known and image.modality is not self.bundle.modality and not self.force:
            raise InputError(
                f"{image.source or 'volume'}: modality {image.modality_name}",
                f"{self.name!r} was trained and measured on {self.bundle.modality} only",
                "choose another bundle, or force it and check every mask",
            )

    def memory_for(self, grid: Grid) -> int:
        """About how many bytes one call takes on such a grid beside the image."""
        steps = reorientation(grid, self.spec.orientation).grid(grid).steps
        ratios = (step / wanted for step, wanted in zip(steps, self.spec.spacing_mm, strict=True))
        worked = grid.size * math.prod(ratios)
        # the channels and the map at the network's spacing, then maps on the volume's own grid
        return round(4 * ((self.spec.channels + 1) * worked + 4 * grid.size))

    def _provenance(self, image: Image, shape: tuple[int, ...]) -> Provenance:
        spec, output = self.spec, self.output
        parameters: dict[str, Scalar] = {
            "patch": "x".join(map(str, spec.patch)),
            "spacing_mm": "x".join(f"{step:g}" for step in spec.spacing_mm),
            "channels": spec.channels,
            "orientation": spec.orientation,
            "intensity": spec.intensity.value,
            "overlap": spec.overlap,
            "min_volume_mm3": spec.min_volume_mm3,
            **asdict(output),
            "engine": self._network.engine,
        }
        given, worked = ("x".join(map(str, sides)) for sides in (image.grid.shape, shape))
        low, high = spec.percentiles
        phases = len(image.array)
        steps = [
            *([f"of {phases} phases the first {spec.channels}"] * (phases > spec.channels)),
            f"axes brought to the orientation {spec.orientation}, and the result back",
            f"grey levels scaled by percentiles {low:g} and {high:g} of the "
            + ("first channel" if spec.intensity == "first-channel" else "channel itself"),
            f"{given} voxels brought to {worked} of {parameters['spacing_mm']} mm",
            f"network in overlapping patches of {parameters['patch']}: {self.bundle.network}",
        ]
        if output.temperature != 1:
            steps.append(f"logits divided by {output.temperature:g}")
        if output.flip_average:
            steps.append("averaged with the prediction for the flipped volume")
        steps.append(f"brought back to {given} voxels, outlined at {output.threshold:g}")
        if output.min_score > output.threshold:
            steps.append(f"regions with a score below {output.min_score:g} dropped")
        if output.min_area_fraction > 0:
            steps.append(f"regions below {output.min_area_fraction:g} of the volume dropped")
        if spec.min_volume_mm3 > 0:
            steps.append(f"regions below {spec.min_volume_mm3:g} cubic millimetres dropped")
        if output.largest_only:
            steps.append("only the largest region kept")
        return Provenance(
            segmenter=self.bundle.name,
            version=self.bundle.version,
            parameters=parameters,
            weights_sha256=self.bundle.weights_sha256,
            steps=tuple(steps),
        )


def check_study_memory(segmenter: Segmenter, grid: Grid, image_bytes: int, name: str) -> None:
    """Refuse a volume for which a method would take more memory than the limit.

    Args:
        segmenter: for volumes.
        grid: of the volume.
        image_bytes: that its phases take.
        name: what messages call it.

    Raises:
        UnsupportedError: it would, see `breastseg.io.memory`.
    """
    sides = " x ".join(map(str, grid.shape[::-1]))
    more = segmenter.memory_for(grid) if isinstance(segmenter, EstimatesMemory) else 0
    check_memory(image_bytes + more, name, f"{sides} voxels, and the maps of them,")
