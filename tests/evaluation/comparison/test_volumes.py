"""Methods for volumes are compared as those for images are, each on the phases that it takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from breastseg.core import Image, Modality, Prediction, Prompt, Provenance
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.data.sets.mama_mia import MamaMia
from breastseg.evaluation.comparison.report import write_comparison
from breastseg.evaluation.comparison.run import compare
from breastseg.evaluation.comparison.store import mask_path, read_mask_array
from breastseg.evaluation.protocol import Protocol
from breastseg.evaluation.score import VolumeScore
from breastseg.inference.methods import MethodInfo, MethodSpec

from ...training.volume.made import write_mama_mia
from .acting import acting, some_cases


@dataclass(frozen=True)
class Enhancing:
    """Outlines what the last phase that it is given has more than the first."""

    name: str
    phases: int

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        assert image.array.shape[0] == self.phases
        gain = image.array[-1].astype(np.float32) - image.array[0]
        unit = np.clip(gain / max(float(gain.max()), 1e-6), 0, 1)
        return Prediction(unit, image.grid, Provenance(self.name, "1", {"phases": self.phases}))


@dataclass(frozen=True)
class EnhancingSpec(MethodSpec):
    phases: int = 2

    def open(self, threads: int = 1) -> Enhancing:
        return Enhancing(self.method, self.phases)

    def info(self) -> MethodInfo:
        words = ("network", "enhances", "made up", "noise")
        return MethodInfo(self.method, *words, Modality.MRI, False, True, phases=self.phases)


EARLY, LATE = (EnhancingSpec(name, name, phases=n) for name, n in (("early", 2), ("late", 3)))


@pytest.fixture
def cases(tmp_path: Path) -> tuple[CaseRef, ...]:
    folder = write_mama_mia(tmp_path / "set", ("malignant", "benign", "normal"), phases=4)
    return MamaMia(folder).cases()


def test_each_method_has_its_phases_and_all_go_through_to_the_report(
    cases: tuple[CaseRef, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    found = compare([EARLY, LATE], cases, Protocol(), out, "early", workers=2)
    assert found.of_volumes
    for label, phases in (("early", 2), ("late", 3)):
        assert found.parameters[label] == {"phases": phases}
        for ref, cell in zip(cases, found.cells[label], strict=True):
            assert cell.row.error is None
            score = cell.row.score
            assert isinstance(score, VolumeScore)
            outline = read_mask_array(mask_path(found.masks, label, ref.key, True))
            expected = Enhancing("", phases).segment(
                Image((image := ref.load().images[0]).array[:phases], image.grid)
            )
            assert np.array_equal(outline, expected.mask().foreground)
            # the counts at threshold .5 are those of the score, in space
            assert (cell.found[9], cell.false_positives[9]) == (score.found, score.false_positives)
            assert sum(cell.bin_pixels) == outline.size
    results = write_comparison(found, out, cases, "command", resamples=20)
    page, content = (
        (out / "report.html").read_text(),
        json.loads((out / "comparison.json").read_text()),
    )
    assert "HD95, mm" in page
    assert "HD95, px" not in page
    assert "Volume error, cm3" in page
    assert "its pixels are voxels" in page
    assert "slice " in page
    assert str(tmp_path) not in page
    assert any(name.startswith("small, below 4.2 cm3") for name in results.subgroups)
    assert ",volume_cm3,true_volume_cm3," in (out / "comparison.csv").read_text()
    assert "volume_error_cm3" in content["methods"]["late"]["groups"]["lesion images"]["figures"]


def test_what_is_done_is_not_done_again(cases: tuple[CaseRef, ...], tmp_path: Path) -> None:
    counts: list[int] = []

    def run() -> None:
        out, note = tmp_path / "out", lambda done, _: counts.append(done)
        compare([EARLY, LATE], cases, Protocol(), out, "early", 1, note)

    compare([EARLY], cases, Protocol(), tmp_path / "out", "early", workers=1)
    compare(
        [EARLY, LATE],
        cases,
        Protocol(),
        tmp_path / "out",
        "early",
        1,
        lambda n, _: counts.append(n),
    )
    assert counts == [3, 4, 5, 6]
    # another phase in place of one that was looked at is another study
    later = cases[0].image_paths[1]
    later.write_bytes(cases[0].image_paths[2].read_bytes())
    counts.clear()
    compare(
        [EARLY, LATE],
        cases,
        Protocol(),
        tmp_path / "out",
        "early",
        1,
        lambda n, _: counts.append(n),
    )
    assert counts[0] == 4


def test_methods_for_the_other_kind_are_refused(cases: tuple[CaseRef, ...], tmp_path: Path) -> None:
    flat = acting("flat", tmp_path / "log")
    with pytest.raises(DataSetError, match="volumes for flat, made for images"):
        compare([EARLY, flat], cases, Protocol(), tmp_path / "out", "early", workers=1)
    with pytest.raises(DataSetError, match="images for early, late, made for volumes"):
        compare([EARLY, LATE], some_cases(), Protocol(), tmp_path / "out", "early", workers=1)
    assert not (tmp_path / "out").exists()


def test_an_examination_with_too_few_phases_fails_alone(tmp_path: Path) -> None:
    cases = MamaMia(write_mama_mia(tmp_path / "set", phases=3)).cases()
    cases[1].image_paths[2].unlink()
    cases = MamaMia(tmp_path / "set").cases()
    found = compare([EARLY, LATE], cases, Protocol(), tmp_path / "out", "early", workers=1)
    errors = [cell.row.error for cell in found.cells["late"]]
    assert errors[0] is None
    assert "2 phases. Expected: at least 3" in str(errors[1])
