"""The mean of the weights of several runs, as one bundle."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from breastseg.core import InputSpec, Intensity, Modality
from breastseg.core.errors import BundleError
from breastseg.export.bundle import About, Making, make_bundle
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.catalogue import build_network
from breastseg.networks.recipe import UNet2015Recipe
from breastseg.networks.weights import load_mean_weights, save_network_weights

pytestmark = pytest.mark.train

SPEC = InputSpec((64, 64), Intensity.SYMMETRIC)
RECIPE = UNet2015Recipe(base_width=8, depth=2)
ABOUT = About("tiny", "1.0", Modality.ULTRASOUND, "outlines nothing")


def network(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_network(RECIPE).eval()


def run_of(folder: Path, seed: int, images: list[str]) -> Path:
    (folder / "weights").mkdir(parents=True)
    save_network_weights(network(seed), folder / "weights" / "last.safetensors")
    (folder / "network.json").write_text(json.dumps(asdict(RECIPE)))
    (folder / "input.json").write_text(json.dumps(asdict(SPEC)))
    (folder / "recipe.toml").write_text('name = "tiny"\n')
    (folder / "metrics.csv").write_text("epoch\n1\n")
    cases = {f"case-{digest}": {"image": digest, "mask": digest} for digest in images}
    (folder / "data.json").write_text(json.dumps({"sha256": {"train": cases}}))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return run_of(tmp_path / "a", 1, ["0a", "0b"]), run_of(tmp_path / "b", 2, ["0b", "0c"])


def test_a_bundle_holds_the_mean_and_says_all_that_it_saw(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = runs
    make_bundle(first, tmp_path / "mean", ABOUT, making=Making(mean_with=(second,)))
    wanted = network(1)
    with torch.no_grad():
        for mine, other in zip(wanted.parameters(), network(2).parameters(), strict=True):
            mine.copy_((mine + other) / 2)
    assert parity(wanted, tmp_path / "mean" / "model.onnx", SPEC, seeded_inputs(SPEC)) < 1e-3
    with pytest.raises(BundleError, match="differ from PyTorch"):  # it is none of the two
        parity(network(1), tmp_path / "mean" / "model.onnx", SPEC, seeded_inputs(SPEC))
    seen = json.loads((tmp_path / "mean" / "trained_on.json").read_text())
    assert seen["images"]["train"] == ["0a", "0b", "0c"]


def test_one_that_does_not_say_what_it_saw_leaves_the_bundle_without_a_list(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = runs
    (second / "data.json").unlink()
    make_bundle(first, tmp_path / "mean", ABOUT, making=Making(mean_with=(second,)))
    assert not (tmp_path / "mean" / "trained_on.json").exists()


def test_the_mean_of_one_is_itself(runs: tuple[Path, Path]) -> None:
    mean = network(3)
    load_mean_weights(mean, [runs[0] / "weights" / "last.safetensors"])
    wanted = network(1).state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in mean.state_dict().items())


def test_runs_that_do_not_go_together_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = runs
    other = Path(shutil.copytree(second, tmp_path / "other"))
    (other / "input.json").write_text(json.dumps(asdict(replace(SPEC, size=(32, 32)))))
    with pytest.raises(BundleError, match="another input"):
        make_bundle(first, tmp_path / "mean", ABOUT, making=Making(mean_with=(other,)))
    larger = build_network(UNet2015Recipe(base_width=16, depth=2))
    save_network_weights(larger, second / "weights" / "last.safetensors")
    with pytest.raises(BundleError, match="do not fit"):
        make_bundle(first, tmp_path / "mean", ABOUT, making=Making(mean_with=(second,)))
    assert not (tmp_path / "mean").exists()
