"""The figures of a comparison, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from breastseg.evaluation.comparison.drawing import (
    HIGHLIGHTS,
    INK,
    LINE,
    OTHER,
    SOFT,
    Drawing,
    Style,
    canvas,
    label_lines,
    legend,
    plain,
    side_notes,
    styles,
    to_svg,
)
from breastseg.evaluation.comparison.results import ALL, LESIONS, Results, ScoredMethod
from breastseg.evaluation.comparison.table import p_text, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_HEIGHT = 0.27  # inches a method takes


def drawings(results: Results) -> Iterator[Drawing]:
    """All figures for which there is something to draw, in the order in which they are read."""
    found = styles(results)
    if results.ranking is not None:
        yield box_plots(results, found)
        if len(results.scored_methods) > 1:
            yield forest(results, found)
        yield free_response_plot(results, found)
    if results.reliabilities:
        yield reliability_plot(results, found)
    if results.subgroups:
        yield subgroup_plot(results, found)


def box_plots(results: Results, found: Mapping[str, Style]) -> Drawing:
    """Dice of each method over the images with a lesion."""
    scored_methods = results.scored_methods
    figure, axes = canvas(0.9 + _LINE_HEIGHT * len(scored_methods))
    stats, nothing = [], []
    for scored in scored_methods:
        dice = np.array([row.score.dice for row in scored.lesion_rows])
        low, first, middle, third, high = np.percentile(dice, (5, 25, 50, 75, 95))
        ends = {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high}
        stats.append(ends | {"mean": dice.mean(), "fliers": []})
        nothing.append(percent(float((dice == 0).mean())))
    lines = range(len(scored_methods))
    boxes = axes.bxp(
        stats,
        positions=lines,
        orientation="horizontal",
        widths=0.56,
        patch_artist=True,
        showmeans=True,
        showfliers=False,
        showcaps=False,
        medianprops={"color": INK, "linewidth": 1.6},
        whiskerprops={"color": SOFT},
        meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": INK},
    )
    for line, scored in enumerate(scored_methods):
        style = found[scored.label]
        boxes["boxes"][line].set(facecolor=style.colour, alpha=0.45, edgecolor=INK, linewidth=0.7)
        boxes["means"][line].set(markersize=4.5, markeredgewidth=0.9)
    label_lines(axes, [scored.label for scored in scored_methods], found)
    side_notes(axes, "no overlap", nothing)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("Dice of an image", fontsize=9, color=INK)
    alt = "Box plots of Dice. " + "; ".join(
        f"{s.label}: median {stat['med']:.2f}, quartiles {stat['q1']:.2f} and {stat['q3']:.2f}"
        for s, stat in zip(scored_methods, stats, strict=True)
    )
    reading = (
        "The box holds the middle half of the images, the bar in it is the median, the diamond the "
        "mean; the line runs from the 5th to the 95th percentile. A long line to the left is a "
        "method that is good on most images and far off on some. At the right: on how many images "
        "the mask shares no pixel with the lesion."
    )
    return Drawing("dice", "Dice, image by image", alt, reading, to_svg(figure, "dice", alt))


def forest(results: Results, found: Mapping[str, Style]) -> Drawing:
    """Differences to the baseline with their intervals."""
    baseline = results.comparison.baseline
    pairs = [(s.label, s.difference) for s in results.scored_methods if s.difference is not None]
    figure, axes = canvas(0.95 + _LINE_HEIGHT * len(pairs))
    axes.axvline(0, color=INK, linewidth=1)
    for line, (label, apart) in enumerate(pairs):
        style, value = found[label], apart.difference
        sure = apart.p_adjusted < 0.05
        colour = style.colour if style.shown else SOFT
        axes.plot((value.low, value.high), (line, line), color=colour, linewidth=1.8)
        axes.plot(
            value.value,
            line,
            marker="s",
            markersize=6,
            color=colour,
            markerfacecolor=colour if sure else "white",
        )
    label_lines(axes, [label for label, _ in pairs], found)
    side_notes(axes, "p, Holm", [p_text(apart.p_adjusted) for _, apart in pairs])
    axes.set_xlabel(
        f"Dice less that of {baseline} (right of the line: better than it)", fontsize=9, color=INK
    )
    alt = f"Mean difference in Dice to {baseline} with 95 % interval. " + "; ".join(
        f"{label}: {a.difference.value:+.3f}"
        + f", {a.difference.low:+.3f} to {a.difference.high:+.3f}" * math.isfinite(a.difference.low)
        for label, a in pairs
    )
    reading = (
        f"Each method against {baseline} on the same images: mean difference in Dice and its 95 % "
        "interval. A full square differs at the 5 % level after Holm's correction, an open one "
        "may owe its place to chance."
    )
    title = f"Difference to {baseline}"
    return Drawing("difference", title, alt, reading, to_svg(figure, "difference", alt))


def free_response_plot(results: Results, found: Mapping[str, Style]) -> Drawing:
    """Lesions found over false positives: a curve for graded methods, a point for the others."""
    figure, axes = canvas(4.4)
    points = {s.label: _operating_point(s) for s in results.scored_methods}
    reach = max(0.2, *(false for false, _ in points.values()))
    lowest = min(fraction for _, fraction in points.values())
    for label, curve in results.curves.items():
        style = found[label]
        axes.step(
            *zip(*_staircase(curve, 9 * reach), strict=True),
            where="post",
            color=style.colour,
            linewidth=1.6 if style.shown else 0.9,
            zorder=style.order,
        )
    for label, (false, fraction) in points.items():
        style = found[label]
        axes.plot(
            false,
            fraction,
            marker=style.marker,
            markersize=8 if style.shown else 5,
            color=style.colour,
            markeredgecolor="white",
            linestyle="none",
            zorder=style.order + 2,
            label=f"{label}: {percent(fraction)} at {false:.2f}" if style.shown else "_",
        )
    axes.set_xlim(-0.03 * reach, 1.3 * reach)
    axes.set_ylim(max(-0.02, math.floor(10 * lowest - 1) / 10), 1.02)
    legend(axes, "upper left", (1.01, 1))
    axes.set_xlabel("False positives per image", fontsize=9, color=INK)
    axes.set_ylabel("Fraction of lesions found", fontsize=9, color=INK)
    alt = "Lesions found over false positives per image. " + "; ".join(
        f"{label}: {percent(fraction)} found at {false:.2f}"
        for label, (false, fraction) in points.items()
    )
    reading = (
        "Up and to the left is better: more lesions found with fewer false positives. The mark is "
        "the method's own operating point. A method whose probability is graded also has a line: "
        "the fraction it finds with no more false positives than that at some threshold, picked on "
        "these images and so a little flattering. One that gives a mask and no grades is a "
        "point. The axis of lesions found need not start at 0."
        + ("" if len(points) <= HIGHLIGHTS else " Methods in grey are in the table below.")
    )
    svg = to_svg(figure, "found", alt)
    return Drawing("found", "Lesions found and false positives", alt, reading, svg)


def _staircase(curve: Sequence[tuple[float, float]], end: float) -> Sequence[tuple[float, float]]:
    """The most lesions found with at most so many false positives, drawn on to `end`.

    The counts themselves go to and fro with the threshold: regions melt together and fall apart.
    """
    best, stairs = -1.0, []
    for false, fraction in sorted(curve, key=lambda point: (point[0], -point[1])):
        if fraction > best:
            best = fraction
            stairs.append((false, fraction))
    return [*stairs, (max(end, stairs[-1][0]), best)]


def _operating_point(scored: ScoredMethod) -> tuple[float, float]:
    """False positives per image, and the fraction of lesions found."""
    false = scored.figure("false_positives_per_image", ALL)
    found = scored.figure("lesions_found", LESIONS)
    return (0.0 if false is None else false.value), (0.0 if found is None else found.value)


def reliability_plot(results: Results, found: Mapping[str, Style]) -> Drawing:
    """What fraction of pixels is lesion where a method gives some probability."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    plain(upper)
    plain(lower)
    upper.plot((0, 1), (0, 1), color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    for label, calibration in results.reliabilities.items():
        style = found[label]
        known = calibration.counts > 0
        stated = calibration.mean[known]
        look = {
            "color": style.colour,
            "marker": style.marker,
            "markersize": 5 if style.shown else 3,
            "linewidth": 1.5 if style.shown else 0.8,
            "zorder": style.order,
        }
        name = f"{label} (error {calibration.expected_error:.3f})" if style.shown else "_"
        upper.plot(stated, calibration.observed[known], label=name, **look)
        lower.plot(stated, calibration.counts[known], **look)
    legend(upper, "upper left", (0, 1))
    upper.set_ylim(-0.02, 1.02)
    upper.set_xlim(-0.02, 1.02)
    upper.set_ylabel("Fraction that is lesion", fontsize=9, color=INK)
    lower.set_yscale("log")
    lower.yaxis.set_major_formatter(lambda n, _: f"{n:,.0f}")
    lower.minorticks_off()
    lower.set_ylabel("Pixels", fontsize=9, color=INK)
    lower.set_xlabel("Probability that the method gives", fontsize=9, color=INK)
    alt = "Reliability diagram. " + "; ".join(
        f"{label}: calibration error {found.expected_error:.3f}"
        for label, found in results.reliabilities.items()
    )
    reading = (
        "On the dashed line a probability means what it says: of the pixels given 0.8, four in "
        "five are lesion. Below it a method is overconfident, above it too cautious. The "
        "lower part says how many pixels stand behind each point, on a scale of powers of ten. The "
        "error in brackets is the expected calibration error over all pixels; most are background, "
        "so it is small for every method and of use between methods only."
    )
    svg = to_svg(figure, "reliability", alt)
    return Drawing("reliability", "Probability and ground truth", alt, reading, svg)


def subgroup_plot(results: Results, found: Mapping[str, Style]) -> Drawing:
    """Mean Dice of each method on each subgroup."""
    names = list(results.subgroups)
    shown = [s.label for s in results.scored_methods if found[s.label].shown]
    others = [s.label for s in results.scored_methods if not found[s.label].shown]
    figure, axes = canvas(1.3 + 0.42 * len(names))
    offsets = np.linspace(-0.28, 0.28, len(shown)) if len(shown) > 1 else np.zeros(1)
    for label, offset in zip(shown, offsets, strict=True):
        ends, places = [], []
        for line, name in enumerate(names):
            dice = results.subgroups[name][label].figures["dice"]
            ends += [dice.low, dice.high, math.nan]  # one path with gaps, for a small file
            places += [line + float(offset)] * 3
        axes.plot(ends, places, color=found[label].colour, linewidth=0.9)
        _dots(axes, results, [label], found[label], [float(offset)])
    if others:
        _dots(axes, results, others, Style(OTHER, "|", False), [0.0] * len(others))
    counts = [next(iter(groups.values())).images for groups in results.subgroups.values()]
    lines = [f"{name} (n = {n})" for name, n in zip(names, counts, strict=True)]
    label_lines(axes, lines, {})
    for line in range(1, len(names)):
        axes.axhline(line - 0.5, color=LINE, linewidth=0.6)
    axes.set_xlabel("Mean Dice", fontsize=9, color=INK)
    legend(axes, "lower left", (0, 1), columns=4)
    alt = "Mean Dice by subgroup. " + "; ".join(
        f"{name}: "
        + ", ".join(f"{m} {groups[m].figures['dice'].value:.2f}" for m in shown if m in groups)
        for name, groups in results.subgroups.items()
    )
    reading = (
        "Each mark is a method's mean Dice on the images of one kind, the line its 95 % interval"
        + (", the thin strokes are the other methods" if others else "")
        + ". Marks that lie far to the left show what is hard; long lines, that there are few such "
        "images. Subgroups overlap and none of this is corrected for looking many times."
    )
    return Drawing("subgroups", "By kind of image", alt, reading, to_svg(figure, "subgroups", alt))


def _dots(
    axes: Axes, results: Results, labels: Sequence[str], style: Style, offsets: Sequence[float]
) -> None:
    """Marks of one or more methods on all subgroups."""
    places = [
        (groups[label].figures["dice"].value, line + offset)
        for label, offset in zip(labels, offsets, strict=True)
        for line, groups in enumerate(results.subgroups.values())
    ]
    axes.plot(
        *zip(*places, strict=True),
        linestyle="none",
        marker=style.marker,
        markersize=6,
        color=style.colour,
        zorder=style.order,
        label=labels[0] if style.shown else f"{len(labels)} other methods",
    )
