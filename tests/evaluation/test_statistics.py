import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.errors import InputError
from breastseg.evaluation import Interval, mean_interval, ratio_intervals
from breastseg.evaluation.statistics import bracketed

few = settings(max_examples=40, deadline=None, derandomize=True)


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_two_patients_by_hand() -> None:
    # Drawn twice from {0, 1}: means 0, 1/2 and 1 with chances 1/4, 1/2, 1/4.
    assert mean_interval([0.0, 1.0], ["a", "b"], seeded()) == Interval(0.5, 0, 1)


def test_one_patient_has_no_interval() -> None:
    found = mean_interval([0.0, 1.0, 1.0, 1.0], ["a"] * 4, seeded())
    assert found.value == 0.75
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    # nor has a figure that only one of two patients enters
    left_out = mean_interval([0.5, 1.0, math.nan], ["a", "a", "b"], seeded())
    assert math.isnan(left_out.low)


def test_agrees_with_scipy_where_each_image_is_a_patient() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = seeded(1).random(60)
    ours = mean_interval(values, [str(i) for i in range(60)], seeded(), 5000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=5000, method="percentile", rng=seeded(2)
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.004)
    assert ours.high == pytest.approx(theirs.high, abs=0.004)


def test_agrees_with_a_plain_loop_over_patients() -> None:
    values, patients = seeded(3).random(30), [str(i % 7) for i in range(30)]
    members = [values[[p == name for p in patients]] for name in sorted(set(patients))]
    loop = [np.concatenate([members[i] for i in seeded(s).integers(7, size=7)]).mean()
            for s in range(3000)]  # fmt: skip
    ours = mean_interval(values, patients, seeded(), 3000)
    assert ours.value == pytest.approx(values.mean())
    assert [ours.low, ours.high] == pytest.approx(np.percentile(loop, [2.5, 97.5]), abs=0.006)


def test_images_alike_within_a_patient_widen_the_interval() -> None:
    values = np.repeat(seeded(4).random(10), 20)
    clustered = mean_interval(values, [str(i // 20) for i in range(200)], seeded())
    pretended = mean_interval(values, [str(i) for i in range(200)], seeded())
    assert clustered.high - clustered.low > 2 * (pretended.high - pretended.low)


def test_ratio_of_totals_and_images_that_do_not_enter() -> None:
    found, there = np.array([[1.0], [0], [2], [0]]), np.array([[1.0], [1], [4], [0]])
    (interval,) = ratio_intervals(found, there, list("abcd"), seeded())
    assert interval.value == 3 / 6
    assert 0 <= interval.low <= 0.5 <= interval.high <= 1
    assert mean_interval([1.0, math.nan, 0.0], list("abc"), seeded()).value == 0.5


def test_nothing_to_average() -> None:
    for values, patients in (([], []), ([math.nan], ["a"])):
        interval = mean_interval(values, patients, seeded())
        assert math.isnan(interval.value)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


def test_many_patients_are_drawn_in_blocks(monkeypatch) -> None:
    values, patients = seeded(5).random(50), [str(i) for i in range(50)]
    whole = mean_interval(values, patients, seeded(), 300)
    monkeypatch.setattr("breastseg.evaluation.statistics._BLOCK", 50 * 7)
    assert mean_interval(values, patients, seeded(), 300) == whole


@few
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from("abcdef")),
        min_size=1,
        max_size=20,
    )
)
def test_properties(images) -> None:
    values, patients = [v for v, _ in images], [p for _, p in images]
    interval = mean_interval(values, patients, seeded(), 200)
    slack = 1e-9
    assert interval.value == pytest.approx(np.mean(values))
    if len(set(patients)) < 2:
        return
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack
    assert mean_interval(values, patients, seeded(), 200) == interval
    shifted = mean_interval([v + 1 for v in values], patients, seeded(), 200)
    assert shifted.low == pytest.approx(interval.low + 1)


def test_refuses_what_does_not_fit() -> None:
    one = np.ones((3, 1))
    with pytest.raises(InputError, match="n patients"):
        ratio_intervals(one, one, ["a"], seeded())
    with pytest.raises(InputError, match="n patients"):
        ratio_intervals(one, np.ones((3, 2)), list("abc"), seeded())
    with pytest.raises(InputError, match="finite"):
        ratio_intervals(one * np.inf, one, list("abc"), seeded())
    with pytest.raises(InputError, match="resamples"):
        ratio_intervals(one, one, list("abc"), seeded(), resamples=0)


def test_a_figure_of_one_patient_has_no_interval() -> None:
    alone = mean_interval([0.5, 1.0], ["a", "a"], seeded())
    assert (alone.value, bracketed(alone.low, alone.high)) == (0.75, "")
    assert bracketed(0.25, 1.0) == " [0.250, 1.000]"
