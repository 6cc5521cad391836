"""Which lesion of a prior study is which of this one, and how it has changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from breastseg.core.errors import InputError
from breastseg.results.schema import Entry, LesionPair, LesionRecord, PriorStudy

REACH = 0.25
"""How far a lesion may have moved, as a fraction of the image's sides: images of two studies are
not registered, and the probe or the breast lies otherwise."""
_SIZE = math.log(8)
"""A lesion eight times as large counts as one that has moved as far as it may."""

Pair = tuple[int, int]
"""(number in this study, number in the prior one)."""


def with_prior(now: Entry, prior: Entry, pairs: Sequence[Pair] | None = None) -> Entry:
    """An entry beside an earlier one of the same patient: lesions paired, growth, what is new.

    Without stated pairs, a single lesion on each side is taken for the same one. Of several those
    are paired whose places and sizes differ least together (H. W. Kuhn, Naval Research Logistics
    Quarterly 1955, doi 10.1002/nav.3800020109), within `REACH`.

    Args:
        now: of this study.
        prior: of the earlier one.
        pairs: as a person states them; each lesion at most once.

    Returns:
        `now` with its `prior`, and with a remark of how the pairs were found.

    Raises:
        InputError: entries that cannot be compared, or pairs of lesions that there are not.
    """
    _check(now, prior, pairs)
    found = _found(now, prior) if pairs is None else list(pairs)
    one, other = _by_number(now), _by_number(prior)
    old = {before for _, before in found}
    new = {number for number, _ in found}
    every = (
        *(LesionPair.of(one[number], other[before]) for number, before in sorted(found)),
        *(LesionPair(number=number) for number in one if number not in new),
        *(LesionPair(prior_number=number) for number in other if number not in old),
    )
    how = "as a person stated them" if pairs is not None else "by place and size alone: check them"
    remarks = (*now.remarks, f"Lesions of the two studies were paired {how}.")
    study = PriorStudy(prior.input, prior.lesions, every, prior.reference)
    return replace(now, prior=study, remarks=remarks)


def change_lines(entry: Entry) -> tuple[str, ...]:
    """A line a pair, such as ``Lesion 1: +3.2 mm (+15.0 %) against lesion 1 of the prior``."""
    if entry.prior is None:
        return ()
    noun = (entry.label or "lesion").capitalize()
    return tuple(_line(noun, pair) for pair in entry.prior.pairs)


def _line(noun: str, pair: LesionPair) -> str:
    if pair.number is None:
        return f"{noun} {pair.prior_number} of the prior: not found any more"
    if pair.prior_number is None:
        return f"{noun} {pair.number}: not found in the prior"
    told = []
    if pair.growth_mm is not None and pair.growth_percent is not None:
        told.append(f"{pair.growth_mm:+.1f} mm ({pair.growth_percent:+.1f} %)")
    if pair.volume_growth_percent is not None:
        told.append(f"volume {pair.volume_growth_percent:+.1f} %")
    said = ", ".join(told) or "change not known in mm"
    return f"{noun} {pair.number}: {said} against {noun.lower()} {pair.prior_number} of the prior"


def _check(now: Entry, prior: Entry, pairs: Sequence[Pair] | None) -> None:
    for entry in (now, prior):
        if entry.failed or entry.shape is None:
            raise InputError(f"{entry.input}: nothing was segmented in it", "two results")
    assert now.shape is not None
    assert prior.shape is not None
    if len(now.shape) != len(prior.shape):
        raise InputError("an image and a volume", "two images or two volumes")
    if now.label != prior.label:
        raise InputError(f"{now.label} beside {prior.label}", "results of the same kind")
    if pairs is None and now.view and prior.view and now.view != prior.view:
        raise InputError(
            f"a view {now.view} beside a prior of {prior.view}",
            "the same view, or pairs that a person states",
            "choose the prior of the same view",
        )
    for side, entry in enumerate((now, prior)):
        named = [pair[side] for pair in pairs or ()]
        there = _by_number(entry)
        if len(set(named)) < len(named) or not set(named) <= there.keys():
            raise InputError(
                f"pairs of the lesions {named}", f"each of {sorted(there)} at most once"
            )


def _by_number(entry: Entry) -> dict[int, LesionRecord]:
    return {lesion.number: lesion for lesion in entry.lesions}


def _found(now: Entry, prior: Entry) -> list[Pair]:
    from scipy.optimize import linear_sum_assignment

    if len(now.lesions) == len(prior.lesions) == 1:
        return [(now.lesions[0].number, prior.lesions[0].number)]
    if not now.lesions or not prior.lesions:
        return []
    costs = np.array([[_cost(now, a, prior, b) for b in prior.lesions] for a in now.lesions])
    # a lesion may stay without a partner: that costs as much as the farthest pair that is allowed
    size = len(costs) + len(costs[0])
    padded = np.full((size, size), 1.0)
    padded[: len(costs), : len(costs[0])] = np.where(costs <= 1, costs, 3.0)
    padded[len(costs) :, len(costs[0]) :] = 0.0
    rows, columns = linear_sum_assignment(padded)
    return [
        (now.lesions[row].number, prior.lesions[column].number)
        for row, column in zip(rows, columns, strict=True)
        if row < len(costs) and column < len(costs[0]) and costs[row, column] <= 1
    ]


def _cost(now: Entry, one: LesionRecord, prior: Entry, other: LesionRecord) -> float:
    """0 for the same place and size, 1 for the farthest that can be the same lesion."""
    moved = math.dist(_place(now, one), _place(prior, other)) / REACH
    known = now.spacing_mm is not None and prior.spacing_mm is not None
    grown = abs(math.log(_extent(now, one, known) / _extent(prior, other, known))) / _SIZE
    return moved + 0.25 * grown


def _place(entry: Entry, lesion: LesionRecord) -> tuple[float, ...]:
    """The middle of the lesion's box as fractions of the image's sides."""
    assert entry.shape is not None
    axes = len(entry.shape)
    return tuple(
        (lesion.box[axis] + lesion.box[axis + axes]) / (2 * entry.shape[axis])
        for axis in range(axes)
    )


def _extent(entry: Entry, lesion: LesionRecord, known: bool) -> float:
    """In millimetres where both spacings are known; else as a fraction of the image."""
    assert entry.shape is not None
    if known:
        assert entry.spacing_mm is not None
        return lesion.pixels * math.prod(entry.spacing_mm)
    return lesion.pixels / math.prod(entry.shape)
