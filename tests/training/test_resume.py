"""A run is continued as it was, from what its folder holds, or refused with what differs."""

from __future__ import annotations

import csv
import errno
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch")

from lightning.pytorch import Callback, LightningModule, Trainer

from breastseg.cli.alone import alone
from breastseg.cli.main import main
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import open_data_sets
from breastseg.training.fit import Hardware, Origin, fit
from breastseg.training.recipe_file import read_recipe
from breastseg.training.run_folder import RunFolder

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]

RECIPE = """
name = "tiny"
epochs = 2
batch_size = 4
precision = "float32"
[[sources]]
name = "scans"
train = "split:split.json#train"
validation = "split:split.json#val"
[network]
name = "unet2015"
base_width = 4
depth = 2
[input]
size = [32, 32]
"""


class Stop(Callback):
    """Stops after the first epoch's state was written."""

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        if trainer.current_epoch == 1:
            raise RuntimeError("stopped")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a recipe and a run that was stopped in its second epoch."""
    root = tmp_path_factory.mktemp("broken")
    assert main(["data", "phantom", str(root / "scans"), "--count", "10"]) == 0
    source = f"folder={root / 'scans'}"
    words = ["--data", source, "--out", str(root / "split.json")]
    assert main(["data", "split", *words, "--fractions", "train=0.6,val=0.2,test=0.2"]) == 0
    (root / "tiny.toml").write_text(RECIPE)
    recipe, run = read_recipe(root / "tiny.toml"), RunFolder(root / "run")
    cases = {one.name: one.cases() for one in open_data_sets([source])}
    with pytest.raises(RuntimeError, match="stopped"):
        fit(recipe, cases, run, Hardware(threads=1), Origin(root, (source,)), callbacks=[Stop()])
    return root


@pytest.fixture
def begun(broken: Path, tmp_path: Path) -> Path:
    """A copy of the run alone, elsewhere."""
    return Path(shutil.copytree(broken / "run", tmp_path / "run"))


def resume(*words: object) -> int:
    return main(["train", "--resume", *map(str, words), "--threads", "1"])


def test_the_folder_alone_is_enough(
    begun: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = begun / "checkpoints" / ".last.0123456789ab.ckpt"
    left.write_bytes(b"of a run that was killed while it wrote")
    assert resume(begun) == 0
    assert not left.exists()
    said = capsys.readouterr()
    assert "epoch 2/2" in said.err
    rows = list(csv.DictReader((begun / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert resume(begun) == 0
    assert "epoch" not in capsys.readouterr().err  # it is complete


def state(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("changes", "needle"),
    [
        (["epochs=6"], "epochs: 2, now 6"),
        (["network.base_width=8"], "network.base_width: 4, now 8"),
        (["sources.0.train=split:split.json#test"], "#train, now split:split.json#test"),
    ],
)
def test_another_recipe_is_refused_and_nothing_damaged(
    changes: list[str], needle: str, begun: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(begun)
    for words in ([], [broken / "tiny.toml"]):
        assert resume(begun, *words, "--set", *changes) == 2
        assert needle in capsys.readouterr().err
    assert state(begun) == before


def test_another_part_is_refused(
    begun: Path, broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same words in the recipe, but the split behind them was drawn again."""
    shutil.copy(broken / "tiny.toml", tmp_path)
    text = (broken / "split.json").read_text()
    text = (
        text.replace('"train":', '"x":').replace('"test":', '"train":').replace('"x":', '"test":')
    )
    (tmp_path / "split.json").write_text(text)
    assert resume(begun, tmp_path / "tiny.toml") == 2
    assert "part train of" in capsys.readouterr().err
    assert resume(begun, broken / "tiny.toml") == 0


def test_the_same_data_elsewhere_is_accepted_and_other_data_refused(
    begun: Path, broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = shutil.copytree(broken / "scans", tmp_path / "moved" / "scans")
    key = next(iter(chosen_of(begun)))
    image = next((moved / "images").glob(f"{key.partition('/')[2]}*"))
    kept = image.read_bytes()
    image.write_bytes(kept + b"x")
    assert resume(begun, "--data", f"folder={moved}") == 2
    assert f"have changed: {key}" in capsys.readouterr().err
    image.unlink()
    assert resume(begun, "--data", f"folder={moved}") == 2
    capsys.readouterr()
    image.write_bytes(kept)
    assert resume(begun, "--data", f"folder={moved}") == 0


def chosen_of(run: Path) -> list[str]:
    import json

    return list(json.loads((run / "data.json").read_text())["sha256"]["train"])


def test_a_folder_whose_first_epoch_was_not_done_is_begun_again(
    begun: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(begun / "checkpoints")
    shutil.rmtree(begun / "weights", ignore_errors=True)
    assert resume(begun) == 2
    assert "nothing to resume" in capsys.readouterr().err
    words = ["train", str(broken / "tiny.toml"), "--data", f"folder={broken / 'scans'}"]
    assert main([*words, "--out", str(begun), "--threads", "1", "--set", "epochs=1"]) == 0
    assert main([*words, "--out", str(begun)]) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_a_full_disk_leaves_the_last_state(
    begun: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (begun / "checkpoints" / "last.ckpt").read_bytes()

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert resume(begun) == 2
    assert "cannot be written (No space left" in capsys.readouterr().err.splitlines()[-1]
    assert (begun / "checkpoints" / "last.ckpt").read_bytes() == before
    assert [path.name for path in (begun / "checkpoints").iterdir()] == ["last.ckpt"]


@pytest.fixture(scope="module")
def other(broken: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the same network with another seed."""
    out = tmp_path_factory.mktemp("other") / "run"
    words = ["train", str(broken / "tiny.toml"), "--data", f"folder={broken / 'scans'}"]
    changes = ["--set", "epochs=1", "seed=7", "--out", str(out)]
    assert main([*words, *changes, "--threads", "1"]) == 0
    return out


@pytest.mark.parametrize("name", ["checkpoints/last.ckpt", "recipe.toml"])
def test_a_file_of_another_run_is_refused(
    name: str, begun: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(other / name, begun / name)
    assert resume(begun) == 2
    assert "of another run than the rest of its folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["best", "last"])
def test_weights_of_another_run_are_refused(
    name: str, begun: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They fit the network, and nothing else would tell."""
    mixed = Path(shutil.copytree(other, tmp_path / "mixed"))
    shutil.copy(begun / "weights" / "best.safetensors", mixed / "weights" / f"{name}.safetensors")
    assert resume(mixed) == 2
    assert "of another run than the rest of its folder" in capsys.readouterr().err
    elsewhere = ("--out", str(tmp_path / "b"), "--modality", "ultrasound")
    assert main(["export", str(mixed), *elsewhere, "--weights", name]) == 2
    assert "of another run than the rest of its folder" in capsys.readouterr().err


def test_an_input_of_another_run_is_refused(
    other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = Path(shutil.copytree(other, tmp_path / "mixed"))
    text = (mixed / "input.json").read_text()
    (mixed / "input.json").write_text(text.replace("symmetric", "unit"))
    assert (mixed / "input.json").read_text() != text
    elsewhere = ("--out", str(tmp_path / "b"), "--modality", "ultrasound")
    assert main(["export", str(mixed), *elsewhere]) == 2
    assert "of another run than the rest of its folder" in capsys.readouterr().err


def test_a_run_that_goes_on_elsewhere_is_left_to_it(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(begun)
    with alone(begun):
        assert resume(begun) == 2
    assert "another command works in it" in capsys.readouterr().err
    assert state(begun) == before


@pytest.mark.parametrize("kept", [0.0, 0.6])
def test_a_state_that_was_cut_is_one_line(
    kept: float, begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = begun / "checkpoints" / "last.ckpt"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert resume(begun) == 2
    assert "no state of a run" in capsys.readouterr().err.splitlines()[-1]


class Interrupt(Callback):
    """Ctrl-C in the second epoch."""

    def on_train_batch_start(self, trainer: Trainer, *_: object) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt


def test_an_interruption_ends_with_130_and_the_line_how_to_go_on(
    broken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("breastseg.training.start.fit", partial(fit, callbacks=[Interrupt()]))
    before = signal.getsignal(signal.SIGINT)
    words = ["train", str(broken / "tiny.toml"), "--data", f"folder={broken / 'scans'}"]
    assert main([*words, "--out", str(tmp_path / "run"), "--threads", "1"]) == 130
    go_on = f"breastseg train --resume {tmp_path / 'run'}"
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1] == f"breastseg: interrupted; go on with: {go_on}"
    assert signal.getsignal(signal.SIGINT) is before


def test_each_fold_is_held_out_once(broken: Path, tmp_path: Path) -> None:
    from breastseg.core.errors import DataSetError
    from breastseg.data.split import folds
    from breastseg.training.chosen_cases import choose_cases

    source = f"folder={broken / 'scans'}"
    cases: dict[str, tuple[CaseRef, ...]] = {
        one.name: tuple(one.cases()) for one in open_data_sets([source])
    }
    (every,) = cases.values()
    folds(every, 3, seed=1).write(tmp_path / "folds.json")
    changes = {"sources.0.train": "all", "folds": "folds.json"}
    held = []
    for fold in (1, 2, 3):
        recipe = read_recipe(broken / "tiny.toml", {**changes, "fold": str(fold)})
        chosen = choose_cases(recipe, cases, tmp_path)
        assert len(chosen.train) + len(chosen.validation) == len(every)
        held += [case.key for case in chosen.validation]
    assert sorted(held) == sorted(case.key for case in every)
    recipe = read_recipe(broken / "tiny.toml", {**changes, "fold": "4"})
    with pytest.raises(DataSetError, match="no part '4'"):
        choose_cases(recipe, cases, tmp_path)
    published = read_recipe(broken / "tiny.toml", {"sources.0.train": "all", "fold": "1"})
    with pytest.raises(DataSetError, match="no fold 1"):
        choose_cases(published, cases, tmp_path)
