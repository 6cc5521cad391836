"""Damaged instances in a row: each is answered, none stops the node or leaves a file behind."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from pathlib import Path

import pytest

from breastseg.dicom.node.config import Rule
from breastseg.dicom.node.intake import Status
from breastseg.dicom.node.log import logged
from breastseg.dicom.node.rules import Handler

from ...fuzz.mutate import damaged
from ...fuzz.samples import dicoms
from .nodes import Parts

COUNT = 48


def test_a_warning_that_repeats_a_value_is_not_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with logged("text"):
        warnings.warn("Invalid value for VR UI: 'DOE^JANE'", stacklevel=1)
        logging.getLogger("breastseg.dicom.node.test").info("a line")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith("info a line\n")


def test_each_is_answered_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    parts = Parts(tmp_path, [Handler(Rule("us-still"), 2)])
    samples = dicoms()
    answers: Counter[Status] = Counter()
    for seed in range(COUNT):
        _, whole, header = samples[seed % len(samples)]
        hurt, _ = damaged(whole, header, seed)
        file = parts.folder.incoming / "one"
        file.write_bytes(hurt)
        answers[parts.intake.take(file, "TEST")] += 1
        file.unlink(missing_ok=True)
        told = [one for one in caplog.records if one.name.startswith("breastseg")]
        assert len(told) == seed + 1  # a line each
    assert answers == parts.intake.answers
    assert answers[Status.SUCCESS]
    assert answers[Status.UNREADABLE]
    while parts.segmenting.one():
        continue
    assert set(parts.queue.counts()) <= {"sending", "sent", "failed"}
    assert [*parts.folder.incoming.iterdir()] == []
