"""Images with something dark in them, as arrays and as DICOM."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def scan(shape: tuple[int, int] = (120, 160), radius: int = 20) -> NDArray[np.uint8]:
    """A bright image with a dark disc in its middle; radius 0 gives none."""
    rows, columns = np.indices(shape)
    centre = (shape[0] / 2, shape[1] / 2)
    picture = 180 + 20 * np.sin(rows / 9) * np.cos(columns / 7)
    picture[(rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2] = 25
    picture[0, 0] = 25  # so that grey levels are stretched alike without a disc
    return picture.astype(np.uint8)


def cine(*frames: NDArray[np.uint8], modality: str = "US") -> bytes:
    """A multi-frame DICOM file."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, UID("1.2.3")
    ds.Modality, ds.PhotometricInterpretation = modality, "MONOCHROME2"
    pixels = np.stack(frames)
    ds.NumberOfFrames, ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PixelRepresentation = 1, 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.PixelData = pixels.tobytes()
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def files(folder: Path) -> list[str]:
    """The names of everything in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())
