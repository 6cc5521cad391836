from dataclasses import replace

import pytest

from breastseg.evaluation.comparison.cell import Comparison
from breastseg.evaluation.comparison.results import NORMALS, Results, summarise_comparison
from breastseg.evaluation.comparison.table import (
    Entry,
    Table,
    markdown,
    number,
    p_phrase,
    p_text,
    percent,
    signed,
)
from breastseg.evaluation.comparison.tables import (
    borders,
    by_subgroup,
    detection,
    main_table,
    missed,
    overlap,
    paired,
    tables,
)

from .made import HABITS, made_cases, made_comparison
from .tabled import tabled


def of(comparison: Comparison) -> Results:
    return summarise_comparison(comparison, resamples=50)


@pytest.fixture(scope="module")
def results() -> Results:
    return of(made_comparison())


def column(table: Table, head: str) -> list[Entry]:
    place = table.heads.index(head)
    return [line[place] for line in table.lines]


def test_numbers_as_they_are_printed() -> None:
    nan = float("nan")
    assert (number(1.25, 1), number(nan, 1)) == ("1.2", "-")
    assert (p_text(0.0004), p_text(0.0312), p_text(1.0), p_text(nan)) == (
        "<0.001",
        "0.031",
        "1.000",
        "-",
    )
    assert (p_phrase(0.0004), p_phrase(0.0312)) == ("< 0.001", "= 0.031")
    assert (signed(0.05), signed(-0.05)) == ("+0.050", "\N{MINUS SIGN}0.050")
    assert (percent(0.997), percent(0.997, 1), percent(nan)) == ("100 %", "99.7 %", "-")


def test_methods_stand_by_falling_mean_dice_and_the_best_is_marked() -> None:
    table = overlap(of(tabled({"low": [0.2, 0.4], "high": [0.9, 0.7], "even": [0.5, 0.5]})))
    assert [line[0].text for line in table.lines] == ["high", "even", "low"]
    assert [entry.text for entry in column(table, "Dice, mean")] == ["0.800", "0.500", "0.300"]
    assert [entry.best for entry in column(table, "Dice, mean")] == [True, False, False]
    assert [entry.text for entry in column(table, "Mean rank")] == ["1.00", "2.00", "3.00"]
    # Two images of two patients: every resample of "even" is 0.5.
    assert column(table, "Dice, mean")[1].small == "[0.500, 0.500]"


def test_no_one_is_marked_where_many_are_best() -> None:
    table = overlap(of(tabled({"a": [0.2, 0.4], "b": [0.4, 0.2], "c": [0.1, 0.1]})))
    assert not any(entry.best for entry in column(table, "Dice, mean"))
    assert not any(entry.best for entry in column(table, "Precision"))


def test_one_method_has_no_rank_and_nobody_to_differ_from() -> None:
    found = of(tabled({"only": [0.5, 0.7]}))
    assert "Mean rank" not in overlap(found).heads
    assert "paired" not in {table.name for table in tables(found)}
    assert "Friedman" not in overlap(found).reading


def test_borders_say_on_how_many_images_they_are_undefined(results: Results) -> None:
    table = borders(results)
    assert {line[0].text: line[-1].text for line in table.lines} == {
        "net": "0",
        "otsu": "0",
        "snake": "1",
    }
    assert "HD95, mm" in table.heads
    assert "some of the images" not in table.reading
    in_pixels = borders(of(made_comparison(made_cases(4, 0, stated=False))))
    assert not any("mm" in head for head in in_pixels.heads)
    mixed = (*made_cases(4, 0), *made_cases(8, 0, stated=False)[4:])
    assert "some of the images" in borders(of(made_comparison(mixed))).reading


def test_detection_by_hand(results: Results) -> None:
    table = detection(results)
    lines = {line[0].text: dict(zip(table.heads, line, strict=True)) for line in table.lines}
    assert lines["otsu"]["Normal images outlined"].text == "100.0 %"
    assert lines["otsu"]["False positives per normal image"].text == "1.00"
    assert lines["net"]["Normal images outlined"].text == "0.0 %"
    snake = results.scored("snake")
    left = sum(row.score.found == 0 for row in snake.lesion_rows)
    assert missed(snake) == lines["snake"]["Missed"].text == f"{left} of 12"
    assert lines["snake"]["Failed"].text == "1"
    # 10 + number of each of the 14 images, one of which failed.
    assert (lines["net"]["Time, ms"].text, lines["snake"]["Time, ms"].text) == ("16", "17")


def test_detection_without_normals_or_without_lesions() -> None:
    lesions = of(made_comparison(made_cases(4, 0)))
    assert not any("ormal" in head for head in detection(lesions).heads)
    normals = of(made_comparison(made_cases(0, 4)))
    assert [table.name for table in tables(normals)] == ["detection"]
    assert "Lesions found" not in detection(normals).heads
    # The fewest false alarms come first.
    assert normals.scored_methods[-1].label == "otsu"
    assert normals.best.groups[NORMALS].images == 4
    assert "Dice" not in main_table(normals).heads


def test_differences_are_of_the_same_images() -> None:
    dice = {"base": [0.5, 0.5, 0.5, 0.5], "up": [0.6, 0.7, 0.4, 0.5]}
    table = paired(of(tabled(dice, patients=["p", "p", "q", "r"])))
    assert len(table.lines) == 1
    line = dict(zip(table.heads, (entry.text for entry in table.lines[0]), strict=True))
    assert line["Difference in Dice"] == "+0.050"
    assert (line["Better on"], line["Worse on"], line["Images"]) == ("2", "1", "4")
    assert line["Patients"] == "3"


def test_patients_are_not_counted_where_they_are_not_stated() -> None:
    table = paired(of(tabled({"base": [0.5] * 4, "up": [0.6] * 4})))
    assert "Patients" not in table.heads


def test_every_subgroup_is_in_one_table(results: Results) -> None:
    made = list(by_subgroup(results))
    heads = [head for table in made for head in table.heads[1:]]
    assert len(heads) == len(results.subgroups)
    for name in results.subgroups:
        assert sum(head.startswith(f"{name} (n") for head in heads) == 1
    assert made[0].heads[1] == "benign (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}6)"
    benign = results.subgroups["benign"]["net"].figures["dice"]
    first = made[0].lines[0][1]
    assert first.text == f"{benign.value:.3f}"
    assert first.small.endswith("found")


def test_an_unforeseen_subgroup_is_not_lost(results: Results) -> None:
    other = replace(results, subgroups={"left breast": results.subgroups["benign"]})
    assert [table.title for table in by_subgroup(other)] == ["By other kinds"]


def test_markdown_by_hand() -> None:
    lines = ((Entry("a|b"), Entry("0.9", "[0.8, 1.0]\n90 % found", best=True)),)
    assert markdown(Table("t", "T", "", ("Method", "Dice"), lines)) == (
        "| Method | Dice |\n| --- | ---: |\n| a\\|b | **0.9** [0.8, 1.0] 90 % found |"
    )


def test_the_terminal_has_room_for_the_main_table(results: Results) -> None:
    table = main_table(results)
    assert table.heads[:3] == ("Method", "Dice", "median")
    assert column(table, "Dice")[0].small
    assert not any(entry.small for entry in column(table, "Found"))
    assert len(table.lines) == len(HABITS)
