"""From an image and a prompt to a view, and from what the method chose back to an outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.classical.filters import Filters
from breastseg.classical.finder import Candidate, Finder
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core import Box, Grid, Image, Modality, Prediction, Prompt, Segmenter
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.parameters import Within, values_of
from breastseg.metrics import dice

from .views import disc

SHAPE = (90, 120)
LESION = disc(SHAPE, (45, 50), 20)
BOX = Box.of(25, 30, 66, 71)
PICTURE = np.where(LESION, 40, 200).astype(np.uint8)


class Pointing(Finder):
    """Finds what it was told."""

    told: ClassVar[Sequence[Candidate]] = ()

    def find(self, dark: NDArray[np.float32]) -> Sequence[Candidate]:
        return self.told[: self.max_lesions]


def pointing(
    *candidates: Candidate,
    min_score: float = 0.0,
    max_lesions: int = 5,
    weights: str = "ultrasound",
) -> Finder:
    kind = type("Told", (Pointing,), {"told": candidates})
    found: Finder = kind(min_score=min_score, max_lesions=max_lesions, weights=weights)
    return found


def candidate(score: float = 1.0, box: Box = BOX) -> Candidate:
    region = np.zeros(SHAPE, bool)
    region[box.slices] = True
    return Candidate(box, score, region)


@dataclass(frozen=True)
class Darker(ClassicalMethod):
    """What is darker than a level.

    Attributes:
        level: the level.
    """

    name: ClassVar[str] = "darker"
    summary: ClassVar[str] = "what is dark"
    source: ClassVar[str] = "made up"
    weakness: ClassVar[str] = "all"

    level: Annotated[float, Within(0, 1)] = 0.5
    filters: Filters = field(default_factory=lambda: Filters(median_px=0))

    def delineate(self, view: View) -> NDArray[np.bool_]:
        return np.asarray(view.grey < self.level)


class Graded(Darker):
    """The same with a probability."""

    gives_probability: ClassVar[bool] = True

    def delineate(self, view: View) -> NDArray[np.bool_] | NDArray[np.float32]:
        return np.where(view.grey < self.level, np.float32(0.8), np.float32(0.3))


class Everything(Darker):
    """All that may be outlined."""

    def delineate(self, view: View) -> NDArray[np.bool_]:
        return np.ones(view.shape, bool)


def image(picture: NDArray[np.generic] = PICTURE) -> Image:
    return Image(picture[None], Grid(picture.shape, (0.1, 0.2)))


def outline(prediction: Prediction) -> NDArray[np.bool_]:
    return prediction.mask().foreground


def seen_by(method: Darker, prompt: Prompt | None = None) -> View:
    """The view that a method gets."""
    views: list[View] = []
    delineate = Darker.delineate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Darker, "delineate", lambda self, view: views.append(view) or delineate(self, view)
        )
        method.segment(image(), prompt)
    (view,) = views
    return view


def test_a_lesion_is_outlined_in_its_box() -> None:
    method = Darker(smoothing=0.0)
    assert isinstance(method, Segmenter)
    prediction = method.segment(image(), Prompt(box=BOX))
    assert prediction.grid == image().grid
    assert dice(outline(prediction), LESION) > 0.98
    assert set(np.unique(prediction.probability)) == {0.0, 1.0}


def test_a_lesion_is_outlined_where_the_finder_points() -> None:
    method = Darker(finder=pointing(candidate(0.75)), smoothing=0.0)
    prediction = method.segment(image())
    assert dice(outline(prediction), LESION) > 0.98
    assert prediction.probability.max() == pytest.approx(0.875)
    assert not outline(Darker(finder=pointing()).segment(image())).any()


def test_a_bright_lesion_is_a_dark_one_of_the_negative() -> None:
    dark, bright = Darker(), Darker(lesion="bright")
    prompt = Prompt(box=BOX)
    expected = outline(dark.segment(image(), prompt))
    assert np.array_equal(outline(bright.segment(image(255 - PICTURE), prompt)), expected)
    assert dice(outline(bright.segment(image(), prompt)), LESION) < 0.5


def test_colour_counts_by_its_luminance() -> None:
    grey = Darker().segment(image(), Prompt(box=BOX))
    colour = Image(np.repeat(PICTURE[None], 3, axis=0), Grid(SHAPE))
    assert np.array_equal(outline(Darker().segment(colour, Prompt(box=BOX))), outline(grey))


def test_where_the_finder_was_not_fitted_on_the_modality_it_does_not_look() -> None:
    film = replace(image(), modality=Modality.MAMMOGRAPHY)
    with pytest.raises(
        InputError, match=r"modality mammography. Expected: ultrasound, .* another preset"
    ):
        Darker().segment(film)
    assert outline(Darker().segment(film, Prompt(box=BOX))).any()
    fitted = Darker(finder=pointing(candidate(), weights="mammography"))
    assert outline(fitted.segment(film)).any()
    with pytest.raises(InputError, match="modality ultrasound"):
        fitted.segment(replace(film, modality=Modality.ULTRASOUND))


def test_a_volume_is_refused() -> None:
    volume = Image(np.zeros((1, 4, 5, 6), np.uint8), Grid((4, 5, 6)), source="mri.nii")
    with pytest.raises(
        UnsupportedError, match=r"mri\.nii: a volume of shape \(4, 5, 6\). Expected: 2-D"
    ):
        Darker().segment(volume)


def test_the_prediction_says_how_it_came_about() -> None:
    method = Darker(level=0.25, finder=Finder(max_lesions=3))
    made_by = method.segment(image(), Prompt(box=BOX, inside=((45, 50),))).provenance
    assert (made_by.segmenter, made_by.version) == ("darker", __version__)
    assert made_by.parameters == values_of(method)
    assert made_by.parameters["finder.max_lesions"] == 3
    text = "; ".join(made_by.steps)
    assert "dark lesion expected" in text
    assert "box (25, 30, 66, 71), 1 pixels called lesion" in text
    assert "what is dark" in text
    automatic = "; ".join(Darker(lesion="bright").segment(image()).provenance.steps)
    assert "bright lesion expected" in automatic
    assert "prompt" not in automatic


def test_a_value_out_of_bounds_is_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"^level = 2. Expected: a number from 0 to 1$"):
        Darker(level=2)
    with pytest.raises(InputError, match=r"^lesion = grey. Expected: dark, bright$"):
        Darker(lesion="grey")  # type: ignore[arg-type]


def test_a_candidate_below_the_least_score_is_shown_but_not_outlined() -> None:
    accepted = Darker(finder=pointing(candidate(0.4), min_score=0.4)).segment(image())
    assert accepted.probability.max() == 0.5
    assert outline(accepted).any()
    refused = Darker(finder=pointing(candidate(0.39), min_score=0.4)).segment(image())
    assert 0.4 < refused.probability.max() < 0.5
    assert not outline(refused).any()
    sure = Darker(finder=pointing(candidate(1.0), min_score=1.0)).segment(image())
    assert outline(sure).any()


def test_every_candidate_is_outlined_with_its_own_confidence() -> None:
    other = disc(SHAPE, (20, 100), 9)
    picture = np.where(LESION | other, 40, 200).astype(np.uint8)
    finder = pointing(candidate(0.9), candidate(0.2, Box.of(11, 91, 30, 110)))
    lesions = Darker(finder=finder).segment(image(picture)).lesions()
    assert [lesion.score for lesion in lesions] == pytest.approx([0.95, 0.6])
    one = Darker(finder=replace(finder, max_lesions=1)).segment(image(picture))
    assert len(one.lesions()) == 1


def test_margin_is_what_the_method_sees_around_the_box() -> None:
    prompt = Prompt(box=BOX)  # 41 pixels a side
    near = seen_by(Darker(context=0.1), prompt)
    far = seen_by(Darker(context=0.4), prompt)
    assert near.shape == (round(49 * 96 / 41), round(49 * 96 / 41))
    assert far.shape == (round(73 * 96 / 41), round(73 * 96 / 41))


def test_an_outline_never_leaves_a_box_that_was_drawn() -> None:
    drawn = outline(
        Everything(opening=0, smoothing=0.0).segment(image(), Prompt(box=Box.of(30, 20, 50, 80)))
    )
    box = np.zeros(SHAPE, bool)
    box[30:50, 20:80] = True
    assert np.array_equal(drawn, box)


def test_reach_is_how_far_an_outline_may_leave_the_ellipse_of_a_candidate() -> None:
    areas = {}
    for reach in (1.0, 1.3):
        method = Everything(finder=pointing(candidate()), reach=reach, context=0.5, smoothing=0.0)
        areas[reach] = outline(method.segment(image())).sum()
    ellipse = np.pi * 20.5**2
    assert areas[1.0] == pytest.approx(ellipse, rel=0.03)
    assert areas[1.3] == pytest.approx(1.3**2 * ellipse, rel=0.03)


def test_filters_change_what_the_method_looks_at_and_not_the_plain_view() -> None:
    plain = seen_by(Darker(), Prompt(box=BOX))
    assert np.array_equal(plain.grey, plain.plain)
    filtered = seen_by(Darker(filters=Filters(median_px=5)), Prompt(box=BOX))
    assert not np.array_equal(filtered.grey, filtered.plain)
    assert np.array_equal(filtered.plain, plain.plain)


def test_a_view_knows_who_pointed() -> None:
    drawn = seen_by(Darker(), Prompt(box=BOX, outside=((26, 31),)))
    assert drawn.given
    assert drawn.found is None
    assert drawn.outside.any()
    assert not drawn.allowed[drawn.outside].any()
    pointed = seen_by(Darker(), Prompt(inside=((45, 50),)))
    assert not pointed.given
    assert pointed.inside.any()
    assert pointed.core[pointed.inside].all()
    found = seen_by(Darker(finder=pointing(candidate())))
    assert not found.given
    assert found.found is not None
    assert found.found[found.core].all()


def test_points_overrule_the_method() -> None:
    prompt = Prompt(box=BOX, inside=((26, 31),), outside=((45, 50),))
    drawn = outline(Darker().segment(image(), prompt))
    assert drawn[26, 31]
    assert not drawn[45, 50]
    assert drawn[40, 50]


def test_every_point_gets_an_outline() -> None:
    other = disc(SHAPE, (20, 100), 9)
    picture = np.where(LESION | other, 40, 200).astype(np.uint8)
    drawn = outline(Darker().segment(image(picture), Prompt(inside=((45, 50), (20, 100)))))
    assert drawn[45, 50]
    assert dice(drawn & (np.arange(SHAPE[1]) > 85), other) > 0.9


def test_a_probability_is_cut_where_the_outline_is() -> None:
    prediction = Graded().segment(image(), Prompt(box=BOX))
    assert np.array_equal(outline(prediction), outline(Darker().segment(image(), Prompt(box=BOX))))
    inner, outer = disc(SHAPE, (45, 50), 15), disc(SHAPE, (45, 50), 24)
    assert prediction.probability[inner] == pytest.approx(0.8)
    beside = np.zeros(SHAPE, bool)
    beside[20:70, 25:75] = True
    assert prediction.probability[beside & ~outer] == pytest.approx(0.3)
    assert prediction.probability[0, 119] == 0  # beyond the window nothing was looked at


def test_a_point_inside_has_at_least_the_thresholds_probability() -> None:
    prediction = Graded().segment(image(), Prompt(box=BOX, inside=((26, 31),), outside=((45, 50),)))
    assert prediction.probability[26, 31] == 0.5
    assert 0.49 < prediction.probability[45, 50] < 0.5


@pytest.mark.parametrize(("score", "peak"), [(0.3, 0.25 * 0.8), (0.599, 0.499 * 0.8)])
def test_a_refused_candidates_probability_stays_below_the_threshold(
    score: float, peak: float
) -> None:
    finder = pointing(candidate(score), min_score=0.6)
    prediction = Graded(finder=finder).segment(image())
    assert prediction.probability.max() == pytest.approx(peak, rel=0.01)
    assert not outline(prediction).any()


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0, 0, 1, 120), (0, 119, 90, 120), (89, 0, 99, 120)])
@pytest.mark.parametrize("kind", [Darker, Graded, Everything])
def test_a_box_of_any_form_is_survived(kind: type[Darker], box: tuple[int, ...]) -> None:
    drawn = outline(kind().segment(image(), Prompt(box=Box.of(*box))))
    drawn[box[0] : box[2], box[1] : box[3]] = False
    assert not drawn.any()
