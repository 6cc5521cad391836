"""A network and a loss of one's own: trained, resumed and exported when allowed, else never."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.cli.main import main
from breastseg.core.errors import OwnCodeError, RecipeError
from breastseg.data.dataset import CaseRef
from breastseg.inference.open import open_segmenter
from breastseg.losses import LossRecipe, build_loss
from breastseg.networks.catalogue import build_network
from breastseg.networks.recipe import OwnNetworkRecipe
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import differences, own_names, read_recipe, recipe_text
from breastseg.training.run_folder import RunFolder

from .conftest import write_blobs

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]

MODULE = """
from pathlib import Path
import torch
from torch import nn

(Path(__file__).parent / "was_run").touch()

class Tiny(nn.Module):
    def __init__(self, in_channels, out_channels, width=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 1), nn.ReLU(), nn.Conv2d(width, out_channels, 1)
        )
    def forward(self, images):
        return self.layers(images)

class Squared(nn.Module):
    def __init__(self, power=2.0):
        super().__init__()
        self.power = power
    def forward(self, logits, target):
        return (logits.sigmoid() - target).abs().pow(self.power).mean()

class Unreduced(nn.Module):
    def forward(self, logits, target):
        return (logits - target).abs()

def number(in_channels, out_channels):
    return 3
"""
RECIPE = """
name = "own"
epochs = 1
batch_size = 4
precision = "float32"
[[sources]]
name = "data"
train = "split:split.json#train"
validation = "split:split.json#val"
[network]
name = "own"
path = "MODULE:Tiny"
parameters = { width = 6 }
[input]
size = [32, 32]
[loss]
terms = { dice = 1.0, "MODULE:Squared" = 0.5 }
parameters = { "MODULE:Squared" = { power = 1.5 } }
"""


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a module in the test's folder, of which Python knows nothing yet or later."""
    name = f"own_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    before = list(sys.path)
    yield name
    sys.path[:] = before
    sys.modules.pop(name, None)


@pytest.fixture
def recipe(tmp_path: Path, module: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(RECIPE.replace("MODULE", module))
    return path


def was_run(folder: Path) -> bool:
    return (folder / "was_run").exists()


def scans(folder: Path) -> Path:
    """A folder of images and masks."""
    cases: tuple[CaseRef, ...] = write_blobs(folder, 8, "data")
    for case in cases:
        for kind, path in (("images", case.image_path), ("masks", case.mask_paths[0])):  # type: ignore[index]
            (folder / "data" / kind).mkdir(parents=True, exist_ok=True)
            path.rename(folder / "data" / kind / f"{case.case_id}.png")
    parts = {"train": [f"data/{n}" for n in range(6)], "val": ["data/6", "data/7"]}
    (folder / "split.json").write_text(json.dumps({"parts": parts}))
    return folder / "data"


def test_nothing_is_loaded_from_a_file_that_nobody_allowed(recipe: Path, module: str) -> None:
    with pytest.raises(OwnCodeError, match=f"{module}:Tiny, {module}:Squared.*read that code"):
        read_recipe(recipe)
    allowed = read_recipe(recipe, own_code=True)
    assert own_names(allowed) == (f"{module}:Tiny", f"{module}:Squared")
    again = recipe.with_name("again.toml")
    again.write_text(recipe_text(allowed))
    assert differences(read_recipe(again, own_code=True), allowed) == ()
    assert not was_run(recipe.parent)


def test_train_resume_and_export(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run, bundle = scans(tmp_path), tmp_path / "run", tmp_path / "bundle"
    words = ["train", str(recipe), "--data", f"folder={data}", "--out", str(run)]
    assert main(words) == 2
    assert "Expected: --own-code, once you have read that code" in capsys.readouterr().err
    assert not was_run(tmp_path)
    assert main([*words, "--own-code", "--threads", "1"]) == 0
    assert f"breastseg export {run} --out BUNDLE --own-code" in capsys.readouterr().out
    kept = json.loads((run / "own_code.json").read_text())
    assert Path(kept["base"]) == tmp_path
    assert len(kept["sha256"]) == 2

    RunFolder(run).last_weights.rename(tmp_path / "last.safetensors")  # as if it had been killed
    assert main(["train", "--resume", str(run)]) == 2
    assert "--own-code" in capsys.readouterr().err
    assert main(["train", "--resume", str(run), "--own-code", "--threads", "1"]) == 0

    export = ["export", str(run), "--out", str(bundle), "--modality", "ultrasound"]
    assert main(export) == 2
    assert "--own-code" in capsys.readouterr().err
    assert main([*export, "--own-code"]) == 0
    assert not list(bundle.glob("*.py"))
    assert "network of one's own" in (bundle / "MODEL_CARD.md").read_text()
    (tmp_path / "was_run").unlink()
    segmenter = open_segmenter(str(bundle))
    from breastseg.front_door import segment

    assert segment(np.zeros((40, 40), np.uint8), segmenter).probability.shape == (40, 40)
    assert not was_run(tmp_path)

    source = next(tmp_path.glob("own_*.py"))
    source.write_text(source.read_text() + "\n# changed\n")
    bundle.rename(tmp_path / "first")
    assert main([*export, "--own-code"]) == 2
    assert "has changed since the run began" in capsys.readouterr().err
    RunFolder(run).last_weights.unlink()
    assert main(["train", "--resume", str(run), "--own-code"]) == 2
    assert "has changed since the run began" in capsys.readouterr().err


def test_from_python_alone(tmp_path: Path, module: str, recipe: Path) -> None:
    sys.path.insert(0, str(tmp_path))
    own = OwnNetworkRecipe(path=f"{module}:Tiny", parameters={"width": 3})
    assert build_network(own)(torch.zeros(2, 1, 20, 24)).shape == (2, 1, 20, 24)
    loss = build_loss(LossRecipe({"dice": 1.0, f"{module}:Squared": 0.5}))
    logits, target = torch.randn(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    expected = build_loss(LossRecipe({"dice": 1.0}))(logits, target)
    torch.testing.assert_close(
        loss(logits, target), expected + 0.5 * logits.sigmoid().square().mean()
    )
    given = read_recipe(recipe, own_code=True)
    assert isinstance(given, Recipe)
    assert replace(given, network=own).network == own


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_module_here:Tiny", "No module named"),
        ("MODULE:Missing", "no attribute 'Missing'"),
        ("MODULE:__doc__", "is None"),
        ("MODULE:number", "makes int. Expected: a torch.nn.Module"),
        ("MODULE:Squared", "unexpected keyword argument 'in_channels'"),
        ("os.system('id'):x", "module:Name"),
        ("../evil:x", "module:Name"),
        ("", "module:Name"),
    ],
)
def test_what_is_no_network(path: str, message: str, tmp_path: Path, module: str) -> None:
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(RecipeError, match=message):
        build_network(OwnNetworkRecipe(path=path.replace("MODULE", module)))


def test_a_loss_is_one_number(tmp_path: Path, module: str) -> None:
    sys.path.insert(0, str(tmp_path))
    loss = build_loss(LossRecipe({f"{module}:Unreduced": 1.0}))
    with pytest.raises(RecipeError, match=r"a tensor of shape \(1, 1, 4, 4\)"):
        loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    with pytest.raises(RecipeError, match="one of bce, boundary"):
        LossRecipe({"hinge": 1.0})
    with pytest.raises(RecipeError, match="unexpected keyword argument 'wide'"):
        build_loss(LossRecipe({f"{module}:Squared": 1.0}, {f"{module}:Squared": {"wide": 1.0}}))
