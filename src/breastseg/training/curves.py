"""The curves of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from breastseg.io.write import replacing

PANELS = {
    "loss": {"loss": "training", "val_loss": "validation"},
    "validation Dice (lesion images)": {"val_dice": ""},
    "fraction of normals outlined": {"val_normals_outlined": ""},
    "learning rate": {"learning_rate": ""},
}
"""What each panel shows: columns of ``metrics.csv`` and their names."""


def draw_curves(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw loss, validation and learning rate against the epoch.

    Args:
        rows: one an epoch; a value that is missing is not drawn.
        path: the PNG.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.2), layout="constrained")
    panels = figure.subplots(1, len(PANELS))
    for axes, (title, columns) in zip(panels, PANELS.items(), strict=True):
        axes.set(title=title, xlabel="epoch")
        for (name, label), colour in zip(columns.items(), ("#0072b2", "#e69f00"), strict=False):
            points = [(row["epoch"], row[name]) for row in rows if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, label=label, marker=".")
        if len(columns) > 1 and rows:
            axes.legend()
        axes.grid(alpha=0.3)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
