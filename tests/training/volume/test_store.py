"""Studies on disk: as they were in memory, made once, and named where they cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core import VolumeSpec
from breastseg.core.errors import DataSetError, InputError
from breastseg.data.sets.mama_mia import MamaMia
from breastseg.data.volume_studies import first_phases
from breastseg.training.volume.recipe import PatchesRecipe
from breastseg.training.volume.sampler import PatchSampler, prepare_case
from breastseg.training.volume.store import StoredVolume, store_cases

from .made import SHAPE, write_mama_mia

pytestmark = pytest.mark.train
SPEC = VolumeSpec(patch=(4, 12, 12), spacing_mm=(3.0, 1.5, 1.5))
LABELS = ("malignant", "normal", "benign")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory):
    return MamaMia(write_mama_mia(tmp_path_factory.mktemp("mama-mia"), LABELS)).cases()


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """What is there, and when it was written."""
    found = {}
    for path in sorted(folder.rglob("*.npy")):
        found[str(path.relative_to(folder))] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


def test_what_is_stored_is_what_was_prepared(cases, tmp_path: Path) -> None:
    stored = store_cases(cases, SPEC, tmp_path)
    assert [one.key for one in stored] == [case.key for case in cases]
    for case, one in zip(cases, stored, strict=True):
        wanted, found = prepare_case(first_phases(case, 2).load(), SPEC), one.opened()
        assert found.key == case.key
        assert (found.channels.dtype, found.channels.shape[0]) == (np.float16, 2)
        assert found.truth.shape == SHAPE
        for name in ("channels", "lesion", "truth"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
            assert isinstance(getattr(found, name).base, np.memmap)
        for name in ("lesions", "bright"):
            pieces = getattr(found, name)
            assert len(pieces) == len(getattr(wanted, name))
            for number, piece in enumerate(getattr(wanted, name)):
                np.testing.assert_array_equal(pieces[number], piece)
    assert len(stored[1].opened().lesions) == 0
    with pytest.raises(ValueError, match="read-only"):
        stored[0].opened().channels[:] = 0


def test_patches_from_disk_are_those_from_memory(cases, tmp_path: Path) -> None:
    stored = store_cases(cases, SPEC, tmp_path)
    in_memory = tuple(prepare_case(first_phases(case, 2).load(), SPEC) for case in cases)
    sampler = PatchSampler(stored, PatchesRecipe(), SPEC.patch, 4, 2, seed=3)
    for one, other in zip(
        sampler.batches(1), replace(sampler, volumes=in_memory).batches(1), strict=True
    ):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_examinations_are_prepared_once(cases, tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO", "breastseg")
    store_cases(cases[:2], SPEC, tmp_path)
    before = files(tmp_path)
    assert "preparing studies: 0 of 2" in caplog.text
    caplog.clear()
    store_cases(cases, SPEC, tmp_path)
    assert "preparing studies: 2 of 3" in caplog.text
    caplog.clear()
    assert before.items() <= files(tmp_path).items()
    store_cases(cases, SPEC, tmp_path)
    assert caplog.text == ""
    # another network wants them otherwise
    finer = store_cases(cases[:1], replace(SPEC, spacing_mm=(3.0, 1.0, 1.0)), tmp_path)
    assert finer[0].opened().lesion.shape == (8, 38, 48)
    assert before.items() <= files(tmp_path).items()
    assert not list(tmp_path.rglob(".*"))  # nothing temporary is left


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(cases, tmp_path: Path) -> None:
    many = replace(SPEC, channels=4)
    with pytest.raises(
        DataSetError,
        match=r"1 of 1 studies cannot be used: MAMA-MIA/DUKE_001: 3 phases. Exp",
    ):
        store_cases(cases[:1], many, tmp_path)
    lost = replace(cases[0], case_id="../lost", image_path=tmp_path / "gone.nii.gz")
    with pytest.raises(DataSetError, match=r"1 of 2 .* cannot be used: MAMA-MIA/\.\./lost: .*gone"):
        store_cases([lost, cases[1]], SPEC, tmp_path)
    (there,) = tmp_path.glob("*/*")
    assert there.name == "MAMA-MIA%2FDUKE_002"


def test_a_folder_that_cannot_be_written_is_an_error(cases, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        store_cases(cases[:1], SPEC, tmp_path / "taken")


def test_one_that_another_process_wrote_is_taken(cases, tmp_path: Path) -> None:
    (one,) = store_cases(cases[:1], SPEC, tmp_path)
    before = files(tmp_path)
    StoredVolume(one.key, one.folder).write(one.opened())
    assert files(tmp_path) == before


def test_examinations_are_shown_as_often_as_their_source_says(cases, tmp_path: Path) -> None:
    sampler = PatchSampler(store_cases(cases, SPEC, tmp_path), PatchesRecipe(), SPEC.patch, 1, 1, 1)
    generator = np.random.default_rng(0)
    whole = replace(sampler, repeats=(2.0, 1.0, 3.0))._order(6, generator)
    assert np.bincount(whole).tolist() == [2, 1, 3]
    fractions = (
        np.bincount(replace(sampler, repeats=(0.5, 1.0, 1.5))._order(3000, generator)) / 1000
    )
    np.testing.assert_allclose(fractions, [0.5, 1, 1.5], atol=0.05)
    # no repeats: rounds of a permutation each, as it has always been
    for repeats in ((), (1.0, 1.0, 1.0)):
        order = replace(sampler, repeats=repeats)._order(7, np.random.default_rng(5))
        same = np.random.default_rng(5)
        assert order.tolist() == np.concatenate([same.permutation(3) for _ in range(3)]).tolist()
