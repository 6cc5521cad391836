"""Volumes: values and places survive, and a damaged file is one clear line."""

from __future__ import annotations

import gzip
import io
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.io.volume import (
    VOLUME_SUFFIXES,
    positions_mm,
    read_volume,
    read_volumes,
    write_volume,
)

sitk = pytest.importorskip("SimpleITK")

SHAPE = (3, 4, 5)
SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")
VALUES = np.arange(60, dtype=np.int16).reshape(SHAPE) * 7 - 100
CORNERS = np.array(list(itertools.product((0, 2), (0, 3), (0, 4))))
DIRECTIONS = {
    "plain": np.eye(3),
    "flipped": np.diag([1.0, 1.0, -1.0]),
    "turned": np.array([[0, 0, 1.0], [-1.0, 0, 0], [0, -1.0, 0]]),
    "oblique": np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0],
}


def itk_image(direction: NDArray[np.float64], values: NDArray[np.generic] = VALUES) -> object:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((0.7, 0.8, 3.1))
    image.SetOrigin((-155.25, 20.5, 7.75))
    image.SetDirection(direction.ravel().tolist())
    return image


def places(image: object) -> NDArray[np.float64]:
    """SimpleITK's own answer: the (x, y, z) of each corner voxel."""
    at = [image.TransformIndexToPhysicalPoint(c[::-1].tolist()) for c in CORNERS]  # type: ignore[attr-defined]
    return np.array(at)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_corner_lies_where_it_lay(
    tmp_path: Path, suffix: str, direction: NDArray[np.float64]
) -> None:
    original = itk_image(direction)
    sitk.WriteImage(original, str(tmp_path / f"a{suffix}"))
    image = read_volume(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image.array[0], VALUES)
    assert image.array.dtype == np.int16
    assert image.modality is Modality.UNKNOWN
    np.testing.assert_allclose(positions_mm(image.grid, CORNERS), places(original), atol=2e-5)

    write_volume(image.array[0], image.grid, tmp_path / f"b{suffix}")
    again = sitk.ReadImage(str(tmp_path / f"b{suffix}"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(again), VALUES)
    np.testing.assert_allclose(places(again), places(original), atol=4e-5)


def test_tuples_are_in_array_order_and_components_too(tmp_path: Path) -> None:
    sitk.WriteImage(itk_image(DIRECTIONS["flipped"]), str(tmp_path / "a.mha"))
    grid = read_volume(tmp_path / "a.mha").grid
    assert grid.spacing_mm == (3.1, 0.8, 0.7)
    assert grid.origin_mm == (7.75, 20.5, -155.25)
    assert grid.direction == (-1, 0, 0, 0, 1, 0, 0, 0, 1)  # its slices descend to the feet


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    spacing=st.tuples(*[st.floats(0.05, 20)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_a_grid_survives_every_format(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
) -> None:
    frame = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    grid = Grid(SHAPE, spacing, origin, tuple(frame.ravel().tolist()))
    folder = tmp_path_factory.mktemp("volumes")
    for suffix in SUFFIXES:
        write_volume(VALUES, grid, folder / f"a{suffix}")
        again = read_volume(folder / f"a{suffix}").grid
        # NIfTI keeps float32, and a rotation as three numbers of a quaternion.
        exact = suffix in (".nrrd", ".mha")
        np.testing.assert_allclose(
            positions_mm(again, CORNERS), positions_mm(grid, CORNERS), atol=1e-9 if exact else 5e-4
        )
        np.testing.assert_allclose(again.spacing_mm, spacing, rtol=1e-12 if exact else 1e-6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_kinds_of_values(tmp_path: Path, suffix: str) -> None:
    grid = Grid(SHAPE, (3.0, 1.0, 1.0))
    path = tmp_path / f"a{suffix}"
    generator = np.random.default_rng(0)
    mask = generator.random(SHAPE) > 0.5
    for values in (
        mask,
        generator.random(SHAPE, np.float32),
        generator.random(SHAPE),
        VALUES.astype(">i2")[:, ::-1],
        VALUES.astype(np.uint16),
        generator.random(SHAPE).astype(np.float16),
    ):
        write_volume(values, grid, path)
        np.testing.assert_array_equal(read_volume(path).array[0], values)
    write_volume(mask, grid, path)
    assert read_volume(path).array.dtype == np.uint8
    channels = generator.random((2, *SHAPE), np.float32)
    write_volume(channels, grid, path)
    np.testing.assert_array_equal(read_volume(path).array, channels)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_fourth_axis_becomes_channels(tmp_path: Path, suffix: str) -> None:
    parts = [itk_image(DIRECTIONS["oblique"], VALUES + k) for k in range(3)]
    joined = sitk.JoinSeries(parts)
    sitk.WriteImage(joined, str(tmp_path / f"a{suffix}"))
    image = read_volume(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image.array, np.stack([VALUES + k for k in range(3)]))
    np.testing.assert_allclose(positions_mm(image.grid, CORNERS), places(parts[0]), atol=2e-5)


def test_phases_of_one_grid_become_channels(tmp_path: Path) -> None:
    grid = Grid(SHAPE, (3.0, 1.0, 1.0), (1.0, 2.0, 3.0))
    write_volume(VALUES, grid, tmp_path / "0.nii.gz")
    write_volume(VALUES * 0.5, grid, tmp_path / "1.mha")
    image = read_volumes([tmp_path / "0.nii.gz", tmp_path / "1.mha"])
    np.testing.assert_array_equal(image.array, np.stack([VALUES, VALUES * 0.5]))
    assert image.source == str(tmp_path / "0.nii.gz")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Grid((3, 4, 6), (3.0, 1.0, 1.0)), "another shape"),
        (Grid(SHAPE, (3.0, 1.0, 1.1)), "lies up to 0.4 mm elsewhere"),
        (Grid(SHAPE, (3.0, 1.0, 1.0), (0.0, 0.2, 0.0)), "lies up to 0.2 mm elsewhere"),
        (Grid(SHAPE, (3.0, 1.0, 1.0), direction=(-1, 0, 0, 0, 1, 0, 0, 0, 1)), "up to 12 mm"),
    ],
)
def test_phases_of_different_grids_are_refused(tmp_path: Path, other: Grid, said: str) -> None:
    write_volume(VALUES, Grid(SHAPE, (3.0, 1.0, 1.0)), tmp_path / "0.mha")
    write_volume(np.zeros(other.shape, np.int16), other, tmp_path / "1.mha")
    with pytest.raises(GeometryError, match=said):
        read_volumes([tmp_path / "0.mha", tmp_path / "1.mha"])
    with pytest.raises(InputError, match="at least one file"):
        read_volumes([])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_content_decides_and_not_the_name(tmp_path: Path, suffix: str) -> None:
    write_volume(VALUES, Grid(SHAPE, (3.0, 1.0, 1.0)), tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / "scan.txt").write_bytes(data)
    np.testing.assert_array_equal(read_volume(tmp_path / "scan.txt").array[0], VALUES)
    stream = io.BytesIO(data)
    image = read_volume(stream, "upload")
    np.testing.assert_array_equal(image.array[0], VALUES)
    assert image.source == "upload"
    assert not stream.closed


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(-999, 999, (8, 9, 10), np.int16)
    write_volume(noise, Grid((8, 9, 10), (3.0, 1.0, 1.0)), tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    path = tmp_path / f"cut{suffix}"
    for end in (0, 3, 20, 90, 200, len(data) // 2, len(data) - 20, len(data) - 4):
        path.write_bytes(data[:end])
        with pytest.raises(UnreadableError) as caught:
            read_volume(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    if suffix != ".nii":  # the others have a checksum
        broken = bytearray(data)
        broken[len(data) // 2 + 100] ^= 0x55
        path.write_bytes(broken)
        with pytest.raises(UnreadableError, match="damaged"):
            read_volume(path)


def test_a_compressed_metaimage_states_the_size_of_its_data(tmp_path: Path) -> None:
    """SimpleITK returns noise where it is wrong or absent."""
    path = tmp_path / "a.mha"
    write_volume(VALUES, Grid(SHAPE, (3.0, 1.0, 1.0)), path)
    data = path.read_bytes()
    for one, other in (
        (b"CompressedDataSize = ", b"Comment = "),
        (b"DataSize = ", b"DataSize = 1"),
    ):
        path.write_bytes(data.replace(one, other, 1))
        with pytest.raises(UnreadableError, match="bytes of compressed data"):
            read_volume(path)
    path.write_bytes(data.replace(b"ElementType", b"ElementKind"))
    with pytest.raises(UnreadableError, match=r"MetaImage header \(no ElementType\)"):
        read_volume(path)


def test_nothing_reaches_standard_error(tmp_path: Path) -> None:
    write_volume(VALUES, Grid(SHAPE, (3.0, 1.0, 1.0)), tmp_path / "a.mha")
    (tmp_path / "b.mha").write_bytes((tmp_path / "a.mha").read_bytes()[:-20])
    code = (
        "import sys, pathlib\nfrom breastseg.io.volume import read_volume\n"
        "try: read_volume(pathlib.Path(sys.argv[1]))\nexcept Exception as error: print(error)"
    )
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "b.mha")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    assert "damaged or incomplete" in told.stdout


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (
            "a.nrrd",
            b"NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\ndata file: /etc/x\n\n",
            "x",
        ),
        ("a.mha", b"ObjectType = Image\nNDims = 3\nElementDataFile = secret.raw\n", "secret.raw"),
    ],
)
def test_data_in_another_file_are_refused(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnsupportedError, match=f"in another file.*{said}"):
        read_volume(tmp_path / name)


def test_axes_and_values_that_are_not_read(tmp_path: Path) -> None:
    flat = sitk.GetImageFromArray(np.zeros((4, 5), np.float32))
    sitk.WriteImage(flat, str(tmp_path / "flat.mha"))
    with pytest.raises(UnsupportedError, match=r"has 2 axes of \(5, 4\) voxels"):
        read_volume(tmp_path / "flat.mha")
    waves = sitk.GetImageFromArray(np.zeros(SHAPE, np.complex64))
    sitk.WriteImage(waves, str(tmp_path / "waves.nii"))
    with pytest.raises(UnsupportedError, match="complex"):
        read_volume(tmp_path / "waves.nii")


def test_a_header_that_claims_too_much_is_refused_before_it_is_believed(tmp_path: Path) -> None:
    header = (
        b"ObjectType = Image\nNDims = 3\nElementSpacing = 1 1 1\nDimSize = 60000 60000 60000\n"
        b"ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "a.mha").write_bytes(header + bytes(100))
    with pytest.raises(UnsupportedError, match="at most"):
        read_volume(tmp_path / "a.mha")


def test_a_spacing_that_is_not_stated_is_unknown(tmp_path: Path) -> None:
    for name, text in {
        "a.mha": "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"
        "ElementDataFile = LOCAL\n",
        "a.nrrd": "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n",
    }.items():
        (tmp_path / name).write_bytes(text.encode() + bytes(range(8)))
        image = read_volume(tmp_path / name)
        assert image.grid.spacing_mm is None
        assert image.array[0, 0, 0].tolist() == [0, 1]
    grid = Grid(SHAPE, (3.0, 1.0, 1.0))
    write_volume(VALUES, grid, tmp_path / "a.nii")
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[80:92] = bytes(12)  # pixdim[1] to pixdim[3]
    data[252:256] = bytes(4)  # the codes of qform and sform
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data, mtime=0))
    assert read_volume(tmp_path / "b.nii.gz").grid.spacing_mm is None


@pytest.mark.parametrize(
    "data", [b"hello", b"\x1f\x8bxx", gzip.compress(b"text" * 99, mtime=0), b"NDims"]
)
def test_what_is_no_volume(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.nii.gz").write_bytes(data)
    with pytest.raises(UnreadableError, match="NIfTI, NRRD or MetaImage"):
        read_volume(tmp_path / "a.nii.gz")
    with pytest.raises(UnreadableError, match="no such file"):
        read_volume(tmp_path / "none.nii")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    grid = Grid(SHAPE, (3.0, 1.0, 1.0))
    for name in ("a.png", "a.gz", ".nii", "a.hdr"):
        with pytest.raises(InputError, match=r"\.nii, \.nii\.gz, \.nrrd, \.mha"):
            write_volume(VALUES, grid, tmp_path / name)
    path = tmp_path / "a.mha"
    for values, other, said in (
        (VALUES[0], grid, r"shape \(4, 5\)"),
        (VALUES, Grid((4, 5, 3), (1.0, 1.0, 1.0)), "on a grid of"),
        (VALUES[0], Grid((4, 5), (1.0, 1.0)), "a 3-D grid"),
        (VALUES, Grid(SHAPE), "cannot leave it out"),
        (VALUES, Grid(SHAPE, (1.0, 1.0, 1.0), None, (1.0,) * 9), "perpendicular"),
    ):
        with pytest.raises(GeometryError, match=said):
            write_volume(values, other, path)
    with pytest.raises(InputError, match="complex64 is no volume"):
        write_volume(VALUES.astype(np.complex64), grid, path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"):
        write_volume(VALUES, grid, tmp_path / "file" / "a.mha")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_existing_file_is_replaced_and_a_long_name_written(tmp_path: Path) -> None:
    grid = Grid(SHAPE, (3.0, 1.0, 1.0))
    path = tmp_path / "sub" / ("n" * 200 + ".NII.GZ")
    for values in (VALUES, VALUES + 1):
        write_volume(values, grid, path)
        np.testing.assert_array_equal(read_volume(path).array[0], values)
    assert VOLUME_SUFFIXES == SUFFIXES
