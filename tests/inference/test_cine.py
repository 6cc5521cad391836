"""Frames of a cine loop, averaged with their neighbours."""

from collections.abc import Iterator

import numpy as np
import pytest

from breastseg.core import Grid, Image, Prediction, Provenance
from breastseg.core.errors import UnreadableError
from breastseg.inference.cine import smooth_cine
from breastseg.inference.stream import Segmented

Item = tuple[str, int]


def frame(loop: str, number: int, value: float, side: int = 2) -> Segmented[Item]:
    grid = Grid((side, side))
    found = Prediction(np.full(grid.shape, value, np.float32), grid, Provenance("m", "1"))
    return Segmented((loop, number), Image(np.zeros((1, *grid.shape), np.uint8), grid), found)


def loop_of(item: Item) -> str | None:
    return item[0] or None


def values(stream: list[Segmented[Item]], reach: int) -> list[float]:
    given = [item for item, _, _ in stream]
    smoothed = list(smooth_cine(iter(stream), loop_of, reach))
    assert [item for item, _, _ in smoothed] == given
    found = [done.result for done in smoothed]
    return [float(p.probability[0, 0]) for p in found if isinstance(p, Prediction)]


def test_weights_fall_to_both_sides_and_the_ends_have_one() -> None:
    stream = [frame("a", n, value) for n, value in enumerate((0.9, 0.0, 0.0, 0.6))]
    # weights 1 2 1, and 2 1 at the ends
    assert values(stream, 1) == pytest.approx([0.6, 0.225, 0.15, 0.4])


def test_a_long_reach_takes_what_there_is() -> None:
    stream = [frame("a", n, value) for n, value in enumerate((0.6, 0.3))]
    # weights 6 5
    assert values(stream, 5) == pytest.approx([(3.6 + 1.5) / 11, (3.0 + 1.8) / 11])


@pytest.mark.parametrize("reach", [1, 3])
def test_against_the_sum_written_out(reach: int) -> None:
    given = np.random.default_rng(reach).random(20)
    kernel = reach + 1 - np.abs(np.arange(-reach, reach + 1))
    expected = np.convolve(given, kernel, "same") / np.convolve(np.ones(20), kernel, "same")
    stream = [frame("a", n, value) for n, value in enumerate(given)]
    assert values(stream, reach) == pytest.approx(expected, abs=1e-6)


def test_loops_pictures_and_failures_keep_apart() -> None:
    failed: Segmented[Item] = Segmented(("a", 2), None, UnreadableError("frame 3"))
    stream = [
        *(frame("a", n, v) for n, v in enumerate((0.3, 0.9))),
        failed,
        frame("a", 3, 0.6),
        frame("", 0, 0.8),
        frame("", 0, 0.2),
        frame("b", 0, 1.0),
        frame("b", 1, 1.0, side=3),
    ]
    smoothed = list(smooth_cine(iter(stream), loop_of, 2))
    assert smoothed[2] is failed
    assert smoothed[4:6] == stream[4:6]
    assert values(stream, 2) == pytest.approx([0.54, 0.66, 0.6, 0.8, 0.2, 1.0, 1.0])


def test_few_frames_are_held() -> None:
    drawn = 0

    def endless() -> Iterator[Segmented[Item]]:
        nonlocal drawn
        while True:
            yield frame("a", drawn, 0.5)
            drawn += 1

    smoothed = smooth_cine(endless(), loop_of, 2)
    for number in range(50):
        assert next(smoothed).item == ("a", number)
        assert drawn <= number + 3


def test_maps_of_classes_still_add_up_and_the_steps_say_so() -> None:
    grid = Grid((1, 1))
    stream = []
    for number, (benign, malignant) in enumerate(((0.2, 0.6), (0.5, 0.1))):
        maps = np.array([benign, malignant], np.float32).reshape(2, 1, 1)
        found = Prediction(
            maps.sum(axis=0),
            grid,
            Provenance("m", "1", steps=("network",)),
            class_probability=maps,
            class_names=("benign", "malignant"),
            malignancy=0.75 if number == 0 else 0.15,
        )
        stream.append(Segmented(("a", number), None, found))
    first, _ = (done.result for done in smooth_cine(iter(stream), loop_of, 1))
    assert isinstance(first, Prediction)
    assert first.class_probability is not None
    assert first.class_probability.ravel() == pytest.approx([0.3, 1.3 / 3])
    assert first.malignancy == pytest.approx(0.55)
    assert first.provenance.steps[-1].startswith("averaged with up to 1 frame before and after")
