"""One mask from those of several readers, and how far the readers agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError
from breastseg.metrics.overlap import dice


@dataclass(frozen=True, eq=False)
class Consensus:
    """What readers say together.

    Attributes:
        mask: (rows, columns) bool.
        rule: ``"one reader"``, ``"no lesion"`` or ``"STAPLE"``.
        agreement: mean Dice of all pairs of readers, 0 to 1; two empty masks agree by 1. None for
            one reader.
    """

    mask: NDArray[np.bool_]
    rule: str
    agreement: float | None


def consensus(masks: Sequence[NDArray[np.bool_]]) -> Consensus:
    """One mask from those of several readers.

    Where more than half of the readers see no lesion, there is none. Otherwise the masks that are
    not empty are joined by STAPLE (S. Warfield et al., IEEE TMI 2004, doi
    10.1109/TMI.2004.828354), in SimpleITK's implementation, at a probability of one half. Its prior
    is the mean area; it is computed on the box around all masks with a margin of its own size, so
    that a large background does not drown what readers differ in.

    Of two masks, of which nothing says who is right, that is mostly what both hold, and of one
    within the other one of the two. Of three it is mostly what two of them hold.

    Args:
        masks: (rows, columns) bool each, of one shape.

    Raises:
        InputError: there is no mask.
        GeometryError: the shapes differ.
    """
    if not masks:
        raise InputError("a consensus of no readers", "at least one mask")
    if len({mask.shape for mask in masks}) > 1:
        raise GeometryError(f"masks of shapes {sorted({m.shape for m in masks})}", "one shape")
    agreement = None
    if len(masks) > 1:
        agreement = float(np.mean([dice(a, b) for a, b in combinations(masks, 2)]))
    if len(masks) == 1:
        return Consensus(masks[0].copy(), "one reader", None)
    drawn = [mask for mask in masks if mask.any()]
    if 2 * len(drawn) < len(masks) or not drawn:
        return Consensus(np.zeros_like(masks[0]), "no lesion", agreement)
    if len(drawn) == 1:
        return Consensus(drawn[0].copy(), "one reader", agreement)
    return Consensus(_staple(drawn), "STAPLE", agreement)


def _staple(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    import SimpleITK

    together = np.logical_or.reduce(masks)
    rows = _widened(np.flatnonzero(together.any(axis=1)), together.shape[0])
    columns = _widened(np.flatnonzero(together.any(axis=0)), together.shape[1])
    cropped = [mask[rows, columns] for mask in masks]
    result: NDArray[np.bool_] = np.zeros_like(together)
    if all(np.array_equal(cropped[0], other) for other in cropped):
        result[rows, columns] = cropped[0]
        return result
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in cropped]
    probability = SimpleITK.GetArrayFromImage(SimpleITK.STAPLE(images, 1.0))
    result[rows, columns] = probability >= 0.5
    return result


def _widened(where: NDArray[np.intp], length: int) -> slice:
    first, last = int(where[0]), int(where[-1]) + 1
    margin = max(1, last - first)
    return slice(max(0, first - margin), min(length, last + margin))
