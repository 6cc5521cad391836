"""A bundle as a segmenter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import Bundle, OutputSpec, Region
from breastseg.core.calibrated import Confidence, Conformal
from breastseg.core.errors import BundleError, GeometryError, InputError, UnsupportedError
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Prediction, malignancy_of
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance, Scalar
from breastseg.core.segmenter import Segmenter
from breastseg.inference.classes import classes_to_image_grid, tempered_classes
from breastseg.inference.engine import Engine
from breastseg.inference.network import Network
from breastseg.inference.opened import opened_bundle
from breastseg.inference.postprocess import to_image_grid
from breastseg.inference.prompting import PromptedNetwork
from breastseg.inference.scale import check_scale
from breastseg.inference.session import usable_cores
from breastseg.inference.temperature import tempered
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.prepare import prepare
from breastseg.preprocess.prompt_maps import CHANNELS as PROMPT_MAPS


class OnnxSegmenter(Segmenter):
    """Runs the network of a bundle as it was measured.

    May be used from several threads at once. The network is loaded when it is first needed, and
    shared by all that open the same bundle. A
    bundle with several labels gives `Prediction.class_probability` besides.

    Args:
        folder: the bundle.
        threads: CPU cores that one call computes on; 0 takes all that the process may use.
        output: an operating point in place of the bundle's own.
        force: also take images that are known to be of another modality or scale than the bundle's.
        engine: what runs the network.

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
        engine: Engine = "onnxruntime",
    ) -> None:
        if threads < 0:
            raise InputError(f"threads = {threads}", "1 or more, or 0 for all cores")
        self._opened = opened_bundle(folder)
        self._loaded: Network | None = None
        if self.bundle.volume is not None:
            raise BundleError(f"{self.bundle.name!r} is a network for volumes", "one for images")
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
    def class_names(self) -> tuple[str, ...]:
        """The kinds of lesion that the network tells apart, by label; empty for a single one."""
        labels = self.bundle.labels
        return tuple(labels[number] for number in sorted(labels)) if len(labels) > 1 else ()

    @property
    def confidence(self) -> Confidence | None:
        """How an image's score becomes a probability; None where that was not calibrated."""
        return self.bundle.at(self.output).confidence

    @property
    def conformal(self) -> Conformal | None:
        """What holds of the masks at this operating point; None where nothing was calibrated."""
        return self.bundle.at(self.output).conformal

    def with_output(self, output: OutputSpec) -> OnnxSegmenter:
        """The same segmenter at another operating point."""
        return OnnxSegmenter(self.folder, self.threads, output, self.force, self.engine)

    def on_one_core(self) -> OnnxSegmenter:
        """The same segmenter with one core a call, to be called from several threads at once."""
        if self.threads == 1:
            return self
        return OnnxSegmenter(self.folder, 1, self.output, self.force, self.engine)

    @property
    def _network(self) -> Network:
        if self._loaded is None:
            self._loaded = self._opened.network(self.threads, self.engine)
        return self._loaded

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one 2-D image, grey or RGB; see `InputSpec.colour`.

        Raises:
            InputError: the image is of another modality or scale than the bundle's.
            UnsupportedError: a volume, or a prompt for a network that takes none.
            BundleError: the network cannot be run.
        """
        if prompt is None:
            return self.segment_batch([image])[0]
        spec = self.bundle.prompt
        if spec is None:
            raise UnsupportedError(
                f"a prompt for {self.name!r}", "none: this network looks at the whole image"
            )
        self.check(image)
        asked = PromptedNetwork(self._ask, self.bundle.input, spec, self.output.threshold)
        provenance = self._provenance(image)
        return Prediction(
            asked.answer(to_unit(image.grey()), prompt),
            image.grid,
            replace(provenance, steps=(*provenance.steps, f"asked with a {prompt.described}")),
            self.output.threshold,
            target=self.bundle.target,
        )

    def _ask(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1, channels + maps of a prompt, rows, columns) to (rows, columns)."""
        return np.asarray(self._maps(batch)[0, 0])

    def segment_batch(self, images: Sequence[Image]) -> list[Prediction]:
        """Outline several images, of any sizes, in one run of the network.

        Raises:
            InputError: an image is of another modality or scale than the bundle's.
            UnsupportedError: a volume.
            BundleError: the network cannot be run.
        """
        if not images:
            return []
        for image in images:
            self.check(image)
        prepared = [prepare(image, self.bundle.input) for image in images]
        maps = self.class_probabilities(np.stack([array for array, _ in prepared]))
        return [
            self.calibrated(self.prediction_of(image, values, placement), values, placement)
            for image, values, (_, placement) in zip(images, maps, prepared, strict=True)
        ]

    def calibrated(
        self, found: Prediction, maps: NDArray[np.float32], placement: Placement
    ) -> Prediction:
        """The prediction with what the bundle was calibrated to say of it, if anything.

        Args:
            found: what `prediction_of` made of the maps.
            maps: (K + 1 or 1, rows, columns), of this network alone.
            placement: where the image lies in them.
        """
        scaling = self.confidence
        confidence = None if scaling is None else scaling(image_score(maps, placement))
        return replace(found, confidence=confidence, conformal=self.conformal)

    def prediction_of(
        self, image: Image, maps: NDArray[np.float32], placement: Placement
    ) -> Prediction:
        """What the bundle's operating point makes of the maps of one image.

        Args:
            image: what was looked at.
            maps: (K + 1 or 1, rows, columns) float32, as of one image in `class_probabilities`.
            placement: where the image lies in them.
        """
        names = self.class_names
        lesion = any_lesion(maps[None])[0]
        probability = to_image_grid(lesion, placement, self.output)
        found = Prediction(
            probability,
            image.grid,
            self._provenance(image),
            self.output.threshold,
            class_probability=classes_to_image_grid(maps[1:], placement, probability)
            if names
            else None,
            class_names=names,
            target=self.bundle.target,
        )
        if not names:
            return found
        return replace(found, malignancy=malignancy_of(found, self.bundle.malignancy))

    def probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's own maps at the bundle's temperature, averaged with the flipped ones.

        That average is taken where the bundle says so.

        Args:
            batch: (N, channels, rows, columns) of prepared images, float32.

        Returns:
            (N, rows, columns) float32, 0 to 1, of any lesion, before any post-processing.

        Raises:
            GeometryError: another shape.
            BundleError: the network cannot be run.
        """
        return any_lesion(self.class_probabilities(batch))

    def class_probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `probabilities`, with the background and each class of its own.

        An image of one even colour has no lesion, without asking the network.

        Args:
            batch: (N, channels, rows, columns) of prepared images, float32.

        Returns:
            (N, K + 1, rows, columns) float32, 0 to 1: the background first, then each of
            `class_names`. (N, 1, rows, columns) of lesion where the bundle has one label.

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
        maps = self._maps(self._without_prompt(batch))
        # Where nothing is to be seen there is no lesion, whatever a network that never saw an
        # empty image makes of it.
        empty = (batch == batch[:, :, :1, :1]).all(axis=(1, 2, 3))
        maps[empty] = 0
        if self.class_names:
            maps[empty, 0] = 1  # the background
        return maps

    def _without_prompt(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The batch with empty maps of a prompt, where the network takes one."""
        if self.bundle.prompt is None:
            return batch
        blank = np.zeros((len(batch), PROMPT_MAPS, *batch.shape[2:]), np.float32)
        return np.concatenate((batch, blank), axis=1)

    def _maps(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network makes of a batch, at the bundle's temperature, 0 to 1."""
        temper = tempered_classes if self.class_names else tempered
        maps = temper(self._network(batch), self.output.temperature)
        if self.output.flip_average:
            flipped = self._network(np.ascontiguousarray(batch[..., ::-1]))
            flipped = temper(flipped, self.output.temperature)
            maps = (maps + flipped[..., ::-1]) * np.float32(0.5)
        return np.clip(maps, 0, 1)

    def check(self, image: Image) -> None:
        """Refuse an image of another modality or scale, unless that is forced.

        Raises:
            InputError: it is, or its scale matters and is not known; see `check_scale`.
        """
        self.check_modality(image)
        if not self.force:
            check_scale(image, self.bundle.input, self.bundle.name)

    def check_modality(self, image: Image) -> None:
        """Refuse an image that is known to be of another modality, unless that is forced.

        Raises:
            InputError: it is.
        """
        known = image.modality is not Modality.UNKNOWN
        if known and image.modality is not self.bundle.modality and not self.force:
            raise InputError(
                f"{image.source or 'image'}: modality {image.modality_name}",
                f"{self.name!r} was trained and measured on {self.bundle.modality} only",
                "choose another bundle, or force it and check every mask",
            )

    def _provenance(self, image: Image) -> Provenance:
        spec, output = self.bundle.input, self.output
        parameters: dict[str, Scalar] = {
            "input_rows": spec.size[0],
            "input_columns": spec.size[1],
            "intensity": spec.intensity.value,
            "fit": spec.fit.value,
            "region": spec.region.value,
            **asdict(output),
            "engine": self._network.engine,
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
        steps = ["colour to luminance"] if image.array.shape[0] == 3 and not spec.colour else []
        steps += [
            "red, green and blue on their full range"
            if spec.colour
            else "grey levels stretched to the image's own minimum and maximum",
            *(["box around the breast, chest wall to the left"] * (spec.region is Region.BREAST)),
            f"{rows}x{columns} pixels brought to {spec.size[0]}x{spec.size[1]} ({spec.fit})",
            f"intensity scale {spec.intensity}",
            f"network: {self.bundle.network}",
        ]
        if output.temperature != 1:
            steps.append(f"logits divided by {output.temperature:g}")
        if output.flip_average:
            steps.append("averaged with the prediction for the flipped image")
        if output.min_score > output.threshold:
            steps.append(f"regions with a score below {output.min_score:g} dropped")
        if output.min_area_fraction > 0:
            steps.append(f"regions below {output.min_area_fraction:g} of the image dropped")
        if output.largest_only:
            steps.append("only the largest region kept")
        steps.append(f"brought back to {rows}x{columns} pixels, outlined at {output.threshold:g}")
        if self.class_names:
            steps.append(f"classes: {', '.join(self.class_names)}")
        scaling = self.bundle.malignancy
        if scaling is not None:
            steps.append(
                f"malignancy scaled by slope {scaling.slope:g}, intercept {scaling.intercept:g}"
            )
        return tuple(steps)


def image_score(maps: NDArray[np.float32], placement: Placement) -> float:
    """The highest probability of any lesion in an image, 0 to 1, before any rule.

    Args:
        maps: (K + 1 or 1, rows, columns), of one image as in `OnnxSegmenter.class_probabilities`.
        placement: where the image lies in them; padding does not count.
    """
    return float(any_lesion(maps[None])[0][placement.inner.slices].max())


def any_lesion(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability of any lesion, (N, rows, columns), from maps as `class_probabilities`."""
    return maps[:, 0] if maps.shape[1] == 1 else 1 - maps[:, 0]
