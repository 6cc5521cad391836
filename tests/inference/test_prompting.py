"""A network that takes prompts, asked about scans in which every answer can be said by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.bundle import InputSpec, Intensity, PromptSpec
from breastseg.core.errors import InputError
from breastseg.core.prompt import Prompt
from breastseg.core.regions import connected_regions
from breastseg.inference.prompting import PromptedNetwork, filled, meant

SIZE = (64, 64)
SHAPE = (200, 300)


def disc(centre: tuple[int, int], radius: int) -> NDArray[np.bool_]:
    row, column = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return np.asarray((row - centre[0]) ** 2 + (column - centre[1]) ** 2 <= radius**2)


LEFT, RIGHT = disc((60, 70), 20), disc((120, 230), 30)
SCAN = np.where(LEFT | RIGHT, 0.1, 0.9).astype(np.float32)


class Dark:
    """A network for which what is dark is a lesion; it remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[NDArray[np.float32]] = []

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        assert batch.shape == (1, 4, *SIZE)
        self.shown.append(batch)
        return 1 - batch[0, 0]


def asked(network: Dark, prompt: Prompt, looks: int = 2) -> NDArray[np.bool_]:
    spec = InputSpec(SIZE, Intensity.UNIT)
    found = PromptedNetwork(network, spec, PromptSpec(looks=looks), 0.5).answer(SCAN, prompt)
    assert found.shape == SHAPE
    assert found.dtype == np.float32
    return np.asarray(found >= 0.5)


def agreement(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_a_click_gets_the_lesion_that_it_hits_and_no_other() -> None:
    assert agreement(asked(Dark(), Prompt(inside=((60, 70),))), LEFT) > 0.97
    assert agreement(asked(Dark(), Prompt(inside=((120, 230),))), RIGHT) > 0.97


def test_the_second_look_shows_the_lesion_larger() -> None:
    network = Dark()
    near = asked(network, Prompt(inside=((60, 70),)))
    whole, frame = network.shown
    assert (frame[0, 0] < 0.5).mean() > 5 * (LEFT.sum() / LEFT.size)
    once = asked(Dark(), Prompt(inside=((60, 70),)), looks=1)
    assert agreement(near, LEFT) > agreement(once, LEFT)
    # and the disc of the click lies on the same tissue in both
    for shown in (whole, frame):
        assert shown[0, 2].any()
        assert (shown[0, 0][shown[0, 2] > 0] < 0.5).mean() > 0.9


class Fickle(Dark):
    """Nearly sure at the first look, and sees nothing afterwards."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        share = 0 if self.shown else 0.8
        return super().__call__(batch) * np.float32(share)


def test_what_two_looks_saw_is_averaged() -> None:
    click = Prompt(inside=((60, 70),))
    network = PromptedNetwork(Fickle(), InputSpec(SIZE, Intensity.UNIT), PromptSpec(), 0.3)
    found = network.answer(SCAN, click)
    assert found[60, 72] == pytest.approx(0.8 * 0.9 / 2, abs=0.01)
    # an empty mean does not replace the first look
    network = PromptedNetwork(Fickle(), InputSpec(SIZE, Intensity.UNIT), PromptSpec(), 0.5)
    assert network.answer(SCAN, click)[60, 72] == pytest.approx(0.8 * 0.9, abs=0.01)


def test_a_box_is_looked_at_once_and_is_two_fifths_of_the_frame() -> None:
    network = Dark()
    drawn = asked(network, Prompt(box=Box.of(40, 50, 81, 91)))
    assert agreement(drawn, LEFT) > 0.97
    (shown,) = network.shown
    assert shown[0, 1].mean() == pytest.approx(0.16, abs=0.02)
    assert not shown[0, 2:].any()


class Timid(Dark):
    """Right about where a lesion is, and never sure of it."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return super().__call__(batch) * np.float32(0.3)


def test_a_box_never_comes_back_empty() -> None:
    assert agreement(asked(Timid(), Prompt(box=Box.of(40, 50, 81, 91))), LEFT) > 0.85
    assert not asked(Timid(), Prompt(inside=((60, 70),))).sum() > 1  # the pixel of the click


def test_a_map_that_fills_the_box_is_left_alone() -> None:
    found = np.zeros((10, 10), np.float32)
    found[2:8, 2:8] = 0.7
    box = found > 0
    assert filled(found, box, 0.5) is found
    assert filled(found, np.zeros_like(box), 0.9) is found
    assert filled(found, box, 0.9)[box] == pytest.approx(0.9)


def test_of_two_regions_in_a_frame_the_box_means_the_one_with_most_pixels_in_it() -> None:
    mask = LEFT | RIGHT
    regions = connected_regions(mask)
    np.testing.assert_array_equal(meant(regions, Prompt(box=Box.of(0, 0, 90, 290))), [True, False])
    np.testing.assert_array_equal(
        meant(regions, Prompt(box=Box.of(50, 0, 190, 290))), [False, True]
    )
    np.testing.assert_array_equal(meant(regions, Prompt(box=Box.of(0, 0, 5, 5))), [False, False])


def test_a_click_beside_means_the_nearest_region_if_it_is_near() -> None:
    regions = connected_regions(LEFT | RIGHT)
    assert meant(regions, Prompt(inside=((60, 95),))).tolist() == [True, False]
    assert meant(regions, Prompt(inside=((190, 10),))).tolist() == [False, False]


def test_what_is_said_of_a_pixel_holds() -> None:
    drawn = asked(Dark(), Prompt(inside=((60, 70), (60, 95)), outside=((62, 72),)))
    assert drawn[60, 70]
    assert drawn[60, 95]
    assert not drawn[62, 72]


def test_a_scribble_is_read_as_points() -> None:
    stroke = np.zeros(SHAPE, np.uint8)
    stroke[60, 60:80], stroke[120, 225:235] = 1, 2
    network = Dark()
    drawn = asked(network, Prompt(scribble=stroke))
    assert agreement(drawn, LEFT) > 0.95
    assert network.shown[0][0, 2].any()
    assert network.shown[0][0, 3].any()
    assert drawn[stroke == 1].all()
    assert not drawn[stroke == 2].any()


@pytest.mark.parametrize(
    ("prompt", "needle"),
    [
        (Prompt(outside=((1, 1),)), "only where the lesion is not"),
        (Prompt(inside=((200, 5),)), r"point \(200, 5\)"),
        (Prompt(box=Box.of(201, 0, 210, 9)), "box"),
        (Prompt(scribble=np.ones((5, 5), np.uint8)), "scribble"),
        (Prompt(inside=((1, 1),), outside=((1, 1),)), "lesion and background"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused(prompt: Prompt, needle: str) -> None:
    with pytest.raises(InputError, match=needle):
        asked(Dark(), prompt)


def test_a_click_where_nothing_is_found_is_looked_at_closely() -> None:
    network = Dark()
    drawn = asked(network, Prompt(inside=((180, 20),)))
    assert drawn.sum() == 1  # the pixel itself
    assert len(network.shown) == 2


def test_one_pixel_at_the_corner_is_a_box_too() -> None:
    drawn = asked(Dark(), Prompt(box=Box.of(0, 0, 1, 1)))
    assert drawn[0, 0]
    assert drawn.sum() <= 4
