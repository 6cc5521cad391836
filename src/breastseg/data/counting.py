"""How many cases, and of how many patients: what a figure or a split is worth goes by patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from breastseg.data.dataset import CaseRef


def counted(cases: Sequence[CaseRef]) -> str:
    """One line: ``"6 cases of 4 patients (4 BUSI benign, 2 BUSI normal)"``."""
    labels = Counter(f"{case.source} {case.label or 'unlabelled'}" for case in cases)
    shown = ", ".join(f"{count} {label}" for label, count in sorted(labels.items()))
    patients = len({case.patient_key for case in cases})
    bare = sum(case.mask_paths is None for case in cases)
    end = f", {bare} without ground truth" if bare else ""
    return f"{_number(len(cases), 'case')} of {_number(patients, 'patient')} ({shown}){end}"


def counted_folds(cases: Sequence[CaseRef]) -> Mapping[str, str]:
    """The same for each published fold, by its name; empty where no fold is stated."""
    folds = sorted({case.fold for case in cases if case.fold is not None})
    found = {f"fold {fold}": [c for c in cases if c.fold == fold] for fold in folds}
    if folds:
        found["no fold"] = [case for case in cases if case.fold is None]
    return {name: counted(part) for name, part in found.items() if part}


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
