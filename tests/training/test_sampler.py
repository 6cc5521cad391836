"""The order of an epoch: balanced, complete, and a function of seed and epoch alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.training.sampler import PreparedCases, TrainingSampler, epoch_order, prepare_cases

pytestmark = pytest.mark.train
Cases = tuple[CaseRef, ...]


@pytest.fixture(scope="module")
def prepared(blobs: Cases) -> PreparedCases:
    return prepare_cases(blobs, InputSpec((32, 32)))


def sampler(prepared: PreparedCases, **changes: object) -> TrainingSampler:
    whole = TrainingSampler(prepared, np.ones(len(prepared)), None, 4, seed=3)
    return replace(whole, **changes)


def test_each_case_is_shown_once(prepared: PreparedCases) -> None:
    assert sorted(sampler(prepared).order(0)) == list(range(16))


def test_epochs_differ_and_repeat(prepared: PreparedCases) -> None:
    first, second = sampler(prepared).order(0), sampler(prepared).order(1)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, sampler(prepared).order(0))
    assert not np.array_equal(first, sampler(prepared, seed=4).order(0))


def test_normals_get_their_share(prepared: PreparedCases) -> None:
    order = sampler(prepared, normal_fraction=0.5).order(0)
    assert (~prepared.has_lesion[order]).sum() == 8
    assert len(order) == 16


def test_repeats_lengthen_the_epoch(prepared: PreparedCases) -> None:
    order = sampler(prepared, repeats=np.full(16, 2.5)).order(0)
    counts = np.bincount(order, minlength=16)
    assert abs(len(order) - 40) <= 1
    assert set(counts) <= {2, 3}


def test_processes_share_an_epoch_without_overlap(prepared: PreparedCases) -> None:
    fractions = [sampler(prepared, batch_size=2, rank=rank, world=2) for rank in range(2)]
    whole = sampler(prepared)
    for pair, batch in zip(
        zip(*(fraction.batches(0) for fraction in fractions), strict=True),
        whole.batches(0),
        strict=True,
    ):
        together = torch.cat([part[0] for part in pair])
        assert sorted(together.sum(dim=(1, 2, 3))) == sorted(batch[0].sum(dim=(1, 2, 3)))


def test_masks_stay_on_their_lesions(prepared: PreparedCases) -> None:
    """The discs are dark, and so is what the small masks cover."""
    for image, mask in zip(prepared.images, prepared.labels > 0, strict=True):
        if mask.any():
            assert image[mask].mean() + 60 < image[~mask].mean()


def test_epoch_order_without_members_of_a_stratum() -> None:
    order = epoch_order(np.array([1, 1]), np.array([3, 2]), np.random.default_rng(0))
    assert sorted(order) == [0, 1]


def test_cases_that_cannot_be_used_are_named(blobs: Cases, tmp_path: Path) -> None:
    lost = replace(blobs[0], image_path=tmp_path / "gone.png", case_id="gone")
    unknown = replace(blobs[1], mask_paths=None, case_id="unlabelled")
    with pytest.raises(DataSetError) as caught:
        prepare_cases([lost, blobs[2], unknown], InputSpec((32, 32)))
    assert "2 of 3" in str(caught.value)
    assert "blobs/gone" in str(caught.value)
    assert "blobs/unlabelled: no mask" in str(caught.value)
