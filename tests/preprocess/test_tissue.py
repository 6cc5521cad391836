"""Tissue on a slide: found by its colour, and nowhere on bare glass."""

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import GeometryError
from breastseg.preprocess.tissue import tissue_mask

PINK, PURPLE = (230, 150, 190), (110, 60, 140)


def glass(value: int = 243) -> np.ndarray:
    """Bare glass with a little noise and a faint cast."""
    noise = np.random.default_rng(3).integers(-3, 4, (120, 160, 3))
    return np.clip(noise + np.array((value, value - 2, value + 2)), 0, 255).astype(np.uint8)


def test_tissue_is_found_and_glass_is_not() -> None:
    picture, truth = glass(), np.zeros((120, 160), bool)
    truth[30:80, 40:120] = True
    picture[30:80, 40:120] = PINK
    picture[50:60, 60:80] = PURPLE
    found = tissue_mask(picture)
    assert (found == truth).mean() > 0.995
    assert found[35:75, 45:115].all()


@pytest.mark.parametrize("value", [255, 243, 200, 0])
def test_glass_alone_has_no_tissue(value: int) -> None:
    assert not tissue_mask(np.full((60, 80, 3), value, np.uint8)).any()
    assert not tissue_mask(glass(max(value, 20))).any()


def test_all_tissue_is_kept_whole() -> None:
    picture = np.full((60, 80, 3), PINK, np.uint8)
    picture[:, 40:] = PURPLE
    assert tissue_mask(picture).all()


def test_black_ink_and_dust_are_no_tissue() -> None:
    picture = glass()
    picture[20:60, 20:30] = (25, 25, 28)
    picture[100, 100] = PURPLE
    assert not tissue_mask(picture).any()


def test_input_is_left_as_it_is_and_checked() -> None:
    picture = glass()
    before = picture.copy()
    picture.flags.writeable = False
    tissue_mask(picture)
    np.testing.assert_array_equal(picture, before)
    with pytest.raises(GeometryError, match="uint8"):
        tissue_mask(picture.astype(np.float32))


@pytest.mark.data
def test_real_slide(data_root: Path) -> None:
    from breastseg.io.slide import Slide

    with Slide(data_root / "histopathology/whole-slide/CMU-1-Small-Region.svs") as slide:
        small, _ = slide.thumbnail(700)
    found = tissue_mask(small)
    assert 0.25 < found.mean() < 0.5
    assert not found[400:, :100].any()
    assert found[250, 290]  # epidermis
    assert found[520, 240]  # dermis
