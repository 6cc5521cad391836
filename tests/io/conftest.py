"""Small image files of every kind that is read, made in memory."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

Array = NDArray[np.generic]
MakeDicom = Callable[..., bytes]


def pillow_file(array: Array, kind: str, **options: object) -> bytes:
    """An image file written by Pillow."""
    buffer = io.BytesIO()
    Pillow.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def dataset(pixels: Array, colour: bool, syntax: str, **attributes: object) -> Dataset:
    """A data set for (rows, columns), (frames, rows, columns) or, with `colour`, one axis more."""
    frames = pixels if pixels.ndim == 3 + colour else pixels[None]
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    ds.Modality = "OT"
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape[:3]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def dicom_file(
    pixels: Array,
    *,
    colour: bool = False,
    syntax: str = ExplicitVRLittleEndian,
    encoded: list[bytes] | None = None,
    data: bytes | None = None,
    **attributes: object,
) -> bytes:
    """A DICOM file.

    Args:
        pixels: the frames.
        colour: the last axis holds RGB.
        syntax: of the file; where pydicom can compress to it, it does.
        encoded: the frames' codestreams, instead.
        data: the value of Pixel Data, instead.
        attributes: further elements by keyword.
    """
    given = encoded is not None or data is not None
    compressed = UID(syntax).is_compressed
    first = syntax if given or not compressed else ExplicitVRLittleEndian
    ds = dataset(pixels, colour, first, **attributes)
    raw = pixels.tobytes() if data is None else data
    ds.PixelData = encapsulate(encoded) if encoded is not None else raw + b"\0" * (len(raw) % 2)
    ds["PixelData"].VR = "OB" if encoded is not None or ds.BitsAllocated == 8 else "OW"
    if compressed and not given:
        ds.compress(UID(syntax), generate_instance_uid=False)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def lossless_jpeg(pixels: NDArray[np.unsignedinteger]) -> bytes:
    """A lossless JPEG codestream, ISO/IEC 10918-1 annex H with predictor 1, written out plainly.

    Args:
        pixels: (rows, columns) or (rows, columns, 3).
    """
    samples = np.atleast_3d(pixels).astype(np.int64)
    rows, columns, count = samples.shape
    bits = 8 * pixels.dtype.itemsize
    guess = np.empty_like(samples)
    guess[:, 1:] = samples[:, :-1]
    guess[1:, 0] = samples[:-1, 0]
    guess[0, 0] = 2 ** (bits - 1)
    stream = ""
    for value in ((samples - guess + 2**15) % 2**16 - 2**15).ravel().tolist():
        size = abs(value).bit_length()
        stream += f"{size:05b}"  # the Huffman codes are the sizes in 5 bits
        if 0 < size < 16:
            stream += f"{value if value > 0 else value + 2**size - 1:0{size}b}"
    stream += "1" * (-len(stream) % 8)
    body = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")
    frame = bytes([bits]) + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + bytes([count])
    frame += b"".join(bytes([n + 1, 0x11, 0]) for n in range(count))
    table = bytes([0, *[0] * 4, 17, *[0] * 11, *range(17)])
    scan = bytes([count]) + b"".join(bytes([n + 1, 0]) for n in range(count)) + bytes([1, 0, 0])

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content

    parts = segment(0xC3, frame), segment(0xC4, table), segment(0xDA, scan)
    return b"\xff\xd8" + b"".join(parts) + body + b"\xff\xd9"


@pytest.fixture
def make_dicom() -> MakeDicom:
    return dicom_file


@pytest.fixture
def make_lossless_jpeg() -> Callable[[Array], bytes]:
    return lossless_jpeg  # type: ignore[return-value]


@pytest.fixture
def make_raster() -> Callable[..., bytes]:
    return pillow_file


@pytest.fixture(scope="session")
def ramp() -> NDArray[np.uint8]:
    """(6, 8), 0 to 235, no two pixels equal."""
    return (np.arange(48, dtype=np.uint8) * 5).reshape(6, 8)


@pytest.fixture(scope="session")
def samples(ramp: NDArray[np.uint8]) -> dict[str, bytes]:
    """One small file of each kind, by name."""
    deep = ramp.astype(np.uint16) * 271
    colour = np.stack([ramp, ramp[::-1], 255 - ramp], axis=2)
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    jpeg = pillow_file(smooth, "JPEG")
    return {
        "grey.png": pillow_file(ramp, "PNG"),
        "deep.png": pillow_file(deep, "PNG"),
        "colour.png": pillow_file(colour, "PNG"),
        "grey.jpg": jpeg,
        "colour.jpg": pillow_file(np.stack([smooth] * 2 + [smooth.T // 2], axis=2), "JPEG"),
        "grey.tif": pillow_file(ramp, "TIFF"),
        "packed.tif": pillow_file(deep, "TIFF", compression="tiff_adobe_deflate"),
        "lzw.tif": pillow_file(colour, "TIFF", compression="tiff_lzw"),
        "grey.bmp": pillow_file(ramp, "BMP"),
        "grey.dcm": dicom_file(ramp),
        "window.dcm": dicom_file(
            deep, WindowCenter=6000, WindowWidth=9000, RescaleSlope=2, RescaleIntercept=-5
        ),
        "cine.dcm": dicom_file(np.stack([ramp, ramp[::-1]])),
        "rle.dcm": dicom_file(np.stack([ramp, 255 - ramp]), syntax="1.2.840.10008.1.2.5"),
        "jpeg.dcm": dicom_file(smooth, syntax=JPEGBaseline8Bit, encoded=[jpeg]),
        "jls.dcm": dicom_file(deep, syntax="1.2.840.10008.1.2.4.80"),
        "j2k.dcm": dicom_file(np.tile(deep, (6, 5)), syntax="1.2.840.10008.1.2.4.90"),
        "lossless.dcm": dicom_file(
            deep, syntax="1.2.840.10008.1.2.4.70", encoded=[lossless_jpeg(deep)]
        ),
    }
