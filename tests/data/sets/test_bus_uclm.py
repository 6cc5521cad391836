"""BUS-UCLM in its official layout, and as JPEG in part."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.selection import select
from breastseg.data.sets.bus_uclm import BusUclm
from breastseg.data.split import Split
from breastseg.io.write import write_png, write_text

from ..conftest import SHAPE, outline, picture

SPLIT = Path(__file__).parents[3] / "recipes" / "splits" / "bus-uclm.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four images of two patients: benign, malignant, normal, and one whose mask misfits."""
    root = tmp_path / "BUS-UCLM"
    colours = {"AAAA_000": (0, 255, 0), "AAAA_001": (255, 0, 0), "BBBB_000": (0, 0, 0)}
    for number, (name, colour) in enumerate(colours.items()):
        write_png(root / "images" / f"{name}.png", picture(number))
        drawn = outline(2, 3)[..., None] * np.array(colour, np.uint8)
        write_png(root / "masks" / f"{name}.png", drawn)
    write_png(root / "images" / "BBBB_001.png", picture(9))
    write_png(root / "masks" / "BBBB_001.png", outline(2, 3, (30, 40)))
    write_text(
        root / "INFO.csv",
        "Image;Resolution;Label;Doppler;Marks;Combined\r\n"
        "AAAA_000.png;856x606;Benign;No;Yes;No\r\nAAAA_001.png;856x606;Malignant;Y;Yes;No\r\n"
        "BBBB_000.png;856x606;Normal;No;No;No\r\nBBBB_001.png;856x606;Benign;No;No;No\r\n"
        "CCCC_000.png;856x606;Benign;No;No;Yes\r\n",
    )
    return root


def test_cases_carry_what_the_table_and_the_names_say(root: Path) -> None:
    cases = open_data_set("bus-uclm", root.parent).cases()
    assert [case.case_id for case in cases] == ["AAAA_000", "AAAA_001", "BBBB_000"]
    assert [case.patient_id for case in cases] == ["AAAA", "AAAA", "BBBB"]
    assert [case.label for case in cases] == ["benign", "malignant", "normal"]
    assert [case.tags for case in cases] == [("marks",), ("doppler", "marks"), ()]
    assert {case.modality for case in cases} == {Modality.ULTRASOUND}
    areas = [case.load().mask for case in cases]
    assert [mask.foreground.sum() for mask in areas if mask is not None] == [16, 16, 0]


def test_an_image_with_a_misfitting_mask_is_left_out_by_name(root: Path) -> None:
    assert BusUclm(root).remarks() == (
        "1 images whose mask has another shape, left out: BBBB_001",
        "1 rows of INFO.csv without an image: CCCC_000",
    )


def test_images_may_be_jpeg(root: Path) -> None:
    path = root / "images" / "AAAA_000.png"
    Pillow.open(path).save(path.with_suffix(".jpg"))
    path.unlink()
    (root / "images" / "._AAAA_000.jpg").write_bytes(b"\0")
    (case, *_) = BusUclm(root).cases()
    assert case.load().images[0].grid.shape == SHAPE


def test_subgroups_by_tag(root: Path) -> None:
    cases = BusUclm(root).cases()
    chosen = {
        spec: [case.case_id for case in select(cases, spec, root)]
        for spec in ("plain", "tag:marks", "tag:doppler", "tag:doppler,marks & lesions")
    }
    assert chosen == {
        "plain": ["BBBB_000"],
        "tag:marks": ["AAAA_000", "AAAA_001"],
        "tag:doppler": ["AAAA_001"],
        "tag:doppler,marks & lesions": ["AAAA_000", "AAAA_001"],
    }
    with pytest.raises(DataSetError, match=r"'tag:text': no such tag. Expected: of doppler, marks"):
        select(cases, "tag:text", root)


def test_tags_that_are_not_stated_are_no_plain_images(busi_root: Path) -> None:
    with pytest.raises(DataSetError, match=r"'plain': no tags are stated"):
        select(open_data_set("BUSI", busi_root).cases(), "plain", busi_root)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Malignant", "Suspicious", "Label 'Suspicious' of AAAA_001"),
        ("No;Yes;No", "No;Perhaps;No", "Marks 'Perhaps' of AAAA_000"),
        ("Doppler;", "", "no column Doppler"),
    ],
)
def test_what_the_table_should_not_say(root: Path, old: str, new: str, message: str) -> None:
    table = root / "INFO.csv"
    write_text(table, table.read_text().replace(old, new, 1))
    with pytest.raises(DataSetError, match=message):
        BusUclm(root).cases()


def test_a_lesion_without_a_mask_has_no_known_truth(root: Path) -> None:
    (root / "masks" / "AAAA_000.png").unlink()
    data_set = BusUclm(root)
    assert data_set.cases()[0].mask_paths is None
    assert "1 images of lesions without a mask: AAAA_000" in data_set.remarks()


def test_the_fixed_split_parts_no_patient() -> None:
    parts = Split.read(SPLIT).parts
    patients = {
        part: {key.partition("/")[2].partition("_")[0] for key in keys}
        for part, keys in parts.items()
    }
    assert {part: len(names) for part, names in patients.items()} == {
        "train": 13,
        "val": 3,
        "test": 7,
    }
    assert sum(map(len, patients.values())) == len(set().union(*patients.values()))


@pytest.mark.data
def test_counts_of_the_published_data(data_root: Path) -> None:
    data_set = open_data_set("BUS-UCLM", data_root)
    cases = data_set.cases()
    assert Counter(case.label for case in cases) == {"benign": 102, "malignant": 52, "normal": 262}
    assert len({case.patient_id for case in cases}) == 23
    assert data_set.remarks() == ()
    tags = Counter(tag for case in cases for tag in case.tags or ())
    assert tags == {"doppler": 27, "marks": 86, "combined": 6}
    sizes = {part: len(select(cases, f"split:{SPLIT}#{part}", SPLIT)) for part in ("train", "test")}
    assert sizes == {"train": 223, "test": 134}
    for case in cases[:3] + cases[-3:]:
        mask = case.load().mask
        assert mask is not None
        assert mask.is_empty == (case.label == "normal")
