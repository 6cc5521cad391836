"""Prepared cases in memory, and the order in which an epoch shows them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from breastseg.core.bundle import InputSpec
from breastseg.core.case import Case
from breastseg.core.errors import BreastsegError, DataSetError
from breastseg.core.image import Image
from breastseg.data.dataset import CaseRef, some
from breastseg.preprocess.burned_in import burned_in, without_marks
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.prepare import prepare_unit

LOG = logging.getLogger(__name__)
IGNORED_LABEL = 255
"""The label of pixels of which nothing is known."""


def lesion_map(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a lesion of any class lies, by the labels of `PreparedCases`."""
    return np.asarray((labels > 0) & (labels < IGNORED_LABEL))


@dataclass(frozen=True, eq=False)
class PreparedCases:
    """Cases decoded and resized once, so that an epoch costs no reading.

    Attributes:
        cases: where each row came from.
        images: (N, rows, columns) uint8, the luminance stretched to 0..255; (N, 3, rows, columns)
            of RGB where the recipe's input is colour.
        labels: (N, rows, columns) uint8: 0 is background, k the k-th of the recipe's classes, or 1
            for any lesion where the recipe names none; `IGNORED_LABEL` where nothing is known.
        unmarked: as `images`, with callipers, letters and coloured marks painted out; None
            where the recipe asks for none.
        teacher: (N, rows, columns) uint8, what a teacher thinks of each pixel: 255 is a certain
            lesion; None without a teacher.
    """

    cases: tuple[CaseRef, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    teacher: NDArray[np.uint8] | None = None
    unmarked: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.cases)

    @cached_property
    def has_lesion(self) -> NDArray[np.bool_]:
        """(N,) True where the ground truth holds a lesion."""
        return np.array([lesion_map(one).any() for one in self.labels], bool)

    @property
    def has_ignored(self) -> NDArray[np.bool_]:
        """(N,) True where nothing is known of some pixels."""
        return np.array([one.max(initial=0) == IGNORED_LABEL for one in self.labels], bool)

    def batch(
        self, rows: NDArray[np.int64], unmarked: NDArray[np.bool_] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Some of them as tensors.

        Args:
            rows: (n,) indices.
            unmarked: (n,) bool, those whose marks are to be painted out; None for none of them.

        Returns:
            Images (n, 1 or 3, rows, columns) uint8, and targets (n, 1 or 2, rows, columns)
            uint8: the labels, and after them the teacher's map where there is one.
        """
        images = self.images[rows]
        if unmarked is not None and self.unmarked is not None:
            images[unmarked] = self.unmarked[rows[unmarked]]
        targets = [self.labels] if self.teacher is None else [self.labels, self.teacher]
        return (
            torch.from_numpy(images[:, None] if images.ndim == 3 else images),
            torch.from_numpy(np.stack([part[rows] for part in targets], axis=1)),
        )


def prepare_cases(
    cases: Sequence[CaseRef],
    spec: InputSpec,
    classes: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    threads: int = 2,
    unmarked: bool = False,
    unlabelled: bool = False,
) -> PreparedCases:
    """Decode and resize all cases; two threads, since decoding leaves the interpreter free.

    Args:
        cases: with ground truth, unless `unlabelled`.
        spec: size and fit; the intensity scale is applied later, after augmentation.
        classes: what a case's label may be; its lesion gets that class. None: every lesion is 1.
        progress: called with (done, total).
        threads: readers at work at a time.
        unmarked: also keep each image with its marks painted out.
        unlabelled: a case without ground truth is taken as one without a lesion.

    Raises:
        DataSetError: cases, named, without ground truth, of another class, or not readable.
    """
    colours = (3,) if spec.colour else ()
    images = np.zeros((len(cases), *colours, *spec.size), np.uint8)
    labels = np.zeros((len(cases), *spec.size), np.uint8)
    painted = np.zeros_like(images) if unmarked else None
    unseen = np.zeros(len(cases), bool)

    def one(index: int) -> str | None:
        try:
            case = cases[index].load()
            image, placement = prepare_unit(case.images[0], spec)
            if case.mask is not None or not unlabelled:
                labels[index] = _labels(case, placement, classes)
        except BreastsegError as error:
            return f"{cases[index].key}: {error}"
        if case.mask is not None and not lesion_map(labels[index]).any():
            unseen[index] = not case.mask.is_empty
        images[index] = np.rint(image * 255)
        if painted is not None:
            painted[index] = np.rint(_without_marks(case.images[0], spec) * 255)
        return None

    problems = []
    with ThreadPoolExecutor(threads) as pool:
        for done, problem in enumerate(pool.map(one, range(len(cases))), start=1):
            if problem is not None:
                problems.append(problem)
            if progress is not None:
                progress(done, len(cases))
    if problems:
        raise _unusable(problems, len(cases))
    _tell_unseen([cases[row].key for row in np.flatnonzero(unseen).tolist()])
    return PreparedCases(tuple(cases), images, labels, unmarked=painted)


def _unusable(problems: Sequence[str], of: int) -> DataSetError:
    shown = " | ".join(problems[:5]) + (" | ..." if len(problems) > 5 else "")
    return DataSetError(
        f"{len(problems)} of {of} cases cannot be used: {shown}",
        "readable images with masks",
        "repair them, or leave them out with a list",
    )


def _tell_unseen(keys: Sequence[str]) -> None:
    if keys:
        LOG.warning("count as normal, as the network sees nothing of the lesions: %s", some(keys))


def _without_marks(image: Image, spec: InputSpec) -> NDArray[np.float32]:
    unit = without_marks(to_unit(image.grey()), burned_in(image))
    return prepare_unit(replace(image, array=unit[None]), spec)[0]


def _labels(case: Case, placement: Placement, classes: Sequence[str]) -> NDArray[np.uint8]:
    """The label map of a case at the network's size.

    Raises:
        DataSetError: it has no mask, or a lesion of another class.
    """
    if case.mask is None:
        raise DataSetError("no mask")
    lesion = _smaller(case.mask.foreground, placement)
    if classes and lesion.any() and case.label not in classes:
        raise DataSetError(f"a lesion labelled {case.label!r}, not {', '.join(classes)}")
    label = classes.index(case.label) + 1 if classes and case.label in classes else 1
    labels = lesion * np.uint8(label)
    if case.mask.ignored.any():
        # a pixel is background where more than half of what it covers is known to be
        marked = placement.forward(case.mask.labels != 0) >= 0.5
        labels[marked & ~lesion] = IGNORED_LABEL
    return labels


def _smaller(mask: NDArray[np.bool_], placement: Placement) -> NDArray[np.bool_]:
    """A pixel of the small mask is lesion where at least half of what it covers is.

    Lesions too small for that are where most of one is, or the image would count as normal.
    """
    covered = placement.forward(mask)
    most = covered.max()
    return np.asarray(covered >= (min(0.5, most) if most > 0 else 0.5))


def epoch_order(
    strata: NDArray[np.int64], quotas: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw an epoch: each stratum gives its quota, every member as often as any other (+-1).

    Args:
        strata: (N,) the stratum of each case.
        quotas: (strata,) how many draws each stratum gives.
        generator: the source of randomness.

    Returns:
        (sum of quotas,) indices of cases, shuffled.
    """
    drawn = []
    for stratum, quota in enumerate(quotas):
        members = np.flatnonzero(strata == stratum)
        if members.size == 0:
            continue
        rounds = -(-int(quota) // members.size)
        passes = [generator.permutation(members) for _ in range(rounds)]
        drawn.append(np.concatenate([*passes, np.zeros(0, np.int64)])[: int(quota)])
    return generator.permutation(np.concatenate(drawn))


@dataclass(frozen=True, eq=False)
class TrainingSampler:
    """Batches of an epoch. All randomness comes from (seed, epoch): resuming needs no state.

    Attributes:
        prepared: the training cases.
        repeats: (N,) how often an epoch shows each case of that source.
        normal_fraction: fraction of lesion-free draws, or None for as many as there are.
        batch_size: images a step on this process.
        seed: of the run.
        rank: of this process.
        world: number of processes.
        unmarked_p: chance that an image is shown with its marks painted out.
    """

    prepared: PreparedCases
    repeats: NDArray[np.float64]
    normal_fraction: float | None
    batch_size: int
    seed: int
    rank: int = 0
    world: int = 1
    unmarked_p: float = 0.0

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The cases of an epoch, the same on every process."""
        names = sorted({case.source for case in self.prepared.cases})
        source = np.array([names.index(case.source) for case in self.prepared.cases])
        lesion = self.prepared.has_lesion
        strata = source * 2 + lesion
        quotas = np.array(
            [self.repeats[strata == s].sum() for s in range(2 * len(names))], np.float64
        )
        normal, total = quotas[0::2].sum(), quotas.sum()
        if self.normal_fraction is not None and 0 < normal < total:
            quotas[0::2] *= self.normal_fraction * total / normal
            quotas[1::2] *= (1 - self.normal_fraction) * total / (total - normal)
        generator = np.random.default_rng([self.seed, epoch])
        return epoch_order(strata, np.rint(quotas).astype(np.int64), generator)

    @property
    def steps(self) -> int:
        """Steps an epoch; what does not fill a batch on every process is left out."""
        return max(1, len(self.order(0)) // (self.batch_size * self.world))

    def batches(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (images, targets) as `PreparedCases.batch` gives them."""
        order = self.order(epoch)
        unmarked = np.random.default_rng([self.seed, epoch, 1]).random(len(order)) < self.unmarked_p
        for step in range(self.steps):
            start = (step * self.world + self.rank) * self.batch_size
            rows = slice(start, start + self.batch_size)
            yield self.prepared.batch(np.sort(order[rows]), unmarked[rows])
