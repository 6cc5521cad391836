import math
from dataclasses import replace

import numpy as np
import pytest

from breastseg.core.errors import InputError
from breastseg.evaluation import mean_interval
from breastseg.evaluation.comparison.paired import METRICS, differences, holm, ranking
from breastseg.evaluation.score import ImageScore

from .tabled import tabled


def test_the_mean_difference_and_its_interval() -> None:
    generator = np.random.default_rng(0)
    base, other = generator.random((2, 30))
    patients = [str(n // 3) for n in range(30)]
    (found,) = differences(tabled({"base": base, "other": other}, patients), resamples=300, seed=5)
    assert (found.method, found.images, found.patients) == ("other", 30, 10)
    named = [f"s/{patient}" for patient in patients]
    assert found.difference.value == pytest.approx((other - base).mean())
    columns = mean_interval(other - base, named, np.random.default_rng(5), 300)
    assert found.difference.low == pytest.approx(columns.low)
    assert found.difference.high == pytest.approx(columns.high)


@pytest.mark.parametrize(("patients", "p"), [(1, 1), (2, 0.5), (5, 2 / 32), (6, 2 / 64)])
def test_the_signed_rank_test_where_all_patients_agree(patients, p) -> None:
    # Of the 2^n patterns of signs the two in which all are equal are as extreme.
    better = [0.1 * (n + 1) for n in range(patients)]
    (found,) = differences(tabled({"base": [0.0] * patients, "a": better}), resamples=10)
    assert found.p_value == pytest.approx(p)


def test_the_signed_rank_test_by_hand() -> None:
    # Differences -1, 2, 3, 4: the negative ranks sum to 1. Of 16 patterns, 2 have a sum of 0 or 1
    # on one side, and as many on the other.
    (found,) = differences(tabled({"base": [0.0] * 4, "a": [-0.1, 0.2, 0.3, 0.4]}), resamples=10)
    assert found.p_value == pytest.approx(4 / 16)


def test_patients_are_tested_and_not_images() -> None:
    # 40 images of one patient are one patient.
    values = {"base": [0.0] * 41, "a": [*[0.5] * 40, 0.2]}
    (found,) = differences(tabled(values, [*["p"] * 40, "q"]), resamples=10)
    assert (found.p_value, found.images, found.patients) == (0.5, 41, 2)
    # The mean of a patient counts: here it is zero.
    values = {"base": [0.0] * 4, "a": [0.5, -0.5, 0.25, -0.25]}
    (found,) = differences(tabled(values, ["p", "p", "q", "q"]), resamples=10)
    assert (found.p_value, found.difference.value) == (1, 0)


def test_patients_without_a_difference_are_left_out_of_the_test() -> None:
    values = {"base": [0.0] * 8, "a": [0.1, 0.2, 0.3, 0.4, 0.5, 0, 0, 0]}
    (found,) = differences(tabled(values), resamples=10)
    assert found.p_value == pytest.approx(2 / 32)
    assert found.images == 8


def test_the_same_method_twice() -> None:
    (found,) = differences(tabled({"base": [0.3, 0.5], "a": [0.3, 0.5]}), resamples=10)
    assert (found.p_value, found.p_adjusted) == (1, 1)
    assert found.difference.low == found.difference.high == 0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.5, 0.6]) == (1, 1)
    assert holm([0.02]) == (0.02,)
    assert holm([]) == ()
    with_none = holm([math.nan, 0.01, 0.02])
    assert math.isnan(with_none[0])
    assert with_none[1:] == (0.02, 0.02)


def test_the_correction_is_for_the_methods_beside_the_baseline() -> None:
    better = [0.1 * (n + 1) for n in range(6)]
    values = {"base": [0.0] * 6, "a": better, "b": better, "c": [0.0] * 6}
    found = differences(tabled(values), resamples=10)
    assert [one.method for one in found] == ["a", "b", "c"]
    assert [one.p_adjusted for one in found] == pytest.approx([3 / 32, 3 / 32, 1])


def test_normal_images_enter_where_they_are_asked_for() -> None:
    values = {"base": [0.0, 0.0, 0.0], "a": [0.5, 0.5, 1.0]}
    made = tabled(values, rows=[{}, {}, {"has_lesion": False}])
    assert differences(made, resamples=10)[0].difference.value == 0.5
    assert differences(made, keys={"s/2"}, resamples=10)[0].difference.value == 1
    assert ranking(made, resamples=10).images == 2
    nothing = differences(made, keys=(), resamples=10)[0]
    assert math.isnan(nothing.difference.value)
    assert math.isnan(nothing.p_value)
    assert (nothing.images, nothing.patients) == (0, 0)


def test_distances_that_are_undefined() -> None:
    nan = math.nan
    made = tabled(
        {"base": [0.5] * 3, "a": [0.5] * 3, "b": [0.5] * 3},
        hd95_px={"base": [10, 10, 10], "a": [8, nan, 6], "b": [nan, nan, nan]},
    )
    a, b = differences(made, "hd95_px", resamples=10)
    assert (a.difference.value, a.images, a.patients) == (-3, 2, 2)
    assert math.isnan(b.difference.value)
    assert math.isnan(b.p_adjusted)
    assert a.p_adjusted == a.p_value
    # Smaller is better, and no distance at all is last.
    ranks = ranking(made, "hd95_px", resamples=10).ranks
    assert ranks["base"].value == pytest.approx((2 + 1 + 2) / 3)
    assert ranks["a"].value == pytest.approx((1 + 2.5 + 1) / 3)
    assert ranks["b"].value == pytest.approx((3 + 2.5 + 3) / 3)
    # In millimetres nothing is known.
    assert math.isnan(differences(made, "hd95_mm", resamples=10)[0].difference.value)


def test_ranks_by_hand() -> None:
    made = tabled({"a": [0.9, 0.5, 0.7], "b": [0.8, 0.5, 0.9], "c": [0.1, 0.9, 0.1]})
    found = ranking(made, resamples=200)
    assert list(found.ranks) == ["a", "b", "c"]
    assert found.ranks["a"].value == pytest.approx((1 + 2.5 + 2) / 3)
    assert found.ranks["b"].value == pytest.approx((2 + 2.5 + 1) / 3)
    assert found.ranks["c"].value == pytest.approx((3 + 1 + 3) / 3)
    assert (found.ranks["c"].low, found.ranks["c"].high) == (1, 3)
    assert (found.images, found.patients) == (3, 3)


def test_friedman_by_its_formula() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).random((12, 4))
    values[:, 2] += 0.4
    found = ranking(tabled({name: values[:, i] for i, name in enumerate("abcd")}), resamples=10)
    sums = (4 - values.argsort(axis=1).argsort(axis=1)).sum(axis=0)
    chi2 = 12 / (12 * 4 * 5) * (sums**2).sum() - 3 * 12 * 5
    assert found.p_value == pytest.approx(stats.chi2.sf(chi2, 3))
    assert found.ranks["c"].value == pytest.approx(sums[2] / 12)


def test_friedman_where_it_says_nothing() -> None:
    assert ranking(tabled({"a": [0.1], "b": [0.2]}), resamples=10).p_value is None
    level = tabled({label: [0.5, 0.5] for label in "abc"})
    assert ranking(level, resamples=10).p_value == 1
    found = ranking(level, keys=(), resamples=10)
    assert found.p_value is not None
    assert math.isnan(found.p_value)
    assert math.isnan(found.ranks["a"].value)


def test_one_method_alone() -> None:
    made = tabled({"a": [0.1, 0.2]})
    assert differences(made) == ()
    assert ranking(made, resamples=10).ranks["a"].value == 1


def test_results_repeat_and_do_not_depend_on_the_order_of_methods() -> None:
    values = np.random.default_rng(2).random((3, 20))
    made = tabled(dict(zip("abc", values, strict=True)))
    assert differences(made, resamples=50) == differences(made, resamples=50)
    turned = replace(made, cells={label: made.cells[label] for label in "cab"})
    turned = replace(turned, methods={label: made.methods[label] for label in "cab"})
    by_label = {one.method: one for one in differences(turned, resamples=50)}
    for one in differences(made, resamples=50):
        other = by_label[one.method]
        assert other.difference.low == pytest.approx(one.difference.low)
        assert other.p_adjusted == one.p_adjusted


def test_the_metrics_are_scores() -> None:
    assert set(METRICS) <= set(ImageScore.__dataclass_fields__)
    with pytest.raises(InputError, match=r"metric 'nonsense'. Expected: one of dice, iou"):
        differences(tabled({"a": [0.1], "b": [0.2]}), "nonsense")
    with pytest.raises(InputError, match="metric 'found'"):
        ranking(tabled({"a": [0.1], "b": [0.2]}), "found")
