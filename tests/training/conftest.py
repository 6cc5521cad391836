"""A small data set on disk and a recipe that trains on it in a second."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef
from breastseg.io.write import write_png

RECIPE = """
name = "tiny"
epochs = 3
batch_size = 4
small_epochs = 1
small_size = [16, 16]
precision = "float32"
[[sources]]
name = "blobs"
train = "all"
validation = "none"
[[sources]]
name = "watched"
train = "none"
validation = "all"
[network]
name = "unet2015"
base_width = 4
depth = 2
dropout = 0.1
[input]
size = [32, 32]
[optimiser]
learning_rate = 1e-2
warmup_epochs = 0
"""


def write_blobs(folder: Path, count: int, source: str) -> tuple[CaseRef, ...]:
    """Noise with a dark disc; every fifth case has none."""
    generator = np.random.default_rng(5)
    cases = []
    for number in range(count):
        rows, columns = np.indices((40, 48))
        centre = generator.integers(12, 28, 2)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 64
        disc &= number % 5 != 4
        image = generator.integers(120, 200, (40, 48)) - 100 * disc
        path, mask = folder / f"{number}.png", folder / f"{number}_mask.png"
        write_png(path, image.astype(np.uint8))
        write_png(mask, disc.astype(np.uint8) * 255)
        label = "benign" if disc.any() else "normal"
        case = CaseRef(str(number), str(number), label, source, path, (mask,))
        cases.append(replace(case, modality=Modality.ULTRASOUND))
    return tuple(cases)


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> tuple[CaseRef, ...]:
    return write_blobs(tmp_path_factory.mktemp("blobs"), 16, "blobs")


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="session")
def sides(
    blobs: tuple[CaseRef, ...], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[CaseRef, ...]]:
    """What to learn from, and what to watch."""
    watched = write_blobs(tmp_path_factory.mktemp("watched"), 5, "watched")
    return {"blobs": blobs, "watched": watched}
