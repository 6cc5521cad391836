"""A draw of cases in which every scanner, and images with and without lesions, count alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from breastseg.data.dataset import CaseRef


def balanced_draw(cases: Sequence[CaseRef], count: int, seed: int) -> tuple[CaseRef, ...]:
    """Draw cases from each group in turn until there are enough.

    A group is what one data set, and one scanner where scanners are stated, has with or without
    lesions. A group that is used up is passed over, so the others give more.

    Args:
        cases: what to draw from.
        count: how many to draw; all where there are no more.
        seed: of the order within each group.

    Returns:
        The drawn cases, in the order of `cases`.
    """
    shuffled = [cases[i] for i in np.random.default_rng(seed).permutation(len(cases))]
    groups: dict[tuple[str, str, bool], list[CaseRef]] = {}
    for case in shuffled:
        groups.setdefault((case.source, case.scanner or "", case.is_normal), []).append(case)
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*groups.values()))
    drawn = itertools.islice((case for case in in_turn if case is not None), count)
    keys = {case.key for case in drawn}
    return tuple(case for case in cases if case.key in keys)
