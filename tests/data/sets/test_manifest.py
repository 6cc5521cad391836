"""Cases as a CSV file lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.manifest import Manifest
from breastseg.io.volume import write_volume
from breastseg.io.write import write_png, write_text

from ..conftest import outline, picture

Make = Callable[..., Manifest]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A manifest with these rows, over two images, two masks and a volume of two phases."""
    for number, name in enumerate(("a", "b")):
        write_png(tmp_path / "scans" / f"{name}.png", picture(number))
        write_png(tmp_path / "truth" / f"{name}.png", outline(2 + 8 * number, 3))
    grid = Grid((2, 3, 4), (1.0, 1.0, 1.0))
    for name in ("pre.nii.gz", "post.nii.gz", "lesion.nii.gz"):
        write_volume(np.ones(grid.shape, np.uint8), grid, tmp_path / "mr" / name)

    def write(
        *lines: str, head: str = "image,mask,patient_id,label,modality,fold,spacing_mm"
    ) -> Manifest:
        write_text(tmp_path / "clinic.csv", "\n".join((head, *lines)) + "\n")
        return Manifest(tmp_path / "clinic.csv")

    return write


def test_rows_become_cases(make: Make) -> None:
    data = make(
        "scans/b.png,truth/a.png | truth/b.png,P1,malignant,ultrasound,2,0.1 0.2",
        "scans/a.png,,P1,,,,",
    )
    unknown, known = data.cases()
    assert known.key == "clinic/scans/b"
    assert (known.patient_id, known.label, known.fold) == ("P1", "malignant", 2)
    loaded = known.load()
    assert loaded.mask is not None
    assert loaded.mask.foreground.sum() == 32
    assert loaded.images[0].grid.spacing_mm == (0.1, 0.2)
    assert loaded.images[0].modality is Modality.ULTRASOUND
    assert (unknown.mask_paths, unknown.label, unknown.modality) == (None, None, Modality.UNKNOWN)
    assert data.remarks() == ("1 images without a mask: scans/a",)


def test_only_image_and_mask_are_needed(make: Make) -> None:
    (case,) = make("scans/a.png,truth/a.png", head="image,mask").cases()
    assert (case.case_id, case.patient_id) == ("scans/a", "scans/a")
    (case,) = make("x,scans/a.png,,normal", head="case_id,image,mask,label").cases()
    assert (case.case_id, case.mask_paths) == ("x", ())


def test_colour_counts_in_histopathology_alone(make: Make, tmp_path: Path) -> None:
    stained = np.zeros((8, 8, 3), np.uint8)
    stained[..., 0] = 200
    write_png(tmp_path / "he.png", stained)
    write_png(tmp_path / "tumour.png", np.full((8, 8), 255, np.uint8))
    rows = "x,P,he.png,tumour.png,histopathology", "y,P,he.png,tumour.png,ultrasound"
    colour, grey = make(*rows, head="case_id,patient_id,image,mask,modality").cases()
    np.testing.assert_array_equal(colour.load().images[0].array, stained.transpose(2, 0, 1))
    assert grey.load().images[0].array.shape[0] == 1


def test_volumes_with_their_phases(make: Make) -> None:
    (case,) = make("mr/pre.nii.gz|mr/post.nii.gz,mr/lesion.nii.gz,P,,,,").cases()
    assert case.case_id == "mr/pre"
    loaded = case.load()
    assert loaded.images[0].array.shape == (2, 2, 3, 4)
    assert loaded.images[0].modality is Modality.MRI
    assert loaded.mask is not None
    assert loaded.mask.foreground.all()


def test_a_folder_with_a_manifest(make: Make, tmp_path: Path) -> None:
    make("scans/a.png,truth/a.png", head="image,mask").table.rename(tmp_path / "manifest.csv")
    data = open_data_set("manifest", tmp_path)
    assert data.name == tmp_path.name
    assert len(data.cases()) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("scans/c.png,,,,,,", r"clinic\.csv: 1 files are not there: .*c\.png"),
        ("scans/a.png,truth/c.png,,,,,", "1 files are not there"),
        (",truth/a.png,,,,,", r"no image in row 2 in clinic\.csv"),
        ("scans/a.png|scans/b.png,,,,,,", r"image 'scans/a\.png\|scans/b\.png' of row 2"),
        ("scans/a.png,,,,x-ray,,", r"modality 'x-ray' of row 2 in clinic\.csv"),
        ("scans/a.png,,,,,one,", r"fold 'one' of row 2 in clinic\.csv"),
        ("scans/a.png,,,,,,0", r"spacing_mm '0' of row 2 in clinic\.csv"),
        ("mr/pre.nii.gz,,,,,,1", "spacing_mm of a volume"),
        ("scans/a.png,,,,,,\nscans/a.png,,,,,,", r"two rows for scans/a in clinic\.csv"),
        ("", r"clinic\.csv has no row"),
    ],
)
def test_bad_rows_are_named(make: Make, row: str, said: str) -> None:
    with pytest.raises(DataSetError, match=said):
        make(row).cases()


def test_missing_manifest_and_columns(make: Make, tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no file .*manifest\.csv"):
        Manifest(tmp_path).cases()
    with pytest.raises(DataSetError, match="no column mask"):
        make("scans/a.png", head="image").cases()


def test_a_name_of_five_thousand_letters(tmp_path: Path) -> None:
    write_text(tmp_path / "long.csv", f"image,mask\n{'a' * 5000}.png,\n")
    with pytest.raises(DataSetError, match=r"1 files are not there") as caught:
        Manifest(tmp_path / "long.csv").cases()
    assert len(str(caught.value)) < 500


def test_an_image_of_two_patients_is_refused_and_a_mask_of_two_images_told(make: Make) -> None:
    head = "case_id,image,mask,patient_id"
    twice = make("1,scans/a.png,truth/a.png,P1", "2,./scans/a.png,truth/a.png,P2", head=head)
    with pytest.raises(DataSetError, match=r"a\.png stands for the patients P1 and P2"):
        twice.cases()
    shared = make("1,scans/a.png,truth/a.png,P1", "2,scans/b.png,truth/a.png,P2", head=head)
    assert shared.remarks() == ("1 masks of several images: a.png",)
