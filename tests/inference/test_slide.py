"""Whole slides in tiles: seamless, bounded, and where the tissue is."""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.bundle import InputSpec, Intensity, OutputSpec
from breastseg.core.errors import BundleError, GeometryError, InputError
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.slide import (
    SlideMask,
    Tiling,
    outlined_blocks,
    resolution_remark,
    restained,
    segment_slide,
    tile_network,
    tiling_of,
    tissue_tiles,
)
from breastseg.io.mask_pyramid import read_mask_level
from breastseg.io.slide import Slide
from breastseg.preprocess.stain import LIGHT

from .conftest import MakeBundle

tifffile = pytest.importorskip("tifffile")
SIZE = (400, 560)
PINK, PURPLE = (235, 160, 200), (90, 40, 130)
Box = tuple[int, int, int, int]
Dye = tuple[float, float, float]


def write_slide(path: Path, box: Box = (120, 200, 240, 330), size: tuple[int, int] = SIZE) -> Path:
    """Pink tissue on glass, purple in the box; half a micrometre a pixel."""
    pixels = np.full((*size, 3), 245, np.uint8)
    pixels[50 : size[0] - 40, 60 : size[1] - 80] = PINK
    top, left, bottom, right = box
    pixels[top:bottom, left:right] = PURPLE
    tifffile.imwrite(
        path,
        pixels,
        tile=(128, 128),
        compression="zlib",
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit=3,
    )
    return path


def purple(tiles: np.ndarray) -> np.ndarray:
    """How far a pixel is from pink to purple."""
    fraction = (PINK[1] - tiles[..., 1].astype(np.float32)) / (PINK[1] - PURPLE[1])
    return np.clip(fraction, 0, 1)


@pytest.fixture
def slide(tmp_path: Path) -> Slide:
    with Slide(write_slide(tmp_path / "slide.tif")) as opened:
        yield opened


def outline(slide: Slide, tiling: Tiling, folder: Path) -> SlideMask:
    return segment_slide(slide, purple, tiling, folder / "mask.tif")


def test_mask_is_that_of_the_whole_picture(slide: Slide, tmp_path: Path) -> None:
    found = outline(slide, Tiling(1.0, 96, 8), tmp_path)
    mask, halvings = read_mask_level(found.mask, 10**9)
    truth = np.zeros(SIZE, bool)
    truth[120:240, 200:330] = True
    assert halvings == 0
    np.testing.assert_array_equal(mask, truth)
    assert found.lesion_px == 120 * 130
    assert found.um_per_px == pytest.approx(0.5)
    assert found.area_mm2 == pytest.approx(120 * 130 * 0.25e-6)


def test_tiling_makes_no_difference(slide: Slide, tmp_path: Path) -> None:
    masks = []
    for number, tiling in enumerate((Tiling(3.0, 64, 8, 1), Tiling(3.0, 128, 24, 5))):
        (tmp_path / str(number)).mkdir()
        found = outline(slide, tiling, tmp_path / str(number))
        masks.append(read_mask_level(found.mask, 10**9)[0])
        assert masks[-1].shape == (134, 187)
        assert masks[-1].sum() == found.lesion_px
    np.testing.assert_array_equal(*masks)


def test_glass_is_not_shown_to_the_network(slide: Slide) -> None:
    shown = []

    def network(tiles: np.ndarray) -> np.ndarray:
        shown.append(tiles)
        return np.ones(tiles.shape[:3], np.float32)

    tiling = Tiling(1.0, 48, 8, 3)
    wanted = tissue_tiles(slide, tiling)
    assert wanted.shape == (13, 18)
    assert not wanted[0].any()
    assert not wanted[:, -2:].any()
    assert wanted[2:11, 2:14].all()
    steps = []
    blocks = list(outlined_blocks(slide, network, tiling, wanted, lambda *at: steps.append(at)))
    assert [block.any() for block in blocks] == wanted.ravel().tolist()
    assert max(len(tiles) for tiles in shown) == 3
    assert steps[-1] == (wanted.sum(), wanted.sum())
    assert sum(len(tiles) for tiles in shown) == wanted.sum()


def test_glass_alone(tmp_path: Path) -> None:
    path = tmp_path / "glass.tif"
    tifffile.imwrite(path, np.full((100, 90, 3), 245, np.uint8), tile=(64, 64), photometric="rgb")
    with Slide(path) as slide:
        found = segment_slide(slide, purple, Tiling(1.0, 64, 8), tmp_path / "mask.tif")
    assert (found.tiles, found.lesion_px, found.area_mm2) == (0, 0, None)
    assert found.polygons() == ((), 1.0)


def test_masks_too_large_are_halved_for_their_outlines(slide: Slide, tmp_path: Path) -> None:
    found = outline(slide, Tiling(0.25, 256, 16), tmp_path)
    whole, scale = found.polygons()
    coarse, coarse_scale = found.polygons(most=1_000_000)
    assert (scale, coarse_scale) == (0.25, 0.5)
    for found, unit in ((whole, scale), (coarse, coarse_scale)):
        (polygon,) = found
        corners = polygon.outer * unit
        reached = (*corners.min(axis=0), *corners.max(axis=0))
        np.testing.assert_allclose(reached, (120, 200, 240, 330), atol=unit)


@settings(max_examples=12, deadline=None)
@given(
    top=st.integers(60, 150),
    left=st.integers(70, 200),
    height=st.integers(40, 150),
    width=st.integers(40, 150),
    step=st.floats(1.0, 5.0),
)
def test_corners_land_within_half_a_working_pixel(
    top: int, left: int, height: int, width: int, step: float
) -> None:
    box = (top, left, top + height, left + width)
    with tempfile.TemporaryDirectory() as folder:
        path = write_slide(Path(folder) / "slide.tif", box)
        with Slide(path) as slide:
            found = outline(slide, Tiling(step, 64, 8, 8), Path(folder))
            ((polygon,), scale) = found.polygons()
    corners = polygon.outer * scale
    # grey levels are whole numbers, hence not half a pixel to the last digit
    half = 0.52 * step
    reached = (*corners.min(axis=0), *corners.max(axis=0))
    assert np.abs(np.subtract(reached, box)).max() <= half
    # both edges take from the pixel at a corner, so it may be missing
    row, column = np.abs(corners[:, :1] - box[::2]), np.abs(corners[:, 1:] - box[1::2])
    assert np.minimum(row.min(axis=1), column.min(axis=1)).max() <= step
    assert len(corners) <= 12


def test_bundle_on_a_slide(slide: Slide, make_tiny: MakeBundle, tmp_path: Path) -> None:
    spec = InputSpec((64, 64), Intensity.UNIT, channels=3, colour=True, um_per_px=1.0)
    with pytest.raises(InputError, match="measured on ultrasound only"):
        tile_network(OnnxSegmenter(make_tiny(spec), threads=1))
    segmenter = OnnxSegmenter(make_tiny(spec), threads=1, force=True)
    tiling = tiling_of(segmenter, slide)
    assert (tiling.step, tiling.tile, tiling.margin) == (pytest.approx(2.0), 64, 8)
    network = tile_network(segmenter)
    tiles = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    # the tiny network gives the mean of the channels
    expected = tiles[:, 1:-1, 1:-1].mean(axis=-1) / 255
    np.testing.assert_allclose(network(tiles)[:, 1:-1, 1:-1], expected, atol=1e-5)
    found = segment_slide(slide, network, tiling, tmp_path / "mask.tif")
    assert found.lesion_px > 0


def test_a_resolution_far_from_the_networks(slide: Slide, make_tiny: MakeBundle) -> None:
    """The slide states half a micrometre."""
    segmenter = OnnxSegmenter(make_tiny(InputSpec((32, 32), um_per_px=0.12)), threads=1)
    with pytest.raises(GeometryError, match=r"4\.17 times those that .*. Expected: at most 4"):
        tiling_of(segmenter, slide)
    assert tiling_of(segmenter, slide, 0.126).step == pytest.approx(0.252)
    forced = OnnxSegmenter(segmenter.folder, threads=1, force=True)
    assert tiling_of(forced, slide).step == pytest.approx(0.24)
    assert resolution_remark(slide, tiling_of(segmenter, slide, 2.0)) == ""
    said = resolution_remark(slide, tiling_of(segmenter, slide, 2.2))
    assert "4.4 times smaller" in said


def test_bundle_without_a_resolution(slide: Slide, make_tiny: MakeBundle) -> None:
    segmenter = OnnxSegmenter(make_tiny(InputSpec((32, 32))), threads=1)
    with pytest.raises(BundleError, match="does not say which micrometres"):
        tiling_of(segmenter, slide)
    assert tiling_of(segmenter, slide, 0.25).step == pytest.approx(0.5)
    oblong = OnnxSegmenter(make_tiny(InputSpec((32, 48)), name="oblong"), threads=1)
    with pytest.raises(BundleError, match="32 x 48 pixels"):
        tiling_of(oblong, slide, 0.25)


@pytest.mark.parametrize(
    "values",
    [
        {"step": 0.0},
        {"step": math.nan},
        {"tile": 40},
        {"margin": 32},
        {"batch": 0},
        {"min_score": 1.5},
    ],
)
def test_bad_tilings(values: dict[str, float]) -> None:
    with pytest.raises(GeometryError):
        Tiling(**{"step": 1.0, "tile": 64, "margin": 8, **values})


def test_network_of_another_shape(slide: Slide, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="a network from"):
        segment_slide(slide, lambda t: purple(t)[:, 1:], Tiling(1.0, 64, 8), tmp_path / "m.tif")
    assert not (tmp_path / "m.tif").exists()


def test_outlines_need_a_peak_somewhere_on_the_slide(slide: Slide, tmp_path: Path) -> None:
    def fading(tiles: np.ndarray) -> np.ndarray:
        """A little less sure where the slide, as here, is pink; then all is one region."""
        return np.where(tiles[..., 1] == PINK[1], 0.6, purple(tiles) * 0.8).astype(np.float32)

    weak, strong = (
        segment_slide(slide, fading, Tiling(1.0, 64, 8, min_score=peak), tmp_path / "mask.tif")
        for peak in (0.81, 0.79)
    )
    assert weak.lesion_px == 0
    # the tissue, in which purple is the peak, reaches over forty tiles
    assert strong.lesion_px == (SIZE[0] - 90) * (SIZE[1] - 140)


def test_pixels_beyond_the_slide_are_no_peak(slide: Slide, tmp_path: Path) -> None:
    size = slide.size
    tiling = Tiling(1.0, 64, 8, 1, min_score=0.9)
    wanted = np.ones(tuple(math.ceil(side / tiling.kept) for side in size), bool)

    def network(tiles: np.ndarray) -> np.ndarray:
        return np.full(tiles.shape[:3], 0.95, np.float32)

    blocks = list(outlined_blocks(slide, network, tiling, wanted))
    assert sum(int((block > 0).sum()) for block in blocks) == math.prod(size)


def test_operating_point_reaches_the_tiling(slide: Slide, make_tiny: MakeBundle) -> None:
    output = OutputSpec(threshold=0.4, min_score=0.7, min_area_fraction=0.5, largest_only=True)
    segmenter = OnnxSegmenter(make_tiny(InputSpec((32, 32))), threads=1, output=output)
    tiling = tiling_of(segmenter, slide, 1.0)
    assert (tiling.threshold, tiling.min_score, tiling.min_px) == (0.4, 0.7, 512)


def stained_slide(
    path: Path, haematoxylin: Dye, eosin: Dye, strengths: tuple[float, float]
) -> Slide:
    """The same amounts of two dyes, whatever the dyes."""
    generator = np.random.default_rng(1)
    amounts = generator.uniform(0.4, 1, (2, 256, 256))
    amounts[0, :, :80], amounts[1, :, 80:160] = 0, 0
    amounts *= np.array(strengths)[:, None, None]
    columns = np.array([np.array(dye) / np.linalg.norm(dye) for dye in (haematoxylin, eosin)]).T
    light = LIGHT * np.exp(-np.tensordot(columns, amounts, axes=1))
    pixels = np.moveaxis(np.rint(light), 0, 2).astype(np.uint8)
    options = {"photometric": "rgb", "resolution": (20_000, 20_000), "resolutionunit": 3}
    tifffile.imwrite(path, pixels, tile=(128, 128), **options)
    return Slide(path)


def test_a_slide_in_other_dyes_looks_the_same(tmp_path: Path) -> None:
    seen: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for name, dyes in {
        "one": ((0.65, 0.70, 0.29), (0.35, 0.85, 0.36), (1.8, 1.6)),
        "other": ((0.55, 0.75, 0.40), (0.30, 0.75, 0.60), (1.2, 1.3)),
    }.items():
        with stained_slide(tmp_path / f"{name}.tif", *dyes) as slide:
            tile = slide.region(0, 0, 256, 256)[None]

            def keep(tiles: np.ndarray) -> np.ndarray:
                return tiles.astype(np.float32)

            seen[False].append(keep(tile))
            seen[True].append(restained(keep, slide)(tile))
    raw, brought = (float(np.abs(one - other).mean()) for one, other in seen.values())
    assert raw > 20
    assert brought < 4


def test_a_slide_without_two_dyes_cannot_be_restained(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "glass.tif", np.full((64, 64, 3), 245, np.uint8), photometric="rgb")
    with (
        Slide(tmp_path / "glass.tif", (0.5, 0.5)) as slide,
        pytest.raises(InputError, match="two dyes"),
    ):
        restained(purple, slide)
