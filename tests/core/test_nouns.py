"""The nouns refuse what makes no sense, and leave their inputs alone."""

import numpy as np
import pytest

from breastseg.core import (
    Box,
    Bundle,
    Case,
    Grid,
    Image,
    InputSpec,
    Lesion,
    Mask,
    Modality,
    OutputSpec,
    Prediction,
    Prompt,
    Provenance,
    Segmenter,
)
from breastseg.core.errors import BreastsegError, BundleError, GeometryError, InputError

PROVENANCE = Provenance("test", "1")


def test_grid_states_its_unit() -> None:
    assert Grid((4, 5)).unit == "px"
    assert Grid((4, 5)).steps == (1.0, 1.0)
    assert Grid((4, 5), (0.1, 0.2)).unit == "mm"
    assert Grid((4, 5), (0.1, 0.2)).steps == (0.1, 0.2)
    assert Grid((3, 4, 5)).size == 60


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((0, 5), None),
        ((5,), None),
        ((4, 5), (0.1,)),
        ((4, 5), (0.1, 0.0)),
        ((4, 5), (0.1, -1.0)),
        ((4, 5), (0.1, float("nan"))),
    ],
)
def test_grid_refuses(shape: tuple[int, ...], spacing: tuple[float, ...] | None) -> None:
    with pytest.raises(GeometryError):
        Grid(shape, spacing)


def test_image_is_a_read_only_view_of_the_callers_array() -> None:
    array = np.zeros((1, 4, 5), np.uint8)
    image = Image(array, Grid((4, 5)))
    assert np.shares_memory(image.array, array)
    with pytest.raises(ValueError, match="read-only"):
        image.array[0, 0, 0] = 1
    array[0, 0, 0] = 1  # the caller's own array stays writable


def test_grey_of_rgb_is_bt601() -> None:
    array = np.array([100, 150, 200], np.uint8).reshape(3, 1, 1)
    assert Image(array, Grid((1, 1))).grey()[0, 0] == pytest.approx(
        0.299 * 100 + 0.587 * 150 + 0.114 * 200
    )


def test_image_refuses_another_shape_or_text() -> None:
    with pytest.raises(GeometryError, match=r"\(1, 4, 4\).*\(4, 5\)"):
        Image(np.zeros((1, 4, 4)), Grid((4, 5)))
    for scan in ((0, 0, 5, 5), (0, 1, 4, 6), (-1, 0, 2, 2), (0, 0, 0, 4, 5, 1)):
        with pytest.raises(GeometryError, match="scan in the box"):
            Image(np.zeros((1, 4, 5)), Grid((4, 5)), scan=Box.of(*scan))
    whole = Box.whole((4, 5))
    assert Image(np.zeros((1, 4, 5)), Grid((4, 5)), scan=whole).scan == whole
    with pytest.raises(InputError):
        Image(np.full((1, 4, 5), "a"), Grid((4, 5)))
    with pytest.raises(InputError):
        Image(np.zeros((0, 4, 5)), Grid((4, 5)))


def test_mask_refuses_fractions_and_large_labels() -> None:
    with pytest.raises(InputError):
        Mask(np.full((2, 2), 0.5), Grid((2, 2)))
    with pytest.raises(InputError):
        Mask(np.full((2, 2), 300), Grid((2, 2)))
    with pytest.raises(GeometryError):
        Mask(np.zeros((2, 3), bool), Grid((2, 2)))
    assert Mask(np.zeros((2, 2), bool), Grid((2, 2))).is_empty


def test_case_needs_names_and_one_shape() -> None:
    image = Image(np.zeros((1, 4, 5)), Grid((4, 5)))
    with pytest.raises(InputError):
        Case("", "p", (image,))
    with pytest.raises(GeometryError):
        Case("c", "p", (image,), Mask(np.zeros((5, 4), bool), Grid((5, 4))))


def test_prompt_needs_something() -> None:
    with pytest.raises(InputError):
        Prompt()
    with pytest.raises(InputError):
        Prompt(box=Box.of(0, 0, 0, 2, 2, 2))
    assert Prompt(box=Box.of(0, 0, 2, 2)).box == Box.of(0, 0, 2, 2)


def test_lesions_are_counted_by_touching_pixels_and_sorted_by_size() -> None:
    probability = np.zeros((6, 8), np.float32)
    probability[0, 0], probability[1, 1] = 0.6, 0.8  # one outline: they touch at a corner
    probability[3:6, 4:7] = 0.9
    lesions = Prediction(probability, Grid((6, 8)), PROVENANCE).lesions()
    assert [lesion.area_px for lesion in lesions] == [9, 2]
    assert lesions[0].box == Box.of(3, 4, 6, 7)
    assert lesions[1].box == Box.of(0, 0, 2, 2)
    assert lesions[1].crop.tolist() == [[True, False], [False, True]]
    assert lesions[1].mean_probability == pytest.approx(0.7)
    assert lesions[1].score == pytest.approx(0.8)


def test_a_lesion_keeps_its_crop_and_nothing_of_the_grid() -> None:
    probability = np.random.default_rng(0).random((9, 40, 50)).astype(np.float32)
    prediction = Prediction(probability, Grid(probability.shape), PROVENANCE, threshold=0.8)
    lesions = prediction.lesions()
    assert all(
        lesion.crop.base is None or lesion.crop.base.size == lesion.crop.size for lesion in lesions
    )
    union = np.sum([lesion.on(probability.shape) for lesion in lesions], axis=0)
    assert np.array_equal(union, prediction.mask().foreground)  # each pixel in one of them
    for lesion in lesions:
        where = lesion.on(probability.shape)
        assert np.array_equal(lesion.values(probability), probability[where])
        assert Box.around(where) == lesion.box


def test_a_lesion_refuses_a_crop_that_is_not_its_boxs() -> None:
    with pytest.raises(GeometryError, match="crop"):
        Lesion(np.ones((2, 3), bool), Box.of(0, 0, 3, 2), 0.5, 0.5)
    with pytest.raises(InputError, match="crop"):
        Lesion(np.ones((2, 3)), Box.of(0, 0, 2, 3), 0.5, 0.5)  # type: ignore[arg-type]
    lesion = Lesion(np.ones((2, 3), bool), Box.of(0, 0, 2, 3), 0.5, 0.5)
    with pytest.raises(GeometryError, match="box"):
        lesion.on((2, 2))
    with pytest.raises(ValueError, match="read-only"):
        lesion.crop[0, 0] = False


def test_prediction_keeps_its_own_copy() -> None:
    probability = np.zeros((2, 2), np.float32)
    prediction = Prediction(probability, Grid((2, 2)), PROVENANCE)
    probability[0, 0] = 1
    assert prediction.probability[0, 0] == 0


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_prediction_refuses_what_is_no_probability(bad: float) -> None:
    with pytest.raises(InputError):
        Prediction(np.full((2, 2), bad, np.float32), Grid((2, 2)), PROVENANCE)


def test_bundle_parts_refuse() -> None:
    with pytest.raises(BundleError):
        InputSpec(size=(4, 256))
    with pytest.raises(BundleError):
        OutputSpec(threshold=0)
    with pytest.raises(BundleError):
        OutputSpec(min_area_fraction=1.1)
    assert Bundle("n", "1", Modality.ULTRASOUND, "s", "u-net", "0" * 64).input == InputSpec()


def test_a_class_that_derives_with_a_name_and_segment_is_for_images_on_one_core() -> None:
    class Nothing(Segmenter):
        name = "nothing"

        def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
            return Prediction(np.zeros(image.grid.shape, np.float32), image.grid, PROVENANCE)

    made = Nothing()
    assert (made.dimensions, made.phases, made.on_one_core()) == (2, 0, made)


def test_an_error_is_one_line() -> None:
    assert str(BreastsegError("a\nb", "", "c")) == "a b. Try: c"


def test_a_message_does_not_fill_the_terminal() -> None:
    told = str(InputError("a" + "x" * 50_000 + "z", "b", "c"))
    assert len(told) < 3000
    assert told.startswith("ax")
    assert told.endswith("xz. Expected: b. Try: c")


def test_a_message_is_one_printable_line() -> None:
    assert str(InputError("a\x1b[31m\nb", "c\x00d")) == "a [31m b. Expected: c d"
