"""Golden vectors of decoding: small generated files, and what the package reads in them.

    python -m tests.golden.make_image_vectors

Writes `images.json` and `images.bin`: of each file its bytes, and of each of its images the array,
the spacing, the modality, the regions and the remarks. A reader in another language gives the same
or refuses the file. No file is of a patient.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import PngImagePlugin

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.core.image import Image
from breastseg.io.open import open_images

from .image_files import (
    Files,
    grey_dicom_files,
    lut_dicom_files,
    other_dicom_files,
    saved,
    waves,
)

FOLDER = Path(__file__).parent
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
ADAM7 += ((0, 1, 1, 2),)


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
    yield from damaged_jpeg_files()


def damaged_jpeg_files() -> Files:
    """Damage that a decoder does not notice: an end marker stands behind it."""
    black = np.zeros((96, 160), np.uint8)
    black[40:70, 60:90] = np.arange(900).reshape(30, 30) % 251
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    end = b"\xff\xd9"
    for name, picture in (("black", black), ("noise", noise)):
        for kind, options in (("", {}), ("-optimal", {"optimize": True})):
            yield f"{name}{kind}.jpg", saved(Pillow.fromarray(picture), "JPEG", **options)
    for mode in ("L", "RGB"):
        picture = Pillow.fromarray(noise).convert(mode)
        whole = saved(picture, "JPEG")
        middle = (whole.index(b"\xff\xda") + len(whole)) // 2
        for fill in (0x00, 0x20, 0xAA):
            holed = whole[:middle] + bytes([fill]) * 20 + whole[middle + 20 :]
            yield f"hole-{mode.lower()}-{fill:02x}.jpg", holed
        yield f"early-{mode.lower()}.jpg", whole[:middle].rstrip(b"\xff") + end
        whole = saved(picture, "JPEG", progressive=True)
        tables = whole.rindex(b"\xff\xc4", 0, whole.rindex(b"\xff\xda"))
        yield f"scans-{mode.lower()}.jpg", whole[:tables] + end


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


MAKERS: tuple[Callable[[], Files], ...] = (
    png_files,
    jpeg_files,
    tiff_files,
    grey_dicom_files,
    lut_dicom_files,
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
