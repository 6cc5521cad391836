"""Small whole files of every kind that is read, to be damaged; made in memory, none is kept."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    MRImageStorage,
    RLELossless,
)

from breastseg.core.grid import Grid
from breastseg.io.volume import write_volume

from ..io.conftest import dicom_file
from ..io.lossless import encode

Sample = tuple[str, bytes, int]
"""The file's name, what is in it, and where its header ends and its pixels or cells begin."""


def scan(shape: tuple[int, int] = (40, 48)) -> NDArray[np.uint8]:
    """A bright image with noise and a dark disc."""
    rows, columns = np.indices(shape)
    image = 150 + np.random.default_rng(0).integers(0, 60, shape)
    image[(rows - 20) ** 2 + (columns - 24) ** 2 < 100] = 30
    return image.astype(np.uint8)


def rasters() -> list[Sample]:
    """PNG, JPEG, BMP and TIFF of several kinds."""
    grey, found = scan(), []
    colour = np.stack([grey, grey // 2, 255 - grey], -1)
    for name, array, kind, options in (
        ("a.png", grey, "PNG", {}),
        ("b.png", colour, "PNG", {}),
        ("c.png", grey.astype(np.uint16) * 200, "PNG", {}),
        ("a.jpg", grey, "JPEG", {"quality": 90}),
        ("b.jpg", colour, "JPEG", {"quality": 90, "progressive": True}),
        ("a.bmp", grey, "BMP", {}),
        ("a.tif", colour, "TIFF", {"compression": "tiff_lzw"}),
        ("b.tif", grey, "TIFF", {"compression": "packbits"}),
    ):
        stream = io.BytesIO()
        Pillow.fromarray(array).save(stream, kind, **options)
        found.append(_split(name, stream.getvalue()))
    for name, array in (("c.tif", grey.astype(np.float32)), ("d.tif", grey.view(np.int8))):
        stream = io.BytesIO()
        tifffile.imwrite(stream, array, photometric="minisblack")
        found.append(_split(name, stream.getvalue()))
    return found


def dicoms() -> list[Sample]:
    """One file a transfer syntax, some of several frames."""
    grey, stream = scan(), io.BytesIO()
    Pillow.fromarray(grey).save(stream, "JPEG", quality=90)
    two = np.stack([grey, grey[::-1]])
    coded: dict[UID, list[bytes] | None] = {
        ExplicitVRLittleEndian: None,
        ImplicitVRLittleEndian: None,
        ExplicitVRBigEndian: None,
        RLELossless: None,
        JPEG2000Lossless: None,
        JPEGLSLossless: None,
        JPEGBaseline8Bit: [stream.getvalue()] * 2,
        JPEGLosslessSV1: [encode(grey, 8)] * 2,
    }
    found = []
    for syntax, encoded in coded.items():
        said = {"WindowCenter": 100, "WindowWidth": 90, "Modality": "US", "PixelPaddingValue": 0}
        data = dicom_file(two, syntax=syntax, encoded=encoded, RescaleSlope=-1, **said)
        at = max(data.rfind(b"\xe0\x7f\x10\0"), data.rfind(b"\x7f\xe0\0\x10"))
        found.append((f"{syntax.keyword}.dcm", data, at + 12))
    return found


def volumes() -> list[Sample]:
    """NIfTI, NRRD and MetaImage, compressed and not."""
    values = np.random.default_rng(0).integers(0, 900, (6, 10, 12)).astype(np.int16)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".nii", ".nrrd", ".mha"):
            path = Path(folder) / f"a{suffix}"
            write_volume(values, Grid((6, 10, 12), (3.0, 0.8, 0.8)), path)
            found.append((path.name, path.read_bytes(), len(path.read_bytes()) - values.nbytes))
    packed = gzip.compress(found[0][1], mtime=0)
    return [*found, *_plain_volumes(values), ("a.nii.gz", packed, 18)]


def _plain_volumes(values: NDArray[np.int16]) -> list[Sample]:
    """The two whose pixels are not compressed, and have no checksum, but in files of others."""
    slices, rows, columns = values.shape
    nrrd = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {columns} {rows} {slices}\nspace directions: (0.8,0,0) (0,0.8,0) (0,0,3)\n"
        "endian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
    )
    meta = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"CompressedData = False\nElementSpacing = 0.8 0.8 3\nDimSize = {columns} {rows} {slices}\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    heads = (("b.nrrd", nrrd.encode()), ("b.mha", meta.encode()))
    return [(name, head + values.tobytes(), len(head)) for name, head in heads]


def slides() -> list[Sample]:
    """Tiled TIFF."""
    stream = io.BytesIO()
    tissue = np.random.default_rng(0).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    tifffile.imwrite(
        stream,
        tissue,
        tile=(32, 32),
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit=3,
    )
    return [_split("a.tif", stream.getvalue())]


def bundles() -> list[Sample]:
    """The JSON of a bundle that is shipped."""
    from breastseg.inference import bundle_folder

    shipped = Path(bundle_folder.__file__).parents[1] / "bundles" / "ultrasound-fast"
    return [_split("bundle.json", (shipped / "bundle.json").read_bytes())]


def tables() -> list[Sample]:
    """The table of a folder of one's own."""
    lines = ["file,patient_id,label,spacing_mm,modality,fold"]
    lines += [f"s{n}.png,p{n},benign,0.1,ultrasound,{n}" for n in range(6)]
    return [_split("cases.csv", "\n".join(lines).encode())]


def json_documents() -> list[Sample]:
    """Nested JSON of no particular kind, and one that is mostly text."""
    nested = json.dumps({"a": [{"b": [1, 2.5, None]}] * 5}).encode()
    text = json.dumps({"a": [{"b": "a sentence of some length, " * 8}] * 4}).encode()
    return [_split("a.json", nested), _split("b.json", text)]


def series() -> list[Sample]:
    """The middle slice of an MR series in plain and in compressed pixels; `worker` adds others."""
    found = []
    for syntax in (ExplicitVRLittleEndian, RLELossless):
        data = mr_slice(1, syntax)
        found.append((f"{syntax.keyword}.dcm", data, data.rfind(b"\xe0\x7f\x10\0") + 12))
    return found


def mr_slice(number: int, syntax: UID) -> bytes:
    """A slice of an MR series, 3 mm behind the one before."""
    said = {
        "SOPClassUID": MRImageStorage,
        "Modality": "MR",
        "SOPInstanceUID": f"1.2.3.4.{number + 1}",
        "SeriesInstanceUID": "1.2.3.4",
        "FrameOfReferenceUID": "1.2.3",
        "NumberOfFrames": 1,
        "ImagePositionPatient": [0, 0, 3 * number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1, 1],
    }
    return dicom_file(scan(), syntax=syntax, **said)


def masks() -> list[Sample]:
    """Ground truth as images: 0 and 255, class numbers, colours, a softened border."""
    dark = scan() < 100
    colours = np.where(dark[..., None], (255, 0, 0), (0, 0, 0))
    found = []
    for name, array in (
        ("a.png", dark * 255),
        ("b.png", dark * 2),
        ("c.png", colours),
        ("a.jpg", dark * 255),
        ("a.bmp", dark * 255),
        ("b.bmp", dark * 1),
    ):
        stream = io.BytesIO()
        kind = "JPEG" if name.endswith("jpg") else name[2:]
        Pillow.fromarray(array.astype(np.uint8)).save(stream, kind)
        found.append(_split(name, stream.getvalue()))
    return found


def annotations() -> list[Sample]:
    """COCO with polygons and runs, LabelMe and YOLO, each of one image ``a.png``."""
    corners = [[14.5, 10.0], [34.0, 12.25], [30.0, 30.5], [12.0, 28.0]]
    flat = [number for corner in corners for number in corner]
    runs = {"counts": [500, 20, 1400], "size": [40, 48]}
    words = "drawn by two readers who did not see the report, " * 30
    coco = {
        "info": {"description": words},
        "images": [{"id": 1, "file_name": "a.png", "height": 40, "width": 48}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [flat]},
            {"id": 2, "image_id": 1, "category_id": 1, "segmentation": runs, "iscrowd": 1},
        ],
        "categories": [{"id": 1, "name": "lesion"}],
    }
    labelme = {
        "version": "5.0",
        "shapes": [{"label": "lesion", "points": corners, "shape_type": "polygon"}],
        "imagePath": "a.png",
        "imageHeight": 40,
        "imageWidth": 48,
        "imageData": words,
    }
    yolo = "\n".join(f"{n} 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.625" for n in (0, 1, 0))
    return [
        _split("coco.json", json.dumps(coco).encode()),
        _split("a.json", json.dumps(labelme).encode()),
        _split("a.txt", yolo.encode()),
    ]


def results() -> list[Sample]:
    """The results of a run, which is resumed from them."""
    from breastseg.results.document import to_json
    from breastseg.results.schema import Document, Entry, LesionRecord

    lesion = LesionRecord(1, (1, 2, 30, 40), 600, "mm", 12.5, ((1.0, 2.0), (3.0, 4.0)))
    entries = tuple(Entry(f"a{n}.png", "image", lesions=(lesion,)) for n in range(4))
    document = Document(complete=True, options={"method": "otsu"}, entries=entries)
    return [_split("results.json", to_json(document).encode())]


def recipes() -> list[Sample]:
    """A recipe with most of what a recipe can hold."""
    shared = Path(__file__).resolve().parents[2] / "recipes"
    return [_split("a.toml", (shared / "ultrasound-fast.toml").read_bytes())]


def splits() -> list[Sample]:
    """A split of cases into parts."""
    keys = [f"BUSI/a ({number})" for number in range(12)]
    parts = {"train": keys[:8], "val": keys[8:10], "test": keys[10:]}
    split = {"seed": 3, "fractions": {"train": 0.8, "val": 0.1, "test": 0.1}, "parts": parts}
    return [_split("a.json", json.dumps(split).encode())]


SAMPLES: dict[str, Callable[[], list[Sample]]] = {
    "raster": rasters,
    "dicom": dicoms,
    "volume": volumes,
    "slide": slides,
    "bundle": bundles,
    "table": tables,
    "json": json_documents,
    "series": series,
    "mask": masks,
    "annotation": annotations,
    "results": results,
    "recipe": recipes,
    "split": splits,
}
"""By the reader that they are for."""


def _split(name: str, data: bytes) -> Sample:
    """With the pixels taken to begin at a third, where nothing better is known."""
    return name, data, len(data) // 3
