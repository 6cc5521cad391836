"""``breastseg slide``: a whole slide in, outlines that QuPath opens out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from breastseg.cli.console import progress, say
from breastseg.core.errors import InputError
from breastseg.inference.options import DEFAULT_OPTIONS, MethodOptions

if TYPE_CHECKING:
    from breastseg.inference.onnx_segmenter import OnnxSegmenter
    from breastseg.inference.slide import SlideOutline
    from breastseg.io.slide import Slide
    from breastseg.measure.polygons import Polygon

_NO_HINT = tyro.conf.arg(help_behavior_hint="")
MASK, GEOJSON, RESULTS, OVERVIEW = "mask.tif", "lesions.geojson", "results.json", "overview.png"
OVERVIEW_PX = 2048
_QUPATH = {"lesion": "Tumor", "tumour": "Tumor"}
"""Classes that QuPath has of its own."""


@dataclass(frozen=True)
class OutlineSlide:
    """Outline the lesions on one whole slide (.svs, .ndpi, .mrxs, .scn, .tif), or a part of one.

    A part may also be a PNG or JPEG picture, with --slide-um.

    Writes mask.tif, a tiled pyramid at the method's resolution; lesions.geojson, annotations for
    QuPath in pixels of the slide; results.json with areas; and overview.png. The methods are
    bundles for histopathology that state their micrometres a pixel.

    Attributes:
        slide: the slide's file.
        method: histopathology-tumour, histopathology-nuclei, or the folder of a bundle.
        out: the folder for the results.
        um_per_px: micrometres a pixel that the method shall see, in place of the bundle's own.
        slide_um: micrometres a pixel of the slide, where its file does not state them.
        normalise_stain: show the network the slide in the dyes of one reference (Macenko), where it
            was stained otherwise than what the method has learnt from.
        threads: CPU cores to use; 0 for all.
        options: how the method is opened.
        overwrite: replace what an earlier run has written.
        quiet: no bar.
    """

    slide: tyro.conf.Positional[Annotated[Path, _NO_HINT]]
    method: str
    out: Annotated[Path, _NO_HINT] = Path("slide-results")
    um_per_px: float | None = None
    slide_um: float | None = None
    normalise_stain: bool = False
    threads: int = 0
    options: Annotated[MethodOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS
    overwrite: bool = False
    quiet: bool = False

    def run(self) -> int:
        """Outline; returns the exit code."""
        from breastseg.inference.open import image_network, open_segmenter
        from breastseg.inference.slide import (
            resolution_remark,
            restained,
            segment_slide,
            tile_network,
            tiling_of,
        )
        from breastseg.io.slide import Slide
        from breastseg.io.write import write_text

        self._check_folder()
        stated = None if self.slide_um is None else (self.slide_um, self.slide_um)
        segmenter = image_network(open_segmenter(self.method, self.options, threads=self.threads))
        network = tile_network(segmenter)
        with Slide(self.slide, stated) as slide:
            tiling = tiling_of(segmenter, slide, self.um_per_px)
            remark = resolution_remark(slide, tiling)
            if remark:
                say(f"note: {remark}")
            if self.normalise_stain:
                network = restained(network, slide)
            with progress("tiles", None, self.quiet) as advance:
                found = segment_slide(
                    slide,
                    network,
                    tiling,
                    self.out / MASK,
                    lambda _done, total: advance(tiling.batch, f"of {total}"),
                )
            outlines, scale = found.polygons()
            self._write_geojson(slide, segmenter.bundle.outlined, outlines, scale)
            self._write_overview(slide, found)
            document = self._document(slide, segmenter, found, outlines, scale)
        document["remarks"] = [remark] if remark else []
        write_text(self.out / RESULTS, json.dumps(document, indent=2) + "\n")
        word = "region" if len(outlines) == 1 else "regions"
        what = segmenter.bundle.outlined
        say(f"{len(outlines)} {word} of {what} outlined, {found.area_mm2 or 0:.3g} mm2")
        say(f"The results are in {self.out}/")
        return 0

    def _check_folder(self) -> None:
        written = [self.out / name for name in (MASK, GEOJSON, RESULTS, OVERVIEW)]
        if self.slide.resolve() in [path.resolve() for path in written]:
            raise InputError(
                f"{self.slide}: is the input and is not written over",
                remedy="choose another folder with --out",
            )
        there = [path for path in written if path.exists()]
        if there and not self.overwrite:
            raise InputError(f"{there[0]} exists", "a new folder", "choose another, or --overwrite")

    def _write_geojson(
        self, slide: Slide, what: str, outlines: tuple[Polygon, ...], scale: float
    ) -> None:
        from breastseg.io.geojson import Feature, write_geojson

        features = (
            Feature(outline.rings, _measurements(slide, outline, scale)) for outline in outlines
        )
        name = _QUPATH.get(what, what.capitalize())
        write_geojson(self.out / GEOJSON, features, name, scale=scale, size=slide.size)

    def _write_overview(self, slide: Slide, found: SlideOutline) -> None:
        """The whole slide, small, with the outline."""
        from breastseg.core.grid import Grid
        from breastseg.core.image import Image
        from breastseg.inference.slide import MOST_TRACED
        from breastseg.io.mask_pyramid import read_mask_level
        from breastseg.io.overlay import overlay
        from breastseg.io.write import write_png

        picture, coarse = slide.thumbnail(OVERVIEW_PX)
        mask, halvings = read_mask_level(found.mask, MOST_TRACED)
        # the mask's pixel under the middle of each pixel of the overview
        rows, columns = (
            np.minimum((np.arange(side) + 0.5) * coarse / (found.step * 2**halvings), last - 1)
            for side, last in zip(picture.shape, mask.shape, strict=False)
        )
        inside = mask[rows.astype(int)][:, columns.astype(int)]
        image = Image(np.moveaxis(picture, 2, 0), Grid(inside.shape))
        write_png(self.out / OVERVIEW, overlay(image, inside))

    def _document(
        self,
        slide: Slide,
        segmenter: OnnxSegmenter,
        found: SlideOutline,
        outlines: tuple[Polygon, ...],
        scale: float,
    ) -> dict[str, object]:
        """The results as plain containers for JSON."""
        bundle, spec, output = segmenter.bundle, segmenter.bundle.input, segmenter.output
        small = f"outlines below {output.min_area_fraction:.3g} of a tile dropped"
        weak = f"outlines with a peak below {output.min_peak:g} dropped"
        return {
            "slide": str(self.slide),
            "outlined": bundle.outlined,
            "segmenter": bundle.name,
            "version": bundle.version,
            "weights_sha256": bundle.weights_sha256,
            "steps": [
                f"tiles of {spec.size[0]} pixels of {found.um_per_px:.4g} micrometres, "
                f"{found.tiles} of {found.all_tiles} with tissue",
                *(["dyes brought to those of a reference (Macenko)"] * self.normalise_stain),
                f"network: {bundle.network}",
                f"outlined at {output.threshold:g}",
                *([weak] if output.min_peak > output.threshold else []),
                *([small] if output.min_area_fraction > 0 else []),
            ],
            "origin_px": list(slide.origin),
            "shape": list(slide.size),
            "um_per_px": list(slide.spacing_um or ()),
            "mask_step_px": found.step,
            "outline_step_px": scale,
            "area_mm2": found.area_mm2,
            "regions": [
                {
                    "area_mm2": _measurements(slide, outline, scale)["Area mm^2"],
                    "box": [
                        round(float(side) * scale, 1)
                        for side in (*outline.outer.min(axis=0), *outline.outer.max(axis=0))
                    ],
                }
                for outline in outlines
            ],
        }


def _measurements(slide: Slide, outline: Polygon, scale: float) -> dict[str, float]:
    """The area of one outline; the slide's step is known here, or there would be no tiling."""
    rows_um, columns_um = slide.spacing_um or (0.0, 0.0)
    return {"Area mm^2": round(outline.area_px * scale**2 * rows_um * columns_um / 1e6, 9)}
