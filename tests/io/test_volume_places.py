"""Where voxels lie, by what a file states: held against nibabel and SimpleITK."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.io.memory import MAX_MEMORY, set_max_memory
from breastseg.io.volume import (
    grid_difference,
    positions_mm,
    read_volume,
    read_volume_grid,
    read_volumes,
    write_volume,
)

sitk = pytest.importorskip("SimpleITK")

VALUES = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)  # (x, y, z)
CORNERS = np.array([[0, 0, 0], [2, 0, 0], [0, 3, 0], [2, 3, 4]])
AFFINE = np.array([[-0.6, 0, 0, 11], [0, -0.7, 0, 12], [0, 0, 1.5, -3], [0, 0, 0, 1.0]])


def nifti(
    path: Path,
    sform: NDArray[np.float64],
    codes: tuple[int, int],
    qform: NDArray[np.float64] | None = None,
    units: str = "mm",
    kind: type = nib.Nifti1Image,
) -> Path:
    """A file with such codes of sform and qform."""
    image = kind(VALUES, sform)
    image.set_sform(sform, codes[0])
    image.set_qform(sform if qform is None else qform, codes[1])
    image.header.set_xyzt_units(units)
    image.to_filename(path)
    return path


def by_nibabel(path: Path) -> NDArray[np.float64]:
    """(x, y, z) in LPS of `CORNERS`."""
    found = nib.affines.apply_affine(nib.load(path).affine, CORNERS[:, ::-1])
    return np.asarray(found * (-1, -1, 1))


def moved() -> NDArray[np.float64]:
    other = AFFINE.copy()
    other[:3, 3] = 30, -20, 10
    return other


def sheared(by: float) -> NDArray[np.float64]:
    other = AFFINE.copy()
    other[0, 1] = by
    return other


@pytest.mark.parametrize(
    ("sform", "codes", "qform", "said"),
    [
        (AFFINE, (1, 1), None, ""),
        (AFFINE, (2, 1), moved(), "sform and qform of the file differ by up to 3"),
        (AFFINE, (0, 1), moved(), ""),
        (AFFINE, (2, 0), moved(), ""),
        (AFFINE, (0, 0), None, "states no orientation"),
        (sheared(0.0006), (1, 0), None, "0.049 degrees off the right angle"),
        (sheared(0.08), (1, 1), AFFINE, "its qform counts"),
    ],
)
def test_a_mask_states_its_place_in_the_words_of_its_scan(
    tmp_path: Path,
    sform: NDArray[np.float64],
    codes: tuple[int, int],
    qform: NDArray[np.float64] | None,
    said: str,
) -> None:
    path = nifti(tmp_path / "a.nii.gz", sform, codes, qform)
    image = read_volume(path)
    assert said in " ".join(image.remarks)
    assert bool(said) == bool(image.remarks)
    write_volume(image.array[0] > 9, image.grid, tmp_path / "mask.nii.gz")
    scan, mask = (nib.load(tmp_path / name) for name in ("a.nii.gz", "mask.nii.gz"))
    np.testing.assert_array_equal(mask.affine, scan.affine)
    for form in ("sform", "qform"):
        given, code = getattr(scan.header, f"get_{form}")(coded=True)
        found, same = getattr(mask.header, f"get_{form}")(coded=True)
        assert code == same
        np.testing.assert_array_equal(found, given)
    np.testing.assert_array_equal(mask.dataobj, VALUES > 9)
    if codes != (0, 0) and said == "":  # by SimpleITK, and by ITK-SNAP, which is built on it
        one, other = (sitk.ReadImage(str(tmp_path / n)) for n in ("a.nii.gz", "mask.nii.gz"))
        assert one.GetOrigin() == other.GetOrigin()
        assert one.GetDirection() == other.GetDirection()
    if "qform counts" not in said:
        np.testing.assert_allclose(
            positions_mm(image.grid, CORNERS), by_nibabel(path), atol=5e-3 if said else 1e-5
        )


def test_what_was_cropped_does_not_keep_the_words_of_the_whole(tmp_path: Path) -> None:
    grid = read_volume(nifti(tmp_path / "a.nii", AFFINE, (1, 1))).grid
    other = Grid(grid.shape, grid.spacing_mm, (1.0, 2.0, 3.0), grid.direction, grid.nifti)
    write_volume(np.ones(other.shape, bool), other, tmp_path / "b.nii")
    assert not grid_difference(read_volume(tmp_path / "b.nii").grid, other)


@pytest.mark.parametrize(("units", "factor"), [("mm", 1), ("micron", 1e-3), ("meter", 1e3)])
def test_units_become_millimetres_and_stay_what_they_were(
    tmp_path: Path, units: str, factor: float
) -> None:
    affine = AFFINE.copy()
    affine[:3] /= factor
    image = read_volume(nifti(tmp_path / "a.nii", affine, (1, 1), units=units))
    np.testing.assert_allclose(image.grid.spacing_mm, (1.5, 0.7, 0.6), rtol=1e-6)
    write_volume(image.array[0], image.grid, tmp_path / "b.nii")
    mask = nib.load(tmp_path / "b.nii")
    assert mask.header.get_xyzt_units()[0] == units
    np.testing.assert_array_equal(mask.affine, nib.load(tmp_path / "a.nii").affine)


def test_a_unit_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", AFFINE, (1, 1), units="meter")
    with pytest.raises(UnsupportedError, match=r"\[0\.6, 0\.7, 1\.5\] 'm'"):
        read_volume(path)


def test_nifti_2_is_read(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii.gz", AFFINE, (1, 1), kind=nib.Nifti2Image)
    image = read_volume(path)
    np.testing.assert_array_equal(image.array[0], VALUES.T)
    np.testing.assert_allclose(positions_mm(image.grid, CORNERS), by_nibabel(path), atol=1e-9)


def test_axes_far_from_the_right_angle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"6\.5 degrees off the right angle"):
        read_volume(nifti(tmp_path / "a.nii", sheared(0.08), (1, 0)))


def test_digits_that_were_rounded_away_are_no_difference(tmp_path: Path) -> None:
    shape = (4, 448, 448)
    for index, step in enumerate((0.848214, 0.8482)):
        write_volume(
            np.zeros(shape, np.uint8), Grid(shape, (1.5, step, step)), tmp_path / f"{index}.nii"
        )
    assert read_volumes([tmp_path / "0.nii", tmp_path / "1.nii"]).array.shape == (2, *shape)
    one, other = Grid(shape, (1.5, 0.848214, 1.0)), Grid(shape, (1.5, 0.849, 1.0))
    assert "up to 0.351 mm" in grid_difference(one, other)


def test_phases_are_named(tmp_path: Path) -> None:
    four = nib.Nifti1Image(np.stack([VALUES] * 2, -1), AFFINE)
    four.to_filename(tmp_path / "four.nii")
    nifti(tmp_path / "one.nii", AFFINE, (1, 1))
    found = read_volumes([tmp_path / "one.nii", tmp_path / "four.nii"])
    names = [phase.rpartition("/")[2] for phase in found.phases]
    assert names == ["one.nii", "four.nii, volume 1 of 2", "four.nii, volume 2 of 2"]
    assert read_volume_grid(tmp_path / "four.nii")[1] == 2


@pytest.mark.parametrize("kind", ["<i2", ">f4", ">u2"])
def test_values_are_rescaled_where_the_file_says_so(tmp_path: Path, kind: str) -> None:
    image = nib.Nifti1Image(VALUES.astype(kind), AFFINE, nib.Nifti1Header(endianness=kind[0]))
    image.header.set_slope_inter(0.5, -3)
    data = bytearray(image.to_bytes())
    slot = np.array([0.5, -3], f"{kind[0]}f4").tobytes()
    data[112:120] = slot  # nibabel clears what it has applied
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(data, mtime=0))
    found = read_volume(tmp_path / "a.nii.gz").array
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], VALUES.T * 0.5 - 3)


def test_a_metaimage_does_not_read_another_file(tmp_path: Path) -> None:
    text = (
        "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"
        "elementdatafile = LOCAL\nComment = ElementDataFile\nElementDataFile = /etc/passwd\n"
    )
    (tmp_path / "a.mha").write_bytes(text.encode() + bytes(99))
    with pytest.raises(UnsupportedError, match=r"another file \(/etc/passwd\)"):
        read_volume(tmp_path / "a.mha")


def test_memory_is_estimated_before_anything_is_decoded() -> None:
    head = nib.Nifti1Header()
    head.set_data_shape((1024, 1024, 512))
    head.set_data_dtype(np.int16)
    head["magic"], head["vox_offset"] = b"n+1\0", 352
    stream = io.BytesIO(gzip.compress(head.binaryblock + bytes(2000)))
    set_max_memory(2**28)
    try:
        with pytest.raises(
            UnsupportedError, match=r"1024 x 1024 x 512 voxels of int16 take about 1 G"
        ):
            read_volume(stream, "small.nii.gz")
    finally:
        set_max_memory(MAX_MEMORY)
    with pytest.raises(UnreadableError, match="bytes of data"):
        read_volume(io.BytesIO(head.binaryblock + bytes(2000)), "short.nii")


@pytest.mark.parametrize(
    ("at", "values"),
    [
        (76, [0.0]),  # pixdim[0], for which the standard says 1
        (76, [np.inf]),
        (80, [-0.6, -0.7, -1.5]),  # steps
    ],
)
def test_a_qform_with_odd_steps_is_read(tmp_path: Path, at: int, values: list[float]) -> None:
    path = nifti(tmp_path / "a.nii", AFFINE, (0, 1))
    expected = positions_mm(read_volume(path).grid, CORNERS)
    data = bytearray(path.read_bytes())
    put = np.array(values, "<f4").tobytes()
    data[at : at + len(put)] = put
    found = read_volume(io.BytesIO(data), "a").grid
    np.testing.assert_allclose(positions_mm(found, CORNERS), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("ElementSpacing = 1e999 1 1\n", "states the steps"),
        ("ElementSpacing = 1 1\n", "3 numbers"),
        ("HeaderSize = nan\n", "whole numbers"),
        ("ElementSpacing = 1 1 1\nTransformMatrix = 0 0 0 0 0 0 0 0 0\n", "rows as long as 0"),
        ("ElementNumberOfChannels = 0\n", "0 values a voxel"),
        ("CompressedData = True\nCompressedDataSize = -3\n", "of compressed data"),
    ],
)
def test_absurd_numbers_are_one_line(fields: str, said: str) -> None:
    text = f"NDims = 3\n{fields}DimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    with pytest.raises(InputError, match=said) as caught:
        read_volume(io.BytesIO(text.encode() + bytes(8)), "a")
    assert "\n" not in str(caught.value)


def test_phases_that_do_not_fit_are_told_before_they_are_read(tmp_path: Path) -> None:
    write_volume(
        np.zeros((2, 3, 4), np.uint8), Grid((2, 3, 4), (1.0, 1.0, 1.0)), tmp_path / "a.nii"
    )
    whole = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii").write_bytes(whole[:360])  # cut: it would be refused if it were read
    write_volume(
        np.zeros((2, 3, 5), np.uint8), Grid((2, 3, 5), (1.0, 1.0, 1.0)), tmp_path / "c.nii"
    )
    with pytest.raises(GeometryError, match="another shape"):
        read_volumes([tmp_path / "b.nii", tmp_path / "c.nii"])


@pytest.mark.parametrize(
    ("units", "step"), [("micron", 1.0), ("micron", 5.0), ("mm", 7e-4), ("mm", 700.0), ("", 1e-12)]
)
def test_distances_in_which_no_breast_is_scanned_are_refused(
    tmp_path: Path, units: str, step: float
) -> None:
    affine = np.diag([step, step, step, 1.0])
    path = nifti(tmp_path / "a.nii", affine, (1, 1), units=units or "unknown")
    with pytest.raises(UnsupportedError, match="states distances of"):
        read_volume(path)


META_HEAD = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "CompressedData = False\nOffset = 1 2 3\nDimSize = 5 4 3\nElementType = MET_SHORT\n"
)
NRRD_HEAD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nendian: little\nencoding: raw\n"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".mha", f"{META_HEAD}TransformMatrix = 1 0 0 0 1 0 0 0 1\nElementSpacing = -.7 .8 2\n"),
        (".mha", f"{META_HEAD}TransformMatrix = 0 1 0 0 0 1 1 0 0\nElementSpacing = .7 -.8 2\n"),
        (".nrrd", f"{NRRD_HEAD}spacings: -.7 .8 -2\n"),
    ],
)
def test_a_distance_below_zero_counts_the_other_way(tmp_path: Path, suffix: str, text: str) -> None:
    path = tmp_path / f"a{suffix}"
    end = "\n" if suffix == ".nrrd" else "ElementDataFile = LOCAL\n"
    path.write_bytes((text + end).encode() + VALUES.T.tobytes())
    image = read_volume(path)
    theirs = sitk.ReadImage(str(path))
    found = [theirs.TransformIndexToPhysicalPoint([*map(int, at[::-1])]) for at in CORNERS]
    assert np.allclose(positions_mm(image.grid, CORNERS), found, atol=1e-5)
    assert np.array_equal(image.array[0], sitk.GetArrayFromImage(theirs))


@pytest.mark.parametrize(
    ("matrix", "letters", "said"),
    [
        ("1 0 0 0 1 0 0 0 1", "RAI", False),
        ("1 0 0 0 1 0 0 0 1", "LPI", True),
        ("0 1 0 0 0 -1 1 0 0", "ASR", False),
        ("0 1 0 0 0 -1 1 0 0", "RAI", True),
        ("1 0 0 0 1 0 0 0 1", "???", False),
    ],
)
def test_letters_of_orientation_that_contradict_the_axes_are_told(
    tmp_path: Path, matrix: str, letters: str, said: bool
) -> None:
    head = f"{META_HEAD}TransformMatrix = {matrix}\nAnatomicalOrientation = {letters}\n"
    path = tmp_path / "a.mha"
    path.write_bytes(
        f"{head}ElementSpacing = 1 1 1\nElementDataFile = LOCAL\n".encode() + VALUES.T.tobytes()
    )
    assert any("AnatomicalOrientation" in text for text in read_volume(path).remarks) is said


def test_a_matrix_that_scales_is_refused(tmp_path: Path) -> None:
    head = f"{META_HEAD}TransformMatrix = 2 0 0 0 2 0 0 0 2\nElementSpacing = 1 1 1\n"
    path = tmp_path / "a.mha"
    path.write_bytes(f"{head}ElementDataFile = LOCAL\n".encode() + VALUES.T.tobytes())
    with pytest.raises(UnreadableError, match="TransformMatrix of rows as long as 2"):
        read_volume(path)


@pytest.mark.parametrize(("offset", "read"), [(0, True), (352, True), (348, False), (100, False)])
def test_voxels_are_never_read_from_the_header(tmp_path: Path, offset: int, read: bool) -> None:
    path = nifti(tmp_path / "a.nii", AFFINE, (1, 1))
    data = bytearray(path.read_bytes())
    data[108:112] = np.array(offset, "<f4").tobytes()
    path.write_bytes(data)
    if not read:
        with pytest.raises(UnreadableError, match=f"data from byte {offset}"):
            read_volume(path)
        return
    assert np.array_equal(read_volume(path).array[0], VALUES.T)


def test_a_step_below_zero_beside_a_qform_is_told(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", AFFINE, (0, 1))
    assert not read_volume(path).remarks
    data = bytearray(path.read_bytes())
    data[80:84] = (-np.frombuffer(bytes(data[80:84]), "<f4")).tobytes()
    path.write_bytes(data)
    assert "a step below 0" in read_volume(path).remarks[0]


def test_an_sform_beside_other_steps_is_told(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, None)
    image.set_sform(np.diag([-1.0, -2.0, 3.0, 1.0]), 1)
    image.header["qform_code"] = 0
    nib.save(image, tmp_path / "a.nii")
    found = read_volume(tmp_path / "a.nii")
    assert found.grid.spacing_mm == (3, 2, 1)
    said = "states steps of 1 x 2 x 3 and its pixdim of 1 x 1 x 1"
    assert any(said in remark for remark in found.remarks)
