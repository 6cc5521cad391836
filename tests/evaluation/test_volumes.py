"""Volumes are scored on their own grid, in millimetres and cubic centimetres."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Image, Prediction, Prompt, Provenance
from breastseg.core.errors import DataSetError
from breastseg.evaluation import Protocol, evaluate, summarise, write_report
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.score import ImageScore, VolumeScore

from .fakes import DrawnRef, drawn

SPACING = (5.0, 2.0, 1.0)
SHAPE = (10, 20, 30)


@dataclass(frozen=True)
class DrawnVolume(DrawnRef):
    """A volume that is its own truth."""

    is_volume: ClassVar[bool] = True


@dataclass(frozen=True)
class FirstHalf:
    """Outlines what lies in the first half of the slices."""

    name: str = "half"

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        probability = image.grey() / np.float32(255)
        probability[image.grid.shape[0] // 2 :] = 0
        return Prediction(probability, image.grid, Provenance(self.name, "1"))


def volume(case_id: str, truth: NDArray[np.bool_] | None, label: str = "malignant") -> DrawnVolume:
    flat = drawn(case_id, None, label, spacing_mm=(1, 1))
    known = {field.name: getattr(flat, field.name) for field in fields(flat)}
    return DrawnVolume(**known | {"truth": truth, "spacing_mm": SPACING})


def block(*sides: int) -> NDArray[np.bool_]:
    """A lesion that begins at slice 0, row 0, column 0."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(side) for side in sides)] = True
    return mask


def test_one_row_by_hand() -> None:
    (row,) = evaluate(FirstHalf(), [volume("a", block(8, 10, 20))]).rows
    score = row.score
    assert isinstance(score, VolumeScore)
    assert (score.true_positive, score.false_negative) == (5 * 200, 3 * 200)
    assert score.dice == pytest.approx(2 * 5 / (5 + 8))
    # the farthest slice of the truth lies three slices of 5 mm off the outline
    assert (score.hd95_px, score.hd95_mm) == (3, 15)
    assert score.volume_cm3 == pytest.approx(5 * 200 * 10 / 1000)
    assert score.true_volume_cm3 == pytest.approx(8 * 200 * 10 / 1000)
    assert score.volume_error_cm3 == pytest.approx(3 * 200 * 10 / 1000)
    assert (score.true_lesions, score.found, score.false_positives) == (1, 1, 0)


def test_lesions_are_counted_in_space() -> None:
    two = block(2, 2, 2)
    two[8:, 10:, 10:] = True
    two[2, 2, 2] = True  # touches the first by a corner
    (row,) = evaluate(FirstHalf(), [volume("a", two)]).rows
    assert (row.score.true_lesions, row.score.found) == (2, 1)


def test_a_failure_outlines_nothing_and_an_unread_truth_has_no_volume() -> None:
    class Broken(FirstHalf):
        def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
            raise MemoryError("too large")

    failed, unread = evaluate(Broken(), [volume("a", block(4, 5, 5)), volume("b", None)]).rows
    assert isinstance(failed.score, VolumeScore)
    assert isinstance(unread.score, VolumeScore)
    assert (failed.score.volume_cm3, failed.score.true_volume_cm3) == (0, 1)
    assert (unread.score.volume_error_cm3, unread.score.true_lesions) == (None, 1)
    assert unread.error == "b: truncated. Expected: a whole file"


def test_the_report_is_in_centimetres(tmp_path: Path) -> None:
    cases = [
        volume("a", block(4, 5, 5)),  # 1 cm3: small
        volume("b", block(8, 10, 20)),  # 16 cm3, of which 6 are missed
        volume("c", block(0, 0, 0), "normal"),
    ]
    evaluation = evaluate(FirstHalf(), cases)
    groups = summarise(evaluation, resamples=20).groups
    figures = groups["lesion images"].figures
    assert figures["volume_cm3"].value == pytest.approx((1 + 10) / 2)
    assert figures["true_volume_cm3"].value == pytest.approx((1 + 16) / 2)
    assert figures["volume_error_cm3"].value == pytest.approx(6 / 2)
    assert groups["normal images"].figures["volume_cm3"].value == 0
    sizes = {name: groups[name].images for name in ("small", "medium", "large") if name in groups}
    assert sizes == {"small": 1, "medium": 1}
    write_report(evaluation, tmp_path, 20)
    text = (tmp_path / "summary.md").read_text()
    assert "the volume of one study, its pixels are voxels" in text
    assert "less than 4.2 cm3" in text
    assert "| Volume error cm3 |" in text
    assert "HD95 px" not in text
    rows = list(csv.DictReader((tmp_path / "per_image.csv").read_text().splitlines()))
    assert [row["true_volume_cm3"] for row in rows] == ["1", "16", "0"]


def test_pictures_have_no_volume(tmp_path: Path) -> None:
    class Copy(FirstHalf):
        def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
            return Prediction(image.grey() / np.float32(255), image.grid, Provenance("copy", "1"))

    evaluation = evaluate(Copy(), [drawn("a", np.eye(20, dtype=bool))])
    assert type(evaluation.rows[0].score) is ImageScore
    summary = write_report(evaluation, tmp_path, 20)
    assert not any("cm3" in name for name in summary.groups["all images"].figures)
    for path in tmp_path.iterdir():
        assert "cm3" not in path.read_text()


def test_what_volumes_do_not_take_is_refused() -> None:
    cases = [volume("a", block(4, 5, 5))]
    for protocol in (Protocol(size=(64, 64)), Protocol(prompting=Prompting.BOX)):
        with pytest.raises(DataSetError, match="made/a: volumes with a size"):
            evaluate(FirstHalf(), cases, protocol)
    with pytest.raises(DataSetError, match="volumes among images: made/a"):
        evaluate(FirstHalf(), [*cases, drawn("b", np.eye(20, dtype=bool))])
