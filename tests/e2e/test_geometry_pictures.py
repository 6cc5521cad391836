"""A lesion's corners come back where they were: files of images, through a network's input."""

from __future__ import annotations

import io
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.core import Bundle, Fit, Grid, InputSpec, Intensity, Modality, OutputSpec
from breastseg.core.box import Box
from breastseg.core.bundle import Region
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.io.open import open_image, open_images
from breastseg.io.raster import read_mask
from breastseg.io.write import write_png
from breastseg.measure.polygons import polygons
from breastseg.preprocess.geometry import Placement

from ..inference.conftest import IDENTITY, write_network
from ..io.conftest import dicom_file, pillow_file

"""First row and column, one past the last row and column."""
UPRIGHT: dict[int, Callable[[NDArray[np.generic]], NDArray[np.generic]]] = {
    2: np.fliplr,
    3: lambda seen: np.rot90(seen, 2),
    4: np.flipud,
    5: np.transpose,
    6: np.rot90,
    7: lambda seen: np.rot90(seen, 2).T,
    8: lambda seen: np.rot90(seen, -1),
}
"""By the EXIF orientation: from the image as it is seen to the one that is stored."""
SHALLOW = 1e-4
"""Rounding in float32, in pixels."""


def picture(shape: tuple[int, int], box: Box, dtype: str = "u1") -> NDArray[np.generic]:
    """Bright in the box, dark around it."""
    seen = np.full(shape, 30 if dtype == "u1" else 1200, dtype)
    seen[box.slices] = 220 if dtype == "u1" else 3800
    return seen


def turned(seen: NDArray[np.generic], kind: str, orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[274] = orientation
    return pillow_file(UPRIGHT[orientation](seen).copy(), kind, exif=exif)


def inverted(seen: NDArray[np.generic], **said: object) -> bytes:
    """Stored with the largest value as the darkest."""
    return dicom_file(4095 - seen, PhotometricInterpretation="MONOCHROME1", **said)


def padded(seen: NDArray[np.generic]) -> bytes:
    """Windowed mammogram whose outermost pixels are padding."""
    stored = seen.astype(np.int16)
    stored[0], stored[:, -1] = -2000, -2000
    return dicom_file(stored, WindowCenter=2500, WindowWidth=3000, PixelPaddingValue=-2000)


DEEP = "u2"
FILES: dict[str, tuple[str, Callable[[NDArray[np.generic]], bytes]]] = {
    "png": ("u1", lambda seen: pillow_file(seen, "PNG")),
    "png of 16 bits": (DEEP, lambda seen: pillow_file(seen, "PNG")),
    "tiff of 16 bits": (DEEP, lambda seen: pillow_file(seen, "TIFF")),
    "jpeg": ("u1", lambda seen: pillow_file(seen, "JPEG", quality=95)),
    "bmp": ("u1", lambda seen: pillow_file(np.dstack([seen] * 3), "BMP")),
    **{
        f"{kind}, orientation {number}": (
            "u1",
            lambda seen, kind=kind, number=number: turned(seen, kind, number),  # type: ignore[misc]
        )
        for number, kind in zip(UPRIGHT, itertools.cycle(("JPEG", "TIFF", "PNG")))
    },
    "monochrome2": (DEEP, dicom_file),
    "monochrome1": (DEEP, inverted),
    "monochrome1, inverse": (DEEP, lambda seen: inverted(seen, PresentationLUTShape="INVERSE")),
    "monochrome1, window": (DEEP, lambda seen: inverted(seen, WindowCenter=1500, WindowWidth=2600)),
    "padding": (DEEP, padded),
    "cine": ("u1", lambda seen: dicom_file(np.stack([seen, seen]), Modality="US")),
}


@st.composite
def scenes(draw: st.DrawFn) -> tuple[tuple[int, int], Box, Box]:
    """An image's shape, a lesion in it, and a part of it around the lesion to look at."""
    shape = draw(st.integers(24, 90)), draw(st.integers(24, 90))
    edges, around = [], []
    for side in shape:
        first = draw(st.integers(2, side // 2 - 2))
        last = draw(st.integers(first + side // 3, side - 2))
        edges.append((first, last))
        low = draw(st.integers(0, first - 2))
        around.append((low, draw(st.integers(last + 2, side))))
    (top, bottom), (left, right) = edges
    (row, end_row), (column, end_column) = around
    return shape, Box.of(top, left, bottom, right), Box.of(row, column, end_row, end_column)


def found_corners(mask: NDArray[np.bool_], box: Box) -> tuple[float, float]:
    """How far the sides of the outline lie from the box's, and a corner of it from its nearest."""
    (outline,) = polygons(mask)
    assert not outline.holes
    low, high = outline.outer.min(axis=0), outline.outer.max(axis=0)
    sides = np.abs(np.subtract((*low, *high), box.numbers)).max()
    truth = np.array(list(itertools.product(*zip(box.start, box.stop, strict=True))))
    away = np.abs(truth[:, None] - outline.outer[None]).max(axis=2).min(axis=1).max()
    return float(sides), float(away)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(FILES)),
    scene=scenes(),
    size=st.tuples(st.integers(24, 128), st.integers(24, 128)),
    fit=st.sampled_from(Fit),
    part=st.booleans(),
    flipped=st.booleans(),
)
def test_every_file_through_every_placement(
    kind: str,
    scene: tuple[tuple[int, int], Box, Box],
    size: tuple[int, int],
    fit: Fit,
    part: bool,
    flipped: bool,
) -> None:
    shape, box, around = scene
    dtype, encode = FILES[kind]
    image = next(open_images(io.BytesIO(encode(picture(shape, box, dtype))), kind))
    assert image.grid.shape == shape
    seen = around if part else Box.whole(shape)
    placement = Placement.of(shape, size, fit, seen, flipped)
    probability = placement.backward(unit(placement.forward(unit(image.grey()))))
    mask = back_from_a_file(probability, image.grid)
    # pixels of the image along one of the network's
    both = np.divide(seen.shape, size)
    steps = both if fit is Fit.STRETCH else [max(both)]
    half = 0.5 * max(1.0, *steps)
    sides, away = found_corners(mask, box)
    # a JPEG file has blurred an edge by up to half a pixel before it is read
    half += 0.5 * kind.startswith("JPEG")
    assert sides <= half + SHALLOW
    # what lies in a corner is a product of two edges, each of which may be blurred over a pixel
    assert away <= 2 * half + SHALLOW


def unit(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """What stands for the network: the fraction of the way from dark to bright."""
    low, high = float(values.min()), float(values.max())
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)


def back_from_a_file(probability: NDArray[np.float32], grid: Grid) -> NDArray[np.bool_]:
    """The mask of a prediction, written and read."""
    mask = Prediction(probability, grid, Provenance("bright", "1")).mask().foreground
    with tempfile.TemporaryDirectory() as folder:
        write_png(Path(folder) / "mask.png", mask)
        return read_mask(Path(folder) / "mask.png")


@pytest.mark.parametrize("wall", ["left", "right"])
@pytest.mark.parametrize("fit", Fit)
@pytest.mark.parametrize("size", [(64, 48), (160, 160)])
def test_breast_region_of_a_mammogram(
    tmp_path: Path, wall: str, fit: Fit, size: tuple[int, int]
) -> None:
    """Cropped, turned and padded: the whole way of a bundle that looks at the breast alone."""
    rows, columns = np.indices((150, 120))
    box = Box.of(60, 20, 92, 51)
    stored = np.full((150, 120), 100, np.uint16)
    stored[((rows - 75) / 66) ** 2 + (columns / 80) ** 2 < 1] = 1300
    stored[box.slices] = 4000
    if wall == "right":
        stored, box = stored[:, ::-1], Box.of(60, 120 - 51, 92, 120 - 20)
    spec = InputSpec(size, Intensity.UNIT, fit, region=Region.BREAST)
    write_network(tmp_path / MODEL, spec, IDENTITY)
    bundle = Bundle(
        name="bright",
        version="1",
        modality=Modality.MAMMOGRAPHY,
        summary="what is bright",
        network="one convolution",
        weights_sha256=sha256_of(tmp_path / MODEL),
        input=spec,
        output=OutputSpec(threshold=0.65),  # midway from breast to lesion
    )
    write_bundle_json(tmp_path, bundle)
    image = open_image(io.BytesIO(inverted(stored, Modality="MG")))
    found = OnnxSegmenter(tmp_path, threads=1).segment(image)
    write_png(tmp_path / "mask.png", found.mask().foreground)
    sides, _ = found_corners(read_mask(tmp_path / "mask.png"), box)
    # the breast and a margin, 134 rows, are brought to 64 or to more than there are
    assert sides <= (0.5 * 134 / 64 if size[0] == 64 else 0.5)
