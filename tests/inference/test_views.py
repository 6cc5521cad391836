"""Views of an image, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.core.errors import InputError
from breastseg.inference.views import FLIPS, PLAIN, View

UNIT = np.random.default_rng(0).random((12, 17)).astype(np.float32)


def test_the_plain_view_is_the_picture() -> None:
    assert np.array_equal(PLAIN.of(UNIT), UNIT)
    assert FLIPS[0] == PLAIN


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("upside_down", [False, True])
def test_flips_are_undone_exactly(flipped: bool, upside_down: bool) -> None:
    view = View(flipped, upside_down)
    expected = UNIT[:, ::-1] if flipped else UNIT
    expected = expected[::-1] if upside_down else expected
    assert np.array_equal(view.of(UNIT), expected)
    assert np.array_equal(view.undo(view.of(UNIT)), UNIT)


def test_gamma_changes_grey_levels_and_no_place() -> None:
    assert np.allclose(View(gamma=2).of(UNIT), UNIT**2)
    assert np.array_equal(View(gamma=2).undo(UNIT), UNIT)


def test_a_smaller_scale_puts_the_dark_around_the_picture_and_takes_it_away_again() -> None:
    view = View(scale=0.5)
    smooth = np.outer(np.linspace(0.2, 1, 64), np.linspace(0.2, 1, 48)).astype(np.float32)
    seen = view.of(smooth)
    assert seen.shape == smooth.shape
    assert not seen[:16].any()
    assert not seen[48:].any()
    assert not seen[:, :12].any()
    assert seen[16:48, 12:36].all()
    assert np.abs(view.undo(seen) - smooth).max() < 0.03


def test_views_undo_what_they_do_together() -> None:
    seen = View(True, True, 2.0, 0.75).of(np.tile(UNIT, (4, 4)))
    assert seen.shape == (48, 68)
    assert 0 <= seen.min() <= seen.max() <= 1


def test_a_view_says_what_it_is() -> None:
    assert str(PLAIN) == "plain"
    assert str(View(True, True, 0.8, 0.85)) == "flipped, upside down, gamma 0.8, scale 0.85"


@pytest.mark.parametrize("wrong", [{"gamma": 0.1}, {"gamma": np.nan}, {"scale": 1.2}])
def test_a_value_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"0\.5 to 1"):
        View(**wrong)


def test_the_picture_is_not_changed() -> None:
    before = UNIT.copy()
    View(True, True, 1.2, 0.9).of(UNIT)[...] = 0
    assert np.array_equal(UNIT, before)
