"""Images that a network for parts of a slide would see at another scale."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.core import Grid, Image, InputSpec
from breastseg.core.bundle import Fit
from breastseg.core.errors import InputError
from breastseg.inference.ensemble import Ensemble
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.scale import check_scale

SPEC = InputSpec((64, 64), channels=3, colour=True, um_per_px=0.5)


def picture(rows: int, columns: int, um: float | None = None, tall: float = 1.0) -> Image:
    spacing = None if um is None else (tall * um / 1000, um / 1000)
    pixels = np.random.default_rng(0).integers(0, 256, (3, rows, columns), np.uint8)
    return Image(pixels, Grid((rows, columns), spacing), source="a.png")


@pytest.mark.parametrize(
    "image", [picture(64, 64, 0.5), picture(128, 128, 0.25), picture(66, 62, 0.5), picture(64, 64)]
)
def test_pictures_of_the_right_scale_are_taken(image: Image) -> None:
    check_scale(image, SPEC, "nuclei")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (picture(128, 128, 0.5), "shows 64 x 64 micrometres"),
        (picture(64, 128, 0.5), "shows 32 x 64 micrometres"),
        (picture(64, 64, 0.25), "shows 16 x 16 micrometres"),
        (picture(64, 64, 0.5, tall=1.2), "shows 38.4 x 32 micrometres"),
        (picture(128, 128), "128x128 pixels of unknown size"),
    ],
)
def test_others_are_refused(image: Image, said: str) -> None:
    with pytest.raises(
        InputError, match=rf"a.png: {said}. Expected: 32 x 32 micrometres.*0.5 a pixel"
    ):
        check_scale(image, SPEC, "nuclei")
    check_scale(image, InputSpec((64, 64)), "any scale")


def test_padding_keeps_the_scale_of_both_axes() -> None:
    padded = InputSpec((64, 64), fit=Fit.PAD, channels=3, colour=True, um_per_px=0.5)
    check_scale(picture(64, 40, 0.5), padded, "nuclei")
    with pytest.raises(InputError, match="micrometres"):
        check_scale(picture(64, 40, 0.5), SPEC, "nuclei")


def test_segmenters_refuse_unless_forced(make_tiny) -> None:  # type: ignore[no-untyped-def]
    folder = make_tiny(SPEC)
    given = picture(128, 128)
    plain = OnnxSegmenter(folder, threads=1)
    for segmenter in (plain, Ensemble([plain])):
        with pytest.raises(InputError, match="unknown size"):
            segmenter.segment(given)
    assert OnnxSegmenter(folder, threads=1, force=True).segment(given).grid == given.grid
