"""Echo pattern and posterior features on phantoms whose physics is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from breastseg.core import Box, Grid, Image, Modality, Prediction, Provenance
from breastseg.core.grid import Region
from breastseg.data.phantoms.ultrasound.anatomy import add_lesion, draw_lesion, draw_tissue, warped
from breastseg.data.phantoms.ultrasound.physics import Scanner, display, envelope, transmitted
from breastseg.measure.descriptors import Descriptor
from breastseg.measure.finding import findings

SHAPE = (220, 280)


def scanned(seed: int, contrast_db: float, loss_db_per_mm: float) -> tuple[Image, np.ndarray]:
    """A lesion of a known echo and attenuation against its surroundings."""
    generator = np.random.default_rng(seed)
    scanner = Scanner(spacing_mm=0.16, looks=3)
    tissue = draw_tissue(generator, SHAPE, scanner.spacing_mm)
    drawn = draw_lesion(generator, SHAPE, scanner.spacing_mm, malignant=False)
    lesion = replace(drawn, contrast_db=contrast_db, loss_db_per_mm=loss_db_per_mm)
    tissue = add_lesion(generator, warped(tissue, lesion), lesion)
    diffuse = np.power(np.float32(10), tissue.echo_db / np.float32(20))
    amplitude = envelope(generator, diffuse, tissue.interface, scanner)
    levels = display(generator, amplitude, transmitted(tissue.loss_db_per_mm, scanner), scanner)
    return ultrasound(levels), lesion.mask


def ultrasound(levels: np.ndarray, spacing_mm: tuple[float, float] | None = (0.16, 0.16)) -> Image:
    return Image(levels[None].astype(np.uint8), Grid(levels.shape, spacing_mm), Modality.ULTRASOUND)


def described(image: Image, mask: np.ndarray) -> dict[str, Descriptor]:
    prediction = Prediction(mask.astype(np.float32), image.grid, Provenance("t", "1"))
    return {one.kind: one for one in findings(prediction, image)[0].descriptors}


@pytest.mark.parametrize(
    ("contrast_db", "loss", "pattern", "below", "never"),
    [
        (-12, -1.8, "hypoechoic", "enhancement", "shadowing"),
        (-12, 1.8, None, "shadowing", "enhancement"),
        (-60, 0, "anechoic", "none", "shadowing"),
        (8, 0, "hyperechoic", "none", "enhancement"),
        (0, 0, "isoechoic", "none", "shadowing"),
    ],
)
def test_what_the_physics_made_is_told(
    contrast_db: float, loss: float, pattern: str | None, below: str, never: str
) -> None:
    patterns: Counter[str | None] = Counter()
    behind: Counter[str | None] = Counter()
    for seed in range(5):
        said = described(*scanned(seed, contrast_db, loss))
        patterns[said["echo_pattern"].value] += 1
        behind[said["posterior_features"].value] += 1
    assert pattern is None or patterns[pattern] >= 4, patterns
    assert behind[below] >= 4, behind
    assert behind[never] == 0


def plain(inside: int, beside: int, below: int) -> tuple[np.ndarray, np.ndarray]:
    levels = np.full((120, 150), beside)
    mask = np.zeros((120, 150), bool)
    mask[30:60, 55:95] = True
    levels[mask] = inside
    levels[62:, 55:95] = below
    return levels, mask


def test_levels_without_noise_give_the_stated_differences() -> None:
    said = described(*(ultrasound(plain(51, 102, 153)[0]), plain(51, 102, 153)[1]))
    echo, below = said["echo_pattern"], said["posterior_features"]
    assert (echo.value, echo.detail) == (
        "hypoechoic",
        "inside 0.20, beside 0.40 of the grey range",
    )
    assert (below.value, below.detail[:5]) == ("enhancement", "+0.20")


def test_half_a_cyst_is_complex_and_two_columns_combined() -> None:
    levels, mask = plain(2, 102, 102)
    levels[30:60, 55:72] = 90
    levels[62:, 55:75], levels[62:, 75:95] = 160, 30
    said = described(ultrasound(levels), mask)
    assert said["echo_pattern"].value == "complex"
    assert said["posterior_features"].value == "combined"


def test_a_mask_with_its_own_shadow_is_neither_complex_nor_anechoic() -> None:
    """As a reader draws some cancers: the lower part is dark because nothing reaches it."""
    levels, mask = plain(2, 102, 30)
    levels[30:42, 55:95] = 60
    said = described(ultrasound(levels), mask)
    assert said["posterior_features"].value == "shadowing"
    assert (said["echo_pattern"].value, "shadow" in said["echo_pattern"].detail) == (None, True)
    levels[42:60, 55:75] = 60
    assert described(ultrasound(levels), mask)["echo_pattern"].value == "hypoechoic"


def test_a_dark_side_is_no_tissue_to_compare_with() -> None:
    levels, mask = plain(51, 102, 102)
    levels[:, 100:] = 9  # the probe does not touch the skin there
    said = described(ultrasound(levels), mask)["echo_pattern"]
    assert (said.value, said.detail) == ("hypoechoic", "inside 0.20, beside 0.40 of the grey range")


def test_what_cannot_be_compared_is_not_computed_and_says_why() -> None:
    levels, mask = plain(51, 102, 153)
    unknown = described(ultrasound(levels, None), mask)
    assert unknown["posterior_features"].value is None
    assert "not known" in unknown["echo_pattern"].detail
    cut = described(ultrasound(levels[32:]), mask[32:])
    assert cut["posterior_features"].detail == "the lesion is cut by the border of the scan"
    short = described(ultrasound(levels[:70]), mask[:70])
    assert short["echo_pattern"].value == "hypoechoic"
    assert short["posterior_features"].detail == "the scan ends too close below the lesion"
    dark = levels.copy()
    dark[:, :53] = dark[:, 97:] = 0  # no scan on either side
    assert described(ultrasound(dark), mask)["echo_pattern"].value is None


def test_a_region_of_the_screen_ends_the_scan() -> None:
    levels, mask = plain(51, 102, 153)
    grid = Grid(levels.shape, regions=(Region(Box.of(0, 40, 70, 150), (0.16, 0.16)),))
    said = described(replace(ultrasound(levels), grid=grid), mask)
    assert said["posterior_features"].detail == "the scan ends too close below the lesion"


def test_other_modalities_have_no_echo() -> None:
    levels, mask = plain(51, 102, 153)
    mammogram = replace(ultrasound(levels), modality=Modality.MAMMOGRAPHY)
    assert set(described(mammogram, mask)) == {"shape", "margin"}


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_changes_nothing(odd: float) -> None:
    levels, mask = plain(51, 102, 153)
    real = levels.astype(np.float32)
    real[0, 0] = 0
    image = ultrasound(levels)
    plainly = described(replace(image, array=real[None]), mask)
    real = real.copy()
    real[0, 0] = odd
    assert described(replace(image, array=real[None]), mask) == plainly
    assert plainly["echo_pattern"].value == "hypoechoic"
