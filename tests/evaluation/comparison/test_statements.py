from dataclasses import replace

from breastseg.evaluation.comparison.cell import Comparison
from breastseg.evaluation.comparison.results import summarise_comparison
from breastseg.evaluation.comparison.statements import findings, how, subtitle
from breastseg.evaluation.protocol import Prompting, Protocol
from breastseg.metrics.rules import EMPTY_RULE

from .made import HABITS, Habit, made_cases, made_comparison
from .tabled import tabled


def said(comparison: Comparison) -> str:
    return " ".join(findings(summarise_comparison(comparison, resamples=200)))


def test_a_clear_lead_is_called_one() -> None:
    text = said(tabled({"base": [0.5] * 12, "better": [0.7] * 12}))
    assert "Of 2 methods, better had the highest mean Dice on 12 images with a lesion" in text
    assert "0.700 (95 % interval 0.700 to 0.700)" in text
    assert "The next was base with 0.500; image by image better is ahead by 0.200" in text
    assert "p < 0.001 after Holm's correction" in text
    assert "more than chance would explain" in text


def test_a_lead_that_may_be_chance_is_not_made_much_of() -> None:
    text = said(tabled({"base": [0.5, 0.9, 0.4, 0.8], "other": [0.6, 0.8, 0.6, 0.7]}))
    assert "do not tell the two apart" in text
    assert "more than chance" not in text


def test_one_method_is_not_compared() -> None:
    text = said(tabled({"only": [0.5, 0.7]}))
    assert "only reached a mean Dice of 0.600" in text
    assert "highest" not in text
    assert "The next" not in text


def test_misses_failures_and_false_alarms_are_counted() -> None:
    cases = made_cases(12, 2)
    comparison = made_comparison(cases, {"snake": HABITS["snake"]}, "snake")
    scores = [cell.row.score for cell in comparison.cells["snake"]]
    left = sum(score.true_lesions - score.found for score in scores)
    false = sum(score.false_positives for score in scores)
    text = said(comparison)
    assert f"snake missed {left} of 12 lesions and drew {false} false positive" in text
    assert "It failed on 1 image." in text
    assert "On 2 images without a lesion snake outlined something on none." in text


def test_alarms_are_held_against_the_most_silent_method() -> None:
    habits = {"good": Habit(alarms=True), "silent": Habit(grow=-4)}
    text = said(made_comparison(made_cases(6, 2), habits, "silent"))
    assert "good missed none of 6 lesions and drew no false positive" in text
    assert "good outlined something on 2; the fewest were outlined by silent, 0." in text


def test_the_hardest_kind_is_named_where_it_has_images_enough() -> None:
    rows = [{"label": "benign"}] * 12 + [{"label": "malignant"}] * 12
    hard = {"base": [0.9] * 12 + [0.5] * 12}
    assert "'malignant' (12 images), with a mean Dice of 0.500" in said(tabled(hard, rows=rows))
    few = {"base": [0.9] * 12 + [0.5] * 3}
    assert "hardest" not in said(tabled(few, rows=rows[:15]))


def test_a_network_that_was_trained_on_the_same_data_set_is_pointed_out() -> None:
    comparison = tabled({"a": [0.5] * 3, "b": [0.6] * 3}, rows=[{"source": "BUSI"}] * 3)
    assert "train" not in said(comparison)
    info = replace(comparison.methods["a"], kind="network", trained_on="530 images of Busi")
    trained = replace(comparison, methods={**comparison.methods, "a": info})
    assert "Of BUSI, images were used to train a: figures on it count only if" in said(trained)
    rows = [{"source": "CDD-CESM-DM"}] * 3  # the low-energy images of CDD-CESM
    part = tabled({"a": [0.5] * 3, "b": [0.6] * 3}, rows=rows)
    whole = replace(info, trained_on="421 images of CDD-CESM")
    warned = said(replace(part, methods={**part.methods, "a": whole}))
    assert "Of CDD-CESM-DM, images were used to train a" in warned
    preset = replace(comparison.methods["b"], trained_on="BUSI 98 (35 normal)")
    both = replace(comparison, methods={"a": info, "b": preset})
    assert "Of BUSI, images were used to train a and to tune b: figures" in said(both)


def test_boxes_are_said_to_measure_borders_only() -> None:
    comparison = tabled({"a": [0.5] * 3, "b": [0.6] * 3})
    boxed = replace(comparison, protocol=Protocol((64, 48), prompting=Prompting.BOX))
    assert "nothing of how lesions are found" in said(boxed)
    results = summarise_comparison(boxed, resamples=20)
    assert subtitle(results) == "2 methods on 3 images of s; each method is given a box around " + (
        "the lesion."
    )
    assert "tightest box" in how(results)[0]
    assert "64x48 pixels" in how(results)[0]


def test_the_protocol_is_told_with_the_patients() -> None:
    text = " ".join(how(summarise_comparison(made_comparison(), resamples=70, seed=4)))
    for words in (
        "14 images of 7 patients (made 14): 12 with a lesion and 2 without.",
        "70 resamples, percentile method, seed 4",
        EMPTY_RULE,
        "An image that fails has overlap 0",
        "keep the images of a patient together",
        "Wilcoxon's signed-rank test",
        "Holm's method",
        "baseline, net",
    ):
        assert words in text
    alone = made_comparison(made_cases(4, 0, stated=False))
    text = " ".join(how(summarise_comparison(alone, resamples=20)))
    assert "4 images (made 4): 4 with a lesion and none without." in text
    assert "the intervals are too narrow" in text


def test_normals_alone_are_told_by_their_alarms() -> None:
    text = said(made_comparison(made_cases(0, 4)))
    assert text == "On 4 images without a lesion net outlined something on none."
