"""What all classical methods share: from an image and a hint to a view, and back to a mask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.classical.filters import Filters
from breastseg.classical.finder import Finder
from breastseg.classical.hint import Hint, boxes_of
from breastseg.classical.tidy import tidy
from breastseg.classical.view import View, Window
from breastseg.core.box import Box
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.image import Image, Modality
from breastseg.core.parameters import Within, check_parameters, values_of
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import to_unit

THRESHOLD = 0.5


@dataclass(frozen=True)
class ClassicalMethod(ABC):
    """A method without training. A subclass adds its own parameters and says how it delineates.

    A lesion is found (or pointed at by the user), its surroundings are brought to a common size,
    the method delineates it there, and the mask is tidied and brought back.

    Attributes:
        lesion: whether lesions are darker (ultrasound) or brighter (mammography) than tissue.
        context: around the lesion's box that the method sees, as a fraction of the box's
            longer side.
        reach: how far a mask may leave the box of a candidate that was found, as a multiple of
            the ellipse in it; a box drawn by a user is never left.
        opening: spurs and bridges thinner than twice this are cut off, in pixels of the view, in
            which the lesion is 96 pixels long.
        smoothing: standard deviation of the smoothing of the finished mask, in pixels of the
            view.
        finder: how a lesion is found where no one points at it.
        filters: what is done to the view before the method looks at it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    weakness: ClassVar[str]
    gives_probability: ClassVar[bool] = False
    dimensions: ClassVar[int] = 2
    phases: ClassVar[int] = 0

    lesion: Literal["dark", "bright"] = "dark"
    context: Annotated[float, Within(0.05, 1)] = 0.3
    reach: Annotated[float, Within(1, 2)] = 1.3
    opening: Annotated[int, Within(0, 12)] = 3
    smoothing: Annotated[float, Within(0, 8)] = 2.0
    finder: Finder = field(default_factory=Finder)
    filters: Filters = field(default_factory=Filters)

    def __post_init__(self) -> None:
        check_parameters(self)

    @abstractmethod
    def delineate(self, view: View) -> NDArray[np.bool_] | NDArray[np.float32]:
        """Tell the lesion of a view from its surroundings.

        Args:
            view: its lesion is dark.

        Returns:
            (h, w) of the view: bool, or the probability of lesion as float32 from 0 to 1 where
            `gives_probability`.
        """

    def on_one_core(self) -> Self:
        """The method itself: a call computes on one core."""
        return self

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one 2-D image, grey or RGB; colour counts by its luminance.

        Without a prompt the finder's candidates are outlined, none where nothing looks like a
        lesion. With one, what the user points at.

        Raises:
            UnsupportedError: a volume.
            InputError: the prompt lies outside of the image; or there is none, and the finder was
                fitted on another modality than the image's.
        """
        if image.grid.ndim != 2:
            raise UnsupportedError(
                f"{image.source or 'image'}: a volume of shape {image.grid.shape}",
                "2-D images or the frames of a cine",
            )
        if prompt is None:
            self._check_modality(image)
        unit = to_unit(image.grey())
        dark = unit if self.lesion == "dark" else np.float32(1) - unit
        hint = None if prompt is None else Hint.of(prompt, dark.shape)
        probability = np.zeros(dark.shape, np.float32)
        for part in self._parts(dark, hint):
            probability = np.maximum(probability, part)
        made_by = Provenance(self.name, __version__, values_of(self), steps=self._steps(hint))
        return Prediction(probability, image.grid, made_by, THRESHOLD)

    def _check_modality(self, image: Image) -> None:
        fitted = self.finder.weights
        if image.modality is not Modality.UNKNOWN and image.modality.value != fitted:
            raise InputError(
                f"{image.source or 'image'}: modality {image.modality_name}",
                f"{fitted}, on which the finder was fitted",
                "choose another preset, or point at the lesion",
            )

    def _parts(self, dark: NDArray[np.float32], hint: Hint | None) -> Iterator[NDArray[np.float32]]:
        """A map for each lesion."""
        if hint is None:
            for candidate in self.finder.find(dark):
                confidence = self._confidence(candidate.score)
                yield self._mask(dark, candidate.box, candidate.region, confidence)
            return
        for box in boxes_of(hint, self.finder, dark):
            yield self._mask(dark, box, hint, 1.0)

    def _mask(
        self,
        dark: NDArray[np.float32],
        box: Box,
        shown: Hint | NDArray[np.bool_],
        confidence: float,
    ) -> NDArray[np.float32]:
        shape = (dark.shape[0], dark.shape[1])
        window = Window.around(box, shape, self.context)
        view = self._view(window, dark, box, shown)
        values = self.delineate(view).astype(np.float32)
        region = tidy(values >= THRESHOLD, view, self.opening, self.smoothing)
        mask = window.paste(region.astype(np.float32)) >= THRESHOLD
        if isinstance(shown, Hint):
            mask = shown.applied(mask)
        if not self.gives_probability:
            return np.where(mask, np.float32(confidence), np.float32(0))
        certain = window.paste(values)
        inside = np.clip(certain, THRESHOLD, 1)
        outside = np.minimum(
            certain, np.float32(np.nextafter(np.float32(THRESHOLD), np.float32(0)))
        )
        probability = np.where(mask, inside, outside)
        # A candidate that is not accepted stays visible in the map, below the threshold.
        return probability if confidence >= THRESHOLD else probability * np.float32(confidence)

    def _view(
        self,
        window: Window,
        dark: NDArray[np.float32],
        box: Box,
        shown: Hint | NDArray[np.bool_],
    ) -> View:
        """The view of what a user has shown, or of what the finder has."""
        plain = window.cut(dark)
        box = window.box_in_view(box)
        none = np.zeros(window.size, bool)
        inside = outside = none
        given, found = False, None
        if isinstance(shown, Hint):
            inside = window.cut_marks(shown.inside)
            outside = window.cut_marks(shown.outside) & ~inside
            given = shown.box is not None
        else:
            found = window.cut(resize(shown, window.image)) >= THRESHOLD
        everywhere = np.ones(window.size, bool)
        view = View(self.filters(plain), plain, box, everywhere, inside, outside, given, found)
        if given:
            allowed = none.copy()
            allowed[box.slices] = True
        else:
            allowed = view.radius <= self.reach
        return replace(view, allowed=(allowed | inside) & ~outside)

    def _confidence(self, score: float) -> float:
        """A candidate's score as a number that is at least the threshold where it is accepted."""
        least = self.finder.min_score
        if score < least:
            return min(THRESHOLD * score / least, 0.499)
        return THRESHOLD + (1 - THRESHOLD) * (score - least) / max(1 - least, 1e-9)

    def _steps(self, hint: Hint | None) -> tuple[str, ...]:
        found = "candidates by saliency" if hint is None else hint.described
        return (
            "grey levels stretched to the image's own minimum and maximum",
            f"{self.lesion} lesion expected; {found}",
            "speckle reduced in a window around it",
            self.summary,
            "holes filled, spurs cut off, mask smoothed and brought back to the image's grid",
        )
