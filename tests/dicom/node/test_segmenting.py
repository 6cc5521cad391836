"""From an instance that was taken to the objects that lie at a destination."""

from __future__ import annotations

import logging
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import InputError
from breastseg.dicom.node.config import Rule
from breastseg.dicom.node.intake import Status
from breastseg.dicom.node.rules import Handler

from ..subjects import phantoms, saved
from .nodes import Parts, handler, synthetic


@pytest.mark.parametrize("name", ["us-still", "us-cine", "us-colour", "mg"])
def test_an_image_comes_back_as_segmentation_and_report_with_the_same_pixels(
    tmp_path: Path, name: str
) -> None:
    parts = Parts(tmp_path, [handler(name)])
    one = phantoms()[name].objects[0]
    assert parts.take(one) == Status.SUCCESS
    assert parts.segmenting.one()
    assert parts.sending().one()
    assert parts.queue.counts() == {"sent": 1}
    results = parts.results()
    assert set(results) == {"SEG", "SR"}
    truth = phantoms()[name].truth
    frames = truth if truth.ndim == 3 else truth[None]
    pixels = results["SEG"].pixel_array.reshape(-1, *truth.shape[-2:])
    np.testing.assert_array_equal(pixels, frames[frames.any(axis=(1, 2))])
    assert results["SEG"].StudyInstanceUID == one.StudyInstanceUID


def test_the_original_is_kept_byte_for_byte(tmp_path: Path) -> None:
    parts = Parts(tmp_path, [handler("us-still")])
    one = phantoms()["us-still"].objects[0]
    parts.take(one)
    parts.segmenting.one()
    (kept,) = parts.folder.source(1).iterdir()
    assert kept.read_bytes() == saved(one)


def test_the_slices_of_a_study_are_one_volume(tmp_path: Path) -> None:
    parts = Parts(tmp_path, [handler("mr", "MR", 3)])
    for one in phantoms()["mr"].objects:
        assert parts.take(one) == Status.SUCCESS
    assert parts.segmenting.one()
    assert not parts.segmenting.one()
    assert parts.sending().one()
    assert set(parts.results()) == {"SEG", "SR"}


def test_what_was_made_again_is_the_same_object(tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        parts = Parts(tmp_path / name, [handler("us-still")])
        parts.take(phantoms()["us-still"].objects[0])
        parts.segmenting.one()
        made.append({f.name: f.read_bytes() for f in parts.folder.results(1).iterdir()})
    assert made[0] == made[1]


def test_every_output_of_a_method_trained_on_synthetic_images_says_so(tmp_path: Path) -> None:
    parts = Parts(tmp_path, [synthetic(handler("us-still"))])
    parts.take(phantoms()["us-still"].objects[0])
    parts.segmenting.one()
    parts.sending().one()
    results = parts.results()
    assert all("synthetic" in one.SeriesDescription for one in results.values())
    texts = [getattr(item, "TextValue", "") for item in results["SR"].ContentSequence]
    assert any("synthetic" in text for text in texts)


def test_an_item_that_cannot_be_segmented_fails_alone_and_the_log_names_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parts = Parts(tmp_path, [handler("us-still", "US"), handler("mg", "MG")])
    broken = deepcopy(phantoms()["mg"].objects[0])
    broken.PixelData = broken.PixelData[:100]
    broken.PatientName = "Secret^Person"
    parts.take(broken)
    parts.take(phantoms()["us-still"].objects[0])
    assert parts.segmenting.one()
    assert parts.segmenting.one()
    assert parts.queue.counts() == {"failed": 1, "sending": 1}
    (row,) = parts.queue.rows("failed")
    assert "item 1" in row.problem
    assert "item 1: failed (UnreadableError)" in caplog.text
    for word in ("Secret", str(broken.PatientID), str(broken.AccessionNumber)):
        assert word not in caplog.text


def test_a_full_disk_makes_an_item_wait_and_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from breastseg.dicom.objects import DicomObjects

    def full(_self: DicomObjects, folder: Path) -> None:
        raise InputError(f"{folder}: cannot be written") from OSError(28, "No space left on device")

    parts = Parts(tmp_path, [handler("us-still")])
    parts.take(phantoms()["us-still"].objects[0])
    with monkeypatch.context() as patch:
        patch.setattr(DicomObjects, "write", full)
        assert parts.segmenting.one()
    assert parts.queue.counts() == {"ready": 1}
    assert not parts.segmenting.one()  # it waits


def test_a_rule_that_is_gone_is_told(tmp_path: Path) -> None:
    parts = Parts(tmp_path, [handler("us-still")])
    parts.take(phantoms()["us-still"].objects[0])
    assert Parts(tmp_path, [handler("mg")]).segmenting.one()
    (row,) = parts.queue.rows("failed")
    assert "us-still" in row.problem


def test_two_rules_for_one_method_never_make_one_volume(tmp_path: Path) -> None:
    both = [Handler(Rule("mr", "MR", series=words), 3) for words in ("dynamic", "other")]
    parts = Parts(tmp_path, both)
    for one in phantoms()["mr"].objects:
        for number, words in enumerate(("dynamic", "other")):
            slice_ = deepcopy(one)
            slice_.SOPInstanceUID = f"{one.SOPInstanceUID}.{number}"
            slice_.SeriesInstanceUID = f"{one.SeriesInstanceUID}.{number}"
            slice_.SeriesDescription = words
            assert parts.take(slice_) == Status.SUCCESS
    assert sum(parts.queue.counts().values()) == 2
