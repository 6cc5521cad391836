"""Run a segmenter over cases with ground truth; one row a case, whatever happens to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import cv2

from breastseg.core.case import Case
from breastseg.core.errors import BreastsegError, DataSetError, GroundTruthError
from breastseg.core.mask import Mask
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.core.segmenter import Segmenter
from breastseg.data.dataset import CaseRef, some
from breastseg.evaluation.prompting import prompted
from breastseg.evaluation.protocol import DEFAULT_PROTOCOL, Prompting, Protocol
from breastseg.evaluation.score import ImageScore, VolumeScore, score_failure, score_image

FAILURES = (
    *(BreastsegError, OSError, ValueError, RuntimeError, ArithmeticError, MemoryError),
    cv2.error,
)
"""What a damaged file or a method's own library raises on one image. Anything else is a mistake in
the program, and stops the run."""

_NO_TRUTH = "no ground truth"


@dataclass(frozen=True)
class Row:
    """One case of an evaluation.

    Attributes:
        key: ``"source/case_id"``.
        patient: ``"source/patient_id"``.
        source: the data set.
        label: ``"benign"``, ``"malignant"``, ``"normal"`` or another class; None if unknown.
        scanner: the device, where it is stated.
        has_lesion: the ground truth is not empty.
        lesion_fraction: fraction of the image that is lesion, 0 to 1; None if it could not be
            read.
        score: the metrics.
        milliseconds: what segmenting took, without reading and scoring; None if it failed.
        error: what went wrong, in one line; None if nothing did.
        unscored: why the ground truth cannot be used, in one line; such a row enters no figure.
    """

    key: str
    patient: str
    source: str
    label: str | None
    scanner: str | None
    has_lesion: bool
    lesion_fraction: float | None
    score: ImageScore | VolumeScore
    milliseconds: float | None = None
    error: str | None = None
    unscored: str | None = None

    @property
    def outlined(self) -> bool:
        """True where anything is outlined, or the image failed: failing must not look clean."""
        return self.score.regions > 0 or self.error is not None


@dataclass(frozen=True)
class Evaluation:
    """All rows of a run, and under which protocol they came about.

    Attributes:
        segmenter: the method's name.
        rows: one a case, in the order given.
        protocol: how the cases were segmented and scored.
        provenance: of the first prediction; None if there was none.
        unscored: by key, why a case is in no row: it has no ground truth, or none that can be used.
        warnings: what speaks against the figures, see `breastseg.evaluation.seen`.
    """

    segmenter: str
    rows: tuple[Row, ...] = field(repr=False)
    protocol: Protocol = DEFAULT_PROTOCOL
    provenance: Provenance | None = field(default=None, repr=False)
    unscored: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows with an error."""
        return tuple(row for row in self.rows if row.error is not None)

    @property
    def of_volumes(self) -> bool:
        """True where the images are volumes."""
        return any(isinstance(row.score, VolumeScore) for row in self.rows)


def evaluate(
    segmenter: Segmenter,
    cases: Sequence[CaseRef],
    protocol: Protocol = DEFAULT_PROTOCOL,
    progress: Callable[[int, int], None] | None = None,
    callbacks: Sequence[Callable[[OpenedCase, Outcome], None]] = (),
) -> Evaluation:
    """Segment and score every case, at the method's own operating point.

    A case whose image cannot be read or segmented is a row with its error and the worst score. A
    case without a ground truth, or with one that cannot be used, says nothing of the method: it is
    no row, and is counted and named in `Evaluation.unscored`.

    Args:
        segmenter: the method.
        cases: some with ground truth; only the first image of each is used.
        protocol: how they are segmented and scored.
        progress: called after each case with the number done and the number in all.
        callbacks: called with each case that was scored and what became of it.

    Raises:
        DataSetError: as `check_cases`; or no ground truth can be used.
    """
    check_cases(cases, protocol)
    rows: list[Row] = []
    unscored = without_truth(cases)
    provenance = None
    for done, ref in enumerate(cases, 1):
        if ref.key not in unscored:
            opened = open_case(ref)
            outcome = segment_and_score(segmenter, opened, protocol)
            if provenance is None and outcome.prediction is not None:
                provenance = outcome.prediction.provenance
            if outcome.row.unscored is None:
                rows.append(outcome.row)
                for watch in callbacks:
                    watch(opened, outcome)
            else:
                unscored[ref.key] = outcome.row.unscored
        if progress is not None:
            progress(done, len(cases))
    require_scored(len(rows), unscored)
    return Evaluation(segmenter.name, tuple(rows), protocol, provenance, unscored)


def without_truth(cases: Sequence[CaseRef]) -> dict[str, str]:
    """The cases whose ground truth is missing, by key, with the words for it."""
    return {ref.key: _NO_TRUTH for ref in cases if ref.mask_paths is None}


def unscored_lines(unscored: Mapping[str, str]) -> list[str]:
    """A line for all of `Evaluation.unscored` without ground truth, and one for each other."""
    bare = [key for key, why in unscored.items() if why == _NO_TRUTH]
    lines = [f"{len(bare)} cases without ground truth are not scored: {some(bare)}"] if bare else []
    return lines + [
        f"not scored, for its ground truth cannot be used: {why}"
        for why in unusable_truths(unscored).values()
    ]


def unusable_truths(unscored: Mapping[str, str]) -> Mapping[str, str]:
    """Those of `Evaluation.unscored` that have a ground truth, which cannot be used."""
    return {key: why for key, why in unscored.items() if why != _NO_TRUTH}


def require_scored(count: int, unscored: Mapping[str, str]) -> None:
    """Check that a case is left to be scored.

    Raises:
        DataSetError: none is; tells of the first why.
    """
    if not count:
        first = next(iter(unscored.values()))
        raise DataSetError(f"of {len(unscored)} ground truths none can be used: {first}", "one")


def check_cases(cases: Sequence[CaseRef], protocol: Protocol) -> None:
    """Refuse what cannot be evaluated, before anything runs.

    Raises:
        DataSetError: no case, a case twice, no case with ground truth, cases without a
            lesion where boxes are to be drawn around lesions, or volumes among images or where
            boxes or a size to score at are asked for.
    """
    twice = [key for key, n in Counter(ref.key for ref in cases).items() if n > 1]
    unknown = without_truth(cases)
    if not cases:
        raise DataSetError("no case to evaluate", "at least one")
    if twice:
        raise DataSetError(f"cases given more than once: {some(twice)}", "each case once")
    if len(unknown) == len(cases):
        raise DataSetError(
            f"cases without ground truth: {some(unknown)}", "cases with a ground truth mask"
        )
    _check_volumes(cases, protocol)
    normals = [ref.key for ref in cases if ref.is_normal]
    if normals and protocol.prompting is Prompting.BOX:
        has = "has" if len(normals) == 1 else "have"
        raise DataSetError(
            f"{some(normals)} {has} no lesion to draw a box around",
            remedy="choose the images with lesions",
        )


def _check_volumes(cases: Sequence[CaseRef], protocol: Protocol) -> None:
    volumes = [ref.key for ref in cases if ref.is_volume]
    if volumes and len(volumes) < len(cases):
        raise DataSetError(f"volumes among images: {some(volumes)}", "one kind at a time")
    if volumes and (protocol.size is not None or protocol.prompting is Prompting.BOX):
        raise DataSetError(
            f"{some(volumes)}: volumes with a size to score at, or boxes",
            "volumes on their own grid, of which the method is told nothing",
        )


@dataclass(frozen=True, eq=False)
class OpenedCase:
    """A case as it was read, or why it could not be.

    Attributes:
        ref: where it lies.
        case: its image and truth; None where they could not be read.
        error: what went wrong then, in one line.
        unscored: what is wrong with the ground truth, where the image alone could be read.
    """

    ref: CaseRef
    case: Case | None = None
    error: str | None = None
    unscored: str | None = None

    @property
    def truth(self) -> Mask | None:
        """The ground truth; None where it could not be read."""
        return None if self.case is None else self.case.mask

    def row(
        self, score: ImageScore, milliseconds: float | None = None, error: str | None = None
    ) -> Row:
        """What is known of the case, with how it was outlined."""
        ref, truth = self.ref, self.truth
        return Row(
            key=ref.key,
            patient=ref.patient_key,
            source=ref.source,
            label=ref.label,
            scanner=ref.scanner,
            has_lesion=not (ref.is_normal if truth is None else truth.is_empty),
            lesion_fraction=None if truth is None else float(truth.foreground.mean()),
            score=score,
            milliseconds=milliseconds,
            error=error,
            unscored=self.unscored,
        )

    def missed(self, error: str, min_iou: float) -> Row:
        """The row of a case that could not be segmented: the worst score, and the reason."""
        ref = self.ref
        score = score_failure(self.truth, ref.is_normal, min_iou, ref.is_volume)
        return self.row(score, error=error)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one case.

    Attributes:
        row: its scores, or its error.
        prediction: what was scored; None where it failed.
    """

    row: Row
    prediction: Prediction | None = None


def open_case(ref: CaseRef) -> OpenedCase:
    """Read a case; what goes wrong is kept and not raised."""
    try:
        case = ref.load()
        if case.mask is None:
            raise GroundTruthError(
                f"case {case.case_id} without ground truth", "a ground truth mask"
            )
    except GroundTruthError as error:
        return OpenedCase(ref, error=reason(error), unscored=reason(error))
    except FAILURES as error:
        return OpenedCase(ref, error=reason(error))
    return OpenedCase(ref, case)


def segment_and_score(segmenter: Segmenter, opened: OpenedCase, protocol: Protocol) -> Outcome:
    """Segment one case and score it; what goes wrong becomes a row with the worst score."""
    case, truth = opened.case, opened.truth
    if case is None or truth is None:
        return Outcome(opened.missed(opened.error or "cannot be read", protocol.min_iou))
    try:
        started = perf_counter()
        prediction = prompted(segmenter, case.images[0], truth, protocol.prompting)
        milliseconds = (perf_counter() - started) * 1000
        score = score_image(prediction, truth, protocol.size, protocol.min_iou)
    except FAILURES as error:
        return Outcome(opened.missed(reason(error), protocol.min_iou))
    return Outcome(opened.row(score, milliseconds), prediction)


def reason(error: Exception) -> str:
    """An error in one line, with its type where the text alone may not say enough."""
    says = " ".join(str(error).split())
    return says if isinstance(error, BreastsegError) else f"{type(error).__name__}: {says}"
