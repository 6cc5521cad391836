import math

from breastseg.evaluation.comparison.results import ALL, LESIONS, NORMALS, summarise_comparison
from breastseg.evaluation.run import Evaluation
from breastseg.evaluation.summary import summarise

from .made import made_cases, made_comparison
from .tabled import tabled


def test_figures_are_those_of_an_evaluation_of_each_method() -> None:
    comparison = made_comparison()
    results = summarise_comparison(comparison, resamples=50, seed=3)
    for scored in results.scored_methods:
        rows = tuple(cell.row for cell in comparison.cells[scored.label])
        groups = summarise(Evaluation(scored.label, rows), resamples=50, seed=3).groups
        assert scored.groups == {name: groups[name] for name in (ALL, LESIONS, NORMALS)}


def test_the_best_is_held_against_the_second_whatever_the_baseline() -> None:
    dice = {"base": [0.1] * 8, "second": [0.5] * 8, "best": [0.7] * 8}
    results = summarise_comparison(tabled(dice), resamples=50)
    assert [scored.label for scored in results.scored_methods] == ["best", "second", "base"]
    assert results.runner_up is not None
    assert results.runner_up.method == "second"
    assert math.isclose(results.runner_up.difference.value, -0.2)
    assert results.scored("base").difference is None
    against = results.scored("best").difference
    assert against is not None
    assert math.isclose(against.difference.value, 0.6)


def test_only_graded_methods_have_curves() -> None:
    results = summarise_comparison(made_comparison(), resamples=20)
    assert set(results.curves) == set(results.reliabilities) == {"net"}


def test_patients_are_stated_where_one_has_a_name_of_its_own() -> None:
    known = summarise_comparison(made_comparison(made_cases(4)), resamples=20)
    unknown = summarise_comparison(made_comparison(made_cases(4, stated=False)), resamples=20)
    assert (known.patients_stated, unknown.patients_stated) == (True, False)


def test_subgroups_hold_the_lesions_of_each_kind() -> None:
    results = summarise_comparison(made_comparison(), resamples=20)
    assert {label: group.images for label, group in results.subgroups["benign"].items()} == {
        "otsu": 6,
        "net": 6,
        "snake": 6,
    }
    benign = [row.score.dice for row in results.scored("net").lesion_rows if row.label == "benign"]
    value = results.subgroups["benign"]["net"].figures["dice"].value
    assert math.isclose(value, sum(benign) / 6)


def test_normals_alone_have_neither_ranks_nor_differences() -> None:
    results = summarise_comparison(made_comparison(made_cases(0, 3)), resamples=20)
    assert results.ranking is None
    assert results.runner_up is None
    assert not results.subgroups
    assert math.isnan(results.best.dice)
