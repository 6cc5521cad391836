"""What all figures of a comparison share: their look, and how they become SVG text.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which readers with any common
form of colour blindness can tell apart. Each goes with a marker of its own, so that a figure can
also be read in grey.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from breastseg.evaluation.comparison.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, LINE, OTHER = "#1c2329", "#5c6770", "#d9dee2", "#9aa3ab"
_HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_MARKERS = ("s", "^", "D", "v", "P")
HIGHLIGHTS = 1 + len(_HUES)
"""How many methods have a colour of their own: the baseline and the best others."""
WIDTH = 9.0
"""Of a figure, in inches; a page shows it at the width of its text."""

_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"


@dataclass(frozen=True)
class Drawing:
    """A figure, ready for a page or a file.

    Attributes:
        name: of its file, without suffix.
        title: above it.
        alt: what it shows, for who cannot see it.
        reading: how to read it, in a sentence.
        svg: one ``<svg>`` element.
    """

    name: str
    title: str
    alt: str
    reading: str
    svg: str


@dataclass(frozen=True)
class Style:
    """How a method is drawn.

    Attributes:
        colour: of its marks.
        marker: their shape, as matplotlib names it.
        shown: it has a colour of its own, and is drawn above the others.
    """

    colour: str
    marker: str
    shown: bool

    @property
    def order(self) -> int:
        """What is drawn later lies above."""
        return 4 if self.shown else 3


def styles(results: Results) -> Mapping[str, Style]:
    """Colours for the baseline, the best network and classical methods, and grey for the rest."""
    ranked = [scored.label for scored in results.scored_methods]
    baseline = results.comparison.baseline
    others = [label for label in ranked if label != baseline]
    kinds = {label: results.comparison.methods[label].kind for label in others}
    networks = [label for label in others if kinds[label] == "network"]
    classical = [label for label in others if kinds[label] != "network"]
    half = (HIGHLIGHTS - 1) // 2
    room = max(half, HIGHLIGHTS - 1 - len(classical))
    chosen = networks[:room]
    chosen += classical[: HIGHLIGHTS - 1 - len(chosen)]
    chosen.sort(key=ranked.index)
    grey = Style(OTHER, "o", False)
    found = dict.fromkeys(ranked, grey)
    found[baseline] = Style(INK, "o", True)
    for label, hue, marker in zip(chosen, _HUES, _MARKERS, strict=False):
        found[label] = Style(hue, marker, True)
    return found


def canvas(height: float) -> tuple[Figure, Axes]:
    """An empty figure with one pair of axes in the look of the house."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    return figure, axes


def plain(axes: Axes) -> None:
    """Quiet axes: no box, faint lines, small print."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    axes.tick_params(colors=SOFT, labelcolor=INK, labelsize=9, length=3, left=False)
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)


def legend(
    axes: Axes,
    where: Literal["upper left", "lower left"],
    anchor: tuple[float, float],
    columns: int = 1,
) -> None:
    """The names of the marks, without a frame.

    Args:
        axes: whose marks have labels.
        where: the corner of the legend that is placed.
        anchor: where it is placed, in fractions of the axes.
        columns: side by side.
    """
    axes.legend(
        loc=where,
        bbox_to_anchor=anchor,
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )


def label_lines(axes: Axes, labels: Sequence[str], found: Mapping[str, Style]) -> None:
    """Name the lines of a chart at its left, the first at the top; those in colour in bold."""
    axes.set_yticks(range(len(labels)), labels)
    for text, label in zip(axes.get_yticklabels(), labels, strict=True):
        text.set_fontweight("bold" if label in found and found[label].shown else "normal")
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


def side_notes(axes: Axes, head: str, notes: Sequence[str]) -> None:
    """A column of small print at the right of a chart of lines."""
    place = axes.get_yaxis_transform()
    axes.text(1.02, -0.62, head, transform=place, fontsize=8, color=SOFT, va="bottom")
    for line, note in enumerate(notes):
        axes.text(1.02, line, note, transform=place, fontsize=8, color=INK, va="center")


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """One ``<svg>`` element whose text is text; the same figure gives the same characters.

    Args:
        figure: to be drawn.
        name: put before all identifiers, so that figures can share a page.
        alt: for screen readers.
    """
    from matplotlib import rc_context
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a method may be called $1
    stream = io.StringIO()
    # Text stays text; what is referred to is named by its content and this salt, not by chance.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "breastseg"}):
        figure.savefig(stream, format="svg", transparent=True, metadata=_NO_METADATA)
    drawn = stream.getvalue()
    size = re.search(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', drawn)
    assert size is not None
    body = drawn[size.end() :]
    body = re.sub(r"<style.*?</style>", "", body, count=1, flags=re.DOTALL)
    # On a page the figures share one space of names: only what is referred to keeps its name,
    # with that of the figure before it.
    used = set(re.findall(r'(?:url\(|href=")#([\w-]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", body)
    body = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", body)
    body = re.sub(r"font-family: [^;\"]*", f"font-family: {_FONT}", body)
    # A hundredth of a point is finer than print; text between the tags is left alone.
    body = re.sub(r'"[^"<>]*"', lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m[0]), body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{size[1]}" role="img" aria-label="{escape(alt)}" '
        f'stroke-linejoin="round" stroke-linecap="butt">{body.strip()}'
    )
