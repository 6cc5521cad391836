"""NRRD volumes: their spaces, encodings and axes, held against SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import InputError
from breastseg.io.volume import positions_mm, read_volume

sitk = pytest.importorskip("SimpleITK")

VALUES = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)  # (x, y, z)
CORNERS = np.array([[0, 0, 0], [2, 0, 0], [0, 3, 0], [2, 3, 4]])

NRRD = (
    "NRRD0005\ntype: {type}\ndimension: 3\nspace: {space}\nsizes: 5 4 3\nendian: big\n"
    "space directions: (-0.6,0,0) (0,-0.7,0) (0,0,1.5)\nspace origin: (11,12,-3)\n"
    "encoding: {encoding}\n{more}\n"
)


@pytest.mark.parametrize(
    ("encoding", "space"),
    [("raw", "RAS"), ("bz2", "left-anterior-superior"), ("ascii", "LPS"), ("hex", "RAS")],
)
def test_nrrd_spaces_and_encodings(tmp_path: Path, encoding: str, space: str) -> None:
    import bz2

    raw = VALUES.T.astype(">i2").tobytes()
    data = {
        "raw": raw,
        "bz2": bz2.compress(raw),
        "ascii": " ".join(map(str, VALUES.T.ravel())).encode(),
        "hex": raw.hex().encode(),
    }[encoding]
    head = NRRD.format(type="short", space=space, encoding=encoding, more="")
    (tmp_path / "a.nrrd").write_bytes(head.encode() + data)
    image = read_volume(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(image.array[0], VALUES.T)
    if encoding == "raw":
        theirs = sitk.ReadImage(str(tmp_path / "a.nrrd"))
        at = [theirs.TransformIndexToPhysicalPoint(c[::-1].tolist()) for c in CORNERS]
        np.testing.assert_allclose(positions_mm(image.grid, CORNERS), at, atol=1e-9)
    first = positions_mm(image.grid, CORNERS[:1])[0]
    signs = {"RAS": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "LPS": (1, 1, 1)}[space]
    np.testing.assert_allclose(first, np.multiply(signs, (11, 12, -3)))


@pytest.mark.parametrize(
    ("type_", "encoding", "more", "said"),
    [
        ("block", "raw", "", "values of type block"),
        ("short", "zrl", "", "encoding zrl"),
        ("short", "raw", "byte skip: 4\n", "skips a part"),
        ("short", "raw", 'space units: "inch" "inch" "inch"\n', "'inch'"),
        ("short", "raw", "note: " + "a" * 2000 + "\n", "0 of 120 bytes"),
    ],
)
def test_nrrd_that_are_not_read(
    tmp_path: Path, type_: str, encoding: str, more: str, said: str
) -> None:
    head = NRRD.format(type=type_, space="LPS", encoding=encoding, more=more)
    (tmp_path / "a.nrrd").write_bytes(head.encode())
    with pytest.raises(InputError, match=said):
        read_volume(tmp_path / "a.nrrd")


@pytest.mark.parametrize(
    "centerings", ["", "centerings: cell cell cell\n", "centers: node node node\n"]
)
def test_nrrd_axes_that_do_not_start_at_zero(tmp_path: Path, centerings: str) -> None:
    """As SimpleITK places them, so that the mask lies on the scan there too."""
    sizes = " ".join(map(str, VALUES.shape))
    head = (
        f"NRRD0004\ntype: short\ndimension: 3\nsizes: {sizes}\nspacings: 1 2 3\n"
        f"axis mins: 5 -6 7.5\n{centerings}endian: big\nencoding: raw\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(head.encode() + VALUES.T.astype(">i2").tobytes())
    theirs = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    at = [theirs.TransformIndexToPhysicalPoint(c[::-1].tolist()) for c in CORNERS]
    grid = read_volume(tmp_path / "a.nrrd").grid
    np.testing.assert_allclose(positions_mm(grid, CORNERS), at, atol=1e-9)
