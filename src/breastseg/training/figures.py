"""The best, median and worst validation cases of a run, drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from breastseg.io.write import replacing
from breastseg.training.sampler import PreparedCases, lesion_map
from breastseg.training.task import SegmentationTask, batch_dice

MASK, TRUTH = "#e69f00", "#56b4e9"  # told apart by colour-blind readers (Okabe and Ito)


def draw_overlays(
    task: SegmentationTask, validation: PreparedCases, path: Path, each: int = 4
) -> None:
    """Draw the best, median and worst validation lesions with mask and ground truth.

    Args:
        task: the trained network.
        validation: cases; those without a lesion are left out.
        path: the PNG.
        each: cases a row.
    """
    from matplotlib.figure import Figure

    rows = np.flatnonzero(validation.has_lesion)
    if rows.size == 0:
        return
    task.eval()
    probabilities, scores = [], []
    with torch.inference_mode():
        for part in np.array_split(rows, -(-rows.size // 32)):
            images, targets = validation.batch(part)
            predicted = task.predict_average(images.to(task.device)).cpu()
            scores.append(batch_dice(predicted, task.targets(targets[:, :1])).numpy())
            probabilities.append(predicted[:, 0].numpy())
    probability, dice = np.concatenate(probabilities), np.concatenate(scores)
    ranked = np.argsort(-dice, kind="stable")
    each = min(each, len(ranked))
    middle = (len(ranked) - each) // 2
    chosen = {
        "best": ranked[:each],
        "median": ranked[middle : middle + each],
        "worst": ranked[-each:],
    }
    figure = Figure(figsize=(2.6 * each, 8.4), layout="constrained")
    grid = figure.subplots(3, each, squeeze=False)
    for axes_row, (title, picks) in zip(grid, chosen.items(), strict=True):
        for axes, pick in zip(axes_row, picks, strict=True):
            row = rows[pick]
            picture = validation.images[row]
            shown = np.moveaxis(picture, 0, 2) if picture.ndim == 3 else picture
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255)
            axes.contour(lesion_map(validation.labels[row]), [0.5], colors=TRUTH, linewidths=1)
            if (probability[pick] >= 0.5).any():
                axes.contour(probability[pick], [0.5], colors=MASK, linewidths=1)
            case = validation.cases[row]
            axes.set_title(f"{title}: {case.case_id}\nDice {dice[pick]:.3f}", fontsize=8)
            axes.axis("off")
    figure.suptitle("mask orange, ground truth blue", fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
