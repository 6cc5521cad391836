"""A table as cells of text, for the page, for Markdown and for the terminal; and its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One cell of a table.

    Attributes:
        text: in full print.
        small: in small print under it, e.g. an interval; may have two lines.
        best: it is the best of its column.
    """

    text: str
    small: str = ""
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a line names it.

    Attributes:
        name: for links.
        title: above it.
        reading: how to read it.
        heads: over the columns.
        lines: as many cells as heads, each.
    """

    name: str
    title: str
    reading: str
    heads: tuple[str, ...]
    lines: tuple[tuple[Entry, ...], ...]


def markdown(table: Table) -> str:
    """A table in Markdown, the best of a column in bold."""
    lines = [[_in_markdown(entry) for entry in line] for line in table.lines]
    rows = [list(table.heads), ["---", *["---:"] * (len(table.heads) - 1)], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _in_markdown(entry: Entry) -> str:
    text = entry.text.replace("|", "\\|")
    text = f"**{text}**" if entry.best else text
    return " ".join([text, *entry.small.split("\n")]).strip()


def p_text(value: float) -> str:
    """A p-value as it is printed."""
    if math.isnan(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_phrase(value: float) -> str:
    """A p-value after the letter: "= 0.031" or "< 0.001"."""
    text = p_text(value)
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"


def signed(value: float) -> str:
    """A difference with its sign, three decimals."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def percent(value: float, digits: int = 0) -> str:
    """A fraction of 0 to 1 as a percentage."""
    return "-" if math.isnan(value) else f"{100 * value:.{digits}f} %"


def number(value: float, digits: int) -> str:
    """A number of so many decimals."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
