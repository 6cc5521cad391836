"""A segmenter that is shown the scan on a screen alone."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Box, Grid, Image, Modality, Prediction, Prompt, Provenance
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.data.phantoms.ultrasound import make_phantom
from breastseg.inference.screen import WithinScan


class Middle:
    """Outlines the middle of what it sees, and remembers that."""

    name = "middle"
    seen: NDArray[np.generic]

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        self.seen = image.array
        rows, columns = image.grid.shape
        values = np.zeros((rows, columns), np.float32)
        values[rows // 4 : rows // 2, columns // 4 : columns // 2] = 0.9
        return Prediction(
            values,
            image.grid,
            Provenance("middle", "1", steps=("looked",)),
            uncertainty=values,
            class_probability=values[None],
            class_names=("mass",),
        )


def screen(modality: Modality = Modality.ULTRASOUND) -> Image:
    scan = make_phantom(np.random.default_rng(1), "malignant", (300, 400)).image
    array = np.pad(scan, ((100, 60), (120, 80)))
    array[250:253, 200:260] = 255
    return Image(array[None], Grid(array.shape, (0.1, 0.2)), modality, "screen.png")


def test_the_scan_alone_is_shown_and_all_maps_come_back() -> None:
    inner = Middle()
    image = screen()
    found = WithinScan(inner).segment(image)
    rows, columns = inner.seen.shape[1:]
    assert abs(rows - 300) < 25
    assert abs(columns - 400) < 25
    assert inner.seen.max() < 0.99  # the bright line is gone
    assert found.grid == image.grid
    assert found.seen is not None
    assert found.seen.shape == (rows, columns)
    lesion = found.mask().foreground
    where = np.argwhere(lesion)
    assert np.abs(where.min(axis=0) - (100 + 75, 120 + 100)).max() <= 15
    assert lesion.sum() == (rows // 2 - rows // 4) * (columns // 2 - columns // 4)
    assert found.uncertainty is not None
    np.testing.assert_array_equal(found.uncertainty, found.probability)
    assert found.provenance.steps[2] == "looked"
    assert "cut out" in found.provenance.steps[1]


def test_the_scan_lies_in_the_region_that_the_file_states() -> None:
    image = screen()
    array = image.array.copy()
    array[0, 100:160, :100] = 200  # a second image beside the scan
    beside = replace(image, array=array)
    stated = replace(beside, scan=Box.of(90, 110, 420, 530))
    inner = Middle()
    WithinScan(inner).segment(beside)
    assert inner.seen.shape[2] > 480
    found = WithinScan(inner).segment(stated)
    assert abs(inner.seen.shape[2] - 400) < 25
    assert "cut out of the region that the file states" in found.provenance.steps[1]
    where = np.argwhere(found.mask().foreground)
    assert np.abs(where.min(axis=0) - (100 + 75, 120 + 100)).max() <= 15


def test_other_modalities_and_prompts_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"screen\.png: modality mammography. Expected: ultrasound"
    ):
        WithinScan(Middle()).segment(screen(Modality.MAMMOGRAPHY))
    with pytest.raises(UnsupportedError, match="prompt"):
        WithinScan(Middle()).segment(screen(), Prompt(inside=((1, 1),)))
