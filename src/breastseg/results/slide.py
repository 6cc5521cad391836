"""One whole slide in, its result out: segmented tile by tile, measured and saved."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from breastseg import __version__
from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.provenance import Provenance
from breastseg.io.real_path import real_path
from breastseg.results.entry import failure
from breastseg.results.remarks import method_remarks
from breastseg.results.run import Run
from breastseg.results.schema import Entry, Files, LesionRecord, significant
from breastseg.results.source import printable

if TYPE_CHECKING:
    from breastseg.inference.onnx_segmenter import OnnxSegmenter
    from breastseg.inference.slide import SlideMask, Tiling
    from breastseg.io.slide import Slide
    from breastseg.measure.polygons import Polygon

OVERVIEW_PX = 2048
_FILES = Files(mask="mask.tif", overlay="overview.png", contours="lesions.geojson")
TILES_NAME = "results.partial.tiles"
_QUPATH = {"lesion": "Tumor", "tumour": "Tumor"}
"""Classes that QuPath has of its own."""


@dataclass(frozen=True)
class SlideOptions:
    """How a slide is looked at.

    Attributes:
        um_per_px: micrometres a pixel that the method shall see, in place of the bundle's own.
        slide_um: micrometres a pixel of the slide, where its file does not state them.
        normalise_stain: show the network the slide in the dyes of one reference (Macenko), where it
            was stained otherwise than what the method was trained on.
    """

    um_per_px: float | None = None
    slide_um: float | None = None
    normalise_stain: bool = False


class Watch(Protocol):
    """Who is told of a slide while it is looked at, which may take hours."""

    def note(self, remark: str) -> None:
        """Something that should be known before it is waited for."""

    def progress(self, done: int, total: int) -> None:
        """How many tiles that hold tissue are done."""


class _Nobody:
    def note(self, remark: str) -> None:
        return

    def progress(self, done: int, total: int) -> None:
        return


NOBODY = _Nobody()


def segment_slide_file(
    segmenter: OnnxSegmenter,
    path: Path,
    options: SlideOptions,
    run: Run,
    watch: Watch = NOBODY,
) -> Generator[Entry]:
    """Segment one slide.

    Args:
        segmenter: a bundle for histopathology.
        path: the slide.
        options: how it is looked at.
        run: takes the entry and says where files go; it has a folder.
        watch: is told while it lasts.

    Yields:
        One entry; it says so where nothing came of the slide. None where the run that is resumed
        has done it. The tiles of a slide that was broken off are not looked at again.

    Raises:
        InputError: the folder of the run cannot be written.
    """
    if printable(path) in run.done:
        run.close(complete=True)
        return
    complete = False
    try:
        try:
            entry, provenance = _segmented(segmenter, path, options, run, watch)
        except BreastsegError as error:
            entry = failure(printable(path), "slide", error)
            run.add(entry)
        else:
            run.add(entry, provenance)
        complete = True
    finally:
        run.close(complete)
    yield entry


def _segmented(
    segmenter: OnnxSegmenter,
    path: Path,
    options: SlideOptions,
    run: Run,
    watch: Watch,
) -> tuple[Entry, Provenance]:
    from breastseg.inference.slide import (
        resolution_remark,
        restained,
        segment_slide,
        tile_network,
        tiling_of,
    )
    from breastseg.inference.tile_store import TileStore
    from breastseg.io.slide import Slide

    names = [_FILES.mask or "", _FILES.contours or "", _FILES.overlay or ""]
    stated = None if options.slide_um is None else (options.slide_um, options.slide_um)
    network = tile_network(segmenter)
    with Slide(path, stated) as slide:
        tiling = tiling_of(segmenter, slide, options.um_per_px)
        remark = resolution_remark(slide, tiling)
        if remark:
            watch.note(remark)
        if options.normalise_stain:
            network = restained(network, slide)
        refusal = run.claim(*names)
        if refusal is not None or run.root is None:
            raise refusal or InputError("a slide without a folder for its mask", "a folder")
        mask, contours, overview = (run.root / name for name in names)
        with run.writing(*names):
            store = TileStore(run.root / TILES_NAME, _made_of(segmenter, path, tiling, options))
            found = segment_slide(slide, network, tiling, mask, watch.progress, store)
            polygons, scale = found.polygons()
            _write_contours(contours, slide, segmenter.bundle.target, polygons, scale)
            _write_overview(overview, slide, found)
        provenance = _provenance(segmenter, found, options, scale)
        entry = Entry(
            input=printable(path),
            kind="slide",
            shape=slide.size,
            spacing_mm=tuple(um / 1000 for um in slide.spacing_um or ()) or None,
            origin_px=slide.origin,
            remarks=(*((remark,) if remark else ()), *method_remarks(segmenter)),
            label=segmenter.bundle.target,
            lesions=_lesions(slide, found, polygons, scale),
            steps=provenance.steps,
            files=_FILES,
        )
    store.remove()
    return entry, provenance


def _made_of(
    segmenter: OnnxSegmenter, path: Path, tiling: Tiling, options: SlideOptions
) -> dict[str, object]:
    """What the result of a tile depends on."""
    stat = path.stat()
    return {
        "software": __version__,
        "slide": [printable(real_path(path)), stat.st_size, stat.st_mtime_ns],
        "weights": segmenter.bundle.weights_sha256,
        "input": asdict(segmenter.bundle.input),
        "output": asdict(segmenter.output),
        "tiling": asdict(tiling),
        "options": asdict(options),
    }


def _lesions(
    slide: Slide, found: SlideMask, polygons: tuple[Polygon, ...], scale: float
) -> tuple[LesionRecord, ...]:
    """The regions, the largest first."""
    largest_first = sorted(polygons, key=lambda polygon: -polygon.area_px)
    to_mask = (scale / found.step) ** 2
    return tuple(
        LesionRecord(
            number=number,
            box=_box(polygon, scale, slide.size),
            pixels=round(polygon.area_px * to_mask),
            unit="mm",  # there is no tiling of a slide whose resolution is not known
            area=significant(_area_mm2(slide, polygon, scale)),
        )
        for number, polygon in enumerate(largest_first, start=1)
    )


def _box(polygon: Polygon, scale: float, size: tuple[int, int]) -> tuple[int, ...]:
    """Pixels of the slide that the polygon reaches into."""
    first = np.floor(polygon.outer.min(axis=0) * scale).astype(int)
    last = np.minimum(np.ceil(polygon.outer.max(axis=0) * scale).astype(int), size)
    return (*first.tolist(), *last.tolist())


def _area_mm2(slide: Slide, polygon: Polygon, scale: float) -> float:
    rows_um, columns_um = slide.spacing_um or (0.0, 0.0)
    return polygon.area_px * scale**2 * rows_um * columns_um / 1e6


def _write_contours(
    path: Path, slide: Slide, what: str, polygons: tuple[Polygon, ...], scale: float
) -> None:
    from breastseg.io.geojson import Feature, write_geojson

    features = (
        Feature(polygon.rings, {"Area mm^2": significant(_area_mm2(slide, polygon, scale))})
        for polygon in polygons
    )
    name = _QUPATH.get(what, what.capitalize())
    write_geojson(path, features, name, scale=scale, size=slide.size)


def _write_overview(path: Path, slide: Slide, found: SlideMask) -> None:
    """The whole slide, small, with the mask's rim."""
    from breastseg.core.grid import Grid
    from breastseg.core.image import Image
    from breastseg.inference.slide import MOST_TRACED
    from breastseg.io.mask_pyramid import read_mask_level
    from breastseg.io.overlay import overlay
    from breastseg.io.write import write_png

    small, coarse = slide.thumbnail(OVERVIEW_PX)
    mask, halvings = read_mask_level(found.mask, MOST_TRACED)
    # the mask's pixel under the middle of each pixel of the overview
    rows, columns = (
        np.minimum((np.arange(side) + 0.5) * coarse / (found.step * 2**halvings), last - 1)
        for side, last in zip(small.shape, mask.shape, strict=False)
    )
    inside = mask[rows.astype(int)][:, columns.astype(int)]
    um = slide.spacing_um
    spacing_mm = None if um is None else (coarse * um[0] / 1000, coarse * um[1] / 1000)
    image = Image(np.moveaxis(small, 2, 0), Grid(inside.shape, spacing_mm))
    write_png(path, overlay(image, inside))


def _provenance(
    segmenter: OnnxSegmenter, found: SlideMask, options: SlideOptions, scale: float
) -> Provenance:
    bundle, output = segmenter.bundle, segmenter.output
    side = bundle.input.size[0]
    um = round(found.um_per_px or 0.0, 4)
    small = f"regions below {output.min_area_fraction:.3g} of a tile dropped"
    weak = f"regions with a highest probability below {output.min_score:g} dropped"
    return Provenance(
        segmenter=bundle.name,
        version=bundle.version,
        parameters={
            "threshold": output.threshold,
            "min_score": output.min_score,
            "min_area_fraction": output.min_area_fraction,
            "tile_px": side,
            "um_per_px": um,
            "normalise_stain": options.normalise_stain,
        },
        weights_sha256=bundle.weights_sha256,
        steps=(
            f"tiles of {side} pixels of {um:.4g} micrometres, "
            f"{found.tiles} of {found.all_tiles} with tissue",
            *(["dyes brought to those of a reference (Macenko)"] * options.normalise_stain),
            f"network: {bundle.network}",
            f"segmented at {output.threshold:g}",
            f"polygons in steps of {scale:g} pixels of the slide",
            *([weak] if output.min_score > output.threshold else []),
            *([small] if output.min_area_fraction > 0 else []),
        ),
    )
