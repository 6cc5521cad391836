"""A network that takes tiles, on a whole slide of any size.

Tiles overlap, and of each only the middle is kept, since a network knows least at the border of
what it sees; so every pixel of the result comes from one tile, and is written when that is done.
Beside the slide's own buffers one batch of tiles is in memory, whatever the slide's size. Tiles
without tissue are not shown to the network. A bundle's minimum score holds for each region on the
slide, see `breastseg.inference.slide_regions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import BundleError, GeometryError, InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.inference.onnx_segmenter import OnnxSegmenter, any_lesion
from breastseg.inference.slide_regions import AT_SCORE, IN_REGION, regions_to_keep
from breastseg.inference.tile_store import TileStore
from breastseg.io.mask_pyramid import read_mask_level, write_mask_pyramid
from breastseg.io.slide import Slide
from breastseg.measure.polygons import Polygon, polygons
from breastseg.preprocess.prepare import prepare
from breastseg.preprocess.stain import estimate_stains, normalise_stain
from breastseg.preprocess.tissue import tissue_mask

TileNetwork = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From (n, tile, tile, 3) uint8 RGB to (n, tile, tile) float32, the probability of a lesion."""
Progress = Callable[[int, int], None]

OVERVIEW = 2048
"""Pixels along the longer side of the image in which tissue is looked for."""
FAR = 4.0
"""A slide so many times coarser or finer than the network was made for is another kind of image."""
BATCH_PX = 2**20
"""Pixels of the tiles that the network is given at a time."""
MOST_TRACED = 2**25
"""Pixels of the mask that contours are drawn of; a larger mask is halved until it has fewer."""


@dataclass(frozen=True)
class Tiling:
    """The sliding window over a slide.

    Attributes:
        step: pixels of the full resolution along one pixel that the network sees, above 0.
        tile: rows and columns that the network sees, a multiple of 16.
        margin: pixels along each side of a tile whose result is not kept, a multiple of 8, below
            half of `tile`.
        batch: tiles given to the network at a time, at least 1.
        threshold: pixels at or above it are lesion, between 0 and 1.
        min_score: a region is kept where a pixel of it reaches this, 0 to 1; without effect up to
            `threshold`.
        min_px: a region of fewer pixels, at `step`, is dropped, at least 0.

    Raises:
        GeometryError: a value that is not as stated.
    """

    step: float
    tile: int = 512
    margin: int = 64
    batch: int = 4
    threshold: float = 0.5
    min_score: float = 0.0
    min_px: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0) or not 0 < self.threshold < 1:
            raise GeometryError(
                f"a step of {self.step}, a threshold of {self.threshold}",
                "a step above 0, a threshold between 0 and 1",
            )
        if not 0 <= self.min_score <= 1 or not self.min_px >= 0:
            raise GeometryError(
                f"a min_score of {self.min_score}, a min_px of {self.min_px}",
                "0 to 1, and at least 0",
            )
        sides = self.tile % 16 == 0 and self.margin % 8 == 0 and 0 <= 2 * self.margin < self.tile
        if not sides or self.batch < 1:
            raise GeometryError(
                f"tiles of {self.tile} pixels with a margin of {self.margin}, {self.batch} a batch",
                "a multiple of 16, a multiple of 8 below its half, at least 1",
            )

    @property
    def kept(self) -> int:
        """Rows and columns of a tile's result that are kept, a multiple of 16."""
        return self.tile - 2 * self.margin


@dataclass(frozen=True)
class SlideMask:
    """What was found on a slide.

    Attributes:
        mask: the file: a tiled TIFF at the network's resolution, see `write_mask_pyramid`.
        step: pixels of the slide along one pixel of the mask.
        lesion_px: pixels of the mask inside.
        um_per_px: micrometres along one of them; None where the slide does not state its own.
        tiles: shown to the network.
        all_tiles: with those that hold no tissue.
    """

    mask: Path
    step: float
    lesion_px: int
    um_per_px: float | None
    tiles: int
    all_tiles: int

    @property
    def area_mm2(self) -> float | None:
        """Area inside in square millimetres; None where the step is not known."""
        return None if self.um_per_px is None else self.lesion_px * (self.um_per_px / 1000) ** 2

    def polygons(self, most: int = MOST_TRACED) -> tuple[tuple[Polygon, ...], float]:
        """The contours along the edges of the mask's pixels.

        Where the mask has more than `most` pixels, it is halved until it has fewer, and a contour
        lies within a pixel of the halved mask of the true one.

        Returns:
            The contours, and the pixels of the slide along one unit of their corners.
        """
        traced, halvings = read_mask_level(self.mask, most)
        return polygons(traced), self.step * 2**halvings


def segment_slide(
    slide: Slide,
    network: TileNetwork,
    tiling: Tiling,
    mask: Path,
    progress: Progress | None = None,
    store: TileStore | None = None,
) -> SlideMask:
    """Outline a slide and write the mask, whole or not at all.

    Args:
        slide: what to look at.
        network: what looks at the tiles.
        tiling: the sliding window.
        mask: the TIFF file to write.
        progress: called with (done, total) tiles that hold tissue.
        store: keeps the results of tiles, and has those of a run that was broken off.

    Raises:
        GeometryError: the network gives another shape.
        UnreadableError: the slide is damaged.
        InputError: the file cannot be written.
    """
    size = slide.size_at(tiling.step)
    wanted = tissue_tiles(slide, tiling)
    um = None
    if slide.spacing_um is not None:
        um = tiling.step * math.sqrt(slide.spacing_um[0] * slide.spacing_um[1])
    inside = 0

    def counted() -> Iterator[NDArray[np.bool_]]:
        nonlocal inside
        for block in _kept_blocks(slide, network, tiling, wanted, progress, store):
            inside += int(np.count_nonzero(block))
            yield block

    write_mask_pyramid(mask, counted(), size, tiling.kept, um)
    return SlideMask(mask, tiling.step, inside, um, int(wanted.sum()), wanted.size)


def tissue_tiles(slide: Slide, tiling: Tiling) -> NDArray[np.bool_]:
    """Which tiles hold tissue in the part that is kept of them.

    Returns:
        (rows of tiles, columns of tiles) bool.
    """
    thumbnail, coarse = slide.thumbnail(OVERVIEW)
    tissue = tissue_mask(thumbnail)
    rows, columns = (math.ceil(side / tiling.kept) for side in slide.size_at(tiling.step))
    length = tiling.kept * tiling.step / coarse
    found = np.zeros((rows, columns), bool)
    for row in range(rows):
        # a pixel more to either side: the thumbnail is coarse
        above, below = max(0, math.floor(row * length) - 1), math.ceil((row + 1) * length) + 1
        for column in range(columns):
            left = max(0, math.floor(column * length) - 1)
            right = math.ceil((column + 1) * length) + 1
            found[row, column] = tissue[above:below, left:right].any()
    return found


def _kept_blocks(
    slide: Slide,
    network: TileNetwork,
    tiling: Tiling,
    wanted: NDArray[np.bool_],
    progress: Progress | None,
    store: TileStore | None,
) -> Iterator[NDArray[np.bool_]]:
    """`outlined_blocks` without the regions that are too small or below the minimum score."""
    blocks = outlined_blocks(slide, network, tiling, wanted, progress, store)
    if tiling.min_score > tiling.threshold or tiling.min_px > 1:
        yield from regions_to_keep(blocks, wanted.shape[1], tiling.min_px)
    else:
        yield from (block > 0 for block in blocks)


def outlined_blocks(
    slide: Slide,
    network: TileNetwork,
    tiling: Tiling,
    wanted: NDArray[np.bool_],
    progress: Progress | None = None,
    store: TileStore | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """The kept part of every tile, row by row.

    Args:
        slide: what to look at.
        network: what looks at the tiles.
        tiling: the sliding window.
        wanted: the tiles to show to the network, as `tissue_tiles`; nothing is outlined elsewhere.
        progress: called with (done, total) tiles that hold tissue.
        store: as for `segment_slide`.

    Yields:
        (kept, kept) of 0, `IN_REGION` at or above the threshold, `AT_SCORE` where that is
        also at or above `tiling.min_score`; 0 beyond the slide.

    Raises:
        GeometryError: the network gives another shape.
        UnreadableError: the slide is damaged.
    """
    places = wanted.ravel()
    total, done, at = int(places.sum()), 0, 0
    chosen = np.flatnonzero(places)
    empty = np.zeros((tiling.kept, tiling.kept), np.uint8)
    size = slide.size_at(tiling.step)
    for start in range(0, total, tiling.batch):
        indices = chosen[start : start + tiling.batch]
        run = partial(_run, slide, network, tiling, indices, wanted.shape[1])
        shape = (len(indices), tiling.kept, tiling.kept)
        blocks = run() if store is None else store.batch(start // tiling.batch, shape, run)
        for index, seen in zip(indices.tolist(), blocks, strict=True):
            for _ in range(at, index):
                yield empty
            row, column = divmod(index, wanted.shape[1])
            block = seen.copy()
            block[max(0, size[0] - row * tiling.kept) :] = 0
            block[:, max(0, size[1] - column * tiling.kept) :] = 0
            yield block
            at = index + 1
        done += len(indices)
        if progress is not None:
            progress(done, total)
    for _ in range(at, places.size):
        yield empty


def _run(
    slide: Slide, network: TileNetwork, tiling: Tiling, indices: NDArray[np.intp], across: int
) -> NDArray[np.uint8]:
    """(n, kept, kept) of the tiles at these places, `across` of which are in a row."""
    side, margin = tiling.tile, tiling.margin
    corners = [divmod(index, across) for index in indices.tolist()]
    shown = np.stack(
        [
            slide.region(
                row * tiling.kept - margin, column * tiling.kept - margin, side, side, tiling.step
            )
            for row, column in corners
        ]
    )
    probability = network(shown)
    if probability.shape != shown.shape[:3]:
        raise GeometryError(
            f"a network from {shown.shape} to {probability.shape}", f"to {shown.shape[:3]}"
        )
    middle = slice(margin, side - margin)
    seen = probability[:, middle, middle]
    levels = np.where(seen >= tiling.min_score, np.uint8(AT_SCORE), np.uint8(IN_REGION))
    return np.where(seen >= tiling.threshold, levels, np.uint8(0))


def tile_network(segmenter: OnnxSegmenter) -> TileNetwork:
    """The network of a bundle on tiles of its own input size; prepared as an image is.

    The operating point's threshold, minimum score and minimum fraction belong to `Tiling`. The
    largest region alone says nothing on a slide and is left out.

    Raises:
        InputError: the bundle is for another modality, and that is not forced.
    """
    glass = Image(np.full((3, 1, 1), 255, np.uint8), Grid((1, 1)), Modality.HISTOPATHOLOGY, "slide")
    segmenter.check_modality(glass)

    def network(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        prepared = []
        for tile in tiles:
            grid = Grid((tile.shape[0], tile.shape[1]))
            image = Image(np.moveaxis(tile, 2, 0), grid, Modality.HISTOPATHOLOGY)
            prepared.append(prepare(image, segmenter.bundle.input)[0])
        return any_lesion(segmenter.class_probabilities(np.stack(prepared)))

    return network


def restained(network: TileNetwork, slide: Slide) -> TileNetwork:
    """The network shown every tile in the dyes of one reference, see `normalise_stain`.

    The slide's dyes are estimated once, on a small copy of it: tile by tile they would change with
    what the tile holds.

    Raises:
        InputError: the slide does not show two dyes.
    """
    stains = estimate_stains(slide.thumbnail(OVERVIEW)[0])
    if stains is None:
        raise InputError(
            "a slide in which two dyes cannot be told apart",
            "haematoxylin and eosin",
            "leave its dyes as they are",
        )
    return lambda tiles: network(np.stack([normalise_stain(tile, stains) for tile in tiles]))


def tiling_of(segmenter: OnnxSegmenter, slide: Slide, um_per_px: float | None = None) -> Tiling:
    """The tiling that a bundle was made for; an eighth of a tile is its margin.

    The smallest fraction that a region may have is that of a tile: the image that the bundle
    knows.

    Args:
        segmenter: the bundle.
        slide: states its own resolution.
        um_per_px: what the network shall see, where the bundle does not say it or another is
            wanted.

    Raises:
        BundleError: the bundle says no resolution and none is given, or takes no square tiles.
        GeometryError: the slide's resolution is not known, or over `FAR` times coarser than what
            the network shall see, and the segmenter is not forced.
    """
    spec = segmenter.bundle.input
    um = um_per_px if um_per_px is not None else spec.um_per_px
    if um is None:
        raise BundleError(
            f"{segmenter.name!r} does not say which micrometres a pixel it was made for",
            "a bundle whose input states um_per_px",
            "give the resolution",
        )
    if spec.size[0] != spec.size[1] or spec.size[0] % 16:
        raise BundleError(
            f"{segmenter.name!r} takes {spec.size[0]} x {spec.size[1]} pixels",
            "a square of a multiple of 16",
        )
    side, step = spec.size[0], slide.step_for(um)
    if step < 1 / FAR and not segmenter.force:
        raise GeometryError(
            f"{slide.path}: states {um / step:.4g} micrometres a pixel, {1 / step:.3g} times those "
            f"that {segmenter.name!r} looks at ({um:g}), so {1 / step**2:.3g} times its pixels "
            "would be looked at",
            f"at most {FAR:g} times",
            "state the true resolution of the scan, or force it",
        )
    return Tiling(
        step=step,
        tile=side,
        margin=side // 64 * 8,
        batch=max(1, BATCH_PX // side**2),
        threshold=segmenter.output.threshold,
        min_score=segmenter.output.min_score,
        min_px=segmenter.output.min_area_fraction * side**2,
    )


def resolution_remark(slide: Slide, tiling: Tiling) -> str:
    """What must be said of a slide that states far smaller pixels than the network looks at.

    Returns:
        Empty where there is nothing to say.
    """
    if tiling.step <= FAR:
        return ""
    return (
        f"the slide states pixels {tiling.step:.3g} times smaller than those that the network "
        f"looks at: {slide.size[0]} x {slide.size[1]} become "
        f"{' x '.join(map(str, slide.size_at(tiling.step)))}; is its resolution right?"
    )
