"""Segmentations, read back by SimpleITK: every pixel, and where a volume's voxels lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from breastseg.core.image import Image
from breastseg.dicom.segmentation import Kind, segmentation
from breastseg.dicom.subject import Subject
from breastseg.io.volume import positions_mm
from breastseg.io.volume_series import read_series

from .subjects import expected, image_subject, phantoms, saved, volume_subject, write_mr


def read(subject: Subject, path: Path, kind: Kind = "BINARY") -> SimpleITK.Image:
    path.write_bytes(saved(segmentation(subject, kind)))
    return SimpleITK.ReadImage(str(path))


def pixels(one: SimpleITK.Image) -> NDArray[np.uint8]:
    """Its GDCM leaves out the last bits of a number that is no multiple of eight."""
    values = SimpleITK.GetArrayFromImage(one)
    unread = values.size % 8
    values.ravel()[values.size - unread :] = 0
    return values


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
@pytest.mark.parametrize("name", ["us-still", "us-cine", "mg-tomo", "mr-enhanced"])
def test_every_pixel_of_every_frame(name: str, kind: Kind, tmp_path: Path) -> None:
    if name == "mr-enhanced":
        write_mr(tmp_path / "mr", phantoms()[name].objects)
        subject = volume_subject(read_series(tmp_path / "mr"), phantoms()[name].truth)
    else:
        subject = image_subject(name)
    planes = [plane for one in subject.segments for plane in one.planes]
    known = np.zeros((len(planes), *subject.grid.shape[-2:]), np.uint8)
    for frame, plane in zip(known, planes, strict=True):
        levels = np.maximum(np.rint(plane.probability * 255), 1) if kind == "FRACTIONAL" else 255
        frame[plane.box.slices] = plane.crop * levels
    found = pixels(read(subject, tmp_path / "seg.dcm", kind))
    assert np.array_equal(found, known)


def on_grid(read: SimpleITK.Image, image: Image) -> NDArray[np.bool_]:
    """What lies at the voxels of an image, by the places that SimpleITK reads."""
    values = pixels(read)
    centres = np.argwhere(np.ones(image.grid.shape, bool))
    found = np.zeros(image.grid.shape, bool)
    away = positions_mm(image.grid, centres) - np.array(read.GetOrigin())
    inverse = np.linalg.inv(np.reshape(read.GetDirection(), (3, 3)))
    at = np.rint((away @ inverse.T) / np.array(read.GetSpacing())).astype(int)[:, ::-1]
    inside = ((at >= 0) & (at < values.shape)).all(axis=1)
    found[tuple(centres[inside].T)] = values[tuple(at[inside].T)] > 0
    return found


@pytest.mark.parametrize("name", ["mg-tomo", "mr-enhanced"])
def test_each_lesion_lies_in_its_place(name: str, tmp_path: Path) -> None:
    """Alone, since SimpleITK takes the frames of several lesions for one stack."""
    write_mr(tmp_path / "source", phantoms()[name].objects)
    image = read_series(tmp_path / "source")
    if name == "mg-tomo":
        subject, known = image_subject(name), expected(name)[::-1]
    else:
        known = phantoms()[name].truth
        subject = volume_subject(image, known)
    found = np.zeros(image.grid.shape, bool)
    for one in subject.segments:
        alone = replace(subject, segments=(one,))
        found |= on_grid(read(alone, tmp_path / "seg.dcm"), image)
    unlike = np.argwhere(found != known)
    # where the last bits, which `pixels` leaves out, lie
    assert all(tuple(at[1:]) >= (known.shape[1] - 1, known.shape[2] - 8) for at in unlike)
