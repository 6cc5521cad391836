"""Runs: complete, repeatable, and resumed bit for bit after a kill."""

import csv
import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from lightning.pytorch import Callback
from safetensors.torch import load_file

from breastseg.core.errors import DataSetError, RecipeError
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef
from breastseg.data.volume_ref import VolumeRef
from breastseg.networks.catalogue import build_network
from breastseg.networks.weights import load_network_weights
from breastseg.training.fit import Hardware, Origin, choose_cases, fit
from breastseg.training.recipe import Recipe, SourceRecipe
from breastseg.training.recipe_file import read_recipe
from breastseg.training.run_folder import RunFolder
from breastseg.training.trainer import batch_of_process

pytestmark = [
    pytest.mark.train,
    # Within Lightning, not of our making.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]
Cases = tuple[CaseRef, ...]

KILLED = """
import logging, os, pickle, signal, sys
from pathlib import Path
from lightning.pytorch import Callback
from breastseg.training.fit import Hardware, Origin, fit
from breastseg.training.recipe_file import read_recipe
from breastseg.training.run_folder import RunFolder
from breastseg.training.trainer import batch_of_process

class Kill(Callback):
    def on_train_batch_end(self, trainer, task, outputs, batch, index):
        if (trainer.current_epoch, index) == (1, 1):
            os.kill(os.getpid(), signal.SIGKILL)

logging.basicConfig(level=logging.INFO)
recipe, cases, out = (Path(word) for word in sys.argv[1:])
sides = pickle.loads(cases.read_bytes())
fit(read_recipe(recipe), sides, RunFolder(out), Hardware(threads=1), Origin(recipe.parent),
    callbacks=[Kill()])
"""


@pytest.fixture
def recipe(recipe_file: Path) -> Recipe:
    return read_recipe(recipe_file)


def run(
    recipe: Recipe,
    sides: dict[str, Cases],
    out: Path,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
) -> RunFolder:
    folder = RunFolder(out)
    fit(recipe, sides, folder, Hardware(threads=1), Origin(out.parent), resume, callbacks)
    return folder


def table(folder: RunFolder) -> list[dict[str, str]]:
    return list(csv.DictReader(folder.metrics.read_text().splitlines()))


def same(a: Path, b: Path) -> bool:
    first, second = load_file(a), load_file(b)
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_a_run_leaves_everything(
    recipe: Recipe,
    sides: dict[str, Cases],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "breastseg.training")
    folder = run(recipe, sides, tmp_path / "run")
    for path in (
        folder.recipe,
        folder.environment,
        folder.curves,
        folder.overlays,
        folder.last_checkpoint,
        folder.last_weights,
        folder.best_weights,
    ):
        assert path.stat().st_size > 0
    assert list((folder.root / "tensorboard").glob("events*"))
    assert read_recipe(folder.recipe) == recipe
    assert len(json.loads(folder.split.read_text())["parts"]["val"]) == 5
    assert json.loads(folder.modality.read_text()) == {"modalities": ["ultrasound"]}
    rows = table(folder)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(0 <= float(row["val_dice"]) <= 1 for row in rows)
    assert all(float(row["val_loss"]) > 0 for row in rows)
    assert "epoch 3/3" in caplog.text
    assert not capsys.readouterr().err  # silent but for its log
    network = build_network(recipe.network)
    load_network_weights(network, folder.last_weights)
    with pytest.raises(RecipeError, match="already holds a run"):
        run(recipe, sides, tmp_path / "run")


def test_a_killed_run_ends_as_an_unbroken_one(
    recipe: Recipe, recipe_file: Path, sides: dict[str, Cases], tmp_path: Path
) -> None:
    """Bit for bit: weights of network and average, optimiser, table."""
    unbroken = run(recipe, sides, tmp_path / "unbroken")
    (tmp_path / "cases").write_bytes(pickle.dumps(sides))
    broken = RunFolder(tmp_path / "broken")
    words = [str(recipe_file), str(tmp_path / "cases"), str(broken.root)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *words], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not broken.last_weights.exists()
    run(recipe, sides, broken.root, resume=True)
    assert same(unbroken.last_weights, broken.last_weights)
    assert same(unbroken.best_weights, broken.best_weights)
    first, second = (
        [{k: v for k, v in row.items() if "fraction" not in k and k != "seconds"} for row in rows]
        for rows in (table(unbroken), table(broken))
    )
    assert first == second


def test_learning_learns_and_starts_from_given_weights(
    recipe: Recipe, sides: dict[str, Cases], tmp_path: Path
) -> None:
    longer = replace(recipe, epochs=12, small_epochs=2, validate_every=4)
    folder = run(longer, sides, tmp_path / "run")
    learnt = float(table(folder)[-1]["val_dice"])
    assert learnt > 0.5
    still = replace(
        recipe,
        epochs=1,
        small_epochs=0,
        initial_weights=str(folder.last_weights),
        optimiser=replace(recipe.optimiser, learning_rate=1e-9),
    )
    again = run(still, sides, tmp_path / "again")
    started = float(table(again)[0]["val_dice"])
    assert started == pytest.approx(learnt, abs=0.1)


def test_a_run_that_gets_no_better_stops_early(
    recipe: Recipe, sides: dict[str, Cases], tmp_path: Path
) -> None:
    still = replace(
        recipe, epochs=8, patience=2, optimiser=replace(recipe.optimiser, learning_rate=1e-9)
    )
    folder = run(still, sides, tmp_path / "run")
    assert len(table(folder)) == 3  # the first, and two that are no better
    assert folder.last_weights.exists()


def test_two_processes_share_the_work(
    recipe_file: Path, sides: dict[str, Cases], tmp_path: Path
) -> None:
    """DDP on two processes runs through, and one of them writes."""
    (tmp_path / "cases").write_bytes(pickle.dumps(sides))
    script = tmp_path / "ddp.py"
    script.write_text(KILLED.replace("threads=1", "devices=2, threads=1").replace("(1, 1)", "()"))
    words = [str(recipe_file), str(tmp_path / "cases"), str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    folder = RunFolder(tmp_path / "run")
    assert folder.last_weights.exists()
    assert done.stderr.count("epoch 3/3") == 1


def test_a_patient_on_both_sides_is_refused(recipe: Recipe, sides: dict[str, Cases]) -> None:
    twice = replace(recipe, sources=(replace(recipe.sources[0], validation="all"),))
    with pytest.raises(DataSetError, match="share a patient"):
        choose_cases(twice, sides, Path())


def test_a_patient_of_two_data_sets_on_both_sides_is_refused(
    recipe: Recipe, sides: dict[str, Cases]
) -> None:
    both = {
        name: tuple(replace(case, source=name, patient_id=f"P_{n}") for n, case in enumerate(cases))
        for name, cases in zip(("CBIS-DDSM", "CBIS-DDSM-calc"), sides.values(), strict=False)
    }
    sources = (
        SourceRecipe("CBIS-DDSM", "all"),
        SourceRecipe("CBIS-DDSM-calc", "none", "all"),
    )
    with pytest.raises(DataSetError, match=r"share a patient .*CBIS-DDSM-calc/"):
        choose_cases(replace(recipe, sources=sources), both, Path())


def test_volumes_are_refused(recipe: Recipe, sides: dict[str, Cases]) -> None:
    volumes = {
        name: tuple(VolumeRef(**vars(case)) for case in cases) for name, cases in sides.items()
    }
    with pytest.raises(
        DataSetError, match=r"blobs, watched: holds volumes. Expected: data sets of images"
    ):
        choose_cases(recipe, volumes, Path())


def test_each_modality_of_the_training_cases_is_recorded(
    recipe: Recipe, sides: dict[str, Cases], tmp_path: Path
) -> None:
    first, *others = sides["blobs"]
    mixed = {**sides, "blobs": (replace(first, modality=Modality.MAMMOGRAPHY), *others)}
    folder = run(replace(recipe, epochs=1, small_epochs=0), mixed, tmp_path / "run")
    record = json.loads(folder.modality.read_text())
    assert record == {"modalities": ["mammography", "ultrasound"]}


def test_a_missing_source_is_named(recipe: Recipe) -> None:
    with pytest.raises(DataSetError, match="needs blobs"):
        choose_cases(recipe, {}, Path())


def test_a_batch_that_the_processes_cannot_share_is_refused() -> None:
    assert batch_of_process(6, 2, "images") == 3
    with pytest.raises(RecipeError, match=r"batch_size 5 on 2 processes.*multiple of 2"):
        batch_of_process(5, 2, "images")
