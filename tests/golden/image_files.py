"""The DICOM files of the golden vectors of decoding, and the pattern that all of them show."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

ROWS, COLUMNS = 13, 22

Files = Iterator[tuple[str, bytes]]


def waves(top: int, channels: int = 1) -> NDArray[np.int64]:
    """(rows, columns) or (rows, columns, channels) of whole numbers from 0 to `top`."""
    rng = np.random.default_rng(3)
    y, x, k = np.mgrid[:ROWS, :COLUMNS, :channels]
    smooth = 0.5 + 0.4 * np.sin(x / 3 + k) * np.cos(y / 4 + 2 * k)
    values = np.rint(np.clip(smooth + rng.normal(0, 0.08, smooth.shape), 0, 1) * top).astype(int)
    return values[..., 0] if channels == 1 else values


def saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def dicom(
    pixels: NDArray[np.generic], syntax: str = ExplicitVRLittleEndian, **said: object
) -> bytes:
    """A secondary capture with these stored values, (rows, columns) or (rows, columns, 3)."""
    header = Dataset()
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    header.SOPInstanceUID = "2.25.1"
    header.Modality = "US"
    header.Rows, header.Columns = pixels.shape[-2:] if pixels.ndim == 2 else pixels.shape[-3:-1]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    bits = 8 * pixels.dtype.itemsize
    header.BitsAllocated = header.BitsStored = bits
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in said.items():
        setattr(header, keyword, value)
    header.HighBit = said.get("HighBit", header.BitsStored - 1)
    big = syntax == ExplicitVRBigEndian
    if "PixelData" not in said:
        stored = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<"))
        header.PixelData = stored.tobytes()
    header["PixelData"].VR = "OW" if header.BitsAllocated > 8 else "OB"
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    stream = io.BytesIO()
    dcmwrite(stream, header, enforce_file_format=True)
    return stream.getvalue()


def lut(entries: list[int], first: int, depth: int, signed: bool = False) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(entries), first, depth])
    item.add_new("LUTData", "OW", np.array(entries, "<u2").tobytes())
    item.ModalityLUTType = "US"
    return Sequence([item])


def grey_dicom_files() -> Files:
    eight, twelve = waves(255).astype(np.uint8), waves(4095).astype(np.uint16)
    signed = (waves(3000) - 1400).astype(np.int16)
    window = {"WindowCenter": "1700", "WindowWidth": "900"}
    turned = {"RescaleSlope": "-2.5", "RescaleIntercept": "100"}
    yield "grey8.dcm", dicom(eight)
    yield "grey12.dcm", dicom(twelve, BitsStored=12)
    yield "implicit.dcm", dicom(twelve, ImplicitVRLittleEndian, BitsStored=12, **window)
    yield "big-endian.dcm", dicom(twelve, ExplicitVRBigEndian, BitsStored=12, **window)
    yield "signed.dcm", dicom(signed)
    yield (
        "signed-8.dcm",
        dicom((waves(200) - 90).astype(np.int8), WindowCenter="3", WindowWidth="40"),
    )
    yield "signed-13-bits.dcm", dicom(signed & 0x1FFF, BitsStored=13, PixelRepresentation=1)
    yield "deep.dcm", dicom(waves(10**6).astype(np.uint32), BitsStored=20)
    yield "monochrome1.dcm", dicom(twelve, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    yield "monochrome1-signed.dcm", dicom(signed, PhotometricInterpretation="MONOCHROME1", **window)
    yield "inverse.dcm", dicom(eight, PresentationLUTShape="INVERSE")
    yield "window.dcm", dicom(twelve, BitsStored=12, **window)
    yield "window-exact.dcm", dicom(twelve, BitsStored=12, VOILUTFunction="LINEAR_EXACT", **window)
    yield "window-sigmoid.dcm", dicom(twelve, BitsStored=12, VOILUTFunction="SIGMOID", **window)
    yield "window-1.dcm", dicom(twelve, BitsStored=12, WindowCenter="1700", WindowWidth="1")
    yield "windows.dcm", dicom(twelve, WindowCenter=["900", "5"], WindowWidth=["700", "9"])
    yield "slope.dcm", dicom(signed, RescaleSlope="0.37", RescaleIntercept="-1024")
    yield "slope-negative.dcm", dicom(twelve, BitsStored=12, **turned)
    yield "slope-window.dcm", dicom(signed, WindowCenter="40", WindowWidth="400", **turned)
    yield (
        "slope-monochrome1.dcm",
        dicom(twelve, BitsStored=12, PhotometricInterpretation="MONOCHROME1", **turned, **window),
    )


def lut_dicom_files() -> Files:
    eight, twelve = waves(255).astype(np.uint8), waves(4095).astype(np.uint16)
    signed = (waves(3000) - 1400).astype(np.int16)
    window = {"WindowCenter": "1700", "WindowWidth": "900"}
    ramp = [(n * n) // 16 for n in range(256)]
    yield "modality-lut.dcm", dicom(eight, ModalityLUTSequence=lut(ramp, 0, 12))
    yield "voi-lut.dcm", dicom(twelve, BitsStored=12, VOILUTSequence=lut(ramp, 1500, 16))
    yield "voi-lut-8.dcm", dicom(eight, VOILUTSequence=lut([n // 2 for n in range(256)], 0, 8))
    yield (
        "voi-lut-signed.dcm",
        dicom(signed, VOILUTSequence=lut(ramp, -300, 12, True)),
    )
    yield (
        "both-luts.dcm",
        dicom(
            eight,
            ModalityLUTSequence=lut(ramp, 0, 12),
            VOILUTSequence=lut(ramp[::-1], 100, 12),
            PhotometricInterpretation="MONOCHROME1",
        ),
    )
    padded = twelve.copy()
    padded[:, 17:] = 4095
    yield "padding.dcm", dicom(padded, BitsStored=12, PixelPaddingValue=4095)
    yield (
        "padding-monochrome1.dcm",
        dicom(padded, PixelPaddingValue=4095, PhotometricInterpretation="MONOCHROME1", **window),
    )
    yield (
        "padding-range.dcm",
        dicom(padded, BitsStored=12, PixelPaddingValue=4000, PixelPaddingRangeLimit=4095),
    )
    yield "overlay-above.dcm", dicom(twelve | 0x3000, BitsStored=12)
    yield "high-bit.dcm", dicom((twelve << 4) | 5, BitsStored=12, HighBit=15)
    yield "cut.dcm", dicom(twelve)[:-100]


def other_dicom_files() -> Files:
    eight, colour = waves(255).astype(np.uint8), waves(255, 3).astype(np.uint8)
    red = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    yield "rgb.dcm", dicom(colour, **red)
    first = np.ascontiguousarray(np.moveaxis(colour, 2, 0))
    yield (
        "rgb-planar.dcm",
        dicom(colour, **red | {"PlanarConfiguration": 1, "PixelData": first.tobytes()}),
    )
    yield "ybr.dcm", dicom(colour, **red | {"PhotometricInterpretation": "YBR_FULL"})
    loop = np.stack([eight, eight[::-1], 255 - eight])
    shape = {"Rows": ROWS, "Columns": COLUMNS}
    yield "cine.dcm", dicom(loop, NumberOfFrames=3, **shape)
    yield "cine-short.dcm", dicom(loop, NumberOfFrames=5, **shape)
    for name, picture in (("grey", Pillow.fromarray(eight)), ("rgb", Pillow.fromarray(colour))):
        kind = red | {"PhotometricInterpretation": "YBR_FULL_422"} if name == "rgb" else {}
        frames = encapsulate([saved(picture, "JPEG", quality=88)])
        yield f"{name}-jpeg.dcm", dicom(eight, JPEGBaseline8Bit, **shape, **kind, PixelData=frames)
    frames = encapsulate([saved(Pillow.fromarray(loop[k]), "JPEG") for k in range(3)])
    said = {**shape, "NumberOfFrames": 3, "PixelData": frames}
    yield "cine-jpeg.dcm", dicom(eight, JPEGBaseline8Bit, **said)
    yield from rle_dicom_files()
    yield (
        "mammogram.dcm",
        dicom(
            waves(4095).astype(np.uint16),
            BitsStored=12,
            Modality="MG",
            PhotometricInterpretation="MONOCHROME1",
            ImagerPixelSpacing=["0.094", "0.094"],
            EstimatedRadiographicMagnificationFactor="1.05",
            PresentationIntentType="FOR PROCESSING",
        ),
    )
    yield (
        "detector.dcm",
        dicom(eight, Modality="DX", BodyPartExamined="BREAST", ImagerPixelSpacing=["0.1", "0.2"]),
    )
    yield "spacing.dcm", dicom(eight, Modality="CT", PixelSpacing=["0.3", "0.4"])
    yield (
        "regions.dcm",
        dicom(
            eight,
            SequenceOfUltrasoundRegions=Sequence(
                [region(0, 0, 12, 9, 0.02), region(0, 11, 12, 21, 0.03)]
            ),
        ),
    )
    yield (
        "region-beyond.dcm",
        dicom(eight, SequenceOfUltrasoundRegions=Sequence([region(0, 0, 40, 9, 0.02)])),
    )
    yield "enhanced.dcm", dicom(loop, NumberOfFrames=3, **shape, **functional_groups())


def rle_dicom_files() -> Files:
    eight, twelve = waves(255).astype(np.uint8), waves(4095).astype(np.uint16)
    signed, colour = (waves(3000) - 1400).astype(np.int16), waves(255, 3).astype(np.uint8)
    red = {"SamplesPerPixel": 3, "PlanarConfiguration": 1}
    shape = {"Rows": ROWS, "Columns": COLUMNS}
    frame = rle(eight)

    def written(pixels: NDArray[np.generic], *frames: bytes, **said: object) -> bytes:
        return dicom(pixels, RLELossless, PixelData=encapsulate(list(frames)), **shape, **said)

    yield "rle.dcm", written(eight, frame)
    yield "rle-12.dcm", written(twelve, rle(twelve), BitsStored=12)
    yield "rle-signed.dcm", written(signed, rle(signed), WindowCenter="40", WindowWidth="400")
    for name in ("RGB", "YBR_FULL"):
        said = red | {"PhotometricInterpretation": name}
        yield f"rle-{name.lower()}.dcm", written(colour, rle(np.moveaxis(colour, 2, 0)), **said)
    yield "rle-cine.dcm", written(eight, frame, rle(eight[::-1]), NumberOfFrames=2)
    yield "rle-cut.dcm", written(eight, frame[:-60])
    yield "rle-segments.dcm", written(twelve, frame, BitsStored=12)


def rle(values: NDArray[np.integer]) -> bytes:
    """A frame, (rows, columns) or (samples, rows, columns): constant runs and literal ones."""
    cells = values.reshape(-1, ROWS * COLUMNS)
    size = cells.dtype.itemsize
    planes = (
        cells.astype(cells.dtype.newbyteorder(">")).view(np.uint8).reshape(len(cells), -1, size)
    )
    segments = []
    for plane in np.moveaxis(planes, 2, 1).reshape(-1, ROWS * COLUMNS):
        packed = b""
        for row in plane.reshape(ROWS, COLUMNS):
            if (row == row[0]).all():
                packed += bytes([257 - len(row), row[0]])
            else:
                packed += bytes([len(row) - 1]) + row.tobytes()
        segments.append(packed + b"\0" * (len(packed) % 2))
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    header = struct.pack("<16L", len(starts), *starts, *[0] * (15 - len(starts)))
    return header + b"".join(segments)


def region(top: int, left: int, bottom: int, right: int, step_cm: float) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = step_cm, -step_cm
    return item


def functional_groups() -> dict[str, object]:
    """A spacing for all frames, and a window for each."""
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing = ["0.11", "0.12"]
    shared.PixelMeasuresSequence = Sequence([measures])
    frames = []
    for centre in (60, 120, 200):
        window, frame = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = str(centre), "90"
        frame.FrameVOILUTSequence = Sequence([window])
        frames.append(frame)
    return {
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
    }
