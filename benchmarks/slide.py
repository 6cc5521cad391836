"""Outline a large synthetic slide: the most memory that it takes, and tiles a second.

    python benchmarks/slide.py --side 40000
    python benchmarks/slide.py --side 40000 --min-score 0.9
    python benchmarks/slide.py --side 40000 --method BUNDLE

The slide is a tiled TIFF with reduced copies, written tile by tile, 0.25 micrometres a pixel: glass
with round pieces of tissue in which lesions lie. Without a bundle a threshold on green stands for
the network, so what is measured is everything else: reading, tissue, the mask, and its contours.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.slide import (
    TileNetwork,
    Tiling,
    segment_slide,
    tile_network,
    tiling_of,
    tissue_tiles,
)
from breastseg.io.geojson import Feature, write_geojson
from breastseg.io.slide import Slide

TILE = 512
UM = 0.25
GLASS, TISSUE, LESION = (245, 243, 246), (232, 160, 200), (95, 45, 135)


def tiles(side: int, scale: int) -> Iterator[bytes]:
    """The tiles, compressed, of `side` pixels along an axis, each of which covers `scale`."""
    uniform: dict[tuple[bool, bool], bytes] = {}  # most tiles hold one kind of tissue alone
    whole = side * scale
    noise = np.random.default_rng(0).integers(-8, 9, (TILE, TILE, 3))
    for top in range(0, side, TILE):
        for left in range(0, side, TILE):
            row = (np.arange(top, top + TILE)[:, None] + 0.5) * scale
            column = (np.arange(left, left + TILE) + 0.5) * scale
            away = np.hypot(row - whole / 2, column - whole / 2) / whole
            pixels = np.empty((TILE, TILE, 3), np.int16)
            pixels[:] = GLASS
            inside = away < 0.36  # some two fifths of the slide
            pixels[inside] = TISSUE
            waves = np.sin(row / 900) * np.sin(column / 1100)
            pixels[inside & (waves > 0.5)] = LESION
            stained = inside & (waves > 0.5)
            kind = (bool(inside.all()), bool(stained.all()))
            plain = kind[0] == inside.any() and kind[1] == stained.any()
            if plain and kind in uniform:
                yield uniform[kind]
                continue
            pixels = np.clip(pixels + inside[..., None] * noise, 0, 255)
            packed = zlib.compress(pixels.astype(np.uint8).tobytes(), 1)
            if plain:
                uniform[kind] = packed
            yield packed


def write_slide(path: Path, side: int) -> None:
    """Write the slide with copies of a quarter of the size before."""
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for level in range(max(1, math.ceil(math.log(side / 2000, 4)) + 1)):
            scale = 4**level
            writer.write(
                tiles(side // scale, scale),
                shape=(side // scale, side // scale, 3),
                dtype=np.uint8,
                tile=(TILE, TILE),
                photometric="rgb",
                compression="zlib",
                subfiletype=1 if level else 0,
                resolution=(10_000 / UM / scale,) * 2,
                resolutionunit="CENTIMETER",
                metadata=None,
            )


def green(shown: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A threshold in place of a network."""
    return (shown[..., 1] < 110).astype(np.float32)


def measure(path: Path, method: Path | None, min_score: float, folder: Path) -> dict[str, float]:
    """Outline the slide; seconds, tiles and memory."""
    began = time.perf_counter()
    network: TileNetwork = green
    with Slide(path) as slide:
        if method is None:
            tiling = Tiling(slide.step_for(2 * UM), 512, 64, min_score=min_score)
        else:
            segmenter = OnnxSegmenter(method, threads=1)
            network, tiling = tile_network(segmenter), tiling_of(segmenter, slide)
        wanted = tissue_tiles(slide, tiling)
        looked, used = time.perf_counter(), time.process_time()
        found = segment_slide(slide, network, tiling, folder / "mask.tif")
        masked, used = time.perf_counter(), time.process_time() - used
        contours, scale = found.polygons()
        features = (Feature(contour.rings, {}) for contour in contours)
        count = write_geojson(folder / "lesions.geojson", features, scale=scale, size=slide.size)
    ended = time.perf_counter()
    return {
        "tiles": int(wanted.sum()),
        "all_tiles": wanted.size,
        "area_mm2": round(found.area_mm2 or 0, 3),
        "regions": count,
        "outline_step_px": scale,
        "tissue_s": round(looked - began, 1),
        "mask_s": round(masked - looked, 1),
        "outlines_s": round(ended - masked, 1),
        "tiles_per_s": round(found.tiles / (masked - looked), 1),
        "tiles_per_cpu_s": round(found.tiles / used, 1),
        "mask_mb": round((folder / "mask.tif").stat().st_size / 1e6, 2),
        "geojson_mb": round((folder / "lesions.geojson").stat().st_size / 1e6, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=10_000, help="rows and columns of the slide")
    parser.add_argument("--method", type=Path, help="the folder of a bundle")
    parser.add_argument(
        "--min-score", type=float, default=0.0, help="without a bundle; above 0.5 takes two passes"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        write_slide(folder / "slide.tif", options.side)
        written = round(time.perf_counter() - began, 1)
        figures = {
            "side": options.side,
            "slide_mb": round((folder / "slide.tif").stat().st_size / 1e6),
            "writing_s": written,
            "rss_after_writing_mb": round(
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            ),
        }
        found = measure(folder / "slide.tif", options.method, options.min_score, folder)
        print(json.dumps({**figures, **found}))


if __name__ == "__main__":
    main()
