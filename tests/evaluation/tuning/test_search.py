"""Proposals stay within bounds and depend on the past alone; what falls behind is given up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from breastseg.classical.otsu import Otsu
from breastseg.core.errors import DataSetError, InputError, MissingExtraError
from breastseg.core.parameters import parameters_of, values_of
from breastseg.evaluation.tuning import scoring
from breastseg.evaluation.tuning import search as search_module
from breastseg.evaluation.tuning.scoring import CaseDice
from breastseg.evaluation.tuning.search import (
    best_of,
    falls_behind,
    ordered_cases,
    propose,
    run_trials,
    searched_names,
)

from .made import AUTOMATIC, BOX, REFS, ScoredBy, near_the_middle, otsu_search, ref, trial

optuna = pytest.importorskip("optuna")


def test_searched_by_default_is_all_but_polarity_and_finder() -> None:
    names = searched_names(Otsu())
    assert {"shift", "context", "filters.median_px"} <= set(names)
    assert "lesion" not in names
    assert not [name for name in names if name.startswith("finder.")]


def test_names_and_beginnings_restrict_what_is_searched() -> None:
    assert searched_names(Otsu(), ["shift", "context"]) == ("context", "shift")
    finder = searched_names(Otsu(), ["finder."])
    assert finder == tuple(n for n in values_of(Otsu()) if n.startswith("finder."))
    assert searched_names(Otsu(), ["lesion"]) == ("lesion",)


@pytest.mark.parametrize("word", ["shif", "finder", "nosuch."])
def test_a_name_that_there_is_not_is_refused(word: str) -> None:
    with pytest.raises(InputError, match=f"no parameter '{word}' to search. Expected: .*shift"):
        searched_names(Otsu(), [word])


def test_the_order_of_cases_depends_on_the_seed_alone() -> None:
    first = ordered_cases(REFS, (BOX,), 3)
    assert first == ordered_cases(REFS[::-1], (BOX,), 3)
    assert sorted(one.case_id for one in first) == [one.case_id for one in REFS]
    assert first != ordered_cases(REFS, (BOX,), 4)
    assert ordered_cases(REFS, (BOX,), 3, 7) == first[:7]


def test_normals_count_only_where_the_method_is_told_nothing() -> None:
    cases = (ref("a"), ref("b", "normal"))
    assert len(ordered_cases(cases, (AUTOMATIC, BOX), 0)) == 2
    assert ordered_cases(cases, (BOX,), 0) == cases[:1]
    with pytest.raises(DataSetError, match="no case with a lesion"):
        ordered_cases(cases[1:], (BOX,), 0)
    with pytest.raises(DataSetError, match="without ground truth: made/c"):
        ordered_cases((ref("c", truth=False),), (AUTOMATIC,), 0)


def test_the_first_trial_is_the_start(scored_by: ScoredBy) -> None:
    scored_by(near_the_middle)
    start = Otsu(shift=0.2)
    search = replace(otsu_search(), start=start)
    (first,) = run_trials(search, (), 1)
    now = values_of(start)
    assert first.values == {name: now[name] for name in search.names}


def test_every_proposal_is_allowed_and_has_few_digits(
    scored_by: ScoredBy,
) -> None:
    scored_by(near_the_middle)
    method = Otsu()
    names = ("lesion", *searched_names(method))
    search = replace(otsu_search(), names=names)
    known = {one.name: one for one in parameters_of(method)}
    seen: dict[str, set[object]] = {name: set() for name in names}
    for one in run_trials(search, (), 30):
        for name, value in one.values.items():
            assert known[name].value(value) == value
            assert type(value) is known[name].kind
            assert not isinstance(value, float) or float(f"{value:.3g}") == value
            seen[name].add(value)
    assert all(len(values) > 1 for values in seen.values())


def test_a_proposal_depends_on_the_trials_and_the_seed_alone(
    scored_by: ScoredBy,
) -> None:
    scored_by(near_the_middle)
    search = otsu_search()
    trials = tuple(run_trials(search, (), 14))
    for number in (1, 5, 13):
        assert propose(search, trials[:number]) == trials[number].values
    assert propose(replace(search, seed=1), trials) != propose(search, trials)


def test_searching_improves_on_the_start(scored_by: ScoredBy) -> None:
    scored_by(near_the_middle)
    trials = tuple(run_trials(otsu_search(), (), 40))
    assert best_of(trials).objective > trials[0].objective + 0.04


def test_a_trial_falls_behind_below_the_median_of_those_that_got_as_far() -> None:
    others = [trial(0.5, 0.6, 0.7) for _ in range(4)] + [trial(0.7, 0.8, 0.9) for _ in range(4)]
    assert falls_behind([0.59], others)
    assert not falls_behind([0.6], others)
    assert falls_behind([0.65, 0.69], others)
    assert not falls_behind([0.1], others[1:])  # seven finished ones say too little
    given_up = [trial(0.1, finished=False)] * 9
    assert not falls_behind([0.2], given_up)
    assert not falls_behind([0.55], [*others, *given_up])  # the median is now 0.5


def test_a_trial_that_falls_behind_is_given_up_after_a_quarter(
    scored_by: ScoredBy,
) -> None:
    calls = scored_by(lambda *_: 0.2)
    search = replace(otsu_search(), names=("shift",))
    good = [replace(trial(0.9, 0.9, 0.9), values={"shift": 0.01}, dice=(0.9, 0.9))] * 8
    later = next(run_trials(search, good, 9))
    assert (later.images, later.finished, later.stages) == (25, False, (0.2,))
    assert calls == [25]
    assert best_of([*good, replace(later, stages=(1.0,))]).objective == 0.9


def test_few_images_are_scored_in_one_stage(scored_by: ScoredBy) -> None:
    calls = scored_by(near_the_middle)
    (only,) = run_trials(otsu_search(REFS[:40]), (), 1)
    assert calls == [40]
    assert len(only.stages) == 1
    calls.clear()
    (only,) = run_trials(otsu_search(REFS[:60]), (), 1)
    assert calls == [30, 30]


def test_values_that_were_tried_are_not_scored_again(
    scored_by: ScoredBy,
) -> None:
    calls = scored_by(near_the_middle)
    search = replace(otsu_search(REFS[:10]), names=("lesion",))
    trials = tuple(run_trials(search, (), 12))
    assert len(trials) == 12
    assert len(calls) == 2


def test_the_objective_is_the_mean_of_both_promptings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @contextmanager
    def fake(*_: object) -> Iterator[scoring.Scorer]:
        scores = [CaseDice((0.2, 0.8)), CaseDice((1.0, None)), CaseDice((0.0, 0.0), failed=True)]
        yield lambda _method, _refs: scores

    monkeypatch.setattr(search_module, "scorer", fake)
    (only,) = run_trials(otsu_search(REFS[:3]), (), 1)
    assert only.dice == pytest.approx((0.4, 0.4))
    assert only.objective == pytest.approx(0.4)
    assert only.failed == 1


def test_optuna_is_left_as_talkative_as_it_was(scored_by: ScoredBy) -> None:
    scored_by(near_the_middle)
    before = optuna.logging.get_verbosity()
    list(run_trials(otsu_search(), (), 3))
    assert optuna.logging.get_verbosity() == before


def test_without_optuna_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breastseg\[tune\]'"):
        next(run_trials(otsu_search(), (), 1))
