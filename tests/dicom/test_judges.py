"""Every object before programs of others: dciodvfy of dicom3tools, dcmdump of dcmtk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom import Dataset

from breastseg.dicom.deidentify.run import Places, deidentify
from breastseg.dicom.presentation import no_presentation, presentation
from breastseg.dicom.report import report
from breastseg.dicom.segmentation import segmentation
from breastseg.dicom.subject import Subject, subject_of_frames
from breastseg.io.open import open_images
from breastseg.io.volume_series import read_series

from .subjects import (
    frame_results,
    image_subject,
    phantoms,
    saved,
    volume_subject,
    with_margins,
    write_mr,
)

IMAGES = ("us-still", "us-colour", "us-cine", "mg", "mg-tomo")
NAMES = (*IMAGES, "mr", "mr-enhanced", "none")
KNOWN: dict[str, str] = {}
"""Errors of dciodvfy that are its own, and why."""


def said_by(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    command = [program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subject]:
    made = {name: image_subject(name) for name in IMAGES}
    folder = tmp_path_factory.mktemp("mr")
    write_mr(folder)
    normal = [one for one in frame_results("us-cine") if not one.found]
    made["none"] = subject_of_frames(normal)
    made["mr"] = volume_subject(read_series(folder), phantoms()["mr"].truth)
    enhanced = tmp_path_factory.mktemp("enhanced")
    write_mr(enhanced, phantoms()["mr-enhanced"].objects)
    made["mr-enhanced"] = volume_subject(read_series(enhanced), phantoms()["mr-enhanced"].truth)
    return made


def objects_of(subject: Subject) -> dict[str, Dataset]:
    made = {"report of contours": report(subject)}
    if subject.segments:
        made["binary"] = segmentation(subject)
        made["fractional"] = segmentation(subject, "FRACTIONAL")
        made["report"] = report(subject, made["binary"])
        if subject.grid.ndim == 2:
            made["report of margins"] = report(with_margins(subject), made["binary"])
    if subject.segments and no_presentation(subject) is None:
        made["presentation"] = presentation(subject)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_dciodvfy_finds_no_error(subjects: dict[str, Subject], name: str, tmp_path: Path) -> None:
    for kind, one in objects_of(subjects[name]).items():
        path = tmp_path / f"{kind}.dcm"
        path.write_bytes(saved(one))
        said = said_by("dciodvfy", "-new", str(path)).splitlines()
        errors = [line for line in said if line.startswith("Error")]
        unknown = [line for line in errors if not any(known in line for known in KNOWN)]
        assert not unknown, kind


def test_dciodvfy_finds_no_error_in_the_sources(tmp_path: Path) -> None:
    for name, phantom in phantoms().items():
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(saved(phantom.objects[0]))
        said = said_by("dciodvfy", "-new", str(path)).splitlines()
        assert not [line for line in said if line.startswith("Error")], name


def test_dciodvfy_finds_no_error_in_what_was_deidentified(tmp_path: Path) -> None:
    sources = tmp_path / "in"
    sources.mkdir()
    for name, phantom in phantoms().items():
        (sources / f"{name}.dcm").write_bytes(saved(phantom.objects[0]))
    outcomes = [*deidentify([sources], Places.beside(tmp_path / "out"))]
    assert {one.status for one in outcomes} == {"written"}
    for one in outcomes:
        said = said_by("dciodvfy", "-new", str(one.written)).splitlines()
        assert not [line for line in said if line.startswith("Error")], one.source.name


def test_dcmtk_reads_them(subjects: dict[str, Subject], tmp_path: Path) -> None:
    for kind, one in objects_of(subjects["us-cine"]).items():
        path = tmp_path / f"{kind}.dcm"
        path.write_bytes(saved(one))
        said = said_by("dcmdump", str(path))
        assert one.SOPInstanceUID in said
        assert "E: " not in said


def test_dsrdump_reads_the_measurements_and_that_there_is_none(
    subjects: dict[str, Subject], tmp_path: Path
) -> None:
    path = tmp_path / "report.dcm"
    for name, words in (
        ("mg", ('"Long Axis")=', "mm,UCUM", '"Mass"', '"Left"', "Research use only")),
        ("mr", ('"Volume")=', "mm3,UCUM")),
        ("none", ('"Mass")=(2667000,SCT,"Absent")', "No lesion outlined")),
    ):
        path.write_bytes(saved(report(subjects[name])))
        said = said_by("dsrdump", "+Pl", str(path))
        assert all(word in said for word in words), said


@pytest.mark.parametrize("name", ["us-still", "us-cine", "mg", "mg-tomo"])
def test_dcmtk_shows_an_image_with_its_presentation_state(
    subjects: dict[str, Subject], name: str, tmp_path: Path
) -> None:
    state, source = tmp_path / "state.dcm", tmp_path / "source.dcm"
    state.write_bytes(saved(presentation(subjects[name])))
    source.write_bytes(saved(phantoms()[name].objects[0]))
    shown = tmp_path / "shown.pgm"
    said = said_by("dcmp2pgm", "--pstate", str(state), str(source), str(shown))
    assert shown.exists(), said
    first = next(iter(open_images(source)))
    levels = np.asarray(Pillow.open(shown), float)
    # as a viewer shows it without one: the window is repeated
    assert levels.shape == first.grid.shape
    assert np.corrcoef(levels.ravel(), first.grey().ravel())[0, 1] > 0.99


def test_dcmtk_finds_no_fault_in_a_presentation_state(
    subjects: dict[str, Subject], tmp_path: Path
) -> None:
    for name, subject in subjects.items():
        if not subject.segments:
            continue
        state = tmp_path / f"{name}.dcm"
        state.write_bytes(saved(presentation(subject)))
        assert "Test passed" in said_by("dcmpschk", str(state)), name
