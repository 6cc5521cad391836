import threading
from contextlib import closing

import numpy as np
import pytest

from breastseg.core import Grid, Image
from breastseg.core.errors import BundleError, InputError
from breastseg.core.segmenter import Segmenter
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.stream import segment_stream
from breastseg.inference.time_limit import (
    MAX_SECONDS,
    Wanted,
    computing,
    max_seconds,
    set_max_seconds,
    within_limit,
)


@pytest.fixture
def impatient():
    set_max_seconds(1e-6)
    yield
    set_max_seconds(MAX_SECONDS)


def fail():
    raise ArithmeticError("no")


def test_what_is_computed_in_time_is_given_or_raised():
    assert within_limit("n", lambda: 3, lambda: None) == 3
    with pytest.raises(ArithmeticError):
        within_limit("n", fail, lambda: None)


def test_what_takes_too_long_is_ended_and_named(impatient):
    stopped = threading.Event()
    with pytest.raises(BundleError, match="n: the network took more than 1e-06 seconds"):
        within_limit("n", stopped.wait, stopped.set)
    assert stopped.is_set()


def test_a_signal_ends_it(monkeypatch):
    stopped = threading.Event()

    def interrupted(futures, limit):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("breastseg.inference.time_limit.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        within_limit("n", stopped.wait, stopped.set)
    assert stopped.is_set()
    assert not computing()  # it is over before the signal is answered


def test_a_network_that_nobody_wants_any_more_stops(make_tiny):
    segmenter = OnnxSegmenter(make_tiny(), threads=1)
    image = Image(np.zeros((1, 9, 9), np.float32), Grid((9, 9)))
    wanted = Wanted()
    with wanted.here():
        segmenter.segment(image)
        wanted.no_more()
        with pytest.raises(BundleError, match="terminate"):
            segmenter.segment(image)
    segmenter.segment(image)


def test_closing_a_stream_ends_what_is_in_work():
    started, stopped = threading.Event(), threading.Event()

    class Endless(Segmenter):
        name = "endless"

        def segment(self, image, prompt=None):
            if image.source == "first":
                fail_in_words()
            within_limit("endless", lambda: started.set() or stopped.wait(), stopped.set)

    def fail_in_words():
        raise BundleError("the first")

    def load(name):
        return Image(np.zeros((1, 2, 2)), Grid((2, 2)), source=name)

    with closing(segment_stream(Endless(), ["first", "second"], load, workers=1)) as stream:
        next(stream)
        started.wait()
    assert stopped.is_set()


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_no_limit_that_is_none(limit):
    with pytest.raises(InputError, match="time limit"):
        set_max_seconds(limit)
    assert max_seconds() == MAX_SECONDS
