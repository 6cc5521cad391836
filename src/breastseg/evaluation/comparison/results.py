"""All figures of a comparison, computed once for the page, the tables and the files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from breastseg.evaluation.comparison.cell import Cell, Comparison
from breastseg.evaluation.comparison.curves import free_response, reliability
from breastseg.evaluation.comparison.paired import Difference, Ranking, differences, ranking
from breastseg.evaluation.comparison.subgroups import subgroups
from breastseg.evaluation.run import Row
from breastseg.evaluation.statistics import RESAMPLES
from breastseg.evaluation.summary import Figure, Group, group_figures
from breastseg.inference.methods import MethodInfo
from breastseg.metrics.calibration import ReliabilityBins

ALL, LESIONS, NORMALS = "all images", "lesion images", "normal images"


@dataclass(frozen=True)
class ScoredMethod:
    """How one method did.

    Attributes:
        label: the method.
        info: what is known of it.
        cells: one a case.
        groups: its figures on ``"all images"``, ``"lesion images"`` and ``"normal images"``, the
            latter two where there are such.
        difference: its Dice less the baseline's on the same images with a lesion; None for the
            baseline, and where there is no such image.
    """

    label: str
    info: MethodInfo
    cells: tuple[Cell, ...]
    groups: Mapping[str, Group]
    difference: Difference | None

    def figure(self, name: str, group: str = LESIONS) -> Figure | None:
        """One of its figures; None where no image enters it."""
        return self.groups[group].figures.get(name) if group in self.groups else None

    @property
    def dice(self) -> float:
        """Mean Dice on images with a lesion; NaN where there are none."""
        figure = self.figure("dice")
        return math.nan if figure is None else figure.value

    @property
    def failures(self) -> int:
        """Images that it could not segment."""
        return self.groups[ALL].failures

    @property
    def lesion_rows(self) -> tuple[Row, ...]:
        """The rows of images with a lesion."""
        return tuple(cell.row for cell in self.cells if cell.row.has_lesion)


@dataclass(frozen=True)
class Results:
    """All figures of a comparison.

    Attributes:
        comparison: what they are of.
        scored_methods: the methods, the best mean Dice first.
        ranking: the methods' places; None where no image has a lesion.
        runner_up: the best method's Dice less the second best's: differences of the second, held
            against the best; None where there is only one method or no lesion.
        subgroups: by name, by label: the method's figures on those of the images with a lesion.
        curves: by label, (false positives per image, fraction of lesions found) at rising
            thresholds; of methods whose probability is graded.
        reliabilities: by label, of the same methods.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    comparison: Comparison
    scored_methods: tuple[ScoredMethod, ...]
    ranking: Ranking | None
    runner_up: Difference | None
    subgroups: Mapping[str, Mapping[str, Group]]
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    reliabilities: Mapping[str, ReliabilityBins]
    resamples: int
    seed: int

    @property
    def best(self) -> ScoredMethod:
        """The method with the highest mean Dice."""
        return self.scored_methods[0]

    def scored(self, label: str) -> ScoredMethod:
        """How one method did."""
        return next(scored for scored in self.scored_methods if scored.label == label)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The cases, as one of the methods did on them."""
        return tuple(cell.row for cell in self.best.cells)

    @property
    def patients_stated(self) -> bool:
        """Some case names a patient that is not merely the case itself."""
        return any(row.patient != row.key for row in self.rows)


def summarise_comparison(
    comparison: Comparison, resamples: int = RESAMPLES, seed: int = 0
) -> Results:
    """Compute everything.

    Args:
        comparison: at least one method and one case.
        resamples: of the bootstrap, at least 1.
        seed: of the bootstrap.
    """
    lesions = any(cell.row.has_lesion for cell in comparison.cells[comparison.baseline])
    apart = differences(comparison, resamples=resamples, seed=seed) if lesions else ()
    against = {difference.method: difference for difference in apart}
    scored_methods = [
        ScoredMethod(label, info, cells, _groups(cells, resamples, seed), against.get(label))
        for label, info in comparison.methods.items()
        for cells in (comparison.cells[label],)
    ]
    scored_methods.sort(key=lambda s: -s.dice if lesions else _alarms(s))
    graded = [s for s in scored_methods if s.info.gives_probability]
    return Results(
        comparison=comparison,
        scored_methods=tuple(scored_methods),
        ranking=ranking(comparison, resamples=resamples, seed=seed) if lesions else None,
        runner_up=_runner_up(comparison, scored_methods, resamples, seed) if lesions else None,
        subgroups=_by_subgroup(comparison, resamples, seed),
        curves={s.label: free_response(s.cells) for s in graded},
        reliabilities={s.label: reliability(s.cells) for s in graded},
        resamples=resamples,
        seed=seed,
    )


def _groups(cells: tuple[Cell, ...], resamples: int, seed: int) -> dict[str, Group]:
    rows = [cell.row for cell in cells]
    members = {
        ALL: rows,
        LESIONS: [row for row in rows if row.has_lesion],
        NORMALS: [row for row in rows if not row.has_lesion],
    }
    return {
        name: group_figures(name, some, resamples, seed) for name, some in members.items() if some
    }


def _alarms(scored: ScoredMethod) -> float:
    """What methods are sorted by where there is no lesion: the fewest images with a mask first."""
    figure = scored.figure("fraction_outlined", ALL)
    return math.inf if figure is None else figure.value


def _runner_up(
    comparison: Comparison, scored_methods: list[ScoredMethod], resamples: int, seed: int
) -> Difference | None:
    if len(scored_methods) < 2:
        return None
    best, second = scored_methods[0].label, scored_methods[1].label
    held = replace(comparison, baseline=best)
    found = differences(held, resamples=resamples, seed=seed)
    return next((difference for difference in found if difference.method == second), None)


def _by_subgroup(comparison: Comparison, resamples: int, seed: int) -> dict[str, dict[str, Group]]:
    found: dict[str, dict[str, Group]] = {}
    for name, keys in subgroups(comparison).items():
        for label, cells in comparison.cells.items():
            rows = [cell.row for cell in cells if cell.row.key in keys and cell.row.has_lesion]
            if rows:
                found.setdefault(name, {})[label] = group_figures(name, rows, resamples, seed)
    return found
