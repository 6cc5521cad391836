"""Run several methods on the same cases, on all cores, and keep what is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

from breastseg.core.errors import DataSetError, InputError, UnsupportedError
from breastseg.core.provenance import Provenance
from breastseg.core.segmenter import Segmenter
from breastseg.data.dataset import CaseRef, some
from breastseg.data.volume_studies import first_phases
from breastseg.evaluation.comparison.cell import Cell, Comparison, Traits
from breastseg.evaluation.comparison.cell_worker import Bench, Rules, Task, opened
from breastseg.evaluation.comparison.store import Store, fingerprint, state_of, state_of_code
from breastseg.evaluation.comparison.workers import Results, in_processes, in_this_process
from breastseg.evaluation.protocol import Prompting, Protocol
from breastseg.evaluation.run import check_cases, require_scored, without_truth
from breastseg.inference.methods import MethodInfo, MethodSpec
from breastseg.inference.session import usable_cores


def compare(
    specs: Sequence[MethodSpec],
    cases: Sequence[CaseRef],
    protocol: Protocol,
    folder: Path,
    baseline: str,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Segment and score every case with every method.

    A method that fails on a case has a cell with its error and the worst score. Every cell is kept
    in `folder` and not computed again unless its method, the protocol, the case's files or the code
    have changed. A case without a usable ground truth is in no cell; see `Comparison.unscored`.

    Args:
        specs: the methods; each under a label of its own.
        cases: of volumes each method is given as many phases as it takes.
        protocol: how they are segmented and scored.
        folder: gets ``cells.jsonl`` and ``masks/``; made where it is missing.
        baseline: the label that the others are held against.
        workers: processes, each on one core; 0 for one a core, 1 for this process.
        progress: told at the start and after each cell how many are done, and how many in all.

    Returns:
        All cells; milliseconds are those of one core, while the others are busy too.

    Raises:
        InputError: as `_check` and `Store`, or a parameter that is not known.
        DataSetError: as `check_cases`; or cases that some method is not made for.
        BreastsegError: a method cannot be opened or takes no boxes, or no process starts.
    """
    _check(specs, baseline, workers)
    check_cases(cases, protocol)
    infos = _infos(specs, protocol.prompting)
    unscored = without_truth(cases)
    cases = _as_taken([ref for ref in cases if ref.key not in unscored], infos)
    methods = {spec.label: opened(spec, protocol.prompting) for spec in specs}
    made_by, note = {label: made for label, (_, made) in methods.items()}, progress or _pass
    with Store(folder) as store:
        ledger = _Ledger(store, cases, made_by, protocol)
        note(*ledger.done)
        rules = Rules(tuple(specs), protocol, store.masks)
        with closing(_results(rules, methods, ledger.tasks(), workers)) as results:
            for result in results:
                ledger.enter(result)
                if isinstance(result, Cell):
                    note(*ledger.done)
    unscored |= ledger.unscored()
    return Comparison(
        methods=infos,
        cells=ledger.in_order(unscored),
        traits={r.key: ledger.traits[r.key] for r in cases if r.key not in unscored},
        protocol=protocol,
        baseline=baseline,
        masks=store.masks,
        parameters={label: dict(made.parameters) for label, made in made_by.items()},
        unscored=unscored,
    )


def _pass(_done: int, _all: int) -> None:
    """Tell no one."""


def _results(
    rules: Rules,
    methods: dict[str, tuple[Segmenter, Provenance]],
    tasks: Sequence[Task],
    workers: int,
) -> Results:
    """Have the tasks done, here or in processes of their own."""
    count = workers or usable_cores()
    if count == 1:
        bench = Bench(rules, {label: method for label, (method, _) in methods.items()})
        return in_this_process(bench, tasks)
    methods.clear()  # the processes open their own; a network's weights are large
    needed = {label for task in tasks for label in task.labels}
    specs = tuple(spec for spec in rules.specs if spec.label in needed)
    return in_processes(replace(rules, specs=specs), tasks, count)


class _Ledger:
    """What is done and what is missing.

    Args:
        store: what earlier runs have done.
        cases: all cases.
        made_by: by label, what a method says of itself.
        protocol: how cases are segmented and scored.

    Attributes:
        cells: by label and key.
        traits: by key.
    """

    def __init__(
        self,
        store: Store,
        cases: Sequence[CaseRef],
        made_by: Mapping[str, Provenance],
        protocol: Protocol,
    ) -> None:
        self._store, self._cases = store, cases
        # The steps depend on the image, and say nothing that the parameters do not.
        self._methods = {
            label: fingerprint(asdict(protocol), made.as_dict() | {"steps": None})
            for label, made in made_by.items()
        }
        self._states = {ref.key: fingerprint(state_of_code(), state_of(ref)) for ref in cases}
        self.cells: dict[tuple[str, str], Cell] = {}
        self.traits: dict[str, Traits] = {}
        for ref in cases:
            traits = store.traits(ref.key, self._states[ref.key])
            if traits is not None:
                self.traits[ref.key] = traits
            for label in self._methods:
                cell = store.cell(label, ref.key, self._fingerprint(label, ref.key))
                if cell is not None:
                    self.cells[label, ref.key] = cell

    @property
    def done(self) -> tuple[int, int]:
        """How many cells are done, and how many there are in all."""
        return len(self.cells), len(self._methods) * len(self._cases)

    def tasks(self) -> list[Task]:
        """What is missing, a task a case."""
        tasks = []
        for ref in self._cases:
            labels = tuple(label for label in self._methods if (label, ref.key) not in self.cells)
            traits = ref.key not in self.traits
            if labels or traits:
                tasks.append(Task(ref, labels, traits))
        return tasks

    def enter(self, result: Cell | Traits) -> None:
        """Take a result in and write it down."""
        if isinstance(result, Traits):
            self.traits[result.key] = result
            self._store.add(result, self._states[result.key])
        else:
            key = result.row.key
            self.cells[result.method, key] = result
            self._store.add(result, self._fingerprint(result.method, key))

    def unscored(self) -> dict[str, str]:
        """The cases whose ground truth turned out to be of no use, by key, and why."""
        rows = [cell.row for cell in self.cells.values()]
        return {row.key: row.unscored for row in rows if row.unscored is not None}

    def in_order(self, unscored: Mapping[str, str]) -> dict[str, tuple[Cell, ...]]:
        """The cells of each method in the order of the cases, once all are done.

        Raises:
            DataSetError: no case is left to be scored.
        """
        keys = [ref.key for ref in self._cases if ref.key not in unscored]
        require_scored(len(keys), unscored)
        return {label: tuple(self.cells[label, key] for key in keys) for label in self._methods}

    def _fingerprint(self, label: str, key: str) -> str:
        return fingerprint(self._methods[label], self._states[key])


def _check(specs: Sequence[MethodSpec], baseline: str, workers: int) -> None:
    labels = [spec.label for spec in specs]
    # Some file systems do not tell upper from lower case.
    alike = Counter(label.casefold() for label in labels)
    twice = {label for label in labels if alike[label.casefold()] > 1}
    if not specs:
        raise InputError("no method to compare", "at least one")
    if twice:
        raise InputError(
            f"methods with one label: {some(twice)}", "a label each", "write LABEL=METHOD"
        )
    if not all(label.strip() and label.isprintable() for label in labels):
        raise InputError("a label without a letter or with a line break", "printed characters")
    if baseline not in labels:
        raise InputError(f"baseline {baseline!r}", f"one of {', '.join(labels)}")
    if workers < 0:
        raise InputError(f"workers = {workers}", "1 or more, or 0 for all cores")


def _as_taken(cases: Sequence[CaseRef], infos: Mapping[str, MethodInfo]) -> Sequence[CaseRef]:
    """The cases, of volumes no more than the phases that some method looks at.

    Raises:
        DataSetError: volumes for a method for images, or images for one for volumes.
    """
    of_volumes = cases[0].is_volume  # as all others are
    others = [label for label, info in infos.items() if (info.phases > 0) is not of_volumes]
    if others:
        given, taken = ("volumes", "images") if of_volumes else ("images", "volumes")
        raise DataSetError(
            f"{given} for {some(others)}, made for {taken}",
            f"methods for {given} alone, or data sets of {taken}",
            "look in the list of methods what each is for",
        )
    if not of_volumes:
        return cases
    most = max(info.phases for info in infos.values())
    return [first_phases(ref, most) for ref in cases]


def _infos(specs: Sequence[MethodSpec], prompting: Prompting) -> dict[str, MethodInfo]:
    """What is known of each method, all of which take the prompts that they will be given."""
    infos = {spec.label: spec.info() for spec in specs}
    blind = [label for label, info in infos.items() if not info.takes_prompt]
    if prompting is Prompting.BOX and blind:
        raise UnsupportedError(
            f"boxes for {some(blind)}",
            "methods that take a prompt",
            "leave it out, or compare without prompts",
        )
    return infos
