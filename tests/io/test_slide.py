"""Whole slides: windows at any resolution, the same wherever they begin."""

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import GeometryError, UnreadableError, UnsupportedError
from breastseg.io.slide import Slide
from breastseg.io.tiled_tiff import TiledTiff
from breastseg.io.write import write_png

tifffile = pytest.importorskip("tifffile")
ROWS, COLUMNS = 300, 420


def tissue() -> np.ndarray:
    """(rows, columns, 3) with a gradient and a red block."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    pixels = np.dstack((row % 100, column % 256, (row + column) % 256)).astype(np.uint8)
    pixels[100:160, 200:280] = (255, 0, 0)
    return pixels


def write(path: Path, **options: object) -> Path:
    """A TIFF of half a micrometre a pixel."""
    options = {"photometric": "rgb", "compression": "zlib", **options}
    tifffile.imwrite(path, tissue(), resolution=(20_000, 20_000), resolutionunit=3, **options)
    return path


@pytest.fixture
def tiled(tmp_path: Path) -> Path:
    return write(tmp_path / "tiled.tif", tile=(64, 64))


@pytest.fixture
def pyramid(tmp_path: Path) -> Path:
    path = tmp_path / "pyramid.tif"
    half = tissue().reshape(ROWS // 2, 2, COLUMNS // 2, 2, 3).mean((1, 3)).astype(np.uint8)
    with tifffile.TiffWriter(path) as writer:
        common = {"photometric": "rgb", "compression": "zlib", "tile": (64, 64)}
        writer.write(tissue(), **common)
        writer.write(half, subfiletype=1, **common)
    return path


def test_full_resolution_is_the_file(tiled: Path) -> None:
    with Slide(tiled) as slide:
        assert slide.size == (ROWS, COLUMNS)
        assert slide.spacing_um == pytest.approx((0.5, 0.5))
        assert slide.step_for(2.0) == pytest.approx(4.0)
        np.testing.assert_array_equal(slide.region(0, 0, ROWS, COLUMNS), tissue())
        np.testing.assert_array_equal(slide.region(90, 190, 80, 100), tissue()[90:170, 190:290])


def test_beyond_the_slide_is_white(tiled: Path) -> None:
    with Slide(tiled) as slide:
        window = slide.region(-10, COLUMNS - 5, 30, 20)
        assert (window[:10] == 255).all()
        assert (window[:, 5:] == 255).all()
        np.testing.assert_array_equal(window[10:, :5], tissue()[:20, -5:])
        assert (slide.region(-50, -50, 20, 20, 3.0) == 255).all()


@pytest.mark.parametrize("step", [0.5, 1.7, 2.0, 6.3])
def test_windows_agree_wherever_they_begin(pyramid: Path, step: float) -> None:
    with Slide(pyramid) as slide:
        large = slide.region(2, 3, 30, 40, step)
        small = slide.region(9, 14, 12, 16, step)
    # a grey level apart at most: Pillow's weights depend on the position in single precision
    np.testing.assert_allclose(small.astype(int), large[7:19, 11:27], atol=1)


def test_window_in_parts_is_the_same(tiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Slide(tiled) as slide:
        whole = slide.region(0, 0, 75, 105, 4.0)
        monkeypatch.setattr("breastseg.io.slide.LARGEST_READ", 5000)
        np.testing.assert_array_equal(slide.region(0, 0, 75, 105, 4.0), whole)


def test_edges_stay_where_they_are(pyramid: Path) -> None:
    with Slide(pyramid) as slide:
        assert slide.levels == ((ROWS, COLUMNS), (ROWS // 2, COLUMNS // 2))
        small = slide.region(0, 0, 75, 105, 4.0).astype(float)
    red = small[..., 0] - small[..., 1:].max(2) > 127
    rows, columns = np.nonzero(red)
    assert (rows.min(), rows.max() + 1) == (25, 40)
    assert (columns.min(), columns.max() + 1) == (50, 70)


def test_thumbnail(tiled: Path) -> None:
    with Slide(tiled) as slide:
        small, step = slide.thumbnail(100)
        assert small.shape == (72, 100, 3)
        assert step == pytest.approx(4.2)
        assert slide.thumbnail(1000)[1] == 1.0


def test_given_step_goes_before_the_files(tiled: Path) -> None:
    with Slide(tiled, (0.25, 0.25)) as slide:
        assert slide.step_for(0.5) == pytest.approx(2.0)
    with pytest.raises(GeometryError, match="above 0"):
        Slide(tiled, (0.0, 0.25))


def test_unknown_step_says_so(pyramid: Path) -> None:
    with Slide(pyramid) as slide:
        assert slide.spacing_um is None
        with pytest.raises(GeometryError, match="does not state its micrometres"):
            slide.step_for(1.0)


@pytest.mark.parametrize(
    "options", [{"rowsperstrip": 7}, {"compression": None}, {"tile": (32, 48), "bigtiff": True}]
)
def test_tiff_reader_takes_strips_and_tiles(tmp_path: Path, options: dict[str, object]) -> None:
    with TiledTiff(write(tmp_path / "x.tif", **options)) as tiff:
        assert tiff.spacing_um == pytest.approx((0.5, 0.5))
        window = tiff.window(0, 91, 33, 120, 200)
    np.testing.assert_array_equal(window, tissue()[91:211, 33:233])


def test_copies_that_hang_on_the_first_page(tmp_path: Path) -> None:
    path = tmp_path / "hanging.tif"
    with tifffile.TiffWriter(path) as writer:
        common = {"photometric": "rgb", "tile": (64, 64)}
        writer.write(tissue(), subifds=1, **common)
        writer.write(tissue()[::2, ::2], subfiletype=1, **common)
        writer.write(tissue()[:50], subfiletype=1, **common)  # a label
        writer.write(tissue()[:, :64], **common)  # another image
    with TiledTiff(path) as tiff:
        assert tiff.levels == ((ROWS, COLUMNS), (ROWS // 2, COLUMNS // 2))
        np.testing.assert_array_equal(tiff.window(1, 9, 8, 70, 80), tissue()[::2, ::2][9:79, 8:88])


@pytest.mark.parametrize("label", [{}, {"tile": (64, 64)}, {"subfiletype": 1}])
def test_a_label_before_the_slide_is_not_taken_for_it(
    tmp_path: Path, label: dict[str, object]
) -> None:
    path = tmp_path / "label-first.ome.tif"
    common: dict[str, object] = {"photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path) as writer:
        writer.write(255 - tissue()[:50, :99], **common, **label)  # type: ignore[arg-type]
        writer.write(tissue(), tile=(64, 64), **common)  # type: ignore[arg-type]
    with Slide(path, (0.5, 0.5)) as slide:
        assert slide.levels == ((ROWS, COLUMNS),)
        np.testing.assert_array_equal(slide.region(5, 6, 50, 60), tissue()[5:55, 6:66])


def test_the_scale_is_that_of_the_image_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for part, step in ((tissue()[:50, :99], 20.0), (tissue(), 0.5)):
            sizes = {"axes": "YXS", "PhysicalSizeX": step, "PhysicalSizeY": step}
            writer.write(part, photometric="rgb", metadata=sizes)
    with Slide(path) as slide:
        assert (slide.size, slide.spacing_um) == ((ROWS, COLUMNS), (0.5, 0.5))


@pytest.mark.parametrize("options", [{}, {"tile": (64, 64)}])
def test_several_images_of_the_full_size_are_refused(
    tmp_path: Path, options: dict[str, object]
) -> None:
    path = tmp_path / "planes.tif"
    with tifffile.TiffWriter(path) as writer:
        for plane in (tissue(), tissue()[::-1].copy()):
            writer.write(plane, photometric="rgb", **options)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="holds 2 images of 420 x 300 pixels"):
        Slide(path)


def test_striped_tiff_is_a_slide_too(tmp_path: Path) -> None:
    with Slide(write(tmp_path / "strips.tif", rowsperstrip=11)) as slide:
        np.testing.assert_array_equal(slide.region(5, 6, 50, 60), tissue()[5:55, 6:66])


def test_window_outside_the_tiff(tiled: Path) -> None:
    with TiledTiff(tiled) as tiff, pytest.raises(GeometryError, match="one within 300 x 420"):
        tiff.window(0, 0, 0, 301, 5)


def test_a_part_of_a_slide_may_be_a_plain_picture(tmp_path: Path) -> None:
    values = tissue()
    write_png(tmp_path / "part.png", values)
    write_png(tmp_path / "grey.png", values[..., 0])
    write_png(tmp_path / "deep.png", values[..., 0].astype(np.uint16) * 257)
    with Slide(tmp_path / "part.png", (0.25, 0.25)) as slide:
        assert slide.levels == (values.shape[:2],)
        assert slide.step_for(0.5) == 2.0
        np.testing.assert_array_equal(slide.region(5, 6, 50, 60), values[5:55, 6:66])
        assert (slide.region(-9, -9, 9, 9) == 255).all()
    with Slide(tmp_path / "grey.png") as slide:
        assert slide.spacing_um is None
        np.testing.assert_array_equal(slide.region(0, 0, 9, 9)[..., 2], values[:9, :9, 0])
    with pytest.raises(UnsupportedError, match=r"pixels of uint16. Expected: 8-bit"):
        Slide(tmp_path / "deep.png")


def test_what_is_no_slide(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="there is no such file"):
        Slide(tmp_path / "none.svs")
    (tmp_path / "text.svs").write_text("a slide")
    with pytest.raises(UnreadableError, match="is no whole slide"):
        Slide(tmp_path / "text.svs")
    deep = tmp_path / "deep.tif"
    tifffile.imwrite(deep, np.zeros((40, 40), np.uint16))
    with pytest.raises(UnsupportedError, match="8-bit grey or RGB"):
        TiledTiff(deep)


def test_damaged_tile(tiled: Path) -> None:
    data = bytearray(tiled.read_bytes())
    with tifffile.TiffFile(tiled) as file:
        offset = file.pages[0].dataoffsets[3]
    data[offset : offset + 40] = bytes(40)
    tiled.write_bytes(data)
    with Slide(tiled) as slide, pytest.raises(UnreadableError, match="damaged"):
        slide.region(0, 0, 100, COLUMNS)
    with TiledTiff(tiled) as tiff, pytest.raises(UnreadableError, match="cannot be read as TIFF"):
        tiff.window(0, 0, 0, 100, COLUMNS)


@pytest.mark.data
def test_real_slide(data_root: Path) -> None:
    path = data_root / "histopathology/whole-slide/CMU-1-Small-Region.svs"
    with Slide(path) as slide:
        assert slide.size == (2967, 2220)
        assert slide.spacing_um == (0.499, 0.499)
        assert slide.step_for(1.0) == pytest.approx(2.004, abs=1e-3)
        small, step = slide.thumbnail(500)
        assert small.shape == (500, 375, 3)
        assert step == pytest.approx(5.934)
        assert 120 < small.mean() < 245


def write_bounded(path: Path, offset: tuple[int, int] = (900, 1500)) -> Path:
    """A Leica slide whose scan lies at (row, column) of a plane of 1200 x 2100 pixels."""
    nm, rows, columns = 500, ROWS, COLUMNS
    space = "http://www.leica-microsystems.com/scn/2010/10/01"

    def image(size: tuple[int, int], view: tuple[int, int], at: tuple[int, int], ifd: int) -> str:
        return (
            '<image name="i"><creationDate>2012-01-01T00:00:00Z</creationDate>'
            '<device model="Leica SCN400" version="1"/>'
            f'<pixels sizeX="{size[1]}" sizeY="{size[0]}"><dimension sizeX="{size[1]}" '
            f'sizeY="{size[0]}" r="0" ifd="{ifd}"/></pixels><view sizeX="{view[1] * nm}" '
            f'sizeY="{view[0] * nm}" offsetX="{at[1] * nm}" offsetY="{at[0] * nm}" spacingZ="0"/>'
            "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
            "<illuminationSettings><numericalAperture>0.4</numericalAperture>"
            "<illuminationSource>brightfield</illuminationSource></illuminationSettings>"
            "</scanSettings></image>"
        )

    plane = (1200, 2100)
    xml = (
        f'<?xml version="1.0"?><scn xmlns="{space}"><collection name="c" sizeX="{plane[1] * nm}" '
        f'sizeY="{plane[0] * nm}"><barcode>x</barcode>{image((240, 420), plane, (0, 0), 0)}'
        f"{image((rows, columns), (rows, columns), offset, 1)}</collection></scn>"
    )
    options = {
        "tile": (64, 64),
        "photometric": "rgb",
        "metadata": None,
        "compression": None,
        "resolution": (20_000, 20_000),
        "resolutionunit": "CENTIMETER",
    }
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(np.full((240, 420, 3), 240, np.uint8), description=xml, **options)
        writer.write(tissue(), **options)
    return path


def test_a_slide_is_what_lies_within_its_bounds(tmp_path: Path) -> None:
    with Slide(write_bounded(tmp_path / "a.scn")) as slide:
        assert (slide.origin, slide.size) == ((900, 1500), (ROWS, COLUMNS))
        np.testing.assert_array_equal(slide.region(90, 190, 80, 100), tissue()[90:170, 190:290])
        small, step = slide.thumbnail(210)
        assert small.shape == (150, 210, 3)
        red = np.argwhere((small == (255, 0, 0)).all(axis=2)) * step
        np.testing.assert_allclose(red.min(axis=0), (100, 200), atol=2 * step)


OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ID="Pixels:0" SizeX="420" SizeY="300" '
    'SizeC="3" SizeZ="1" SizeT="1" Type="uint8" {sizes}><TiffData/></Pixels></Image></OME>'
)


@pytest.mark.parametrize("tiles", [{"tile": (64, 64)}, {}])
@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ('PhysicalSizeX="0.25" PhysicalSizeY="0.26"', (0.26, 0.25)),
        (
            'PhysicalSizeX="250" PhysicalSizeXUnit="nm" '
            'PhysicalSizeY="0.00025" PhysicalSizeYUnit="mm"',
            (0.25, 0.25),
        ),
        ('PhysicalSizeX="3" PhysicalSizeXUnit="pixel" PhysicalSizeY="3"', (0.5, 0.5)),
    ],
)
def test_sizes_of_ome_go_before_the_tags(
    tmp_path: Path, tiles: dict[str, object], sizes: str, expected: tuple[float, float]
) -> None:
    path = write(
        tmp_path / "a.ome.tif", description=OME.format(sizes=sizes), metadata=None, **tiles
    )
    with Slide(path) as slide:
        assert slide.spacing_um == pytest.approx(expected)


def test_a_file_without_a_page_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"II+\0\x08" + bytes(11))  # a BigTIFF that ends where its pages would begin
    with pytest.raises(UnreadableError, match="holds no page"):
        Slide(path)


def test_a_page_without_width_is_one_line(tmp_path: Path) -> None:
    entries = [(0x0100, 4, 1, 0), (0x0101, 4, 1, 64), (0x0102, 3, 1, 8), (0x0106, 3, 1, 1)]
    for left_out in (True, False):
        tags = entries[1:] if left_out else entries
        data = b"II*\0" + (8).to_bytes(4, "little") + len(tags).to_bytes(2, "little")
        for code, kind, count, value in tags:
            data += code.to_bytes(2, "little") + kind.to_bytes(2, "little")
            data += count.to_bytes(4, "little") + value.to_bytes(4, "little")
        path = tmp_path / "a.tif"
        path.write_bytes(data + bytes(60))
        with pytest.raises(UnreadableError, match="page of 64 x 0 pixels") as caught:
            Slide(path)
        assert "\n" not in str(caught.value)


def test_absurd_sizes_are_refused_before_they_are_read(
    tiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSlide ends the process where it cannot have the memory for a tile."""
    data = bytearray(tiled.read_bytes())
    with tifffile.TiffFile(tiled) as file:
        at = file.pages[0].tags["TileWidth"].valueoffset
    data[at : at + 4] = (2**30).to_bytes(4, "little")
    (tmp_path / "wide.tif").write_bytes(data)
    with pytest.raises(UnsupportedError, match="tiles of 1073741824 x 64 pixels take about"):
        Slide(tmp_path / "wide.tif")
    monkeypatch.setattr("breastseg.io.slide.MOST_FLAT", ROWS * COLUMNS - 1)
    with Slide(tiled) as slide, pytest.raises(UnsupportedError, match="as a pyramid has"):
        slide.thumbnail(64)
