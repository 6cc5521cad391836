import threading

import numpy as np
import pytest

from breastseg.core import Grid, Image, Prediction, Provenance
from breastseg.core.errors import UnreadableError
from breastseg.core.segmenter import Segmenter
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.stream import segment_stream


def load(seed):
    if seed % 5 == 3:
        raise UnreadableError(f"item {seed}")
    shape = (20 + seed, 30)
    values = np.random.default_rng(seed).integers(0, 256, (1, *shape)).astype(np.uint8)
    return Image(values, Grid(shape), source=str(seed))


class Counting(Segmenter):
    """A segmenter that records how many images are in work."""

    name = "counting"

    def __init__(self):
        self.lock = threading.Lock()
        self.done = 0

    def segment(self, image, prompt=None):
        with self.lock:
            self.done += 1
        values = np.zeros(image.grid.shape, np.float32)
        return Prediction(values, image.grid, Provenance("counting", "1"))


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_order_is_kept_and_a_bad_item_yields_its_error(make_tiny, workers):
    segmenter = OnnxSegmenter(make_tiny(), threads=2)
    results = list(segment_stream(segmenter, range(23), load, workers))
    assert [r.item for r in results] == list(range(23))
    for item, image, result in results:
        if item % 5 == 3:
            assert image is None
            assert isinstance(result, UnreadableError)
            assert str(result) == f"item {item}"
        else:
            assert image.source == str(item)
            alone = segmenter.segment(load(item)).probability
            assert np.array_equal(result.probability, alone)


def test_an_image_that_cannot_be_segmented_is_given_with_its_error(make_tiny):
    volume = Image(np.zeros((1, 3, 4, 5)), Grid((3, 4, 5)))
    (only,) = segment_stream(OnnxSegmenter(make_tiny()), [volume], lambda image: image)
    assert only.image is volume
    assert "volume" in str(only.result)


def test_items_are_drawn_only_as_far_as_needed():
    drawn = []

    def items():
        for number in range(1000):
            drawn.append(number)
            yield number * 5

    stream = segment_stream(Counting(), items(), load, workers=2)
    assert not drawn
    for taken in range(1, 20):
        next(stream)
        assert len(drawn) <= taken + 4
    stream.close()
    assert len(drawn) <= 19 + 4


def test_closing_leaves_no_thread_and_starts_nothing_more():
    before = threading.active_count()
    segmenter = Counting()
    stream = segment_stream(segmenter, range(0, 5000, 5), load, workers=2)
    next(stream)
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before
    assert segmenter.done <= 5


def test_a_mistake_in_the_program_is_not_hidden():
    def wrong(item):
        raise KeyError(item)

    before = threading.active_count()
    with pytest.raises(KeyError):
        list(segment_stream(Counting(), range(9), wrong, workers=2))
    assert threading.active_count() == before


def test_no_items_give_no_results():
    assert list(segment_stream(Counting(), [], load)) == []
