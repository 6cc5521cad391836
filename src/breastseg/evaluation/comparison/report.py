"""Writing a comparison: a page for people, and the same for journals and for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from breastseg.data.dataset import CaseRef
from breastseg.evaluation.comparison.cell import Cell, Comparison
from breastseg.evaluation.comparison.drawing import Drawing
from breastseg.evaluation.comparison.examples import Scene, scenes, with_error_maps
from breastseg.evaluation.comparison.figures import drawings
from breastseg.evaluation.comparison.records import comparison_csv, comparison_json, versions
from breastseg.evaluation.comparison.results import Results, summarise_comparison
from breastseg.evaluation.comparison.statements import NOTICE, findings, how, subtitle
from breastseg.evaluation.comparison.table import Table, markdown
from breastseg.evaluation.comparison.tables import tables
from breastseg.evaluation.statistics import RESAMPLES
from breastseg.io.overlay import PREDICTION_RGB, TRUTH_RGB
from breastseg.io.write import write_text
from breastseg.results.page import page_environment

TITLE = "Comparison of breast lesion segmentation methods"
_TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class Chapter:
    """What is read together.

    Attributes:
        name: for links.
        title: above it.
        drawings: its figures.
        tables: its tables.
    """

    name: str
    title: str
    drawings: tuple[Drawing, ...]
    tables: tuple[Table, ...]


# Which figures and tables are read together; of the tables, by how their names begin.
_CHAPTERS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "agreement": ("Overlap", ("dice",), "overlap"),
    "against": ("Against the baseline", ("difference",), "paired"),
    "detection": ("Lesions found", ("found",), "detection"),
    "border": ("Borders", (), "borders"),
    "where": ("Where it is hard", ("subgroups",), "subgroups"),
    "probability": ("Probabilities", ("reliability",), "-"),
}


def write_comparison(
    comparison: Comparison,
    folder: Path,
    cases: Sequence[CaseRef],
    command: str,
    images: bool = True,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Results:
    """Write ``report.html``, ``report.md``, ``comparison.csv``, ``comparison.json``, ``figures/``.

    The page is one file that opens and prints without a network.

    Args:
        comparison: what to report.
        folder: made if it is missing; files of these names in it are replaced.
        cases: to show images of.
        command: how to repeat it.
        images: show some cases; without them no image is in the report.
        resamples: of the bootstrap, at least 1.
        seed: of the bootstrap.

    Returns:
        The figures that were written.

    Raises:
        InputError: a file cannot be written.
    """
    comparison = _without_folders(comparison, cases)
    cases = [ref for ref in cases if ref.key not in comparison.unscored]
    results = summarise_comparison(comparison, resamples, seed)
    figures = tuple(drawings(results))
    laid_out = chapters(figures, tuple(tables(results)))
    shown = scenes(results, cases) if images and results.ranking is not None else ()
    for drawing in figures:
        write_text(folder / "figures" / f"{drawing.name}.svg", drawing.svg + "\n")
    write_text(folder / "comparison.csv", comparison_csv(comparison))
    write_text(folder / "comparison.json", comparison_json(results, how(results), command))
    write_text(folder / "report.md", in_markdown(results, laid_out, command))
    write_text(folder / "report.html", page(results, laid_out, shown, command))
    return results


def _without_folders(comparison: Comparison, cases: Sequence[CaseRef]) -> Comparison:
    """Errors that name a file without the folder it is in: a report is passed on."""
    folders = {ref.key: {path.parent for path in ref.files} for ref in cases}

    def plain(key: str, error: str) -> str:
        for folder in folders.get(key, ()):
            error = error.replace(f"{folder}{os.sep}", "")
        return error

    def told(cell: Cell) -> Cell:
        error = cell.row.error
        if error is None:
            return cell
        return replace(cell, row=replace(cell.row, error=plain(cell.row.key, error)))

    cells = {label: tuple(map(told, column)) for label, column in comparison.cells.items()}
    unscored = {key: plain(key, why) for key, why in comparison.unscored.items()}
    return replace(comparison, cells=cells, unscored=unscored)


def chapters(figures: Sequence[Drawing], made: Sequence[Table]) -> tuple[Chapter, ...]:
    """Figures and tables in the order in which they are read; a chapter without either is none."""
    found = (
        Chapter(
            name,
            title,
            tuple(drawing for drawing in figures if drawing.name in drawn),
            tuple(table for table in made if table.name.startswith(tabled)),
        )
        for name, (title, drawn, tabled) in _CHAPTERS.items()
    )
    return tuple(chapter for chapter in found if chapter.drawings or chapter.tables)


def page(
    results: Results, laid_out: Sequence[Chapter], shown: Sequence[Scene], command: str
) -> str:
    """The report as one HTML document with all images in it.

    Args:
        results: all figures.
        laid_out: its chapters.
        shown: the cases to show; none leaves their chapter out.
        command: how to repeat it.
    """
    comparison = results.comparison
    return (
        page_environment(_TEMPLATES)
        .get_template("comparison.html")
        .render(
            title=TITLE,
            subtitle=subtitle(results),
            notice=NOTICE,
            warnings=comparison.warnings,
            findings=findings(results),
            how=how(results),
            chapters=laid_out,
            scenes=shown,
            mapped=with_error_maps(results),
            baseline=comparison.baseline,
            scored_methods=results.scored_methods,
            parameters={
                s.label: comparison.parameters.get(s.label, {}) for s in results.scored_methods
            },
            failures=_failures(results),
            cells=sum(len(cells) for cells in comparison.cells.values()),
            command=command,
            versions=versions(),
            mask_colour=_css(PREDICTION_RGB),
            truth_colour=_css(TRUTH_RGB),
        )
    )


def in_markdown(results: Results, laid_out: Sequence[Chapter], command: str) -> str:
    """Findings, protocol, tables, methods and failures as Markdown."""
    parts = [f"# {TITLE}", subtitle(results), f"**{NOTICE}**"]
    parts += [f"**Warning:** {warning}." for warning in results.comparison.warnings]
    parts.append(" ".join(findings(results)))
    parts += ["## How it was done", *how(results)]
    for chapter in laid_out:
        for table in chapter.tables:
            parts += [f"## {table.title}", table.reading, markdown(table)]
    parts.append("## Methods")
    for scored in results.scored_methods:
        info = scored.info
        text = f"- {scored.label} ({info.kind}): {info.summary}. {info.source or ''}"
        parts.append(f"{text.rstrip('. ')}. Weak where: {info.weakness or 'not stated'}.")
    failed = _failures(results)
    if failed:
        parts.append(f"## Failures ({len(failed)})")
        parts.append("\n".join(f"- {f['method']}, {f['key']}: {f['reason']}" for f in failed))
    software = ", ".join(f"{name} {found}" for name, found in versions().items())
    parts += ["## How to repeat it", f"```bash\n{command}\n```", f"{software}."]
    return "\n\n".join(parts) + "\n"


def _failures(results: Results) -> list[dict[str, str]]:
    """What could not be outlined, and why."""
    return [
        {"method": scored.label, "key": cell.row.key, "reason": cell.row.error}
        for scored in results.scored_methods
        for cell in scored.cells
        if cell.row.error is not None
    ]


def _css(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
