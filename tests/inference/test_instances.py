"""Instances on the image's own grid, and out of any map."""

import numpy as np
import pytest

from breastseg.core import Fit, Grid, Prediction, Provenance
from breastseg.core.errors import GeometryError
from breastseg.core.instance import Instance
from breastseg.inference.instances import instances_of, on_image
from breastseg.preprocess.geometry import Placement


def test_boxes_and_masks_come_back_through_the_padding() -> None:
    # 20 x 40 pixels in the middle of 16 x 16: halved and more, 4 rows above and below
    placement = Placement.of((20, 40), (16, 16), Fit.PAD)
    assert placement.inner == (4, 0, 8, 16)
    masks = np.zeros((2, 16, 16), np.float32)
    masks[0, 6:10, 4:8] = 1
    masks[1, 0:3, 0:3] = 1  # in the padding
    boxes = np.array([[4, 6, 8, 10], [0, 0, 3, 3]], np.float32)
    (one,) = on_image(boxes, np.array([0.9, 0.8], np.float32), masks, placement)
    assert one.box == (5.0, 10.0, 15.0, 20.0)
    assert one.score == pytest.approx(0.9)
    expected = np.zeros((20, 40), bool)
    expected[5:15, 10:20] = True
    assert (one.region != expected).sum() <= 4  # its corners, rounded by the resampling


def test_boxes_and_masks_come_back_from_a_mirrored_part() -> None:
    placement = Placement.of((20, 40), (10, 10), Fit.STRETCH, (5, 20, 10, 10), mirrored=True)
    masks = np.zeros((1, 10, 10), np.float32)
    masks[0, 2:4, 1:5] = 1
    boxes = np.array([[1, 2, 5, 4]], np.float32)
    (one,) = on_image(boxes, np.array([0.9], np.float32), masks, placement)
    assert one.box == (7.0, 25.0, 9.0, 29.0)
    expected = np.zeros((20, 40), bool)
    expected[7:9, 25:29] = True
    np.testing.assert_array_equal(one.region, expected)


def test_a_box_is_cut_at_the_image() -> None:
    placement = Placement.of((8, 8), (8, 8), Fit.STRETCH)
    mask = np.ones((1, 8, 8), np.float32)
    (one,) = on_image(np.array([[-1, -2, 9, 8.5]]), np.array([0.5]), mask, placement)
    assert one.box == (0, 0, 8, 8)


def test_nothing_found_is_nothing() -> None:
    placement = Placement.of((8, 8), (8, 8), Fit.STRETCH)
    assert on_image(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 8, 8)), placement) == ()


def test_shapes_must_fit() -> None:
    placement = Placement.of((8, 8), (8, 8), Fit.STRETCH)
    with pytest.raises(GeometryError, match=r"\(1, 8, 8\)"):
        on_image(np.zeros((1, 4)), np.zeros(1), np.zeros((1, 8, 7)), placement)


def test_instances_of_a_map_are_its_outlines() -> None:
    values = np.zeros((6, 9), np.float32)
    values[0:3, 0:3], values[4, 6:8] = 0.6, 0.9
    prediction = Prediction(values, Grid((6, 9)), Provenance("test", "1"))
    first, second = instances_of(prediction)
    assert (first.score, second.score) == (pytest.approx(0.9), pytest.approx(0.6))
    assert first.box == (4, 6, 5, 8)
    assert second.region.sum() == 9
    assert len(instances_of(prediction, 0.7)) == 1


def test_a_methods_own_instances_come_first() -> None:
    region = np.ones((6, 9), bool)
    weak, strong = (Instance(region, (0, 0, 6, 9), score) for score in (0.2, 0.7))
    prediction = Prediction(
        np.zeros((6, 9), np.float32), Grid((6, 9)), Provenance("t", "1"), instances=(weak, strong)
    )
    assert instances_of(prediction) == (strong, weak)
