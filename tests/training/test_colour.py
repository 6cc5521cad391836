"""A recipe on colour: what only hue tells apart is learnt, and the bundle sees the colours too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core import InputSpec, Intensity, Modality
from breastseg.core.errors import BundleError, RecipeError
from breastseg.data.colour import ColourRef
from breastseg.export.bundle import About, make_bundle
from breastseg.inference.ensemble import Ensemble
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.io.write import write_png
from breastseg.networks.catalogue import build_network
from breastseg.networks.recipe import UNet2015Recipe
from breastseg.networks.weights import load_network_weights
from breastseg.training.augmentation import AugmentationRecipe
from breastseg.training.fit import Hardware, Origin, fit
from breastseg.training.parts import DistillationRecipe
from breastseg.training.recipe import OptimiserRecipe, Recipe, SourceRecipe
from breastseg.training.run_folder import RunFolder
from breastseg.training.sampler import prepare_cases
from breastseg.training.task import SegmentationTask

pytestmark = [
    pytest.mark.train,
    # Within Lightning, not of our making.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]
Cases = tuple[ColourRef, ...]

RECIPE = Recipe(
    "colour",
    (SourceRecipe("stained"), SourceRecipe("watched", "none", "all")),
    epochs=30,
    validate_every=30,
    batch_size=4,
    precision="float32",
    network=UNet2015Recipe(in_channels=3, base_width=4, depth=2),
    input=InputSpec((32, 32), Intensity.SYMMETRIC, channels=3, colour=True, um_per_px=0.5),
    augmentation=AugmentationRecipe.none(),
    optimiser=OptimiserRecipe(learning_rate=2e-2, warmup_epochs=0, average_decay=0.5),
)


@pytest.fixture(scope="module")
def stained(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Discs of red on green of the same luminance."""
    folder = tmp_path_factory.mktemp("stained")
    generator = np.random.default_rng(1)
    cases = []
    for number in range(16):
        rows, columns = np.indices((32, 32))
        centre = generator.integers(8, 24, 2)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 40
        image = np.where(disc[..., None], (200, 0, 0), (0, 102, 0)).astype(np.uint8)
        path, mask = folder / f"{number}.png", folder / f"{number}_mask.png"
        write_png(path, image)
        write_png(mask, disc)
        name, kind = str(number), Modality.HISTOPATHOLOGY
        cases.append(ColourRef(name, name, "malignant", "stained", path, (mask,), modality=kind))
    return tuple(cases)


def test_batches_carry_three_channels(stained: Cases) -> None:
    prepared = prepare_cases(stained, RECIPE.input)
    assert prepared.images.shape == (16, 3, 32, 32)
    images, targets = prepared.batch(np.array([0, 3]))
    assert images.shape == (2, 3, 32, 32)
    inside = targets[:, 0] > 0
    assert images.movedim(1, 3)[inside].unique(dim=0).tolist() == [[200, 0, 0]]
    grey = prepare_cases(stained, replace(RECIPE.input, colour=False))
    assert grey.images.shape == (16, 32, 32)


def test_colour_is_learnt_and_the_bundle_sees_it(stained: Cases, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    watched = tuple(replace(case, source="watched") for case in stained[12:])
    sides = {"stained": stained[:12], "watched": watched}
    fit(RECIPE, sides, run, Hardware(threads=1), Origin(tmp_path))
    about = About("stained", "1.0", Modality.HISTOPATHOLOGY, "discs", ("discs",))
    bundle = make_bundle(run.root, tmp_path / "bundle", about)
    assert bundle.input == RECIPE.input
    prepared = prepare_cases(stained, RECIPE.input)
    network = build_network(RECIPE.network)
    load_network_weights(network, run.last_weights)
    task = SegmentationTask(RECIPE, network, 1).eval()
    with torch.inference_mode():
        unit = prepared.batch(np.arange(2))[0].float() / 255
        wanted = torch.sigmoid(network(task.inputs(unit))).numpy()[:, 0]
    segmenter = OnnxSegmenter(tmp_path / "bundle", threads=1)
    case = stained[0].load()
    found = segmenter.segment(case.images[0])
    np.testing.assert_allclose(found.probability, wanted[0], atol=0.005)
    truth = case.mask.foreground
    outlined = found.mask().foreground
    assert 2 * (outlined & truth).sum() / (outlined.sum() + truth.sum()) > 0.8
    assert "red, green and blue on their full range" in found.provenance.steps
    members = Ensemble([segmenter]).segment(case.images[0])
    np.testing.assert_allclose(members.probability, found.probability, atol=1e-5)


def test_colour_needs_three_channels() -> None:
    with pytest.raises(BundleError, match=r"colour with 1 channels. Expected: 3 channels"):
        InputSpec(colour=True)
    with pytest.raises(BundleError, match="um_per_px = 0"):
        InputSpec(um_per_px=0.0)


def test_teachers_see_grey() -> None:
    with pytest.raises(RecipeError, match="distillation with classes or colour"):
        replace(RECIPE, distillation=DistillationRecipe(("ultrasound",)))
