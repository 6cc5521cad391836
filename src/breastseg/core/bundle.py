"""What a bundle says of itself: everything needed to run a network as it was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated

from breastseg.core.calibrated import Confidence, Conformal, PlattScaling
from breastseg.core.errors import BundleError
from breastseg.core.image import Modality
from breastseg.core.mask import LESION
from breastseg.core.parameters import Strict, Within, check_bounds

FORMAT = 1
"""Of ``bundle.json`` and what lies beside it. A reader refuses another: a step that it does not
know, passed over, would be a wrong pixel in silence."""
NOT_STATED = "not stated"
MOST_LABELS = 15
MOST_VOXELS = 2**24
"""Of a patch: 64 MB a channel."""


class Intensity(StrEnum):
    """How grey levels become network input, per image, after scaling its minimum and maximum."""

    UNIT = "unit"  # [0, 1]
    SYMMETRIC = "symmetric"  # [-1, 1]
    ZSCORE = "zscore"  # mean 0, standard deviation 1


class Fit(StrEnum):
    """How an image is brought to the network's size."""

    STRETCH = "stretch"  # both axes scaled to fill
    PAD = "pad"  # aspect kept, centred, the rest filled with the darkest value


class Region(StrEnum):
    """Which part of an image the network looks at."""

    WHOLE = "whole"
    BREAST = (
        "breast"  # of a mammogram: the box around the breast, its chest wall turned to the left
    )


@dataclass(frozen=True)
class InputSpec(Strict):
    """Preprocessing.

    Attributes:
        size: (rows, columns) of the network's input in pixels.
        intensity: the scale of the grey levels.
        fit: how an image is brought to `size`.
        channels: grey images are repeated to this many channels.
        colour: the channels are red, green and blue as they were recorded, as in histopathology;
            otherwise colour counts by its luminance, stretched to the image's own range.
        um_per_px: micrometres along one pixel of the network's input, 0.02 to 50, for networks that
            look at a part of a slide at a time; absent where images of any scale are brought to
            `size`.
        region: which part of the image is brought to `size`: ``"whole"``, or ``"breast"``, the box
            around the breast of a mammogram, its chest wall turned to the left; the rest has no
            lesion.
    """

    size: Annotated[tuple[int, int], Within(16, 4096)] = (256, 256)
    intensity: Intensity = Intensity.SYMMETRIC
    fit: Fit = Fit.STRETCH
    channels: int = 1
    colour: bool = False
    um_per_px: Annotated[float, Within(0.02, 50)] | None = None
    region: Region = Region.WHOLE

    def __post_init__(self) -> None:
        check_bounds(self, BundleError)
        if self.channels not in (1, 3):
            raise BundleError(f"an input of {self.channels} channels", "1 or 3")
        if self.colour and self.channels != 3:
            raise BundleError(f"colour with {self.channels} channels", "3 channels")
        if self.colour and self.region is Region.BREAST:
            raise BundleError("colour with the region 'breast'", "grey mammograms")


class VolumeIntensity(StrEnum):
    """Whose percentiles scale the channels of a volume."""

    FIRST_CHANNEL = "first-channel"  # for all of them: how much contrast raised the signal stays
    EACH_CHANNEL = "each-channel"  # each its own


_BODY_AXES = {"R": "L", "P": "A", "I": "S"}  # the two ends of one axis of the body


@dataclass(frozen=True)
class VolumeSpec(Strict):
    """Preprocessing of a volume, for a sliding window of overlapping patches.

    Attributes:
        patch: (slices, rows, columns) of the network's input in voxels.
        spacing_mm: distance of voxels along each of these axes that a volume is brought to.
        channels: the phases of a study, the one before contrast first.
        intensity: whose percentiles scale the grey levels.
        percentiles: the grey levels that become 0 and 1, in percent of the voxels.
        subtraction: whether the channels after the first are what each has more than the first:
            what contrast added, in place of the phase itself.
        overlap: fraction of a patch's side that the next one covers again, 0 to 0.9.
        min_volume_mm3: a region smaller than this is dropped, at least 0.
        orientation: where the index of slices, rows and columns grows in the patient, a letter
            each: to the left or right (``L``, ``R``), to the back or front (``P``, ``A``), to the
            head or feet (``S``, ``I``). A volume is brought to this orientation, which is that of
            the training data, by reversing and exchanging axes, and its mask back to its own.
    """

    patch: Annotated[tuple[int, int, int], Within(1, 1024)] = (16, 96, 96)
    spacing_mm: Annotated[tuple[float, float, float], Within(0.05, 20)] = (1.6, 0.8, 0.8)
    channels: Annotated[int, Within(1, 16)] = 2
    intensity: VolumeIntensity = VolumeIntensity.FIRST_CHANNEL
    percentiles: Annotated[tuple[float, float], Within(0, 100)] = (1.0, 99.5)
    subtraction: bool = False
    overlap: Annotated[float, Within(0, 0.9)] = 0.25
    min_volume_mm3: Annotated[float, Within(0, 1e9)] = 0.0
    orientation: str = "SPL"

    def __post_init__(self) -> None:
        check_bounds(self, BundleError)
        if sorted(_BODY_AXES.get(letter, letter) for letter in self.orientation) != [*"ALS"]:
            raise BundleError(
                f"orientation {self.orientation!r}",
                "three letters, one of L and R, one of P and A, one of S and I, such as 'SPL'",
            )
        if math.prod(self.patch) > MOST_VOXELS:
            raise BundleError(f"patches of {self.patch} voxels", f"at most {MOST_VOXELS} in all")
        low, high = self.percentiles
        if low >= high:
            raise BundleError(f"percentiles {self.percentiles}", "the lower first")
        if self.subtraction and self.channels < 2:
            raise BundleError("subtraction of one channel", "channels of 2 or more")

    @property
    def size(self) -> tuple[int, int, int]:
        """The network's input, as `InputSpec.size`."""
        return self.patch


@dataclass(frozen=True)
class OutputSpec:
    """The operating point and the post-processing, applied in this order at the network's size.

    Attributes:
        threshold: pixels at or above it are lesion.
        min_score: a region whose highest probability stays below this is dropped, 0 to 1.
        min_area_fraction: a region smaller than this fraction of the image is dropped, 0 to 1.
        largest_only: keep only the largest region.
        flip_average: average the prediction with that of the horizontally flipped image.
        temperature: the network's logits are divided by this before anything else; above 1 makes
            it less confident, 1 leaves it as it is. At a threshold of 0.5 no mask of one
            prediction changes (Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html).
    """

    threshold: Annotated[float, Within(0, 1, exclusive=True)] = 0.5
    min_score: Annotated[float, Within(0, 1)] = 0.0
    min_area_fraction: Annotated[float, Within(0, 1)] = 0.0
    largest_only: bool = False
    flip_average: bool = False
    temperature: Annotated[float, Within(0.01, 100)] = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, BundleError)


@dataclass(frozen=True)
class PromptSpec:
    """How a network is asked that takes a click or a box, see `breastseg.inference.prompting`.

    Its input has three channels more than `InputSpec.channels`: the box, the points inside and the
    points outside, see `breastseg.preprocess.prompt_maps`. All are 0 where there is no prompt.

    Attributes:
        frame: sides of the frame that it looks at, as a multiple of those of the lesion's box, 1 to
            10.
        looks: how often it looks at most where there is no box, at the whole image first, 1 to 5.
        disc: radius of a point's disc as a fraction of the frame's side, 0.001 to 0.2.

    Raises:
        BundleError: a value outside its range.
    """

    frame: Annotated[float, Within(1, 10)] = 2.5
    looks: Annotated[int, Within(1, 5)] = 2
    disc: Annotated[float, Within(0.001, 0.2)] = 0.02

    def __post_init__(self) -> None:
        check_bounds(self, BundleError)


TRAINED_ON_SYNTHETIC = "The method was trained on synthetic images"
"""What every output of such a method says."""

_SYNTHETIC = ("synthetic", "phantom")


@dataclass(frozen=True)
class Bundle:
    """The contents of ``bundle.json``, which lies beside ``model.onnx`` and ``MODEL_CARD.md``.

    Attributes:
        name: catalogue name, e.g. ``"ultrasound"``.
        version: of the bundle.
        modality: what it may be used on.
        summary: one line for lists.
        network: the architecture, in words.
        input: preprocessing of an image; its default, and not in the file, where there is a
            `volume`.
        output: operating point and post-processing.
        labels: what each label above 0 means, in the singular, from 1 without a gap. Of one label
            the network gives the probability; of several, that of the background and then of each
            label.
        weights_sha256: hex digest of ``model.onnx``.
        training_data: one line a source: name, count, licence, citation.
        licence: of the weights, as who made the bundle states it.
        remarks: what a user must know besides: how the operating point was chosen, examples of
            failures, traps in the data; a sentence or two each.
        volume: preprocessing of a volume; None for a network that takes images.
        malignancy: of a network with the labels benign and malignant: how their fractions of the
            mask become an image's probability of malignancy; None leaves the fraction as it is.
        prompt: of a network that takes a click or a box; None for one that looks by itself alone.
        confidence: how an image's score becomes the probability that it shows a lesion; None where
            that was not calibrated.
        conformal: margins and thresholds with a promise; None where none were calibrated.
        extensions: what others keep in the file, by their name; it has no meaning here, and a
            reader need not know it.

    Raises:
        BundleError: a name, digest or label that is none, or fields that do not go together.
    """

    name: str
    version: str
    modality: Modality
    summary: str
    network: str
    weights_sha256: str
    input: InputSpec = field(default_factory=InputSpec)
    output: OutputSpec = field(default_factory=OutputSpec)
    labels: Mapping[int, str] = field(default_factory=lambda: {1: LESION})
    training_data: tuple[str, ...] = ()
    licence: str = NOT_STATED
    remarks: tuple[str, ...] = ()
    volume: VolumeSpec | None = None
    malignancy: PlattScaling | None = None
    prompt: PromptSpec | None = None
    confidence: Confidence | None = None
    conformal: Conformal | None = None
    extensions: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", self.name):
            raise BundleError(
                f"name is {self.name!r}", "1 to 100 lower-case letters, digits, '.', '_' and '-'"
            )
        if not re.fullmatch(r"[0-9a-f]{64}", self.weights_sha256):
            raise BundleError(
                f"weights_sha256 is {self.weights_sha256!r}", "64 hexadecimal digits, lower-case"
            )
        if self.volume is not None and self.input != InputSpec():
            raise BundleError("both input and volume", "input for images or volume for volumes")
        if self.prompt is not None and (self.volume is not None or len(self.labels) > 1):
            raise BundleError("a prompt for volumes or several labels", "images, one label")
        if self.volume is not None and (self.confidence or self.conformal):
            raise BundleError("confidence or conformal of a network for volumes", "one for images")
        numbers, names = sorted(self.labels), set(self.labels.values())
        if not 1 <= len(numbers) <= MOST_LABELS or numbers != list(range(1, len(numbers) + 1)):
            raise BundleError(
                f"labels {numbers[:MOST_LABELS]}", f"1 to at most {MOST_LABELS}, without a gap"
            )
        if len(names) < len(numbers) or not all(names):
            raise BundleError(f"labels named {sorted(names)}", "a name each, all different")
        if self.volume is not None and len(numbers) > 1:
            raise BundleError(f"{len(numbers)} labels of volumes", "one")
        if self.malignancy is not None and not {"benign", "malignant"} <= names:
            raise BundleError(f"malignancy of labels named {sorted(names)}", "benign and malignant")

    def at(self, output: OutputSpec) -> Bundle:
        """The bundle with another operating point, without what was calibrated for its own."""
        sees_the_same = _of_the_map(output) == _of_the_map(self.output)
        return replace(
            self,
            output=output,
            confidence=self.confidence if sees_the_same else None,
            conformal=self.conformal if output == self.output else None,
        )

    @property
    def target(self) -> str:
        """What a mask is, in the singular: the one label, or a lesion where there are kinds."""
        return self.labels[1] if len(self.labels) == 1 else LESION

    @property
    def trained_on_synthetic(self) -> bool:
        """Whether some of the training data is said to be synthetic."""
        return any(word in line.casefold() for line in self.training_data for word in _SYNTHETIC)


def _of_the_map(output: OutputSpec) -> tuple[bool, float]:
    """What of an operating point changes the map, and not only what is made of it."""
    return output.flip_average, output.temperature
