"""Run a segmenter over cases with a known truth; one row a case, whatever happens to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from breastseg.core.case import Case
from breastseg.core.errors import BreastsegError, DataSetError, InputError
from breastseg.core.mask import Mask
from breastseg.core.provenance import Provenance
from breastseg.core.segmenter import Segmenter
from breastseg.data.dataset import CaseRef, some
from breastseg.evaluation.score import ImageScore, score_failure, score_image
from breastseg.metrics.lesionwise import DEFAULT_MIN_IOU

# What a damaged file or a method's own library raises on one image. Anything else is a mistake
# in the program, and stops the run.
_FAILURES = (BreastsegError, OSError, ValueError, RuntimeError, ArithmeticError, MemoryError)


@dataclass(frozen=True)
class Row:
    """One case of an evaluation.

    Attributes:
        key: ``"source/case_id"``.
        patient: ``"source/patient_id"``.
        source: the data set.
        label: ``"benign"``, ``"malignant"``, ``"normal"`` or another class; None if unknown.
        scanner: the device, where it is stated.
        has_lesion: the truth is not empty.
        lesion_fraction: share of the image that is lesion, 0 to 1; None if the truth could not
            be read.
        score: the metrics.
        milliseconds: what segmenting took, without reading and scoring; None if it failed.
        error: what went wrong, in one line; None if nothing did.
    """

    key: str
    patient: str
    source: str
    label: str | None
    scanner: str | None
    has_lesion: bool
    lesion_fraction: float | None
    score: ImageScore
    milliseconds: float | None = None
    error: str | None = None

    @property
    def outlined(self) -> bool:
        """True where anything is outlined, or the image failed: failing must not look clean."""
        return self.score.outlines > 0 or self.error is not None


@dataclass(frozen=True)
class Evaluation:
    """All rows of a run, and under which protocol they came about.

    Attributes:
        segmenter: the method's name.
        rows: one a case, in the order given.
        size: (rows, columns) scored at; None for each image's own.
        min_iou: from which an outline and a true lesion match.
        provenance: of the first prediction; None if there was none.
    """

    segmenter: str
    rows: tuple[Row, ...] = field(repr=False)
    size: tuple[int, int] | None = None
    min_iou: float = DEFAULT_MIN_IOU
    provenance: Provenance | None = field(default=None, repr=False)

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows with an error."""
        return tuple(row for row in self.rows if row.error is not None)


def evaluate(
    segmenter: Segmenter,
    cases: Sequence[CaseRef],
    size: tuple[int, int] | None = None,
    min_iou: float = DEFAULT_MIN_IOU,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment and score every case, at the method's own operating point.

    A case that cannot be read or segmented is a row with its error and the worst score; none is
    dropped.

    Args:
        segmenter: the method.
        cases: with known truth; only the first image of each is used.
        size: (rows, columns) to score at, to compare with work that reports at that size; None
            scores each image at its own.
        min_iou: from which an outline and a true lesion match, above 0 to 1.
        progress: called after each case with the number done and the number in all.

    Raises:
        DataSetError: no case, a case twice, or cases whose truth is not known.
        InputError: `size` or `min_iou` out of range.
    """
    _check(cases, size, min_iou)
    rows = []
    provenance = None
    for ref in cases:
        row, made_by = _evaluate_case(segmenter, ref, size, min_iou)
        provenance = provenance or made_by
        rows.append(row)
        if progress is not None:
            progress(len(rows), len(cases))
    return Evaluation(segmenter.name, tuple(rows), size, min_iou, provenance)


def _check(cases: Sequence[CaseRef], size: tuple[int, int] | None, min_iou: float) -> None:
    twice = [key for key, n in Counter(ref.key for ref in cases).items() if n > 1]
    unknown = [ref.key for ref in cases if ref.mask_paths is None]
    if not cases:
        raise DataSetError("no case to evaluate", "at least one")
    if twice:
        raise DataSetError(f"cases given more than once: {some(twice)}", "each case once")
    if unknown:
        raise DataSetError(
            f"cases whose truth is not known: {some(unknown)}", "cases with a true mask"
        )
    if size is not None and not all(1 <= n <= 16384 for n in size):
        raise InputError(f"size {size} to score at", "1 to 16384 rows and columns")
    if not 0 < min_iou <= 1:
        raise InputError(f"min_iou {min_iou}", "above 0 to 1")


def _evaluate_case(
    segmenter: Segmenter, ref: CaseRef, size: tuple[int, int] | None, min_iou: float
) -> tuple[Row, Provenance | None]:
    """One row, and what made its prediction."""
    truth: Mask | None = None
    row = Row(
        key=ref.key,
        patient=ref.patient_key,
        source=ref.source,
        label=ref.label,
        scanner=ref.scanner,
        has_lesion=not ref.is_normal,
        lesion_fraction=None,
        score=ImageScore(),
    )
    try:
        case = ref.load()
        truth = _truth(case)
        row = replace(
            row,
            has_lesion=not truth.is_empty,
            lesion_fraction=float(truth.foreground.mean()),
        )
        started = perf_counter()
        prediction = segmenter.segment(case.images[0])
        milliseconds = (perf_counter() - started) * 1000
        score = score_image(prediction, truth, size, min_iou)
    except _FAILURES as error:
        says = " ".join(str(error).split())
        text = says if isinstance(error, BreastsegError) else f"{type(error).__name__}: {says}"
        return replace(row, score=score_failure(truth, ref.is_normal, min_iou), error=text), None
    return replace(row, score=score, milliseconds=milliseconds), prediction.provenance


def _truth(case: Case) -> Mask:
    if case.mask is None:
        raise DataSetError(f"case {case.case_id} without a truth", "a true mask")
    return case.mask
