"""Distillation: a small network learns from large ones.

Hinton et al. 2015, https://doi.org/10.48550/arXiv.1503.02531. There the teacher sees the same
input as its student. Here it sees each image once, before augmentation, and its map is moved with
the image. On a processor that saves more time than the student needs, and the student also learns
that a mask does not depend on grey levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from breastseg.core.bundle import OutputSpec
from breastseg.core.errors import RecipeError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.training.task import SegmentationTask

BATCH = 16


class DistillationTask(SegmentationTask):
    """Trains on the ground truth and on the teachers' map, the last target channel."""

    soft_targets = 1

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """The recipe's loss on the ground truth, cross-entropy on the teachers' probability.

        The teachers also tell of pixels of which the ground truth knows nothing.
        """
        assert self.recipe.distillation is not None
        weight = self.recipe.distillation.weight
        logits, own = self.compared(images, targets[:, :-1])
        taught = functional.binary_cross_entropy_with_logits(logits.float(), targets[:, -1:])
        return weight * taught + (1 - weight) * own


def teacher_maps(
    images: NDArray[np.uint8], teachers: Sequence[str], base: Path
) -> NDArray[np.uint8]:
    """The teachers' mean probability of a lesion.

    Each teacher averages with the flipped image; its gates and thresholds are not applied.

    Args:
        images: (N, rows, columns), prepared.
        teachers: names of shipped bundles, or folders, also relative to `base`.
        base: the recipe's folder.

    Returns:
        (N, rows, columns), 255 for a probability of 1.

    Raises:
        RecipeError: there is no such bundle.
        BundleError: one is damaged.
    """
    total = np.zeros(images.shape, np.float32)
    for name in teachers:
        teacher = OnnxSegmenter(_folder(name, base), output=OutputSpec(flip_average=True))
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH]
            grid = Grid(part.shape[1:])
            found = teacher.segment_batch([Image(image[None], grid) for image in part])
            total[start : start + BATCH] += np.stack([one.probability for one in found])
    return np.rint(total / len(teachers) * 255).astype(np.uint8)


def _folder(name: str, base: Path) -> Path:
    shipped = shipped_bundles()
    candidates = [*([shipped[name]] if name in shipped else []), Path(name), base / name]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise RecipeError(
        f"teacher {name!r}", f"one of {', '.join(shipped)}, or the folder of a bundle"
    )
