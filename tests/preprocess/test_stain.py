"""Dyes of known colours and amounts: found again, and exchanged for others."""

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import GeometryError, InputError
from breastseg.preprocess.stain import (
    LIGHT,
    REFERENCE,
    Stains,
    estimate_stains,
    normalise_stain,
    optical_density,
)


def unit(*parts: float) -> tuple[float, float, float]:
    red, green, blue = np.array(parts) / np.linalg.norm(parts)
    return float(red), float(green), float(blue)


BLUISH, PINKISH = unit(0.65, 0.70, 0.29), unit(0.25, 0.90, 0.36)


def stained(dyes: Stains, seed: int = 1, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    """Pixels of one dye, of the other, and of both, in any amount up to its strength."""
    generator = np.random.default_rng(seed)
    amounts = generator.uniform(0.35, 1, (2, *shape)) * np.array(dyes.strengths)[:, None, None]
    amounts[0, :, :50], amounts[1, :, 50:100] = 0, 0
    density = np.tensordot(dyes.matrix, amounts, axes=1)
    return np.moveaxis(np.rint(LIGHT * np.exp(-density)), 0, 2).astype(np.uint8)


def angle_deg(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return float(np.rad2deg(np.arccos(np.clip(np.dot(one, other), -1, 1))))


def test_optical_density_by_hand() -> None:
    values = optical_density(np.array([255, 240, 94, 1, 0], np.uint8))
    np.testing.assert_allclose(values, [0, 0, 0.937344, 5.480639, 5.480639], atol=1e-6)


def test_dyes_are_found_again() -> None:
    dyes = Stains(BLUISH, PINKISH, (1.4, 1.2))
    found = estimate_stains(stained(dyes))
    assert found is not None
    assert angle_deg(found.haematoxylin, BLUISH) < 2
    assert angle_deg(found.eosin, PINKISH) < 2
    np.testing.assert_allclose(found.strengths, dyes.strengths, rtol=0.05)


def test_a_pixel_of_known_dyes_by_hand() -> None:
    dyes = Stains(BLUISH, PINKISH, (1.0, 1.0))
    other = Stains(unit(1, 1, 0), unit(0, 1, 1), (2.0, 0.5))
    # one unit of haematoxylin becomes two of the other, one of eosin half a unit
    pixel = np.rint(LIGHT * np.exp(-np.array(BLUISH))).astype(np.uint8)[None, None]
    np.testing.assert_allclose(
        normalise_stain(pixel, dyes, other)[0, 0],
        LIGHT * np.exp(-2 / np.sqrt(2) * np.array([1, 1, 0])),
        atol=1.5,
    )
    pixel = np.rint(LIGHT * np.exp(-np.array(PINKISH))).astype(np.uint8)[None, None]
    np.testing.assert_allclose(
        normalise_stain(pixel, dyes, other)[0, 0],
        LIGHT * np.exp(-0.5 / np.sqrt(2) * np.array([0, 1, 1])),
        atol=1.5,
    )


def test_there_and_back() -> None:
    dyes = Stains(BLUISH, PINKISH, (0.9, 0.8))
    picture = stained(dyes)
    there = normalise_stain(picture, dyes)
    back = normalise_stain(there, REFERENCE, dyes)
    assert np.abs(there.astype(int) - picture).mean() > 10
    np.testing.assert_allclose(back.astype(int), picture, atol=4)
    np.testing.assert_allclose(normalise_stain(picture, dyes, dyes), picture, atol=1)


def test_slides_of_different_stains_become_alike() -> None:
    pale, strong = (
        Stains(BLUISH, PINKISH, (0.9, 0.8)),
        Stains(unit(0.55, 0.78, 0.30), unit(0.20, 0.92, 0.30), (1.5, 1.1)),
    )
    before = stained(pale).astype(int) - stained(strong)
    after = normalise_stain(stained(pale)).astype(int) - normalise_stain(stained(strong))
    assert np.abs(after).mean() < 0.25 * np.abs(before).mean()


def test_nothing_stained_stays_as_it_is() -> None:
    glass = np.random.default_rng(2).integers(235, 256, (40, 40, 3), np.uint8)
    one_dye = stained(Stains(BLUISH, PINKISH, (1.0, 1.0)))[:, 50:100]
    for picture in (glass, one_dye, np.zeros((20, 20, 3), np.uint8)):
        assert estimate_stains(picture) is None
        same = normalise_stain(picture)
        np.testing.assert_array_equal(same, picture)
        assert same is not picture


def test_glass_becomes_even() -> None:
    picture = stained(Stains(BLUISH, PINKISH, (1.4, 1.2)))
    picture[:5], picture[5:10] = 255, 241
    assert (normalise_stain(picture)[:10] == LIGHT).all()


def test_same_picture_same_result_and_input_untouched() -> None:
    picture = stained(Stains(BLUISH, PINKISH, (1.4, 1.2)))
    picture.flags.writeable = False
    np.testing.assert_array_equal(normalise_stain(picture), normalise_stain(picture))


def test_what_is_refused() -> None:
    with pytest.raises(GeometryError, match="uint8"):
        normalise_stain(np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="two that differ"):
        Stains(BLUISH, BLUISH, (1.0, 1.0))
    with pytest.raises(InputError, match="above 0"):
        Stains(BLUISH, PINKISH, (1.0, 0.0))


@pytest.mark.data
def test_real_pictures(data_root: Path) -> None:
    from breastseg.data.sets.tnbc import Tnbc

    for case in Tnbc(data_root).cases():
        picture = np.moveaxis(case.read_image().array, 0, 2).astype(np.uint8)
        found = estimate_stains(picture)
        assert found is not None
        assert found.haematoxylin[0] > found.eosin[0]
        again = estimate_stains(normalise_stain(picture))
        assert again is not None
        assert angle_deg(again.haematoxylin, REFERENCE.haematoxylin) < 8
        np.testing.assert_allclose(again.strengths, REFERENCE.strengths, rtol=0.25)
