"""Phantoms: repeatable, true to their truth, and speckled as the physics has it."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from breastseg.data.folder import Folder
from breastseg.data.phantom import (
    LABELS,
    Phantom,
    _beam,
    _Tissue,
    make_phantom,
    make_phantoms,
    write_phantoms,
)


@pytest.fixture(scope="module")
def series() -> list[Phantom]:
    return list(make_phantoms(8, seed=3))


def test_a_series_is_repeatable_and_a_longer_one_begins_with_it(series: list[Phantom]) -> None:
    for first, again in zip(series[:2], make_phantoms(2, seed=3), strict=True):
        assert first.case_id == again.case_id
        assert np.array_equal(first.image, again.image)
        assert np.array_equal(first.mask, again.mask)
    other = next(make_phantoms(1, seed=4))
    assert not np.array_equal(series[0].image, other.image)


def test_labels_and_masks_agree(series: list[Phantom]) -> None:
    assert [phantom.label for phantom in series] == list(LABELS)
    for phantom in series:
        assert phantom.mask.any() == (phantom.label != "normal")
        assert phantom.image.shape == phantom.mask.shape == (420, 520)
        assert phantom.image.dtype == np.uint8
        assert ndimage.label(phantom.mask)[1] == phantom.mask.any()


def test_lesions_are_darker_than_what_surrounds_them_where_the_truth_says(
    series: list[Phantom],
) -> None:
    for phantom in series:
        if phantom.mask.any():
            ring = ndimage.binary_dilation(phantom.mask, iterations=25)
            ring &= ~ndimage.binary_dilation(phantom.mask, iterations=5)
            inside = phantom.image[ndimage.binary_erosion(phantom.mask, iterations=3)].mean()
            assert inside + 20 < phantom.image[ring].mean(), phantom.description


def test_what_lies_behind_tells_benign_from_malignant(series: list[Phantom]) -> None:
    """Enhancement behind the smooth ones, shadow behind the others, as a reader would look."""
    for phantom in series:
        if not phantom.mask.any():
            continue
        rows, columns = np.nonzero(phantom.mask)
        behind = slice(rows.max() + 12, rows.max() + 60)
        middle = slice(int(np.quantile(columns, 0.3)), int(np.quantile(columns, 0.7)))
        band = phantom.image[behind]
        beside = np.delete(band, np.arange(columns.min() - 10, columns.max() + 10) % 520, axis=1)
        brighter = band[:, middle].mean() > beside.mean()
        assert brighter == (phantom.label == "benign"), phantom.description


def test_speckle_of_even_tissue_is_rayleigh() -> None:
    """The envelope's mean over its deviation is 1.91 for one look (Burckhardt 1978)."""
    shape = (200, 400)
    depth = np.full(shape, 15.0)
    tissue = _Tissue(np.zeros(shape), np.zeros(shape), depth, 0.08)
    envelope = _beam(np.random.default_rng(0), tissue, looks=1)
    assert envelope.mean() / envelope.std() == pytest.approx(1.91, abs=0.08)
    assert np.sqrt((envelope**2).mean()) == pytest.approx(1, abs=0.3)  # zones overlap


def test_other_shapes() -> None:
    phantom = make_phantom(np.random.default_rng(1), "malignant", (200, 256))
    assert phantom.image.shape == (200, 256)
    assert phantom.mask.any()


def test_a_written_series_is_a_data_set(tmp_path: Path) -> None:
    paths = write_phantoms(tmp_path, 4, seed=3)
    assert [path.name for path in paths] == [f"phantom_{n:02d}.png" for n in range(1, 5)]
    cases = Folder(tmp_path).cases()
    assert [case.label for case in cases] == list(LABELS[:4])
    for ref, phantom in zip(cases, make_phantoms(4, seed=3), strict=True):
        case = ref.load()
        assert np.array_equal(case.images[0].array[0], phantom.image)
        assert case.mask is not None
        assert np.array_equal(case.mask.foreground, phantom.mask)
        assert case.images[0].grid.spacing_mm == pytest.approx(phantom.spacing_mm, abs=1e-5)
