"""One's own images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core import Modality
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import Fault
from breastseg.data.sets.folder import Folder, read_rows
from breastseg.io.write import write_png, write_text

from ..conftest import outline, picture


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "clinic"
    for number, name in enumerate(("a", "b", "c")):
        write_png(root / "images" / f"{name}.png", picture(number))
    write_png(root / "masks" / "a.png", outline(1, 1))
    return root


def test_masks_in_a_folder_of_their_own(root: Path) -> None:
    cases = Folder(root).cases()
    assert [case.key for case in cases] == ["clinic/a", "clinic/b", "clinic/c"]
    assert cases[0].mask_paths == (root / "masks" / "a.png",)
    assert cases[1].mask_paths is None
    assert cases[1].patient_id == "b"
    assert Folder(root).remarks() == ("2 images without a mask: b, c",)


def test_masks_beside_the_pictures(tmp_path: Path) -> None:
    write_png(tmp_path / "scan.png", picture(0))
    write_png(tmp_path / "scan_mask.png", outline(1, 1))
    write_png(tmp_path / "gone_mask.png", outline(1, 1))
    (case,) = Folder(tmp_path).cases()
    assert case.mask_paths == (tmp_path / "scan_mask.png",)
    assert Folder(tmp_path).remarks() == ("1 masks without an image: gone_mask",)


def test_table_tells_patient_label_and_spacing(root: Path) -> None:
    write_text(
        root / "cases.csv",
        "file,patient_id,label,spacing_mm\na.png,P1,malignant,0.1 0.2\nb.png,P1,normal,0.3\n",
    )
    a, b, c = Folder(root).cases()
    assert (a.patient_id, a.label, a.spacing_mm) == ("P1", "malignant", (0.1, 0.2))
    assert (b.patient_id, b.mask_paths, b.spacing_mm) == ("P1", (), (0.3, 0.3))
    assert (c.patient_id, c.label, c.spacing_mm) == ("c", None, None)
    assert a.load().images[0].grid.spacing_mm == (0.1, 0.2)
    assert c.load().images[0].grid.spacing_mm is None


def test_modality_is_what_the_table_says_and_else_unknown(root: Path) -> None:
    assert {case.modality for case in Folder(root).cases()} == {Modality.UNKNOWN}
    name = Folder(root).cases()[0].image_path.name
    (root / "cases.csv").write_text(f"file,modality\n{name},Mammography\n")
    first = Folder(root).cases()[0]
    assert first.modality is Modality.MAMMOGRAPHY
    assert first.load().images[0].modality is Modality.MAMMOGRAPHY
    (root / "cases.csv").write_text(f"file,modality\n{name},x-ray\n")
    with pytest.raises(DataSetError, match=r"modality 'x-ray' .* one of ultrasound, mammography"):
        Folder(root).cases()


def test_colour_becomes_grey_of_the_same_dtype(tmp_path: Path) -> None:
    colour = np.zeros((4, 4, 3), np.uint8)
    colour[0, 0] = (255, 0, 0)
    write_png(tmp_path / "x.png", colour)
    image = Folder(tmp_path).cases()[0].load().images[0]
    assert image.array.dtype == np.uint8
    # ITU-R BT.601: .299 * 255 = 76.2
    assert image.array[0, 0, 0] == 76


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name\na.png\n", "no column file"),
        ("file\nz.png\n", "names images that are not in .*: z"),
        ("file,spacing_mm\na.png,wide\n", "spacing_mm 'wide' of a"),
        ("file,spacing_mm\na.png,-1\n", "spacing_mm '-1' of a"),
        ("file,spacing_mm\na.png,1 2 3\n", "spacing_mm '1 2 3' of a"),
    ],
)
def test_bad_tables_say_what_is_wrong(root: Path, table: str, message: str) -> None:
    write_text(root / "cases.csv", table)
    with pytest.raises(DataSetError, match=message):
        Folder(root).cases()


def test_table_that_is_no_text(root: Path) -> None:
    (root / "cases.csv").write_bytes(b"\xff\xfe\x81")
    with pytest.raises(DataSetError, match=r"cases.csv cannot be read"):
        Folder(root).cases()


def test_two_pictures_of_one_stem(root: Path) -> None:
    (root / "images" / "a.jpg").write_bytes(b"")
    with pytest.raises(DataSetError, match=r"a\.jpg and a\.png"):
        Folder(root).cases()


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no folder"):
        Folder(tmp_path / "absent").cases()
    with pytest.raises(DataSetError, match="no image in"):
        Folder(tmp_path).cases()


def test_stained_tissue_keeps_its_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (9, 8, 3), np.uint8)
    write_png(tmp_path / "tissue.png", colours)
    write_text(tmp_path / "cases.csv", "file,modality\ntissue.png,histopathology\n")
    (case,) = Folder(tmp_path).cases()
    np.testing.assert_array_equal(case.read_image().array, np.moveaxis(colours, 2, 0))


def test_masks_named_after_their_pictures_in_a_folder_of_masks(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_png(tmp_path / "Images" / f"{name}.PNG", picture(ord(name)))
        write_png(tmp_path / "masks" / f"{name}_mask.png", outline(1, 1))
    (tmp_path / "Images" / "._a.png").write_bytes(b"\0\5\x16\7")
    a, b = Folder(tmp_path).cases()
    assert a.mask_paths == (tmp_path / "masks" / "a_mask.png",)
    assert b.load().mask is not None
    assert Folder(tmp_path).remarks() == ()


@pytest.mark.parametrize(("value", "kind"), [(1, "u1"), (2, "u1"), (100, "u1"), (255, "u2")])
def test_masks_of_class_numbers_of_any_grey_and_of_16_bits(
    tmp_path: Path, value: int, kind: str
) -> None:
    write_png(tmp_path / "a.png", picture(0))
    write_png(tmp_path / "a_mask.png", (value * outline(1, 1)).astype(kind))
    mask = Folder(tmp_path).cases()[0].load().mask
    assert mask is not None
    assert mask.foreground.sum() == 16


def test_a_table_whose_patients_go_by_another_name_is_refused(root: Path) -> None:
    write_text(root / "cases.csv", "file,PatientID\na.png,P1\n")
    with pytest.raises(DataSetError, match=r"cases.csv has the column 'PatientID', which is not r"):
        Folder(root).cases()
    assert read_rows(root / "cases.csv", ("file", "spacing_mm")).keys() == {"a"}
    write_text(root / "cases.csv", "file;patient_id;age\na.png;P1;60\n")
    assert Folder(root).cases()[0].patient_id == "P1"
    assert Folder(root).remarks()[-1] == "columns of cases.csv that are not used: age"
    write_text(root / "cases.csv", "file,description\na.png,a cyst\n")
    assert "cases.csv" not in "".join(Folder(root).remarks())


def test_a_folder_that_is_not_there_is_told_of_before_its_remarks(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no folder .*gone for a folder of images"):
        Folder(tmp_path / "gone").remarks()


def test_rows_of_one_stem_are_refused_and_folders_may_be_written_either_way(root: Path) -> None:
    write_text(root / "cases.csv", "file,patient_id\nx/a.png,P1\ny/a.png,P2\n")
    with pytest.raises(DataSetError, match=r"two rows for 'a': x/a\.png and y/a\.png"):
        Folder(root).cases()
    write_text(root / "cases.csv", "file,patient_id\nimages\\a.png,P1\nimages/b.png,P1\n")
    assert [case.patient_id for case in Folder(root).cases()] == ["P1", "P1", "c"]


def test_folders_of_images_that_are_not_read_are_told(root: Path) -> None:
    write_png(root / "images" / "P2" / "d.png", picture(4))
    assert "1 folders of images are not read: images/P2" in Folder(root).remarks()


def test_images_of_kinds_that_are_not_read_are_told(root: Path) -> None:
    (root / "images" / "d.WebP").write_bytes(b"RIFF")
    (root / "masks" / "e.gif").write_bytes(b"GIF89a")
    assert "2 images of a kind that is not read: d.WebP, e.gif" in Folder(root).remarks()


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("P01", "p01", True),
        ("7", "007", True),
        ("7", "7.0", True),
        ("M\u00fcller", "Mu\u0308ller", True),
        ("P1", "P1\u200b", True),
        ("P1", "P 1", True),
        ("P1", "P10", False),
        ("P1", "P1a", False),
        ("1.0.1", "1.0.10", False),
    ],
)
def test_patients_that_differ_only_in_how_they_are_written(
    root: Path, one: str, other: str, alike: bool
) -> None:
    write_text(root / "cases.csv", f"file,patient_id\na.png,{one}\nb.png,{other}\n")
    told = [text for text in Folder(root).remarks() if text.startswith("patients that differ")]
    assert [isinstance(text, Fault) for text in told] == [True] * alike


def test_labels_count_in_capitals_too(root: Path) -> None:
    write_text(root / "cases.csv", "file,label\na.png,Malignant\nb.png,NORMAL\nc.png,Cyst\n")
    a, b, c = Folder(root).cases()
    assert (a.label, b.label, b.mask_paths, c.label) == ("malignant", "normal", (), "Cyst")


def test_a_spacing_in_micrometres_is_refused(root: Path) -> None:
    write_text(root / "cases.csv", "file,spacing_mm\na.png,85\n")
    with pytest.raises(DataSetError, match=r"spacing_mm '85' of a in cases\.csv"):
        Folder(root).cases()


def test_an_image_file_of_several_pages_is_no_case(tmp_path: Path) -> None:
    pages = [Pillow.fromarray(picture(number)) for number in (0, 1)]
    (tmp_path / "images").mkdir()
    pages[0].save(tmp_path / "images" / "a.tif", save_all=True, append_images=pages[1:])
    (case,) = Folder(tmp_path).cases()
    with pytest.raises(DataSetError, match="a file of several images"):
        case.load()
