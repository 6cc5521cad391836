"""Text burned into ultrasound: painted over, which tesseract confirms; else held back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom import Dataset, dcmread

from breastseg.dicom.deidentify.run import Places, deidentify
from breastseg.dicom.deidentify.text import TextLook, text_boxes

from .subjects import phantoms, read_back, saved

NAME, NUMBER = "MUSTERMANN ERIKA", "ID 4711 0815"


def lettered(frame: NDArray[np.uint8], words: str, at: tuple[int, int]) -> None:
    """Burn words into a frame, white, from the lower left corner (column, row) on."""
    cv2.putText(frame, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255,) * 3, 1, cv2.LINE_AA)


def with_text(name: str) -> Dataset:
    """A phantom with a title above the scan that is no region of it, and a name within the scan."""
    one = read_back(phantoms()[name].objects[0])
    colour = one.SamplesPerPixel == 3
    pixels = one.pixel_array if one.get("NumberOfFrames") else one.pixel_array[None]
    banner = ((0, 0), (40, 0), (0, 0), (0, 0))[: pixels.ndim]
    tall = np.pad(pixels, banner)
    for frame in tall:
        lettered(frame, f"{NAME} {NUMBER}", (4, 24))
    lettered(tall[-1], NAME, (40, 150))  # of a loop in one frame alone
    one.Rows, one.PixelData = tall.shape[1], tall.tobytes() + b"\0" * (tall.size % 2)
    region = one.SequenceOfUltrasoundRegions[0]
    region.RegionLocationMinY0, region.RegionLocationMaxY1 = 40, one.Rows - 1
    assert colour == (tall.ndim == 4)
    return one


def frames_of(one: Dataset) -> NDArray[np.uint8]:
    """(frames, rows, columns) or with colours."""
    return one.pixel_array if one.get("NumberOfFrames", 1) > 1 else one.pixel_array[None]


def read_by_tesseract(frame: NDArray[np.uint8], folder: Path) -> str:
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    path = folder / "frame.png"
    rows, columns = frame.shape[:2]
    Pillow.fromarray(frame).resize((3 * columns, 3 * rows), Pillow.Resampling.BICUBIC).save(path)
    command = ["tesseract", str(path), "-", "--psm", "11"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.upper()


@pytest.mark.parametrize("name", ["us-still", "us-colour", "us-cine"])
def test_text_goes_and_the_rest_of_the_scan_stays(name: str, tmp_path: Path) -> None:
    one = with_text(name)
    (tmp_path / "one.dcm").write_bytes(saved(one))
    [outcome] = deidentify([tmp_path / "one.dcm"], Places.beside(tmp_path / "out"))
    assert outcome.status == "written", outcome.why
    clean = dcmread(outcome.written or "")
    assert clean.BurnedInAnnotation == "NO"
    before, after = frames_of(one), frames_of(clean)
    assert before.shape == after.shape
    assert not after[:, :40].any()
    changed = (before != after)[:, 40:].any(axis=0)
    changed = changed.any(axis=-1) if changed.ndim == 3 else changed
    assert changed[100:110, 40:180].mean() > 0.95  # the name
    assert changed.mean() < 0.15
    assert "MUSTERMANN" in read_by_tesseract(before[0], tmp_path)
    for frame in after[[0, -1]]:
        said = read_by_tesseract(frame, tmp_path)
        assert not [word for word in (*NAME.split(), "4711", "0815") if word in said]


def test_what_the_second_look_finds_is_held_back(tmp_path: Path) -> None:
    one = read_back(phantoms()["mg"].objects[0])  # no screen: looked at, not painted over
    letters = np.zeros(one.pixel_array.shape, np.uint8)
    lettered(letters, NAME, (5, 100))
    one.PixelData = np.maximum(one.pixel_array, letters.astype(np.uint16) * 16).tobytes()
    (tmp_path / "one.dcm").write_bytes(saved(one))
    [outcome] = deidentify([tmp_path / "one.dcm"], Places.beside(tmp_path / "out"))
    assert outcome.status == "held back"
    assert "text is left at" in outcome.why
    assert [*(tmp_path / "out").glob("**/*.dcm")] == []
    assert (outcome.written or Path()).is_relative_to(tmp_path / "out.held-back")


@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("scale", [0.4, 0.7, 1.2])
def test_letters_of_any_size_and_shade_are_found(ink: int, scale: float) -> None:
    levels = np.full((120, 400), 255 - ink // 2 if ink == 0 else 60, np.uint8)
    cv2.putText(levels, "Erika 1961", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1)
    boxes = text_boxes(levels, TextLook())
    assert boxes
    around = boxes[0]
    for box in boxes[1:]:
        around |= box
    columns = np.nonzero(levels == ink)[1]
    assert around.start[1] <= columns.min() + 12
    assert around.stop[1] >= columns.max() - 12
    assert not text_boxes(np.full((120, 400), 60, np.uint8), TextLook())


def test_speckle_is_no_text() -> None:
    for seed in (1, 2):
        noise = np.random.default_rng(seed).rayleigh(1, (240, 320)).astype(np.float32)
        speckle = np.clip(60 * cv2.GaussianBlur(noise, (0, 0), 1.6), 0, 255).astype(np.uint8)
        assert not text_boxes(speckle, TextLook(min_clarity=0.15, min_letters=4))
