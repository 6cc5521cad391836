import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from breastseg.core import Box, Fit, Grid, OutputSpec, Prediction, Provenance
from breastseg.inference.postprocess import postprocess, to_image_grid
from breastseg.preprocess.geometry import Placement

TOUCHING = np.ones((3, 3))
quick = settings(max_examples=40, deadline=None, derandomize=True)

levels = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0])
maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=16, max_side=24),
    elements=levels,
    fill=st.just(0.0),
)
rules = st.builds(
    OutputSpec,
    threshold=st.sampled_from([0.3, 0.5, 0.7]),
    min_score=st.sampled_from([0.0, 0.6, 0.8]),
    min_area_fraction=st.sampled_from([0.0, 0.005, 0.02]),
    largest_only=st.booleans(),
)


def outlines(probability, threshold):
    numbers, count = ndimage.label(probability >= threshold, TOUCHING)
    return [numbers == n for n in range(1, count + 1)]


def sheet(*blobs, shape=(16, 16)):
    """Zeros with rectangles: (rows, columns, probability)."""
    array = np.zeros(shape, np.float32)
    for rows, columns, value in blobs:
        array[rows, columns] = value
    return array


@quick
@given(maps, rules)
def test_only_outlines_that_the_rules_keep_survive_and_they_are_untouched(probability, output):
    before = probability.copy()
    result = postprocess(probability, output)
    assert np.array_equal(probability, before)
    after = outlines(result, output.threshold)
    for region in after:
        assert probability[region].max() >= output.min_score
        assert region.sum() >= output.min_area_fraction * probability.size
        assert np.array_equal(result[region], probability[region])
    keepable = [
        region
        for region in outlines(probability, output.threshold)
        if probability[region].max() >= output.min_score
        and region.sum() >= output.min_area_fraction * probability.size
    ]
    if output.largest_only and keepable:
        assert len(after) == 1
        assert after[0].sum() == max(region.sum() for region in keepable)
    else:
        assert len(after) == len(keepable)
    below = probability < output.threshold
    assert np.array_equal(result[below], probability[below])
    assert (result <= probability).all()


@quick
@given(maps, rules)
def test_doing_it_twice_changes_nothing(probability, output):
    once = postprocess(probability, output)
    assert np.array_equal(postprocess(once, output), once)


def test_a_rejected_outline_is_scaled_to_half_the_threshold():
    probability = sheet((slice(2, 4), slice(2, 4), 0.6))
    probability[2, 2] = 0.8
    result = postprocess(probability, OutputSpec(0.5, min_score=0.9))
    assert result[2, 2] == pytest.approx(0.25)
    assert result[3, 3] == pytest.approx(0.25 * 0.6 / 0.8)


def test_limits_count_as_reached():
    probability = sheet((slice(0, 2), slice(0, 2), 0.5), (slice(8, 9), slice(8, 10), 0.75))
    kept = postprocess(probability, OutputSpec(0.5, min_score=0.5, min_area_fraction=2 / 256))
    assert np.array_equal(kept, probability)
    assert len(outlines(postprocess(probability, OutputSpec(0.5, min_score=0.75)), 0.5)) == 1
    few = postprocess(probability, OutputSpec(0.5, min_area_fraction=3 / 256))
    assert few[0, 0] == 0.5
    assert few[8, 8] < 0.5


def test_the_largest_is_chosen_among_those_that_the_other_rules_keep():
    faint_and_large = (slice(0, 6), slice(0, 6), 0.6)
    probability = sheet(faint_and_large, (slice(10, 13), slice(10, 13), 0.9))
    result = postprocess(probability, OutputSpec(0.5, min_score=0.8, largest_only=True))
    (region,) = outlines(result, 0.5)
    assert region[11, 11]
    assert region.sum() == 9


def test_of_two_equally_large_outlines_the_first_is_kept():
    probability = sheet((slice(2, 4), slice(9, 11), 0.6), (slice(9, 11), slice(2, 4), 0.9))
    (region,) = outlines(postprocess(probability, OutputSpec(largest_only=True)), 0.5)
    assert region[2, 9]


def test_pixels_that_touch_by_a_corner_are_one_outline():
    probability = sheet((2, 2, 0.9), (3, 3, 0.6))
    assert np.array_equal(postprocess(probability, OutputSpec(0.5, min_score=0.8)), probability)


@quick
@given(
    maps,
    rules,
    st.tuples(st.integers(9, 70), st.integers(9, 70)),
    st.sampled_from(list(Fit)),
)
def test_resizing_back_neither_resurrects_nor_kills(probability, output, source, fit):
    placement = Placement.of(source, probability.shape, fit)
    inner = postprocess(probability[placement.inner.slices], output)
    result = to_image_grid(probability, placement, output)
    assert result.shape == source
    assert result.dtype == np.float32
    found = (
        Prediction(result, Grid(source), Provenance("t", "1"), output.threshold).mask().foreground
    )
    scale = np.array(source) / placement.inner.shape
    kept = inner >= output.threshold
    for region in outlines(inner, output.threshold):
        peak = np.argwhere(region & (inner == inner[region].max()))[0]
        assert found[tuple(((peak + 0.5) * scale).astype(int))]
    # every outlined pixel lies within the filter's reach of a kept one
    reach = np.maximum(1, 1 / scale)
    centres = (np.argwhere(found) + 0.5) / scale - 0.5
    for centre in centres:
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.ceil(centre + reach).astype(int) + 1
        assert kept[low[0] : high[0], low[1] : high[1]].any()


def test_a_rejected_neighbour_does_not_move_a_kept_outline_when_enlarged():
    kept, faint = (slice(2, 8), slice(2, 7), 0.9), (slice(2, 8), slice(8, 12), 0.6)
    placement = Placement.of((61, 47), (16, 16), Fit.STRETCH)
    alone = to_image_grid(sheet(kept), placement, OutputSpec(0.5, min_score=0.8))
    beside = to_image_grid(sheet(kept, faint), placement, OutputSpec(0.5, min_score=0.8))
    assert np.array_equal(alone >= 0.5, beside >= 0.5)


def test_what_lies_in_the_padding_is_no_part_of_the_image():
    placement = Placement.of((32, 64), (16, 16), Fit.PAD)
    assert placement.inner == Box.of(4, 0, 12, 16)
    probability = sheet((slice(0, 3), slice(0, 16), 0.9), (slice(6, 8), slice(4, 6), 0.9))
    # 4 of the 128 pixels that are the image, not of all 256
    result = to_image_grid(probability, placement, OutputSpec(min_area_fraction=4 / 128))
    assert result[10, 19] == pytest.approx(0.9)
    assert result[0].max() == 0
    largest = to_image_grid(probability, placement, OutputSpec(largest_only=True))
    assert largest.max() == pytest.approx(0.9)


def test_an_empty_map_stays_empty():
    zeros = np.zeros((16, 16), np.float32)
    placement = Placement.of((33, 17), (16, 16), Fit.PAD)
    assert not to_image_grid(zeros, placement, OutputSpec(largest_only=True)).any()
