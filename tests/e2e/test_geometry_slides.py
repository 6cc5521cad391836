"""A lesion's corners come back where they were: slides, in pixels of the full resolution."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breastseg.inference.slide import Tiling, segment_slide
from breastseg.io.geojson import Feature, write_geojson
from breastseg.io.mask_pyramid import read_mask_level
from breastseg.io.slide import Slide

tifffile = pytest.importorskip("tifffile")

SIZE = (416, 600)
UM = 0.25
PINK, PURPLE = (235, 160, 200), (90, 40, 130)
Box = tuple[int, int, int, int]
"""First row and column, one past the last row and column."""
GREY_LEVEL = 0.02
"""Pixels by which an edge may move as grey levels are whole numbers."""


def write_slide(path: Path, box: Box, copies: int) -> None:
    """Purple in a box on pink tissue on glass; each reduced copy has half the size before."""
    pixels = np.full((*SIZE, 3), 245, np.uint8)
    pixels[40:-40, 40:-40] = PINK
    pixels[box[0] : box[2], box[1] : box[3]] = PURPLE
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for level in range(copies + 1):
            writer.write(
                pixels,
                tile=(64, 64),
                photometric="rgb",
                compression="zlib",
                subfiletype=1 if level else 0,
                resolution=(10_000 / UM / 2**level,) * 2,
                resolutionunit="CENTIMETER",
            )
            rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
            blocks = pixels.reshape(rows, 2, columns, 2, 3).astype(np.float64)
            pixels = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def purple(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """In place of a network: how far a pixel is from pink to purple."""
    fraction = (PINK[1] - tiles[..., 1].astype(np.float32)) / (PINK[1] - PURPLE[1])
    return np.clip(fraction, 0, 1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    corner=st.tuples(st.integers(56, 150), st.integers(56, 250)),
    sides=st.tuples(st.integers(40, 200), st.integers(40, 280)),
    um=st.one_of(st.sampled_from((0.25, 0.5, 1.0)), st.floats(0.25, 1.6)),
    copies=st.integers(0, 2),
    tile=st.sampled_from(((64, 8), (96, 16), (128, 0))),
    min_score=st.sampled_from((0.0, 0.8)),
)
def test_corners_in_the_mask_and_in_qupath(
    corner: tuple[int, int],
    sides: tuple[int, int],
    um: float,
    copies: int,
    tile: tuple[int, int],
    min_score: float,
) -> None:
    box = (*corner, corner[0] + sides[0], corner[1] + sides[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_slide(folder / "slide.tif", box, copies)
        with Slide(folder / "slide.tif") as slide:
            assert len(slide.levels) == copies + 1
            tiling = Tiling(slide.step_for(um), *tile, batch=5, min_score=min_score)
            found = segment_slide(slide, purple, tiling, folder / "mask.tif")
            contours, scale = found.polygons()
            features = (Feature(contour.rings, {}) for contour in contours)
            write_geojson(folder / "found.geojson", features, scale=scale, size=slide.size)
        (feature,) = json.loads((folder / "found.geojson").read_text())["features"]
        mask, _ = read_mask_level(folder / "mask.tif", 2**30)
    half = (0.5 + GREY_LEVEL) * tiling.step
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    reached = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    assert np.abs(np.multiply(reached, tiling.step) - box).max() <= half

    (ring,) = feature["geometry"]["coordinates"]
    points = np.array(ring)[:, ::-1]  # of (x, y)
    hundredth = 0.005  # to which coordinates are rounded
    assert np.abs((*points.min(axis=0), *points.max(axis=0)) - np.array(box)).max() <= (
        half + hundredth
    )
    # what lies in a corner is a product of two edges, so one pixel may be missing there
    truth = np.array(list(itertools.product(box[::2], box[1::2])))
    away = np.abs(truth[:, None] - points[None]).max(axis=2).min(axis=1)
    assert away.max() <= half + tiling.step
