"""A scorer that is a function, and images for the real one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from breastseg.classical.method import ClassicalMethod
from breastseg.data.dataset import CaseRef
from breastseg.data.sets.folder import Folder
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.tuning import scoring
from breastseg.evaluation.tuning import search as search_module
from breastseg.evaluation.tuning.scoring import CaseDice
from breastseg.io.write import write_png

from .made import Score, ScoredBy


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch) -> ScoredBy:
    """Let a function score a case; returns how many cases each call was given."""

    def install(score: Score) -> list[int]:
        calls: list[int] = []

        @contextmanager
        def fake(promptings: Sequence[Prompting], *_: object) -> Iterator[scoring.Scorer]:
            def all_of(method: ClassicalMethod, refs: Sequence[CaseRef]) -> list[CaseDice]:
                calls.append(len(refs))
                return [CaseDice((score(method, one),) * len(promptings)) for one in refs]

            yield all_of

        monkeypatch.setattr(search_module, "scorer", fake)
        return calls

    return install


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[CaseRef, ...]:
    """Four discs in speckle, one of them in two pieces, and one image without a lesion."""
    folder = tmp_path_factory.mktemp("discs")
    rows, columns = np.indices((60, 80))
    lines = ["file,label"]
    for number, radius in enumerate((9, 11, 13, 15, 0)):
        lesion = (rows - 30) ** 2 + (columns - 35 - 3 * number) ** 2 < radius**2
        if number == 2:
            lesion |= (rows - 12) ** 2 + (columns - 12) ** 2 < 36
        speckle = np.random.default_rng(number).rayleigh(60, lesion.shape)
        picture = np.where(lesion, speckle * 0.2, speckle).clip(0, 255).astype(np.uint8)
        write_png(folder / "images" / f"s{number}.png", picture)
        write_png(folder / "masks" / f"s{number}.png", lesion)
        lines.append(f"s{number}.png,{'benign' if radius else 'normal'}")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    return Folder(folder).cases()
