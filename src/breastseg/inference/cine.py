"""The mask of a cine loop, made steadier by the frames beside each frame."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.prediction import Prediction
from breastseg.inference.stream import Segmented

T = TypeVar("T")


def smooth_cine(
    stream: Iterable[Segmented[T]], loop_of: Callable[[T], Hashable], reach: int
) -> Generator[Segmented[T]]:
    """Average each frame's prediction with those of the frames before and after it.

    What flickers up in one frame alone falls below the threshold, and a lesion that is lost for a
    frame comes back. The weights fall evenly from the frame itself to those beyond the reach; at
    the ends of a loop the frames that there are count. A frame that failed, or one of another
    size, breaks a loop in two. At most ``2 * reach + 1`` predictions are held.

    Args:
        stream: results in order, as of `breastseg.inference.stream.segment_stream`.
        loop_of: what an item's frames have in common; None for an image that is no frame.
        reach: how many frames count to each side, at least 1.

    Yields:
        As many results in the same order; images that are no frames as they came.
    """
    run: list[tuple[Segmented[T], Prediction]] = []  # unbroken, the last ones
    due = 0  # of these, the first that is still to come out
    loop: Hashable = None

    def out() -> Segmented[T]:
        nonlocal due
        near = range(max(0, due - reach), min(len(run), due + reach + 1))
        weights = [reach + 1 - abs(index - due) for index in near]
        item, own = run[due]
        found = _mean(own, [run[index][1] for index in near], weights, reach)
        due += 1
        return item._replace(result=found)

    for done in stream:
        key = None if not isinstance(done.result, Prediction) else loop_of(done.item)
        breaks = key is None or key != loop
        if run and isinstance(done.result, Prediction):
            breaks = breaks or done.result.grid.shape != run[-1][1].grid.shape
        if breaks:
            while due < len(run):
                yield out()
            run, due = [], 0
        loop = key
        if key is None or not isinstance(done.result, Prediction):
            yield done
            continue
        run.append((done, done.result))
        if due + reach < len(run):
            yield out()
        surplus = max(0, due - reach)
        run, due = run[surplus:], due - surplus
    while due < len(run):
        yield out()


def _mean(
    own: Prediction, near: Sequence[Prediction], weights: Sequence[int], reach: int
) -> Prediction:
    """The weighted mean of predictions, with all else of `own`."""
    fraction = np.array(weights, np.float32) / np.float32(sum(weights))

    def mean(maps: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        whole = sum(part * values for part, values in zip(fraction, maps, strict=True))
        return np.clip(np.asarray(whole, np.float32), 0, 1)

    uncertain = [p.uncertainty for p in near if p.uncertainty is not None]
    classes = [p.class_probability for p in near if p.class_probability is not None]
    told = [
        (p.malignancy, w) for p, w in zip(near, weights, strict=True) if p.malignancy is not None
    ]
    probability = mean([p.probability for p in near])
    outlined = bool((probability >= own.threshold).any())
    word = "frame" if reach == 1 else "frames"
    step = f"averaged with up to {reach} {word} before and after, the nearer the more"
    return replace(
        own,
        probability=probability,
        uncertainty=mean(uncertain) if len(uncertain) == len(near) else None,
        class_probability=mean(classes) if len(classes) == len(near) else None,
        malignancy=sum(m * w for m, w in told) / sum(w for _, w in told)
        if told and outlined
        else None,
        confidence=None,  # calibrated on single images
        conformal=None,
        provenance=replace(own.provenance, steps=(*own.provenance.steps, step)),
    )
