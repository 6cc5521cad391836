"""What a bundle says of itself: everything needed to run a network as it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from breastseg.core.errors import BundleError
from breastseg.core.image import Modality


class Intensity(StrEnum):
    """How grey levels become network input, per image, after scaling its minimum and maximum."""

    UNIT = "unit"  # [0, 1]
    SYMMETRIC = "symmetric"  # [-1, 1]
    ZSCORE = "zscore"  # mean 0, standard deviation 1


class Fit(StrEnum):
    """How an image is brought to the network's size."""

    STRETCH = "stretch"  # both axes scaled to fill
    PAD = "pad"  # aspect kept, centred, the rest filled with the darkest value


@dataclass(frozen=True)
class InputSpec:
    """Preprocessing.

    Attributes:
        size: (rows, columns) of the network's input in pixels.
        intensity: the scale of the grey levels.
        fit: how an image is brought to `size`.
        channels: grey images are repeated to this many channels.
    """

    size: tuple[int, int] = (256, 256)
    intensity: Intensity = Intensity.SYMMETRIC
    fit: Fit = Fit.STRETCH
    channels: int = 1

    def __post_init__(self) -> None:
        if any(s < 16 or s > 4096 for s in self.size) or self.channels not in (1, 3):
            raise BundleError(
                f"input size {self.size} with {self.channels} channels",
                "16 to 4096 pixels a side, 1 or 3 channels",
            )


@dataclass(frozen=True)
class OutputSpec:
    """The operating point and the post-processing, applied in this order at the network's size.

    Attributes:
        threshold: pixels at or above it are lesion, 0 to 1.
        min_peak: an outline whose highest probability stays below this is dropped, 0 to 1.
        min_area_fraction: an outline smaller than this share of the image is dropped, 0 to 1.
        largest_only: keep only the largest outline.
        flip_average: average the prediction with that of the mirrored image.
    """

    threshold: float = 0.5
    min_peak: float = 0.0
    min_area_fraction: float = 0.0
    largest_only: bool = False
    flip_average: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or not 0 <= self.min_peak <= 1:
            raise BundleError(
                f"threshold {self.threshold}, min_peak {self.min_peak}",
                "a threshold between 0 and 1, a peak from 0 to 1",
            )
        if not 0 <= self.min_area_fraction < 1:
            raise BundleError(f"min_area_fraction {self.min_area_fraction}", "0 to below 1")


@dataclass(frozen=True)
class Bundle:
    """The contents of ``bundle.json``, which lies beside ``model.onnx`` and ``MODEL_CARD.md``.

    Attributes:
        name: catalogue name, e.g. ``"ultrasound"``.
        version: of the bundle.
        modality: what it may be used on.
        summary: one line for lists.
        network: the architecture, in words.
        input: preprocessing.
        output: operating point and post-processing.
        labels: what each label above 0 means.
        weights_sha256: hex digest of ``model.onnx``.
        training_data: one line a source: name, count, licence, citation.
        results: measured figures with their protocol, by protocol name.
        licence: of the weights.
        remarks: what a user must know besides: how the operating point was chosen, examples of
            failures, traps in the data; a sentence or two each.
    """

    name: str
    version: str
    modality: Modality
    summary: str
    network: str
    weights_sha256: str
    input: InputSpec = field(default_factory=InputSpec)
    output: OutputSpec = field(default_factory=OutputSpec)
    labels: Mapping[int, str] = field(default_factory=lambda: {1: "lesion"})
    training_data: tuple[str, ...] = ()
    results: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
    licence: str = "Apache-2.0"
    remarks: tuple[str, ...] = ()
