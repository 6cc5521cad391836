"""Where on a screen the scan is."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Box
from breastseg.data.phantoms.ultrasound import make_phantom
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.scan_sector import scan_box


@pytest.fixture
def scan() -> NDArray[np.uint8]:
    return make_phantom(np.random.default_rng(1), "malignant", (300, 400)).image


def on_screen(scan: NDArray[np.uint8]) -> NDArray[np.uint8]:
    screen = np.pad(scan, ((90, 60), (120, 80)))
    cv2.putText(screen, "BREAST L 12 MHz", (5, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    cv2.putText(screen, "D 12.3 mm", (20, 440), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 1)
    screen[100:380, 20:34] = np.linspace(255, 0, 280).astype(np.uint8)[:, None]
    return screen


def test_a_scan_without_a_screen_is_seen_whole(scan: NDArray[np.uint8]) -> None:
    box = scan_box(to_unit(scan))
    assert box.size >= 0.97 * scan.size
    assert box.start <= (4, 4)


def test_titles_scales_and_margins_are_left_out(scan: NDArray[np.uint8]) -> None:
    found = scan_box(to_unit(on_screen(scan)))
    assert np.abs(np.subtract(found.numbers, [90, 120, 390, 520])).max() <= 14


def test_a_curved_scan_is_boxed(scan: NDArray[np.uint8]) -> None:
    rows, columns = np.indices(scan.shape)
    apex = np.hypot(rows + 100, columns - 200)
    fan = (apex > 120) & (apex < 380) & (np.abs(columns - 200) < 0.7 * (rows + 100))
    box = scan_box(to_unit(np.where(fan, scan, 0)))
    assert fan[box.slices].sum() >= 0.99 * fan.sum()


def test_a_scan_that_a_cyst_divides_is_kept_whole(scan: NDArray[np.uint8]) -> None:
    divided = scan.copy()
    divided[150:210] = 0
    found = scan_box(to_unit(on_screen(divided)))
    assert np.abs(np.subtract(found.numbers, [90, 120, 390, 520])).max() <= 14


def test_nothing_like_a_scan_is_left_alone() -> None:
    assert scan_box(np.zeros((50, 80), np.float32)) == Box.whole((50, 80))
    dots = np.zeros((200, 200), np.float32)
    dots[90:110, 90:110] = 1
    assert scan_box(dots) == Box.whole((200, 200))
