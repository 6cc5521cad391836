"""The ellipse in the box."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import draw

from breastseg.classical.ellipse import Ellipse

from .scenes import LESIONS, box_around, drawn
from .views import view


@pytest.mark.parametrize("box", [(10, 20, 51, 95), (3, 5, 40, 15), (0, 0, 7, 7)])
def test_it_is_the_ellipse_inscribed_in_the_box(box: tuple[int, int, int, int]) -> None:
    shape = (60, 100)
    row0, column0, row1, column1 = box
    height, width = row1 - row0, column1 - column0
    expected = np.zeros(shape, bool)
    expected[
        draw.ellipse(
            (row0 + row1 - 1) / 2, (column0 + column1 - 1) / 2, height / 2, width / 2, shape
        )
    ] = True
    found = Ellipse().delineate(view(shape, box))
    assert np.array_equal(found, expected)
    assert box_around(found).numbers == box
    assert found.sum() == pytest.approx(np.pi / 4 * height * width, rel=0.03, abs=2)


def test_it_looks_at_no_pixel() -> None:
    lesion = LESIONS["lobed"]
    white = np.ones(lesion.shape, np.float32)
    seen = Ellipse().delineate(drawn(lesion))
    assert np.array_equal(seen, Ellipse().delineate(drawn(lesion, grey=white)))


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.2, 1.5])
def test_scale_is_that_of_its_axes(scale: float) -> None:
    seen = view((150, 150), (30, 40, 110, 100))
    whole, scaled = Ellipse().delineate(seen), Ellipse(scale=scale).delineate(seen)
    assert scaled.sum() == pytest.approx(scale**2 * whole.sum(), rel=0.01)
    assert (whole <= scaled).all() if scale > 1 else (scaled <= whole).all()


def test_a_view_of_one_pixel_is_all_lesion() -> None:
    assert Ellipse().delineate(view((1, 1), (0, 0, 1, 1))).tolist() == [[True]]
    assert Ellipse().delineate(view((3, 3), (1, 1, 2, 2))).sum() == 1
