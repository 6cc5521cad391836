"""What every method of the catalogue promises, on input that no one would train on."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Grid, Image, Modality, Segmenter
from breastseg.inference.catalogue import load_segmenter, shipped_bundles

GENERATOR = np.random.default_rng(7)
SPECKLE = GENERATOR.rayleigh(40, (97, 131)).clip(0, 255)

INPUTS: dict[str, Callable[[], NDArray[np.generic]]] = {
    "constant": lambda: np.full((60, 80), 7, np.uint8),
    "black": lambda: np.zeros((60, 80), np.uint8),
    "one pixel": lambda: np.full((1, 1), 9, np.uint8),
    "one row": lambda: np.arange(200, dtype=np.uint8)[None],
    "odd": lambda: SPECKLE.astype(np.uint8),
    "16 bit": lambda: (SPECKLE * 200).astype(np.uint16),
    "float with NaN": lambda: np.where(SPECKLE > 150, np.nan, SPECKLE),
    "all NaN": lambda: np.full((40, 40), np.nan),
    "huge values": lambda: SPECKLE * 1e300,
    "negative": lambda: SPECKLE - 1000,
    "large": lambda: np.tile(SPECKLE, (16, 12)).astype(np.uint8),
}


@pytest.fixture(scope="module", params=sorted(shipped_bundles()))
def segmenter(request: pytest.FixtureRequest) -> Segmenter:
    return load_segmenter(request.param, threads=1)


def image(values: NDArray[np.generic], spacing: tuple[float, float] | None = None) -> Image:
    rows, columns = values.shape
    return Image(values[None], Grid((rows, columns), spacing), Modality.UNKNOWN)


def test_something_ships() -> None:
    assert "ultrasound" in shipped_bundles()


@pytest.mark.parametrize("name", INPUTS)
def test_any_input_gives_probabilities_on_its_own_grid(segmenter: Segmenter, name: str) -> None:
    values = INPUTS[name]()
    before = values.copy()
    prediction = segmenter.segment(image(values))
    assert prediction.grid == image(values).grid
    assert prediction.probability.shape == values.shape
    assert np.array_equal(values, before, equal_nan=values.dtype.kind == "f")
    assert prediction.provenance.segmenter == segmenter.name


def test_the_same_input_gives_the_same_output(segmenter: Segmenter) -> None:
    first, second = (segmenter.segment(image(SPECKLE)).probability for _ in range(2))
    assert np.array_equal(first, second)


def test_bit_depth_does_not_matter(segmenter: Segmenter) -> None:
    eight = SPECKLE.astype(np.uint8)
    first = segmenter.segment(image(eight)).probability
    second = segmenter.segment(image(eight.astype(np.uint16) * 257)).probability
    assert np.array_equal(first, second)


def test_spacing_travels_and_changes_nothing(segmenter: Segmenter) -> None:
    plain = segmenter.segment(image(SPECKLE))
    spaced = segmenter.segment(image(SPECKLE, (0.05, 0.2)))
    assert spaced.grid.spacing_mm == (0.05, 0.2)
    assert np.array_equal(plain.probability, spaced.probability)


def test_a_picture_of_nothing_is_not_outlined(segmenter: Segmenter) -> None:
    for name in ("constant", "black", "one pixel", "all NaN"):
        assert segmenter.segment(image(INPUTS[name]())).mask().is_empty, name
