"""What a process of a comparison does: one case with all methods that it is missing for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np

from breastseg.core.box import Box
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance
from breastseg.core.segmenter import Segmenter
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.comparison.cell import Cell, Traits
from breastseg.evaluation.comparison.curves import Counts, count
from breastseg.evaluation.comparison.store import mask_path, write_mask
from breastseg.evaluation.comparison.traits import traits, unknown_traits
from breastseg.evaluation.protocol import Prompting, Protocol
from breastseg.evaluation.run import FAILURES, OpenedCase, Row, open_case, segment_and_score
from breastseg.evaluation.score import at_size
from breastseg.inference.methods import MethodSpec


@dataclass(frozen=True)
class Task:
    """What is missing of one case.

    Attributes:
        ref: the case.
        labels: the methods whose cell is missing.
        traits: the case's own traits are missing.
    """

    ref: CaseRef
    labels: tuple[str, ...]
    traits: bool


@dataclass(frozen=True)
class Rules:
    """What all tasks share.

    Attributes:
        specs: the methods.
        protocol: how cases are segmented and scored.
        masks: the folder of the masks.
    """

    specs: tuple[MethodSpec, ...]
    protocol: Protocol
    masks: Path


class Bench:
    """The opened methods of one process.

    Args:
        rules: what all tasks share.
        methods: by label, those that are open already; the others are opened.

    Raises:
        BreastsegError: a method cannot be opened.
    """

    def __init__(self, rules: Rules, methods: dict[str, Segmenter] | None = None) -> None:
        self._rules = rules
        self._methods = methods or {
            spec.label: opened(spec, rules.protocol.prompting)[0] for spec in rules.specs
        }
        self._phases = {spec.label: spec.info().phases for spec in rules.specs}

    def results(self, task: Task) -> Iterator[Row | Traits | Cell]:
        """Compute what is missing of a case, which is read once.

        Yields:
            What the row of a method would be that fails on it; its traits, where they are missing;
            a cell for each method, whose mask is on disk by then.

        Raises:
            InputError: a mask cannot be written.
        """
        case = open_case(task.ref)
        yield case.missed(case.error or "", self._rules.protocol.min_iou)
        if task.traits:
            key = task.ref.key
            yield unknown_traits(key) if case.case is None else traits(key, case.case)
        for label in task.labels:
            yield self._cell(label, case)

    def _cell(self, label: str, case: OpenedCase) -> Cell:
        protocol = self._rules.protocol
        seen = _first_phases(case, self._phases[label])
        outcome = segment_and_score(self._methods[label], seen, protocol)
        path = mask_path(self._rules.masks, label, case.ref.key, case.ref.is_volume)
        prediction, truth = outcome.prediction, case.truth
        if prediction is None or truth is None:
            path.unlink(missing_ok=True)  # that of an earlier run with other parameters
            return failed_cell(label, outcome.row)
        write_mask(path, prediction.mask())
        probability, lesion, ignored = at_size(prediction, truth, protocol.size)
        counts = count(probability, lesion, protocol.min_iou, int(np.count_nonzero(ignored)))
        return Cell(label, outcome.row, *astuple(counts))


def _first_phases(opened: OpenedCase, count: int) -> OpenedCase:
    """A case of which no more than so many phases are looked at; all of it where that is 0."""
    case = opened.case
    if case is None or not 0 < count < len(case.images[0].array):
        return opened
    image = case.images[0]
    seen = replace(case, images=(replace(image, array=image.array[:count]),))
    return replace(opened, case=seen)


def failed_cell(label: str, row: Row) -> Cell:
    """The cell of a failure: nothing found, nothing outlined."""
    return Cell(label, row, *astuple(Counts()))


def opened(spec: MethodSpec, prompting: Prompting) -> tuple[Segmenter, Provenance]:
    """Open a method on one core and call it once.

    The first call loads weights and libraries, which no case's time shall include, and tells the
    parameters in force.

    Raises:
        BreastsegError: it cannot be opened.
    """
    segmenter = spec.open(threads=1)
    prompt = Prompt(box=_BOX) if prompting is Prompting.BOX else None
    try:
        sample = _sample_volume(phases) if (phases := spec.info().phases) else _sample()
        return segmenter, segmenter.segment(sample, prompt).provenance
    except FAILURES:  # it may well do better on real images
        values = {parameter.name: parameter.default for parameter in spec.info().parameters}
        return segmenter, Provenance(segmenter.name, "", values)


_BOX = Box.of(40, 36, 80, 92)


def _sample_volume(phases: int) -> Image:
    """Noise in which nothing enhances."""
    grid = Grid((8, 24, 24), (1.0, 1.0, 1.0))
    noise = np.random.default_rng(0).rayleigh(50, grid.shape).astype(np.float32)
    return Image(np.repeat(noise[None], phases, axis=0), grid)


def _sample() -> Image:
    """A dark disc in speckle."""
    rows, columns = np.ogrid[:128, :128]
    distance = ((rows - 60) / 20) ** 2 + ((columns - 64) / 28) ** 2
    speckle = np.random.default_rng(0).rayleigh(50, (128, 128))
    picture = np.where(distance < 1, speckle / 3, speckle).clip(0, 255).astype(np.uint8)
    return Image(picture[None], Grid(picture.shape))
