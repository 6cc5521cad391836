"""What may be asked of a method, for the command line, Python and a service's schema alike.

Default, bounds and help of each option stand on its field and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.core.grid import check_stated_spacing
from breastseg.core.parameters import Within, check_bounds
from breastseg.core.prompt import Prompt
from breastseg.inference.engine import Engine

DEFAULT_METHOD = "ultrasound"
DEFAULT_PRESET = "ultrasound"


@dataclass(frozen=True)
class MethodOptions:
    """How a method is opened.

    Attributes:
        preset: which tuned parameters a classical method starts from: ultrasound, mammography,
            none, or a preset's file.
        threshold: outline pixels of at least this probability, between 0 and 1, in place of the
            method's own threshold.
        missed_area: outline at the threshold that keeps the expected fraction of a lesion's area
            outside the mask within this bound, on images like those that the network was calibrated
            on; for networks that were.
        flip_average: test-time augmentation: average with the prediction for the horizontally
            flipped image, where the method does not already. A little better, and the network runs
            twice.
        engine: what runs a network: onnxruntime; openvino, where it is installed; openvino-bf16,
            faster on processors that have bfloat16 and a little less exact; auto times the first
            two when it loads the network, and takes the faster.
        force: also take images of another modality, or scale, than the method was made for.

    Raises:
        InputError: a number that is out of bounds.
    """

    preset: str = DEFAULT_PRESET
    threshold: Annotated[float | None, Within(0, 1, exclusive=True)] = None
    missed_area: Annotated[float | None, Within(0, 1, exclusive=True)] = None
    flip_average: bool = False
    engine: Engine = "onnxruntime"
    force: bool = False

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.threshold is not None and self.missed_area is not None:
            raise InputError("a threshold and a bound of the missed area", "one or the other")


DEFAULT_OPTIONS = MethodOptions()


@dataclass(frozen=True)
class SegmentOptions(MethodOptions):
    """How images are segmented: the method, how it is opened and what it is told.

    Attributes:
        method: a method's name, the folder of a bundle, or several networks joined by a plus:
            their mean. A classical method may have parameters after a colon:
            otsu:shift=0.1,context=0.5.
        box: where the lesion lies, in pixels counted from 0: its first row and column, then the
            row and column one past its last; the same four numbers as in the results and in
            `breastseg.core.Box`. For methods that take a prompt.
        inside: row and column of points in the lesion. For methods that take a prompt.
        outside: row and column of points that are no lesion. For methods that take a
            prompt.
        uncertainty: also tell how unsure a network is of each pixel, from 0 (sure) to 1 (as likely
            lesion as not), and of each lesion. The mask stays the same.
        margin: also draw an inner and an outer contour of each lesion, each of which holds with
            this probability, such as 0.9; for networks that were calibrated for it.
        screenshot: look at the scan alone: cut off titles and margins, and fill callipers and
            letters from their surroundings. For screenshots of an ultrasound machine.
        spacing_mm: distance of pixel centres in millimetres, row and column, of images that do not
            state their own, such as PNG.
        smooth_frames: average each frame of a cine loop with so many before and after it; 0 for
            each frame by itself.
        threads: CPU cores to use; 0 for all.

    Raises:
        InputError: a number that is out of bounds, or a prompt for a screenshot.
        GeometryError: a spacing that is not two finite numbers above 0.
    """

    method: str = DEFAULT_METHOD
    box: tuple[int, int, int, int] | None = None
    inside: tuple[tuple[int, int], ...] = ()
    outside: tuple[tuple[int, int], ...] = ()
    uncertainty: bool = False
    margin: Annotated[float | None, Within(0, 1, exclusive=True)] = None
    screenshot: bool = False
    spacing_mm: tuple[float, float] | None = None
    smooth_frames: Annotated[int, Within(0, 50)] = 0
    threads: Annotated[int, Within(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spacing_mm is not None:
            check_stated_spacing(self.spacing_mm)
        if self.margin is not None and (self.prompt is not None or self.screenshot):
            raise InputError(
                "a margin with a prompt, or for a screenshot",
                "whole images, which margins were calibrated on",
            )
        if self.prompt is not None and self.screenshot:
            raise InputError(
                "a prompt for a screenshot",
                "one or the other",
                "point at the lesion, or let it be looked for",
            )

    @property
    def prompt(self) -> Prompt | None:
        """What the user points at, if anything.

        Raises:
            GeometryError: the box is empty.
        """
        if self.box is None and not self.inside and not self.outside:
            return None
        box = None if self.box is None else Box.of(*self.box)
        return Prompt(box, self.inside, self.outside)
