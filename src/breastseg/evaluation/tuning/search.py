"""The search itself: which parameters, which values next, and when to give a trial up.

Values are proposed by a tree-structured Parzen estimator (Bergstra et al. 2011, NIPS 24; as in
Optuna, Akiba et al. 2019, doi:10.1145/3292500.3330701). Each proposal is a function of the trials
before it and the seed alone, so a search that was stopped and continued is the one that was not.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from breastseg.classical.method import ClassicalMethod
from breastseg.core.errors import DataSetError, InputError, MissingExtraError
from breastseg.core.parameters import Parameter, parameters_of, values_of, with_values
from breastseg.core.provenance import Scalar
from breastseg.data.dataset import CaseRef, some
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.tuning.scoring import CaseDice, Scorer, scorer

_STAGES = (0.25, 0.5)
"""After which fractions of the images a trial may be given up."""
_LEAST_STAGE = 24  # images; fewer say too little
_LEAST_TRIALS = 8
"""Finished trials before any is given up."""
_NEAR_TRIALS = 10
"""Trials near the starting parameters, before the estimator has enough to go by."""
_NEAR_CHANGES = 0.3
"""Fraction of the parameters that are changed in one of them."""
_DIGITS = 3
"""Significant digits of a proposed number; more only look exact."""


@dataclass(frozen=True)
class Search:
    """What is searched, and on what.

    Attributes:
        start: the method with the parameters of the first trial.
        names: the parameters that are searched.
        cases: in the order in which they are scored.
        promptings: what the method is told.
        seed: of the proposals.
    """

    start: ClassicalMethod
    names: tuple[str, ...]
    cases: tuple[CaseRef, ...]
    promptings: tuple[Prompting, ...]
    seed: int = 0


@dataclass(frozen=True)
class Trial:
    """One set of values and how it did.

    Attributes:
        values: of the searched parameters.
        stages: the objective after each stage that was reached, 0 to 1.
        dice: mean Dice by prompting over the images that were scored, in the search's order.
        images: how many were scored; all of them, unless the trial was given up.
        failed: how many of them failed.
        finished: all images were scored.
    """

    values: Mapping[str, Scalar]
    stages: tuple[float, ...]
    dice: tuple[float, ...]
    images: int
    failed: int
    finished: bool

    @property
    def objective(self) -> float:
        """The mean of `dice`, over the images that were scored."""
        return self.stages[-1]


def searched_names(method: ClassicalMethod, only: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the parameters to search.

    Args:
        method: whose.
        only: names, or beginnings that end with a dot: ``finder.``. By default all but `lesion` and
            those of the finder, which is the same for all methods and tuned on its own.

    Raises:
        InputError: nothing has such a name, or it has no bounds to search within.
    """
    known = parameters_of(method)
    bounded = [one.name for one in known if one.within or one.choices or one.kind is bool]
    if not only:
        return tuple(n for n in bounded if n != "lesion" and not n.startswith("finder."))
    for word in only:
        if not any(_meant(word, name) for name in bounded):
            raise InputError(
                f"no parameter {word!r} to search", f"{', '.join(bounded)}, or 'finder.'"
            )
    return tuple(name for name in bounded if any(_meant(word, name) for word in only))


def ordered_cases(
    cases: Sequence[CaseRef], promptings: Sequence[Prompting], seed: int, limit: int | None = None
) -> tuple[CaseRef, ...]:
    """The cases in an order drawn from the seed, so that any first part of it is a fair sample.

    Args:
        cases: with ground truth.
        promptings: normal cases are left out where they say nothing, which is with boxes alone.
        seed: of the draw.
        limit: keep this many at most.

    Raises:
        DataSetError: the ground truth of a case is not known, or no case is left.
    """
    unknown = [ref.key for ref in cases if ref.mask_paths is None]
    if unknown:
        raise DataSetError(f"cases without ground truth: {some(unknown)}", "a ground truth mask")
    useful = [ref for ref in cases if Prompting.NONE in promptings or not ref.is_normal]
    if not useful:
        raise DataSetError("no case with a lesion, and boxes alone", "at least one lesion")
    by_key = sorted(useful, key=lambda ref: ref.key)
    order = np.random.default_rng(seed).permutation(len(by_key))
    return tuple(by_key[i] for i in order[:limit])


def run_trials(
    search: Search, trials: Sequence[Trial], total: int, workers: int = 1
) -> Iterator[Trial]:
    """Continue a search, trial after trial.

    Args:
        search: what is searched, and on what.
        trials: those that are done already; the first trial of all is the starting parameters.
        total: stop when there are so many.
        workers: processes; 0 for one a core. The trials do not depend on it.

    Yields:
        Each new trial.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    optuna_module()
    done = list(trials)
    fixed = not any(name.startswith("finder.") for name in search.names)
    with scorer(search.promptings, workers, fixed) as score:
        while len(done) < total:
            values = propose(search, done)
            same = next((trial for trial in done if trial.values == values), None)
            done.append(same or _scored(search, values, done, score))
            yield done[-1]


def propose(search: Search, trials: Sequence[Trial]) -> dict[str, Scalar]:
    """The values to try next.

    The starting ones; then these with some drawn anew, because most values drawn all at once are
    far worse than any start that someone has thought about; then what the estimator expects most
    of.
    """
    now = values_of(search.start)
    if not trials:
        return {name: now[name] for name in search.names}
    optuna = optuna_module()
    space = {one.name: one for one in parameters_of(search.start) if one.name in search.names}
    distributions = {name: _distribution(optuna, one) for name, one in space.items()}
    with _quiet(optuna):
        seed = _seed(search.seed, len(trials))
        sampler = optuna.samplers.TPESampler(n_startup_trials=_NEAR_TRIALS + 1, seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.add_trials([_as_optuna(optuna, trial, distributions) for trial in trials])
        asked = study.ask(distributions).params
    drawn = {name: _rounded(one, asked[name]) for name, one in space.items()}
    if len(trials) > _NEAR_TRIALS:
        return drawn
    changed = np.random.default_rng(seed).random(len(drawn)) < _NEAR_CHANGES
    return {
        name: value if change else now[name]
        for (name, value), change in zip(drawn.items(), changed, strict=True)
    }


def best_of(trials: Sequence[Trial]) -> Trial:
    """The best of the finished trials, the earlier of two that are equal."""
    return max((trial for trial in trials if trial.finished), key=lambda trial: trial.objective)


def falls_behind(stages: Sequence[float], trials: Sequence[Trial]) -> bool:
    """Whether a trial is below the median of the trials that got as far (median stopping rule).

    Golovin et al. 2017, doi:10.1145/3097983.3098043.

    Args:
        stages: the trial's objective after each of its stages.
        trials: those before it.
    """
    at = len(stages)
    others = [trial.stages[at - 1] for trial in trials if len(trial.stages) >= at]
    enough = sum(trial.finished for trial in trials) >= _LEAST_TRIALS
    return enough and stages[-1] < statistics.median(others)


def optuna_module() -> ModuleType:
    """Optuna, which only tuning needs.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"tuning needs optuna ({error})", remedy="pip install 'breastseg[tune]'"
        ) from error
    module: ModuleType = optuna
    return module


def _scored(
    search: Search, values: Mapping[str, Scalar], trials: Sequence[Trial], score: Scorer
) -> Trial:
    """Score the images stage by stage, until all are done or the trial falls behind."""
    method = with_values(search.start, values)
    count = len(search.cases)
    ends = [round(fraction * count) for fraction in _STAGES]
    scores: list[CaseDice] = []
    stages: list[float] = []
    for end in (*(end for end in ends if end >= _LEAST_STAGE), count):
        scores += score(method, search.cases[len(scores) : end])
        stages.append(statistics.fmean(_means(scores)))
        if end < count and falls_behind(stages, trials):
            break
    return Trial(
        values=dict(values),
        stages=tuple(stages),
        dice=_means(scores),
        images=len(scores),
        failed=sum(one.failed for one in scores),
        finished=len(scores) == count,
    )


def _means(scores: Sequence[CaseDice]) -> tuple[float, ...]:
    """Mean Dice by prompting; 0 where no image counts."""
    columns = zip(*(one.values for one in scores), strict=True)
    known = [[value for value in column if value is not None] for column in columns]
    return tuple(statistics.fmean(column) if column else 0.0 for column in known)


def _meant(word: str, name: str) -> bool:
    return name == word or (word.endswith(".") and name.startswith(word))


def _distribution(optuna: ModuleType, one: Parameter) -> object:
    if one.within is None:
        return optuna.distributions.CategoricalDistribution(one.choices or (False, True))
    low, high, log = one.within.low, one.within.high, one.within.log
    if one.kind is int:
        return optuna.distributions.IntDistribution(int(low), int(high), log=log)
    return optuna.distributions.FloatDistribution(low, high, log=log)


def _rounded(one: Parameter, value: Scalar) -> Scalar:
    if not isinstance(value, float) or one.within is None:
        return value
    return min(max(float(f"{value:.{_DIGITS}g}"), one.within.low), one.within.high)


def _as_optuna(optuna: ModuleType, trial: Trial, distributions: Mapping[str, object]) -> object:
    state = optuna.trial.TrialState
    return optuna.trial.create_trial(
        state=state.COMPLETE if trial.finished else state.PRUNED,
        value=trial.objective if trial.finished else None,
        params=dict(trial.values),
        distributions=dict(distributions),
        intermediate_values=dict(enumerate(trial.stages)),
    )


def _seed(seed: int, number: int) -> int:
    """A seed for one proposal."""
    return int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:4], "little")


@contextmanager
def _quiet(optuna: ModuleType) -> Iterator[None]:
    """Optuna announces every study that it makes."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
