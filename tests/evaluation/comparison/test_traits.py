import math

import numpy as np
import pytest
from scipy import ndimage

from breastseg.core import Case, Grid, Image, Mask
from breastseg.evaluation.comparison.traits import RING, contrast, irregularity, traits

ROWS, COLUMNS = np.ogrid[:200, :240]
DISTANCE = np.hypot(ROWS - 100, COLUMNS - 120)
ANGLE = np.arctan2(ROWS - 100, COLUMNS - 120)


def case(mask: np.ndarray, picture: np.ndarray | None = None) -> Case:
    grid = Grid(mask.shape)
    pixels = np.zeros(mask.shape, np.uint8) if picture is None else picture
    return Case("c", "p", (Image(pixels[None], grid),), Mask(mask, grid))


def test_a_disc_on_a_flat_ground() -> None:
    disc = DISTANCE < 30
    picture = np.where(disc, 50, 150).astype(np.uint8)
    picture[0, 0], picture[0, 1] = 0, 255
    found = traits("s/c", case(disc, picture))
    assert (found.key, found.area_px, found.lesions) == ("s/c", int(disc.sum()), 1)
    assert found.area_fraction == disc.mean()
    assert found.contrast == pytest.approx((150 - 50) / (150 + 50))
    assert found.irregularity == pytest.approx(0, abs=0.02)


def test_an_image_without_a_lesion() -> None:
    found = traits("s/c", case(np.zeros((5, 6), bool)))
    assert (found.area_px, found.area_fraction, found.lesions) == (0, 0, 0)
    assert found.contrast is None
    assert found.irregularity is None


def test_regions_are_counted_as_lesions_are() -> None:
    mask = np.zeros((9, 9), bool)
    mask[0, 0] = mask[1, 1] = mask[5:8, 5:8] = True
    found = traits("s/c", case(mask))
    assert (found.lesions, found.area_px) == (2, 11)
    assert found.irregularity == irregularity(np.ones((3, 3), bool))


def test_only_the_ring_counts() -> None:
    disc = DISTANCE < 30
    grey = np.where(DISTANCE < 30 + RING * 60 + 1, np.float32(0.6), np.float32(0.9))
    grey[disc] = 0.2
    assert contrast(grey, disc) == pytest.approx(0.4 / 0.8)
    # It has about as many pixels as the disc.
    ring = ~disc & (ndimage.distance_transform_edt(~disc) <= RING * 60)
    assert ring.sum() == pytest.approx(disc.sum(), rel=0.1)


def test_contrast_has_a_sign_and_bounds() -> None:
    disc = DISTANCE < 20
    black, white = np.float32(0), np.float32(1)
    assert contrast(np.where(disc, black, white), disc) == 1
    assert contrast(np.where(disc, white, black), disc) == -1
    assert contrast(np.full(disc.shape, white), disc) == 0
    assert contrast(np.full(disc.shape, black), disc) == 0
    assert contrast(np.ones((4, 4), np.float32), np.ones((4, 4), bool)) is None


def test_contrast_does_not_depend_on_the_bit_depth() -> None:
    disc = DISTANCE < 25
    picture = np.where(disc, 40, 90).astype(np.uint8)
    picture[0, 0] = 0
    eight, sixteen = (
        traits("k", case(disc, p)) for p in (picture, picture.astype(np.uint16) * 200)
    )
    assert eight.contrast == pytest.approx(sixteen.contrast)


@pytest.mark.parametrize("radius", [5, 12, 40, 90])
def test_discs_are_regular_whatever_their_size(radius) -> None:
    assert irregularity(radius > DISTANCE) < 0.03


def test_a_ragged_border_is_irregular() -> None:
    star = 50 + 12 * np.cos(9 * ANGLE) > DISTANCE
    ragged = 50 + 25 * np.cos(13 * ANGLE) > DISTANCE
    assert 0.2 < irregularity(star) < irregularity(ragged) < 1


def test_an_ellipse_by_its_perimeter() -> None:
    a, b = 80, 40
    ellipse = ((ROWS - 100) / b) ** 2 + ((COLUMNS - 120) / a) ** 2 < 1
    h = ((a - b) / (a + b)) ** 2  # Ramanujan's second approximation
    around = math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    exact = 1 - 4 * math.pi * (math.pi * a * b) / around**2
    assert irregularity(ellipse) == pytest.approx(exact, abs=0.03)


def test_holes_do_not_count() -> None:
    disc = DISTANCE < 40
    ring = disc & (DISTANCE > 10)
    assert irregularity(ring) == irregularity(disc)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_a_lesion_that_fills_the_image(shape) -> None:
    found = traits("s/c", case(np.ones(shape, bool), np.full(shape, 9, np.uint8)))
    assert (found.contrast, found.area_fraction) == (None, 1)
    assert found.irregularity is not None
    assert 0 <= found.irregularity <= 1
