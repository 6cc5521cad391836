"""Runs on volumes: complete, resumed bit for bit, and exported as they validate."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lightning.pytorch import Callback
from safetensors.torch import load_file

from breastseg.core import Modality, VolumeSpec
from breastseg.core.errors import DataSetError, RecipeError
from breastseg.data.dataset import CaseRef
from breastseg.data.phantoms.volume import volume_phantoms
from breastseg.data.sets.duke import Duke
from breastseg.data.sets.mama_mia import MamaMia
from breastseg.export.bundle import About, make_bundle
from breastseg.inference.volume_segmenter import VolumeSegmenter
from breastseg.losses import LossRecipe
from breastseg.networks.catalogue import build_network
from breastseg.networks.recipe import UNet3dRecipe
from breastseg.networks.weights import load_network_weights
from breastseg.preprocess.volume import resample
from breastseg.training.recipe import OptimiserRecipe, SourceRecipe
from breastseg.training.recipe_file import read_recipe
from breastseg.training.run_folder import RunFolder
from breastseg.training.trainer import Hardware
from breastseg.training.volume.fit import fit_volume
from breastseg.training.volume.recipe import PhantomsRecipe, VolumeRecipe
from breastseg.training.volume.sampler import prepare_case
from breastseg.training.volume.task import VolumeTask

from .made import write_mama_mia

pytestmark = [
    pytest.mark.train,
    # Within Lightning, not of our making.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]
RECIPE = VolumeRecipe(
    "tiny",
    epochs=2,
    epoch_steps=3,
    batch_size=2,
    validate_every=1,
    precision="float32",
    network=UNet3dRecipe(in_channels=2, stage_widths=(3, 4, 5)),
    volume=VolumeSpec(patch=(4, 12, 12), spacing_mm=(3.0, 1.5, 1.5)),
    phantoms=PhantomsRecipe(train=3, validation=3, shape=(8, 32, 32)),
    optimiser=OptimiserRecipe(learning_rate=1e-2, warmup_epochs=0),
)


class Stop(Callback):
    """Break off in the middle of the second epoch."""

    def on_train_batch_end(self, trainer, task, outputs, batch, index):
        if (trainer.current_epoch, index) == (1, 1):
            raise RuntimeError("stopped")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "whole")
    fit_volume(RECIPE, folder, Hardware(threads=1))
    return folder


def test_a_run_leaves_everything(finished: RunFolder) -> None:
    with finished.metrics.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert 0 <= float(rows[-1]["val_dice"]) <= 1
    assert float(rows[-1]["val_loss"]) > 0
    assert read_recipe(finished.recipe) == RECIPE
    assert json.loads(finished.volume.read_bytes())["patch"] == [4, 12, 12]
    parts = json.loads(finished.split.read_bytes())["parts"]
    assert (len(parts["train"]), len(parts["val"])) == (3, 3)
    assert not set(parts["train"]) & set(parts["val"])
    assert parts["train"][0] == "seed 1: volume-phantom-0001"
    assert json.loads(finished.modality.read_bytes()) == {"modalities": ["mri"]}
    assert not finished.prepared.exists()
    for path in (finished.last_weights, finished.best_weights, finished.curves):
        assert path.is_file()


def test_a_run_is_not_overwritten(finished: RunFolder) -> None:
    with pytest.raises(RecipeError, match="already holds a run"):
        fit_volume(RECIPE, finished, Hardware(threads=1))


def test_a_broken_run_is_resumed_bit_for_bit(finished: RunFolder, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "broken")
    with pytest.raises(RuntimeError, match="stopped"):
        fit_volume(RECIPE, folder, Hardware(threads=1), callbacks=[Stop()])
    assert not folder.last_weights.exists()
    fit_volume(RECIPE, folder, Hardware(threads=1), resume=True)
    for name in ("last_weights", "best_weights"):
        one, other = (load_file(getattr(run, name)) for run in (finished, folder))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_the_exported_bundle_predicts_what_was_validated(
    finished: RunFolder, tmp_path: Path
) -> None:
    about = About("tiny", "1.0", Modality.MRI, "three stages", ("phantoms",))
    bundle = make_bundle(finished.root, tmp_path / "bundle", about)
    assert bundle.volume == RECIPE.volume
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    assert "voxels of 3x1.5x1.5 mm" in card
    assert "in patches of 4x12x12 voxels" in card
    network = build_network(RECIPE.network)
    load_network_weights(network, finished.last_weights)
    (case,) = volume_phantoms(1, 5, (8, 32, 32), phases=2)
    volumes = (prepare_case(case, RECIPE.volume),)
    task = VolumeTask(RECIPE, network, volumes)
    with torch.inference_mode():
        wanted = resample(task.probability(volumes[0]), volumes[0].truth.shape)
    found = VolumeSegmenter(tmp_path / "bundle", threads=1).segment(case.images[0])
    # training keeps volumes as float16
    np.testing.assert_allclose(found.probability, wanted, atol=0.01)


def test_the_validation_loss_is_that_of_the_probabilities() -> None:
    recipe = replace(RECIPE, loss=LossRecipe({"bce": 1.0}))
    task = VolumeTask(recipe, build_network(recipe.network), ())
    rng = np.random.default_rng(2)
    found = rng.uniform(0.01, 0.99, (3, 5, 4)).astype(np.float32)
    lesion = rng.random((3, 5, 4)) > 0.7
    expected = -np.where(lesion, np.log(found), np.log(1 - found)).mean()
    assert task.validation_loss(found, lesion) == pytest.approx(expected, rel=1e-5)
    sure = task.validation_loss(lesion.astype(np.float32), lesion)
    assert 0 < sure < 1e-5  # finite where a probability is 0 or 1


def test_too_few_patches_for_the_processes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="batch_size = 0"):
        replace(RECIPE, batch_size=0)


SOURCES = (SourceRecipe("MAMA-MIA", "fold:1", "fold:2"),)
ON_CASES = replace(RECIPE, sources=SOURCES, phantoms=None)


@pytest.fixture(scope="module")
def mama_mia(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[CaseRef, ...]]:
    folder = write_mama_mia(tmp_path_factory.mktemp("mama-mia"))
    return {"MAMA-MIA": MamaMia(folder).cases()}


def test_a_run_on_a_data_set_is_resumed_bit_for_bit(mama_mia, tmp_path: Path) -> None:
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    fit_volume(ON_CASES, whole, Hardware(threads=1), cases=mama_mia)
    parts = json.loads(whole.split.read_bytes())["parts"]
    assert parts == {"train": ["MAMA-MIA/DUKE_001"], "val": ["MAMA-MIA/DUKE_002"]}
    assert json.loads(whole.modality.read_bytes()) == {"modalities": ["mri"]}
    assert read_recipe(whole.recipe) == ON_CASES
    with pytest.raises(RuntimeError, match="stopped"):
        fit_volume(ON_CASES, broken, Hardware(threads=1), callbacks=[Stop()], cases=mama_mia)
    before = {path: path.stat().st_mtime_ns for path in broken.prepared.rglob("*.npy")}
    assert before
    fit_volume(ON_CASES, broken, Hardware(threads=1), resume=True, cases=mama_mia)
    assert {path: path.stat().st_mtime_ns for path in broken.prepared.rglob("*.npy")} == before
    one, other = load_file(whole.last_weights), load_file(broken.last_weights)
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_phantoms_and_a_data_set_are_both_shown(mama_mia, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    plan = replace(RECIPE.phantoms, train=1, validation=1)
    both = replace(ON_CASES, epochs=1, epoch_steps=1, phantoms=plan)
    fit_volume(both, folder, Hardware(threads=1), cases=mama_mia)
    parts = json.loads(folder.split.read_bytes())["parts"]
    assert parts["train"] == ["seed 1: volume-phantom-0001", "MAMA-MIA/DUKE_001"]
    assert parts["val"] == ["seed 2: volume-phantom-0001", "MAMA-MIA/DUKE_002"]


def test_cases_that_cannot_be_learnt_from_are_refused(mama_mia, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")

    def said(cases: dict[str, tuple[CaseRef, ...]], recipe: VolumeRecipe = ON_CASES) -> str:
        with pytest.raises(DataSetError) as caught:
            fit_volume(recipe, folder, Hardware(threads=1), cases=cases)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    first, second = mama_mia["MAMA-MIA"]
    boxed = {"MAMA-MIA": (first, replace(second, mask_paths=None))}
    assert "1 studies without a mask: MAMA-MIA/DUKE_002. Expected: outlined" in said(boxed)
    picture = CaseRef("a", "a", None, "MAMA-MIA", Path("a.png"), (), fold=1)
    assert "MAMA-MIA: holds images. Expected: data sets of volumes" in said(
        {"MAMA-MIA": (picture, second)}
    )
    assert "name the folder of each" in said({})
    twice = replace(ON_CASES, sources=(SourceRecipe("MAMA-MIA", "all", "fold:2"),))
    assert "share a patient" in said(mama_mia, twice)
    none = replace(ON_CASES, sources=(SourceRecipe("MAMA-MIA", "none", "all"),))
    assert "no study to learn from" in said(mama_mia, none)
    more = replace(RECIPE.volume, channels=4)
    network = replace(RECIPE.network, in_channels=4)
    wanting = replace(ON_CASES, volume=more, network=network)
    assert "MAMA-MIA/DUKE_001: 3 phases. Expected: at least 4" in said(mama_mia, wanting)
    assert not folder.recipe.exists()


def test_a_dice_that_nobody_measures_is_not_waited_for(tmp_path: Path) -> None:
    labels = ("malignant", "normal")
    cases = {"MAMA-MIA": MamaMia(write_mama_mia(tmp_path / "data", labels)).cases()}
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(RecipeError, match="patience = 2 without a lesion"):
        fit_volume(replace(ON_CASES, patience=2), folder, Hardware(threads=1), cases=cases)
    assert not folder.recipe.exists()


def test_boxes_of_duke_are_no_outlines(tmp_path: Path) -> None:
    for phase in range(2):
        (tmp_path / f"Breast_MRI_001_{phase:04d}.nii.gz").write_bytes(b"never opened")
    duke = Duke(tmp_path)
    recipe = replace(ON_CASES, sources=(SourceRecipe(duke.name),))
    with pytest.raises(DataSetError, match=r"without a mask: .*Breast_MRI_001.*a box is no"):
        fit_volume(recipe, RunFolder(tmp_path / "run"), Hardware(), cases={duke.name: duke.cases()})


def test_a_study_is_scored_on_what_is_known_of_it() -> None:
    """All is outlined, and all but the lesion is unknown."""
    (case,) = volume_phantoms(1, 3, (8, 32, 32), 2)
    volume = prepare_case(case, RECIPE.volume)
    truth, lesion = (np.full(one.shape, -1, np.int8) for one in (volume.truth, volume.lesion))
    truth[2:4, 8:16, 8:16] = lesion[0, :4, :4] = 1
    known = replace(volume, truth=truth, lesion=lesion)
    task = VolumeTask(RECIPE, build_network(RECIPE.network), (known,))
    task.probability = lambda _: np.ones(lesion.shape, np.float32)
    task.validation_step(torch.tensor(0), 0)
    assert task._sums.tolist() == pytest.approx([1, 1, 0, 0, 0, 1], abs=1e-4)
