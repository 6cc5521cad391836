"""Golden vectors of decoding: small generated files, and what the package reads in them.

    python tests/golden/make_image_vectors.py

Writes `images.json` and `images.bin`: of each file its bytes, and of each of its images the array,
the spacing, the modality, the regions and the remarks. A reader in another language gives the same
or refuses the file. No file is of a patient.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import PngImagePlugin
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

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.core.image import Image
from breastseg.io.open import open_images

FOLDER = Path(__file__).parent
ROWS, COLUMNS = 13, 22
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
ADAM7 += ((0, 1, 1, 2),)

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


def png(values: NDArray[np.integer], depth: int, colour: int, interlaced: bool = False) -> bytes:
    """A PNG of kinds that Pillow does not write; every line has the filter Sub."""
    values = values.reshape(*values.shape[:2], -1)

    def lines(part: NDArray[np.integer]) -> bytes:
        rows = []
        for line in part.reshape(len(part), -1):
            bits = ((line[:, None] >> np.arange(depth)[::-1]) & 1).astype(np.uint8)
            raw = np.packbits(bits.ravel())
            step = max(1, values.shape[2] * depth // 8)
            before = np.concatenate([np.zeros(step, np.uint8), raw[:-step]])
            rows.append(b"\1" + (raw - before).astype(np.uint8).tobytes())
        return b"".join(rows)

    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    data = b"".join(lines(values[y::down, x::across]) for x, y, across, down in passes)
    header = struct.pack(">2L5B", values.shape[1], values.shape[0], depth, colour, 0, 0, interlaced)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
        for kind, body in parts
    )


def png_files() -> Files:
    grey, colour = waves(255).astype(np.uint8), waves(255, 3).astype(np.uint8)
    yield "grey8.png", saved(Pillow.fromarray(grey), "PNG")
    yield "grey16.png", saved(Pillow.fromarray(waves(65535).astype(np.uint16)), "PNG")
    yield "grey1.png", saved(Pillow.fromarray(grey > 127), "PNG")
    yield "grey2.png", png(waves(3), 2, 0)
    yield "grey4-interlaced.png", png(waves(15), 4, 0, True)
    yield "grey16-interlaced.png", png(waves(65535), 16, 0, True)
    yield "rgb.png", saved(Pillow.fromarray(colour), "PNG")
    yield "rgb-equal.png", saved(Pillow.fromarray(np.repeat(grey[..., None], 3, 2)), "PNG")
    yield "rgb16.png", png(waves(65535, 3), 16, 2)
    yield "rgb-interlaced.png", png(waves(255, 3), 8, 2, True)
    yield "rgba.png", saved(Pillow.fromarray(waves(255, 4).astype(np.uint8)), "PNG")
    yield "rgba16.png", png(waves(65535, 4), 16, 6)
    yield "grey-alpha.png", saved(Pillow.fromarray(waves(255, 2).astype(np.uint8)), "PNG")
    palette = Pillow.fromarray(colour).quantize(11)
    yield "palette.png", saved(palette, "PNG", bits=4)
    yield "palette-transparent.png", saved(palette, "PNG", transparency=bytes(range(0, 220, 20)))
    yield "grey-transparent.png", saved(Pillow.fromarray(grey), "PNG", transparency=int(grey[0, 0]))
    text = PngImagePlugin.PngInfo()
    text.add_text("spacing_mm", "0.125,0.25")
    yield "spacing.png", saved(Pillow.fromarray(grey), "PNG", pnginfo=text)
    exif = Pillow.Exif()
    exif[0x0112] = 5
    yield "turned.png", saved(Pillow.fromarray(grey), "PNG", exif=exif)
    whole = saved(Pillow.fromarray(grey), "PNG")
    yield "cut.png", whole[:-20]
    yield "damaged.png", whole[:60] + bytes([whole[60] ^ 8]) + whole[61:]
    yield "constant.png", saved(Pillow.new("L", (5, 4), 9), "PNG")


def jpeg_files() -> Files:
    colour = Pillow.fromarray(waves(255, 3).astype(np.uint8))
    for subsampling in range(3):
        options = {"quality": 83, "subsampling": subsampling}
        yield f"rgb{subsampling}.jpg", saved(colour, "JPEG", **options)
    yield "progressive.jpg", saved(colour, "JPEG", quality=70, progressive=True)
    yield "grey.jpg", saved(colour.convert("L"), "JPEG", quality=90)
    yield "cmyk.jpg", saved(colour.convert("CMYK"), "JPEG")
    for orientation in range(2, 9):
        exif = Pillow.Exif()
        exif[0x0112] = orientation
        yield f"turned{orientation}.jpg", saved(colour.convert("L"), "JPEG", exif=exif)
    yield "cut.jpg", saved(colour, "JPEG")[:-90]


def tiff_files() -> Files:
    def written(array: NDArray[np.generic], **options: object) -> bytes:
        stream = io.BytesIO()
        tifffile.imwrite(stream, array, **options)
        return stream.getvalue()

    grey, deep = waves(255).astype(np.uint8), waves(65535).astype(np.uint16)
    colour = waves(255, 3).astype(np.uint8)
    for name, array in (("grey8", grey), ("grey16", deep)):
        yield f"{name}.tif", written(array, photometric="minisblack")
        yield f"{name}-white.tif", written(array, photometric="miniswhite")
        yield f"{name}-big-endian.tif", written(array, photometric="minisblack", byteorder=">")
        yield f"{name}-lzw.tif", saved(Pillow.fromarray(array), "TIFF", compression="tiff_lzw")
        yield f"{name}-strips.tif", written(array, photometric="minisblack", rowsperstrip=5)
        yield (
            f"{name}-deflate.tif",
            written(array, photometric="minisblack", compression="zlib", predictor=2),
        )
    yield "rgb8.tif", written(colour, photometric="rgb")
    yield "rgb8-lzw.tif", saved(Pillow.fromarray(colour), "TIFF", compression="tiff_lzw")
    yield "rgb16.tif", written(waves(65535, 3).astype(np.uint16), photometric="rgb")
    yield "real.tif", written((deep / 7 - 100).astype(np.float32), photometric="minisblack")
    yield "pages.tif", written(np.stack([grey, grey[::-1]]), photometric="minisblack")
    yield "signed.tif", written((deep // 2).astype(np.int16), photometric="minisblack")
    yield "tiled.tif", written(colour, photometric="rgb", tile=(16, 16))
    yield "packbits.tif", saved(Pillow.fromarray(grey), "TIFF", compression="packbits")
    yield "rgba.tif", saved(Pillow.fromarray(waves(255, 4).astype(np.uint8)), "TIFF")
    yield "palette.tif", saved(Pillow.fromarray(colour).quantize(7), "TIFF")
    yield "cut.tif", written(grey, photometric="minisblack")[:-150]


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
    ramp = [(n * n) // 16 for n in range(256)]
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
    yield "rle.dcm", dicom(eight, RLELossless, PixelData=encapsulate([rle(eight)]))
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


def rle(values: NDArray[np.uint8]) -> bytes:
    """One segment of literal runs, each of a row."""
    rows = b"".join(bytes([len(row) - 1]) + row.tobytes() for row in values)
    return struct.pack("<16L", 1, 64, *[0] * 14) + rows + b"\0" * (len(rows) % 2)


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


MAKERS: tuple[Callable[[], Files], ...] = (
    png_files,
    jpeg_files,
    tiff_files,
    grey_dicom_files,
    other_dicom_files,
)


def read(name: str, data: bytes) -> list[Image] | None:
    """The images of a file; None where the package refuses it."""
    stream = io.BytesIO(data)
    try:
        return list(open_images(stream, name))
    except (UnreadableError, UnsupportedError):
        return None


def files() -> dict[str, bytes]:
    """All files by name."""
    return {name: data for maker in MAKERS for name, data in maker()}


def main() -> None:
    """Write both files."""
    blob, index = b"", {}

    def put(raw: bytes) -> int:
        nonlocal blob
        at = len(blob)
        blob += raw + b"\0" * (-len(raw) % 8)
        return at

    for name, data in files().items():
        found = read(name, data)
        index[name] = {"offset": put(data), "length": len(data), "images": None}
        if found is None:
            continue
        index[name]["images"] = [
            {
                "dtype": image.array.dtype.name,
                "shape": list(image.array.shape),
                "offset": put(image.array.astype(image.array.dtype.newbyteorder("<")).tobytes()),
                "spacing_mm": image.grid.spacing_mm,
                "modality": image.modality.value,
                "frame": image.frame,
                "remarks": list(image.remarks),
                "regions": [
                    {"box": list(one.box), "spacing_mm": one.spacing_mm}
                    for one in image.grid.regions
                ],
            }
            for image in found
        ]
    (FOLDER / "images.bin").write_bytes(blob)
    (FOLDER / "images.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
