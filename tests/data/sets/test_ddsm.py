"""DDSM: lossless JPEG, tables of words, chain codes."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.ddsm import Ddsm, DdsmAbnormalities, read_overlay
from breastseg.io.write import write_bytes, write_text

from ...io.lossless import encode

SHAPE = (20, 16)
ICS = """ics_version 1.0
filename B-3024-1
DATE_OF_STUDY 2 7 1995
PATIENT_AGE 42
FILM
FILM_TYPE REGULAR
DENSITY 4
DATE_DIGITIZED 7 22 1997
DIGITIZER LUMISYS LASER
SELECTED
LEFT_CC LINES 20 PIXELS_PER_LINE 16 BITS_PER_PIXEL 12 RESOLUTION 50 OVERLAY
LEFT_MLO LINES 20 PIXELS_PER_LINE 16 BITS_PER_PIXEL 12 RESOLUTION 50 NON_OVERLAY
RIGHT_CC LINES 20 PIXELS_PER_LINE 16 BITS_PER_PIXEL 12 RESOLUTION 50 OVERLAY
RIGHT_MLO LINES 20 PIXELS_PER_LINE 16 BITS_PER_PIXEL 12 RESOLUTION 50 OVERLAY
"""
# right 4, down 3, left 4, up 3: from column 5, row 2
BOX = "5 2 2 2 2 2 4 4 4 6 6 6 6 0 0 0 # "


def overlay(*abnormalities: tuple[str, str, str], core: str = "") -> str:
    """As released: a core is set off by a tab."""
    lines = [f"TOTAL_ABNORMALITIES {len(abnormalities)} "]
    for number, (types, pathology, chain) in enumerate(abnormalities, 1):
        lines.append(f"ABNORMALITY {number} ")
        lines += [f"LESION_TYPE {kind}" for kind in types.split("|")]
        lines += ["ASSESSMENT 4 ", "SUBTLETY 5 ", f"PATHOLOGY {pathology} "]
        lines += [f"TOTAL_OUTLINES {1 + bool(core)} ", "BOUNDARY ", chain]
        lines += ["\tCORE ", core] if core else []
    return "\n".join(lines) + "\n"


MASS, CALC = (
    "MASS SHAPE OVAL MARGINS SPICULATED",
    "CALCIFICATION TYPE PLEOMORPHIC DISTRIBUTION CLUSTERED",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A case with a mass, a film without a finding, calcifications, and an overlay that is lost."""
    folder = tmp_path / "DDSM" / "cases" / "cancers" / "cancer_01" / "case3024"
    write_text(folder / "B-3024-1.ics", ICS)
    for number, view in enumerate(("LEFT_CC", "LEFT_MLO", "RIGHT_CC", "RIGHT_MLO")):
        pixels = np.random.default_rng(number).integers(0, 4096, SHAPE, np.uint16)
        write_bytes(folder / f"B_3024_1.{view}.LJPEG", encode(pixels, 12))
    write_text(
        folder / "B_3024_1.LEFT_CC.OVERLAY",
        overlay((MASS, "BENIGN", BOX), (MASS, "MALIGNANT", "0 15 2 4 6 0 #"), core="6 3 2 4 6 0 #"),
    )
    write_text(folder / "B_3024_1.RIGHT_CC.OVERLAY", overlay((CALC, "BENIGN", BOX)))
    return tmp_path


def test_masses_are_the_lesions(root: Path) -> None:
    data_set = Ddsm(root)
    cases = data_set.cases()
    assert [case.case_id for case in cases] == [
        *("B_3024_1.LEFT_CC", "B_3024_1.LEFT_MLO", "B_3024_1.RIGHT_CC", "B_3024_1.RIGHT_MLO")
    ]
    assert [case.label for case in cases] == ["malignant", "normal", None, None]
    assert [
        case.mask_paths if case.mask_paths is None else len(case.mask_paths) for case in cases
    ] == [*(1, 0, 0, None)]
    assert {case.patient_id for case in cases} == {"B_3024_1"}
    assert {case.scanner for case in cases} == {"LUMISYS LASER"}
    assert data_set.remarks() == ("1 films whose overlay is missing: B_3024_1.RIGHT_MLO",)
    loaded = cases[0].load()
    image = loaded.images[0]
    assert image.modality is Modality.MAMMOGRAPHY
    assert image.grid.spacing_mm == (0.05, 0.05)
    expected = np.random.default_rng(0).integers(0, 4096, SHAPE, np.uint16)
    np.testing.assert_array_equal(image.array[0], expected)
    outline = np.zeros(SHAPE, bool)
    outline[2:6, 5:10] = True
    outline[15:17, 0:2] = True
    assert loaded.mask is not None
    np.testing.assert_array_equal(loaded.mask.foreground, outline)
    assert pickle.loads(pickle.dumps(cases[0])) == cases[0]


def test_hidden_tables_are_none(root: Path) -> None:
    whole = Ddsm(root).cases()
    for path in sorted(root.rglob("*.ics")):
        path.with_name(f"._{path.name}").write_bytes(path.read_bytes())
    assert Ddsm(root).cases() == whole


def test_all_abnormalities(root: Path) -> None:
    data_set = open_data_set("ddsm-all", root / "DDSM" / "cases")
    assert isinstance(data_set, DdsmAbnormalities)
    cases = data_set.cases()
    assert [case.label for case in cases] == ["malignant", "normal", "benign", None]
    assert [int(case.read_mask_array(SHAPE).sum()) for case in cases] == [24, 0, 20, 0]


def test_every_step(tmp_path: Path) -> None:
    """0 is up and the others follow clockwise."""
    write_text(tmp_path / "a.OVERLAY", overlay((MASS, "BENIGN", "8 9 0 1 2 3 4 5 6 7 #")))
    (one,) = read_overlay(tmp_path / "a.OVERLAY")
    steps = np.diff(one.boundary, axis=0).tolist()
    assert steps == [[-1, 0], [-1, 1], [0, 1], [1, 1], [1, 0], [1, -1], [0, -1], [-1, -1]]
    assert one.boundary[0].tolist() == [9, 8]
    assert one.types == {"MASS"}


def test_two_types_are_both_kept(tmp_path: Path) -> None:
    write_text(tmp_path / "a.OVERLAY", overlay((f"{CALC}|{MASS}", "UNPROVEN", BOX)))
    (one,) = read_overlay(tmp_path / "a.OVERLAY")
    assert one.types == {"MASS", "CALCIFICATION"}
    assert one.pathology == "UNPROVEN"


def test_sides_that_are_swapped_in_the_picture(root: Path) -> None:
    (path,) = root.rglob("*.LEFT_MLO.LJPEG")
    pixels = np.random.default_rng(7).integers(0, 4096, SHAPE, np.uint16)
    write_bytes(path, encode(pixels.reshape(SHAPE[::-1]), 12))
    np.testing.assert_array_equal(Ddsm(root).cases()[1].load().images[0].array[0], pixels)


def test_picture_of_another_size(root: Path) -> None:
    (path,) = root.rglob("*.LEFT_MLO.LJPEG")
    write_bytes(path, encode(np.zeros((9, 9), np.uint16), 12))
    with pytest.raises(
        UnreadableError, match=r"LEFT_MLO\.LJPEG holds \(9, 9\) pixels. Expected: \(20, 16\)"
    ):
        Ddsm(root).cases()[1].load()


def test_what_is_outside_the_film_is_left_out(root: Path) -> None:
    (path,) = root.rglob("*.LEFT_CC.OVERLAY")
    write_text(path, overlay((MASS, "BENIGN", "15 2 2 2 2 2 4 4 4 6 6 6 6 0 0 0 #")))
    assert Ddsm(root).cases()[0].read_mask_array(SHAPE).sum() == 4


def test_absent_films_are_counted(root: Path) -> None:
    (path,) = root.rglob("*.LEFT_MLO.LJPEG")
    path.unlink()
    assert len(Ddsm(root).cases()) == 3
    assert Ddsm(root).remarks()[0] == "1 films without an image: B_3024_1.LEFT_MLO"


def test_damaged_overlay_is_named(root: Path) -> None:
    (path,) = root.rglob("*.LEFT_CC.OVERLAY")
    write_text(path, overlay((MASS, "BENIGN", "5 2 2 9 #")))
    with pytest.raises(UnreadableError, match=r"LEFT_CC\.OVERLAY: an abnormality has no boundary"):
        Ddsm(root).cases()


def test_no_film(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no film in"):
        Ddsm(tmp_path).cases()
    with pytest.raises(DataSetError, match="no folder"):
        Ddsm(tmp_path / "absent").cases()
