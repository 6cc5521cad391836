import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import pytest

from breastseg.evaluation.comparison.drawing import HIGHLIGHTS, canvas, styles, to_svg
from breastseg.evaluation.comparison.figures import _staircase, drawings
from breastseg.evaluation.comparison.results import Results, summarise_comparison

from .made import HABITS, Habit, made_cases, made_comparison
from .tabled import tabled

MANY = HABITS | {
    f"method-{n}": Habit(grow=n % 5 - 2, shift=n % 7 - 3, spread=1 + n % 4, network=n % 5 == 0)
    for n in range(17)
}


@pytest.fixture(scope="module")
def results() -> Results:
    return summarise_comparison(made_comparison(), resamples=50)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if "text" in element.tag]


def test_every_figure_is_one_svg_with_text_as_text(results: Results) -> None:
    made = {drawing.name: drawing for drawing in drawings(results)}
    assert list(made) == ["dice", "difference", "found", "reliability", "subgroups"]
    for drawing in made.values():
        root = ET.fromstring(drawing.svg)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == drawing.alt
        assert drawing.reading.endswith(".")
        assert len(drawing.svg) < 60_000
    for name in ("dice", "difference"):
        assert {"otsu", "snake"} <= set(texts(made[name].svg))
    difference = results.scored("otsu").difference
    assert difference is not None
    assert f"{difference.p_adjusted:.3f}" in texts(made["difference"].svg)
    assert "benign (n = 6)" in texts(made["subgroups"].svg)


def test_the_same_figures_are_the_same_characters(results: Results) -> None:
    before = dict(mpl.rcParams)
    first = [drawing.svg for drawing in drawings(results)]
    assert first == [drawing.svg for drawing in drawings(results)]
    assert dict(mpl.rcParams) == before


def test_figures_of_twenty_methods_stay_small_and_few_are_in_colour() -> None:
    results = summarise_comparison(made_comparison(made_cases(24, 3), MANY), resamples=20)
    found = styles(results)
    shown = {label for label, style in found.items() if style.shown}
    assert len(shown) == HIGHLIGHTS
    assert "net" in shown
    assert results.best.label in shown
    ranked = [scored.label for scored in results.scored_methods if scored.label != "net"]
    classical = [label for label in ranked if not MANY[label].network]
    networks = [label for label in ranked if MANY[label].network]
    assert shown == {"net", *classical[:3], *networks[:2]}
    marks = [(style.colour, style.marker) for style in found.values() if style.shown]
    assert len({colour for colour, _ in marks}) == len({marker for _, marker in marks}) == 6
    for drawing in drawings(results):
        assert len(drawing.svg) < 60_000, drawing.name


def test_figures_on_one_page_share_no_name(results: Results) -> None:
    page = "".join(drawing.svg for drawing in drawings(results))
    names = re.findall(r' id="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', page)) <= set(names)


def test_a_label_is_neither_markup_nor_mathematics() -> None:
    label = 'a<b> & "c" $x$'
    results = summarise_comparison(tabled({"base": [0.2, 0.4], label: [0.5, 0.6]}), resamples=20)
    for drawing in drawings(results):
        assert label in ET.fromstring(drawing.svg).attrib["aria-label"]
    dice = next(drawings(results)).svg
    assert label in texts(dice)


def test_numbers_of_a_path_are_rounded_and_those_in_print_are_not() -> None:
    figure, axes = canvas(1)
    axes.text(0.5, 0.5, "0.12345")
    axes.plot((0, 1 / 3), (0, 1))
    svg = to_svg(figure, "one", "a line")
    assert "0.12345" in texts(svg)
    path = " ".join(re.findall(r' d="([^"]+)"', svg))
    assert max(len(part) for part in re.findall(r"\.(\d+)", path)) <= 2


def test_one_method_or_none_with_a_lesion() -> None:
    alone = summarise_comparison(tabled({"only": [0.5, 0.7, 0.0]}), resamples=20)
    assert [drawing.name for drawing in drawings(alone)] == ["dice", "found", "subgroups"]
    normals = summarise_comparison(made_comparison(made_cases(0, 3)), resamples=20)
    assert [drawing.name for drawing in drawings(normals)] == ["reliability"]


def test_the_staircase_keeps_the_best_so_far() -> None:
    curve = [(0.4, 0.8), (0.1, 0.6), (0.2, 0.5), (0.2, 0.7), (0.3, 0.7)]
    assert list(_staircase(curve, 1.0)) == [(0.1, 0.6), (0.2, 0.7), (0.4, 0.8), (1.0, 0.8)]
