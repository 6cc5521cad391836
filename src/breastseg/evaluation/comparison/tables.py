"""The tables of a comparison."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from breastseg.evaluation.comparison.paired import Ranking
from breastseg.evaluation.comparison.results import ALL, LESIONS, NORMALS, Results, ScoredMethod
from breastseg.evaluation.comparison.table import (
    Entry,
    Table,
    number,
    p_phrase,
    p_text,
    percent,
    signed,
)
from breastseg.evaluation.statistics import Interval
from breastseg.evaluation.summary import Figure, Group


@dataclass(frozen=True)
class _Column:
    """A column of a table with a line a method.

    Attributes:
        head: over it.
        entry: what stands there.
        value: by which the best is marked; NaN for none.
        upwards: more is better; None marks none.
    """

    head: str
    entry: Callable[[ScoredMethod], Entry]
    value: Callable[[ScoredMethod], float] = lambda _: math.nan
    upwards: bool | None = None


def tables(results: Results) -> Iterator[Table]:
    """All tables, in the order in which they are read."""
    if results.ranking is not None:
        yield overlap(results)
        yield borders(results)
    yield detection(results)
    if any(scored.difference is not None for scored in results.scored_methods):
        yield paired(results)
    if results.subgroups:
        yield from by_subgroup(results)


def overlap(results: Results) -> Table:
    """How well masks cover the lesions."""
    columns = [
        _mean("Dice, mean", "dice"),
        _median("Dice, median", "dice"),
        _mean("IoU", "iou"),
        _mean("Precision", "precision"),
        _mean("Recall", "recall"),
    ]
    if results.comparison.of_volumes:
        columns.append(_length("Volume error, cm3", "volume_error_cm3", 2))
    if results.ranking is not None and len(results.scored_methods) > 1:
        ranks = results.ranking.ranks
        columns.append(
            _Column(
                "Mean rank",
                lambda s: _interval(ranks[s.label], 2),
                lambda s: ranks[s.label].value,
                upwards=False,
            )
        )
    return _table(
        results,
        "overlap",
        "Overlap with the ground truth",
        "Images with a lesion. Dice is 1 where mask and ground truth agree in every pixel and 0 "
        "where they share none; a median above the mean says that a few images were missed "
        "altogether. Per image F1 is the same number as Dice. Precision is the fraction of the "
        "mask that is lesion, recall the fraction of the lesion that is outlined."
        + (_about_ranks(results.ranking) if len(results.scored_methods) > 1 else ""),
        columns,
    )


def _about_ranks(found: Ranking | None) -> str:
    if found is None:
        return ""
    text = " The mean rank is the method's place by Dice, image by image, 1 being the best"
    if found.p_value is None or math.isnan(found.p_value):
        return f"{text}."
    return f"{text}; that all methods are alike has p {p_phrase(found.p_value)} (Friedman's test)."


def borders(results: Results) -> Table:
    """How far masks lie from the true border."""
    columns = []
    if not results.comparison.of_volumes:  # whose voxels are longer along one axis than another
        columns += [_length("HD95, px", "hd95_px", 1), _length("ASSD, px", "assd_px", 1)]
    known = [s.figure("hd95_mm") for s in results.scored_methods]
    if any(known):
        columns += [_length("HD95, mm", "hd95_mm", 2), _length("ASSD, mm", "assd_mm", 2)]
    columns.append(
        _Column("Not defined on", lambda s: Entry(str(s.groups[LESIONS].undefined_surface)))
    )
    rows = [row for row in results.best.lesion_rows if row.error is None]
    partly = any(row.score.hd95_mm is None for row in rows)
    return _table(
        results,
        "borders",
        "Distance from the true border",
        "Images with a lesion. ASSD is the mean distance between the two borders, HD95 the "
        "distance that 95 % of the border stays below: less is better. Both are undefined where "
        "nothing was outlined, and such images are left out of the mean, so a method that gives up "
        "on hard images looks better here than it is: read the last column with the others."
        + (" Millimetres are known for some of the images only." if any(known) and partly else ""),
        columns,
    )


def detection(results: Results) -> Table:
    """What was found and missed, and at which cost."""
    columns = []
    if results.ranking is not None:
        columns += [
            _fraction("Lesions found", "lesions_found"),
            _Column("Missed", lambda s: Entry(missed(s))),
            _count("False positives per lesion image", "false_positives_per_image"),
        ]
    if NORMALS in results.best.groups:
        columns += [
            _fraction("Normal images outlined", "fraction_outlined", False, NORMALS),
            _count("False positives per normal image", "false_positives_per_image", NORMALS),
        ]
    columns += [
        _Column("Time, ms", _time, _milliseconds, upwards=False),
        _Column("Failed", lambda s: Entry(str(s.failures))),
    ]
    least = results.comparison.protocol.min_iou
    return _table(
        results,
        "detection",
        "Lesions found, false positives, and time",
        f"A lesion is found when a region reaches an IoU of {least:g} with it, that is, roughly "
        "in the right place, one region for each lesion; a region that reaches it with no "
        "lesion is a false positive. An image that failed "
        "counts as missed, and as outlined where it is normal. The time is the median for one "
        "image on one core, while other cores worked on other images: a guide, not a benchmark. An "
        "interval from 0 to 0 or 100 to 100 says that no image here was otherwise, not that none "
        "ever is.",
        columns,
    )


def paired(results: Results) -> Table:
    """Each method against the baseline, image by image."""
    baseline = results.comparison.baseline
    heads = ["Method", "Difference in Dice", "p", "p, Holm", "Better on", "Worse on", "Images"]
    if results.patients_stated:
        heads.append("Patients")
    lines = []
    for scored in results.scored_methods:
        apart = scored.difference
        if apart is None:
            continue
        gap = apart.difference
        entries = [
            Entry(scored.label),
            Entry(signed(gap.value), _small(gap, signed(gap.low), signed(gap.high))),
            Entry(p_text(apart.p_value)),
            Entry(p_text(apart.p_adjusted)),
            *(Entry(str(count)) for count in (*_sides(scored, results), apart.images)),
            Entry(str(apart.patients)),
        ]
        lines.append(tuple(entries[: len(heads)]))
    return Table(
        "paired",
        f"Dice against {baseline}, image by image",
        f"The baseline is {baseline}. Above 0 the method is better. Where the interval holds 0 and "
        "the corrected p is 0.05 or more, these images do not tell the two apart. Holm's "
        f"correction is for the {len(lines)} comparisons of this table. Better and worse: on how "
        "many images the method's Dice is above and below the baseline's.",
        tuple(heads),
        tuple(lines),
    )


_KINDS: Mapping[str, tuple[str, ...]] = {
    "By diagnosis, contrast and border": (
        *("benign", "malignant", "low contrast", "contrast", "irregular", "border"),
    ),
    "By size": ("small", "medium", "middle", "large"),
    "By source and scanner": ("source", "scanner"),
    "By other kinds": ("",),
}
"""How the names of the subgroups of one table begin."""


def by_subgroup(results: Results) -> Iterator[Table]:
    """Mean Dice on each kind of image, and the lesions found there."""
    left = list(results.subgroups)
    for title, begins in _KINDS.items():
        names = [name for name in left if name.startswith(begins)]
        left = [name for name in left if name not in names]
        if names:
            yield _table(
                results,
                f"subgroups-{title.split()[1].strip(',')}",
                title,
                "Mean Dice on images with a lesion, interval, and fraction of lesions found. "
                "Kinds overlap; one with few images says little: look at its number and interval.",
                [_subgroup(results, name) for name in names],
            )


def _subgroup(results: Results, name: str) -> _Column:
    groups = results.subgroups[name]

    def entry(scored: ScoredMethod) -> Entry:
        group = groups[scored.label]
        shown = _interval(group.figures["dice"], 3)
        return replace(shown, small=f"{shown.small}\n{percent(found(group))} found")

    return _Column(
        f"{name} (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{next(iter(groups.values())).images})",
        entry,
        lambda s: groups[s.label].figures["dice"].value,
        upwards=True,
    )


def found(group: Group) -> float:
    """Fraction of lesions found, 0 to 1; NaN where there are none."""
    figure = group.figures.get("lesions_found")
    return math.nan if figure is None else figure.value


def missed(scored: ScoredMethod) -> str:
    """Lesions missed, as "3 of 40"."""
    scores = [row.score for row in scored.lesion_rows]
    lesions = sum(score.true_lesions for score in scores)
    return f"{lesions - sum(score.found for score in scores)} of {lesions}"


def main_table(results: Results) -> Table:
    """The few columns that a terminal has room for; only Dice with its interval."""
    columns = []
    if results.ranking is not None:
        columns += [
            _mean("Dice", "dice"),
            _median("median", "dice"),
            _bare(_far(results)),
            _bare(_fraction("Found", "lesions_found")),
        ]
    if NORMALS in results.best.groups:
        columns.append(_bare(_fraction("Normals outlined", "fraction_outlined", False, NORMALS)))
    columns += [
        _Column("ms", _time, _milliseconds, upwards=False),
        _Column("Failed", lambda s: Entry(str(s.failures))),
    ]
    return _table(results, "main", "Methods, the best mean Dice first", "", columns)


def _far(results: Results) -> _Column:
    if results.comparison.of_volumes:
        return _length("HD95 mm", "hd95_mm", 1)
    return _length("HD95 px", "hd95_px", 1)


def _bare(column: _Column) -> _Column:
    """The same without small print."""
    return replace(column, entry=lambda scored: Entry(column.entry(scored).text))


def _table(
    results: Results, name: str, title: str, reading: str, columns: Sequence[_Column]
) -> Table:
    best = [_best(results.scored_methods, column) for column in columns]
    lines = []
    for scored in results.scored_methods:
        cells = [column.entry(scored) for column in columns]
        marked = (
            replace(cell, best=cell.text == top and cell.text != "-")
            for cell, top in zip(cells, best, strict=True)
        )
        lines.append((Entry(scored.label), *marked))
    return Table(name, title, reading, ("Method", *(c.head for c in columns)), tuple(lines))


def _best(scored_methods: Sequence[ScoredMethod], column: _Column) -> str | None:
    """The text of the best cell; None where it would single out no one."""
    known = [scored for scored in scored_methods if not math.isnan(column.value(scored))]
    if column.upwards is None or not known:
        return None
    pick = max if column.upwards else min
    top = column.entry(pick(known, key=column.value)).text
    alike = sum(column.entry(scored).text == top for scored in scored_methods)
    return top if alike <= max(1, len(scored_methods) // 4) else None


def _mean(head: str, name: str) -> _Column:
    return _column(head, name, LESIONS, True, lambda f: _interval(f, 3))


def _length(head: str, name: str, digits: int) -> _Column:
    return _column(head, name, LESIONS, False, lambda f: _interval(f, digits))


def _count(head: str, name: str, group: str = LESIONS) -> _Column:
    return _column(head, name, group, False, lambda f: _interval(f, 2))


def _fraction(head: str, name: str, upwards: bool = True, group: str = LESIONS) -> _Column:
    return _column(head, name, group, upwards, _percentage)


def _column(
    head: str, name: str, group: str, upwards: bool, shown: Callable[[Figure], Entry]
) -> _Column:
    def value(scored: ScoredMethod) -> float:
        figure = scored.figure(name, group)
        return math.nan if figure is None else figure.value

    def entry(scored: ScoredMethod) -> Entry:
        figure = scored.figure(name, group)
        return Entry("-") if figure is None else shown(figure)

    return _Column(head, entry, value, upwards)


def _median(head: str, name: str) -> _Column:
    def value(scored: ScoredMethod) -> float:
        figure = scored.figure(name)
        return math.nan if figure is None or figure.median is None else figure.median

    return _Column(head, lambda s: Entry(number(value(s), 3)), value, upwards=True)


def _interval(found: Figure | Interval, digits: int) -> Entry:
    low, high = (number(end, digits) for end in (found.low, found.high))
    return Entry(number(found.value, digits), _small(found, low, high))


def _percentage(figure: Figure) -> Entry:
    low, high = (number(100 * end, 1) for end in (figure.low, figure.high))
    return Entry(percent(figure.value, 1), _small(figure, low, high))


def _small(found: Figure | Interval, low: str, high: str) -> str:
    """The small print of a figure: its interval, where more than one patient gives it one."""
    return "" if math.isnan(found.low) else f"[{low}, {high}]"


def _milliseconds(scored: ScoredMethod) -> float:
    figure = scored.figure("milliseconds", ALL)
    return math.nan if figure is None or figure.median is None else figure.median


def _time(scored: ScoredMethod) -> Entry:
    return Entry(number(_milliseconds(scored), 0))


def _sides(scored: ScoredMethod, results: Results) -> tuple[int, int]:
    """On how many images with a lesion a method's Dice is above the baseline's, and below."""
    other = results.scored(results.comparison.baseline)
    gaps = [
        mine.score.dice - theirs.score.dice
        for mine, theirs in zip(scored.lesion_rows, other.lesion_rows, strict=True)
    ]
    return sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
