"""Descriptors of masks whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.draw import ellipse

from breastseg.measure.descriptors import descriptors


def oval(deep: float, wide: float) -> NDArray[np.bool_]:
    mask = np.zeros((140, 140), np.bool_)
    mask[ellipse(70, 70, deep, wide)] = True
    return mask


def said(mask: NDArray[np.bool_], ultrasound: bool = True, row_mm: float = 1.0) -> dict[str, str]:
    return {one.kind: one.value for one in descriptors(mask, (row_mm, 1.0), ultrasound)}


@pytest.mark.parametrize(
    ("mask", "shape", "orientation"),
    [
        (oval(30, 31), "round", "parallel"),
        (oval(20, 45), "oval", "parallel"),
        (oval(45, 20), "oval", "not parallel"),
    ],
)
def test_ellipses(mask: NDArray[np.bool_], shape: str, orientation: str) -> None:
    expected = {"shape": shape, "orientation": orientation, "margin": "circumscribed"}
    assert said(mask) == expected
    assert "orientation" not in said(mask, ultrasound=False)


def test_the_distance_of_pixels_counts() -> None:
    assert said(oval(20, 40), row_mm=2.0)["shape"] == "round"
    assert said(oval(30, 40), row_mm=2.0)["orientation"] == "not parallel"


def test_a_star_is_irregular_and_states_no_margin() -> None:
    star = oval(8, 60) | oval(60, 8)
    found = said(star, ultrasound=False)
    assert found == {"shape": "irregular"}


def test_a_few_pixels_have_no_shape() -> None:
    assert said(oval(3, 3)) == {}
