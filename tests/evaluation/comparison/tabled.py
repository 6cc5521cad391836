"""Comparisons written down as tables of Dice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from breastseg.core import Modality
from breastseg.evaluation.comparison.cell import Comparison, Traits
from breastseg.evaluation.comparison.cell_worker import failed_cell
from breastseg.evaluation.protocol import Protocol
from breastseg.evaluation.run import Row
from breastseg.evaluation.score import ImageScore
from breastseg.inference.methods import MethodInfo


def tabled(
    dice: Mapping[str, Sequence[float]],
    patients: Sequence[str] = (),
    rows: Sequence[Mapping[str, object]] = (),
    traits: Sequence[Mapping[str, object]] = (),
    hd95_px: Mapping[str, Sequence[float]] | None = None,
) -> Comparison:
    """Methods with their Dice on each image; the first is the baseline.

    Args:
        dice: by label, one an image.
        patients: one an image; each its own by default.
        rows: what is to be changed in the rows of each image.
        traits: likewise in its traits.
        hd95_px: by label, one an image.
    """
    count = len(next(iter(dice.values())))
    common = {
        "area_px": 10,
        "area_fraction": 0.05,
        "contrast": 0.1,
        "irregularity": 0.2,
        "lesions": 1,
    }
    known_traits = [
        Traits(f"s/{n}", **{**common, **(traits[n] if traits else {})}) for n in range(count)
    ]
    known = {
        "source": "s",
        "label": "benign",
        "scanner": None,
        "has_lesion": True,
    }
    cells = {}
    for label, values in dice.items():
        cells[label] = tuple(
            failed_cell(
                label,
                Row(
                    key=f"s/{n}",
                    patient=f"s/{patients[n] if patients else n}",
                    score=ImageScore(dice=values[n], hd95_px=hd95_px[label][n] if hd95_px else 1.0),
                    lesion_fraction=known_traits[n].area_fraction or None,
                    **{**known, **(rows[n] if rows else {})},
                ),
            )
            for n in range(count)
        )
    info = MethodInfo("m", "classical", "", "", "", Modality.UNKNOWN, True, False)
    return Comparison(
        methods=dict.fromkeys(dice, info),
        cells=cells,
        traits={one.key: one for one in known_traits},
        protocol=Protocol(),
        baseline=next(iter(dice)),
        masks=Path("masks"),
    )
