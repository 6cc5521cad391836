"""The gradient of a view, and how it is weighed by what is known of a lesion's border."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.gradient import border_gradient, gradient, magnitude, smoothed

from .views import disc, view

SHAPE = (81, 81)
SEEN = view(SHAPE, (15, 15, 66, 66))  # its ellipse is a circle of 25.5 pixels
LESION = disc(SHAPE, (40, 40), 25)
DARK = np.where(LESION, np.float32(0.2), np.float32(0.7))
NOISE = np.random.default_rng(0).random((30, 41), np.float32)


def weighed(
    grey: NDArray[np.float32],
    *,
    sigma: float = 1.0,
    outward: float = 0.0,
    focus: float = np.inf,
    box_trust: float = 0.0,
) -> NDArray[np.float32]:
    """The gradient as it is, unless told otherwise."""
    return border_gradient(
        grey, SEEN.radius, sigma=sigma, outward=outward, focus=focus, box_trust=box_trust
    )


@pytest.mark.parametrize("sigma", [0, 0.7, 2, 5])
def test_smoothing_is_that_of_scipy(sigma: float) -> None:
    expected = ndimage.gaussian_filter(NOISE.astype(np.float64), sigma, mode="nearest")
    assert smoothed(NOISE, sigma) == pytest.approx(expected, abs=2e-3)
    assert smoothed(NOISE, sigma).dtype == np.float32


def test_the_gradient_of_a_plane_is_its_slope() -> None:
    rows, columns = np.indices((9, 12), np.float32)
    vectors = gradient(0.1 * rows - 0.03 * columns, 0)
    assert vectors.shape == (2, 9, 12)
    assert vectors[0, 1:-1] == pytest.approx(0.1)
    assert vectors[1, :, 1:-1] == pytest.approx(-0.03)
    # half of the difference is beyond the edge, where the plane is flat
    assert vectors[0, 0] == pytest.approx(0.05)


def test_the_gradient_is_sobels_of_the_smoothed_view() -> None:
    soft = ndimage.gaussian_filter(NOISE.astype(np.float64), 1.5, mode="nearest")
    for axis, vectors in enumerate(gradient(NOISE, 1.5)):
        assert vectors == pytest.approx(ndimage.sobel(soft, axis, mode="nearest") / 8, abs=1e-3)


def test_the_magnitude_is_a_vectors_length() -> None:
    vectors = np.float32([[[3, 0, -5]], [[-4, 0, 12]]])
    assert magnitude(vectors).tolist() == [[5, 0, 13]]


def test_unweighed_it_is_the_gradient_over_its_largest() -> None:
    plain = gradient(DARK, 1.0)
    assert weighed(DARK) == pytest.approx(plain / magnitude(plain).max(), abs=1e-5)


def test_outward_leaves_only_what_brightens_away_from_the_centre() -> None:
    assert weighed(DARK, outward=1) == pytest.approx(weighed(DARK), abs=0.05)
    bright = 1 - DARK
    assert weighed(bright) == pytest.approx(-weighed(DARK), abs=1e-5)
    assert not weighed(bright, outward=1).any()
    # a fraction of it weakens: beside the border of the dark disc, one within, half as strong
    hole = disc(SHAPE, (40, 40), 12)
    both = np.where(hole, np.float32(0.7), DARK)
    inner = disc(SHAPE, (40, 40), 14) & ~disc(SHAPE, (40, 40), 10)
    strength = [
        float(magnitude(weighed(both, outward=fraction))[inner].max()) for fraction in (0, 0.5, 1)
    ]
    assert strength == pytest.approx([1, 0.5, 0], abs=0.06)


def test_an_edge_across_the_border_counts_by_the_cosine_of_its_angle() -> None:
    rows, columns = np.indices(SHAPE, np.float32)
    vectors = weighed((rows + columns) / 200, sigma=0, outward=1)
    # brightens to the lower right, at 45 degrees from the ways straight down and to the right
    assert magnitude(vectors)[70, 70] == pytest.approx(1, abs=0.01)
    assert magnitude(vectors)[70, 40] == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert magnitude(vectors)[70, 10] == pytest.approx(0, abs=0.01)
    assert magnitude(vectors)[10, 10] == 0


@pytest.mark.parametrize("focus", [0.1, 0.3])
def test_focus_weakens_edges_by_their_distance_from_the_ellipse(focus: float) -> None:
    rows, _ = np.indices(SHAPE, np.float32)
    strength = magnitude(weighed(rows / 80, sigma=0, focus=focus))[1:-1]
    away = SEEN.radius[1:-1] - 1
    assert strength == pytest.approx(np.exp(-(away**2) / (2 * focus**2)), abs=0.01)


@pytest.mark.parametrize("level", [0, 0.1, 0.4, 0.7, 1])
@pytest.mark.parametrize("sigma", [0, 1, 2, 6])
def test_a_constant_view_has_no_edge(level: float, sigma: float) -> None:
    # the smoothing's rounding is not scaled up to one
    assert not weighed(np.full(SHAPE, level, np.float32), sigma=sigma).any()


def test_rounding_beside_an_edge_of_the_wrong_direction_is_no_edge() -> None:
    bright = np.where(LESION, np.float32(0.4), np.float32(0.1))
    assert not weighed(bright, outward=1, focus=0.1).any()


def test_box_trust_assumes_an_edge_along_the_ellipse() -> None:
    flat = np.full(SHAPE, 0.4, np.float32)
    strength = magnitude(weighed(flat, box_trust=0.3))
    expected = 0.3 * np.exp(-((SEEN.radius - 1) ** 2) / (2 * 0.15**2))
    assert strength == pytest.approx(expected, abs=1e-5)
    assert SEEN.radius.flat[strength.argmax()] == pytest.approx(1, abs=0.02)
    # it points away from the centre
    down, along = weighed(flat, box_trust=0.3)
    assert down[65, 40] > 0.29
    assert along[40, 15] < -0.29
    # ... and adds to the edge that there is
    assert magnitude(weighed(DARK, box_trust=0.3)).max() == pytest.approx(1.3, abs=0.02)


def test_sigma_blurs_the_border() -> None:
    widths = [int((magnitude(weighed(DARK, sigma=sigma))[40] > 0.5).sum()) for sigma in (0, 1.5, 4)]
    assert widths == sorted(set(widths))


def test_nothing_is_changed_that_was_passed_in() -> None:
    grey, radius = DARK.copy(), SEEN.radius.copy()
    border_gradient(grey, radius, sigma=0, outward=1, focus=0.3, box_trust=0.5)
    assert np.array_equal(grey, DARK)
    assert np.array_equal(radius, SEEN.radius)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_views_of_one_pixel_or_row_have_no_edge_across(shape: tuple[int, int]) -> None:
    seen = view(shape, (0, 0, *shape), grey=np.random.default_rng(1).random(shape, np.float32))
    vectors = border_gradient(
        seen.grey, seen.radius, sigma=2, outward=0.5, focus=0.3, box_trust=0.2
    )
    assert vectors.shape == (2, *shape)
    assert np.isfinite(vectors).all()
    for axis in (0, 1):
        if shape[axis] == 1:
            assert not vectors[axis].any()
