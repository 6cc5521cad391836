"""Which slice of a volume a page shows, and which way up."""

import numpy as np
import pytest

from breastseg.core import Case, Grid, Image, Mask
from breastseg.evaluation.comparison.section import section_of

SHAPE = (4, 5, 6)


def case(direction: np.ndarray, truth: np.ndarray, phases: int = 2) -> Case:
    grid = Grid(SHAPE, (3.0, 2.0, 1.0), direction=tuple(direction.ravel().tolist()))
    one = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    array = np.stack([one * (1 - 2 * phase) for phase in range(phases)])
    return Case("c", "p", (Image(array, grid),), Mask(truth, grid), "malignant")


def lesion(*places: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for place in places:
        mask[place] = True
    return mask


def test_the_slice_with_the_most_lesion() -> None:
    truth = lesion((1, 0, 0), (2, 0, 1), (2, 4, 5))
    section = section_of(case(np.eye(3), truth))
    assert (section.slice_index, section.turned, section.tallness) == (2, (False, False), 2)
    assert section.name == "slice 3 of 4"
    assert np.array_equal(section.of(truth), truth[2])
    picture = section.picture(case(np.eye(3), truth).images[0])
    assert (picture.shape, picture.dtype) == ((5, 6), np.uint8)
    assert picture[0, 0] > picture[-1, -1]  # the second phase, which falls where the first rises
    first = section.picture(case(np.eye(3), truth, phases=1).images[0])
    assert first[0, 0] < first[-1, -1]


def test_holes_are_black() -> None:
    made = case(np.eye(3), lesion((1, 0, 0)))
    array = made.images[0].array + 1000
    array[:, 1, 0, 0] = np.nan
    array[:, 1, 0, 1] = np.inf
    picture = section_of(made).picture(Image(array, made.images[0].grid))
    assert (picture[0, 0], picture[0, 1]) == (0, 0)
    assert picture[-1, -1] > 0


def test_a_volume_without_a_lesion_shows_its_middle() -> None:
    assert section_of(case(np.eye(3), lesion())).slice_index == 2


@pytest.mark.parametrize(
    ("axes", "turned"),
    [
        # components (z, y, x) of what slices, rows and columns run along
        (((1, 0, 0), (0, 1, 0), (0, 0, 1)), (False, False)),  # across: to the back, to the left
        (((1, 0, 0), (0, -1, 0), (0, 0, 1)), (True, False)),
        (((1, 0, 0), (0, 1, 0), (0, 0, -1)), (False, True)),
        (((0, 0, 1), (-1, 0, 0), (0, 1, 0)), (False, False)),  # from the side: feet, back
        (((0, 0, 1), (1, 0, 0), (0, -1, 0)), (True, True)),
        (((1, 0, 0), (0, 0.9, 0.436), (0, -0.436, 0.9)), (False, False)),  # oblique
    ],
)
def test_the_front_and_the_head_are_above_and_the_right_at_the_left(axes, turned) -> None:
    truth = lesion((1, 0, 0))
    section = section_of(case(np.array(axes).T, truth))
    assert section.turned == turned
    place = (4 if turned[0] else 0, 5 if turned[1] else 0)
    assert section.of(truth)[place]


def test_a_picture_is_shown_as_it_is() -> None:
    grid = Grid((3, 4))
    picture = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    mask = np.eye(3, 4, dtype=bool)
    section = section_of(Case("c", "p", (Image(picture, grid),), Mask(mask, grid), None))
    assert section.name == ""
    assert np.array_equal(section.of(mask), mask)
    assert np.array_equal(section.picture(Image(picture, grid)), picture[0])
