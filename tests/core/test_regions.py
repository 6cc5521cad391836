"""Connected regions, against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label, regionprops

from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.core.regions import connected_regions

masks = st.one_of(
    arrays(bool, st.tuples(*[st.integers(1, 12)] * 2)),
    arrays(bool, st.tuples(*[st.integers(1, 6)] * 3)),
)


@settings(deadline=None)  # the first example imports OpenCV
@given(masks, st.booleans())
def test_they_are_those_of_scikit_image(mask: np.ndarray, corners: bool) -> None:
    before = mask.copy()
    found = connected_regions(mask, corners)
    oracle = label(mask, connectivity=mask.ndim if corners else 1)
    assert np.array_equal(found.labels, oracle)  # both number by the first pixel
    properties = regionprops(oracle)
    assert len(found) == len(properties)
    assert [box.numbers for box in found.boxes] == [one.bbox for one in properties]
    assert found.sizes.tolist() == [one.area for one in properties]
    for (box, crop), one in zip(found.crops(), properties, strict=True):
        assert crop.shape == box.shape
        assert np.array_equal(crop, one.image)
    assert np.array_equal(mask, before)


@given(masks, st.data())
def test_a_choice_of_them_is_their_union(mask: np.ndarray, data) -> None:
    found = connected_regions(mask)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found))))
    kept = kept.astype(bool)
    expected = np.isin(found.labels, 1 + np.flatnonzero(kept))
    assert np.array_equal(found.chosen(kept), expected)
    largest = found.largest()
    assert largest.sum() == (found.sizes.max() if len(found) else 0)


def test_of_equal_regions_the_first_is_the_largest() -> None:
    mask = np.array([[0, 0, 1], [1, 0, 0], [1, 0, 1]], bool)
    found = connected_regions(mask)
    assert found.boxes == (Box.of(0, 2, 1, 3), Box.of(1, 0, 3, 1), Box.of(2, 2, 3, 3))
    assert found.largest().nonzero()[1].tolist() == [0, 0]
    assert connected_regions(np.eye(3, dtype=bool), corners=False).largest()[0, 0]


def test_what_is_no_mask_or_no_choice_is_refused() -> None:
    with pytest.raises(InputError, match="threshold"):
        connected_regions(np.full((2, 2), 0.5))
    with pytest.raises(InputError, match="choice"):
        connected_regions(np.ones((2, 2), bool)).chosen(np.ones(2, bool))
