from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from breastseg.classical.otsu import Otsu
from breastseg.core import Box, Grid, Image, Mask, Prediction, Prompt, Provenance
from breastseg.core.errors import DataSetError, UnsupportedError
from breastseg.evaluation import Prompting, Protocol, evaluate, summarise
from breastseg.evaluation.prompting import boxes, prompted
from breastseg.evaluation.report import protocol
from breastseg.metrics import dice

from .fakes import block, drawn

BOX = Protocol(prompting=Prompting.BOX)


def mask(*rows: str) -> Mask:
    return Mask(
        np.array([[c == "#" for c in row] for row in rows]), Grid((len(rows), len(rows[0])))
    )


@dataclass(frozen=True)
class Filler:
    """Fills the box that it is given with a probability that tells boxes apart."""

    name: str = "filler"
    asked: list[Box | None] = field(default_factory=list)

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        box = None if prompt is None else prompt.box
        self.asked.append(box)
        probability = np.zeros(image.grid.shape, np.float32)
        if box is not None:
            probability[box.slices] = 0.5 + 0.1 * len(self.asked)
        return Prediction(probability, image.grid, Provenance("filler", "1", steps=("fill",)))


@dataclass(frozen=True)
class Blind:
    """Takes no prompt."""

    name: str = "blind"

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        if prompt is not None:
            raise UnsupportedError("a prompt for 'blind'", "none")
        return Prediction(np.zeros(image.grid.shape, np.float32), image.grid, Provenance("b", "1"))


def test_a_tight_box_around_each_region() -> None:
    truth = mask("##...", ".....", "...##", "..#.#")
    assert boxes(truth) == (
        Box.of(0, 0, 1, 2),
        Box.of(2, 2, 4, 5),
    )
    assert boxes(mask("...", "...")) == ()
    assert boxes(mask("##", "##")) == (Box.of(0, 0, 2, 2),)


def test_regions_that_touch_by_a_corner_have_one_box() -> None:
    assert boxes(mask("#..", ".#.", "..#")) == (Box.of(0, 0, 3, 3),)


def test_maps_are_joined_by_their_maximum() -> None:
    # The boxes overlap although the regions do not touch.
    truth = mask("#####", "#....", "#.###", "#.#..")
    image = Image(np.zeros((1, 4, 5), np.uint8), truth.grid)
    method = Filler()
    joined = prompted(method, image, truth, Prompting.BOX)
    assert method.asked == [Box.of(0, 0, 4, 5), Box.of(2, 2, 4, 5)]
    expected = np.full((4, 5), 0.6, np.float32)
    expected[2:, 2:] = 0.7
    assert np.allclose(joined.probability, expected)
    assert joined.provenance.steps == ("fill", "the maximum of 2 maps, one for each box")
    assert joined.threshold == 0.5


def test_nothing_is_told_without_prompting() -> None:
    truth = mask("##", "..")
    method = Filler()
    prompted(method, Image(np.zeros((1, 2, 2), np.uint8), truth.grid), truth)
    assert method.asked == [None]


def test_an_image_is_scored_with_its_boxes() -> None:
    (row,) = evaluate(Filler(), [drawn("a", block(4, 5))], BOX).rows
    assert (row.score.dice, row.error) == (1, None)


def test_normal_images_are_refused_before_anything_runs() -> None:
    method = Filler()
    cases = [drawn("a", block(2, 2)), drawn("b", block(0, 0), "normal")]
    with pytest.raises(
        DataSetError,
        match=r"made/b has no lesion to draw a box around. Try: choose the images with lesions",
    ):
        evaluate(method, cases, BOX)
    assert method.asked == []


def test_an_unexpected_empty_truth_is_a_failed_row() -> None:
    (row,) = evaluate(Filler(), [replace(drawn("a", block(0, 0)), label=None)], BOX).rows
    assert row.error is not None
    assert "no lesion to draw a box around" in row.error


def test_a_method_that_takes_no_prompt_fails_and_says_so() -> None:
    (row,) = evaluate(Blind(), [drawn("a", block(2, 2))], BOX).rows
    assert row.error == "a prompt for 'blind'. Expected: none"
    assert row.score.dice == 0


def test_the_report_says_how_it_was_prompted() -> None:
    for rules, words in (
        (BOX, "was given the tightest box around each true region"),
        (Protocol(), "was told nothing of where lesions are"),
    ):
        evaluation = evaluate(Filler(), [drawn("a", block(2, 2))], rules)
        assert words in protocol(evaluation, summarise(evaluation, 10))


def test_a_real_method_draws_better_with_boxes() -> None:
    rows, columns = np.ogrid[:120, :160]
    discs = [np.hypot(rows - 40, columns - c) < 18 for c in (40, 120)]
    speckle = np.random.default_rng(0).rayleigh(60, (120, 160))
    picture = np.where(discs[0] | discs[1], speckle / 4, speckle).clip(0, 255).astype(np.uint8)
    grid = Grid((120, 160))
    truth = Mask(discs[0] | discs[1], grid)
    outline = prompted(Otsu(), Image(picture[None], grid), truth, Prompting.BOX).mask().foreground
    assert dice(outline, truth.foreground) > 0.9
