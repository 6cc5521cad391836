import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from breastseg.core import Case, Grid, Image, Mask, Modality
from breastseg.evaluation.comparison.traits import RING, contrast, irregularity, traits, unevenness

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


@pytest.mark.parametrize(
    ("modality", "sign"),
    [("ultrasound", 1), ("unknown", 1), ("mammography", -1), ("mri", -1), ("histopathology", 1)],
)
def test_a_lesion_stands_out_as_those_of_its_modality_do(modality, sign) -> None:
    disc = DISTANCE < 25
    picture = np.where(disc, 40, 90).astype(np.uint8)
    picture[0, 0] = 0
    made = case(disc, picture)
    seen = replace(made.images[0], modality=Modality(modality))
    found = traits("k", replace(made, images=(seen,))).contrast
    assert found == pytest.approx(sign * (90 - 40) / (90 + 40))


STEPS = (2.5, 1.0, 0.5)
Z, Y, X = np.ogrid[:24, :60, :120]
AWAY = np.sqrt(((Z - 12) * STEPS[0]) ** 2 + ((Y - 30) * STEPS[1]) ** 2 + ((X - 60) * STEPS[2]) ** 2)


def volume(mask: np.ndarray, phases: list[np.ndarray]) -> Case:
    grid = Grid(mask.shape, STEPS)
    return Case(
        "c", "p", (Image(np.stack(phases), grid, Modality.MRI),), Mask(mask, grid), "malignant"
    )


def test_a_ball_in_an_examination_stands_out_by_what_it_takes_up() -> None:
    ball = AWAY < 8
    before = np.where(ball, np.float32(500), np.float32(100))  # bright of its own
    after = before + np.where(ball, np.float32(30), np.float32(10))
    after[0, 0, 0] = before[0, 0, 0]
    found = traits("k", volume(ball, [before, after, before]))
    assert found.area_px == ball.sum()
    assert found.lesions == 1
    assert found.contrast == pytest.approx((30 - 10) / (30 + 10), rel=1e-4)
    (plain,) = (traits("k", volume(ball, [np.where(ball, 3.0, 1.0) - (AWAY > 40)])).contrast,)
    assert plain == pytest.approx((3 - 1) / (3 + 1))
    nothing = traits("k", volume(np.zeros_like(ball), [before, after]))
    assert (nothing.contrast, nothing.irregularity, nothing.lesions) == (None, None, 0)


def test_the_ring_around_a_ball_is_measured_in_millimetres() -> None:
    ball = AWAY < 8
    width = RING * 2 * (3 * ball.sum() * np.prod(STEPS) / (4 * np.pi)) ** (1 / 3)
    grey = np.where(8 + width > AWAY, np.float32(0.6), np.float32(0))
    grey[ball] = 0.2
    # some voxels of the ring lie half a step farther off than the last of the ball does
    assert contrast(grey, ball, STEPS) == pytest.approx(0.4 / 0.8, abs=0.05)


def test_how_far_a_region_is_from_a_ball() -> None:
    assert unevenness(AWAY < 8, STEPS) < 0.1
    # in steps of one, the same voxels are flat and long
    assert unevenness(AWAY < 8, (1.0, 1.0, 1.0)) > 0.2
    single = np.zeros((3, 3, 3), bool)
    single[1, 1, 1] = True
    assert 0 <= unevenness(single, STEPS) <= 1
    brick = np.zeros(AWAY.shape, bool)
    brick[4:12, 10:30, 20:60] = True  # a cube of 20 mm
    solid = unevenness(brick, STEPS)
    assert solid == pytest.approx(1 - (np.pi / 6) ** (1 / 3), abs=0.06)  # with rounded edges
    brick[6:10, 15:25, 30:50] = False  # a hole, which does not count
    assert unevenness(brick, STEPS) == solid
    comb = brick.copy()
    comb[:, ::2] = False
    assert unevenness(comb, STEPS) > 0.4


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
