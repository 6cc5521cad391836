"""There and back again: the same pixels, masks, labels and patients."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError, GroundTruthError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.data.convert import to_folder, to_nnunet
from breastseg.data.dataset import CaseRef
from breastseg.data.sets.bus_bra import BusBra
from breastseg.data.sets.busi import Busi
from breastseg.data.sets.folder import Folder
from breastseg.data.sets.nnunet import NnUnet
from breastseg.data.volume_ref import VolumeRef
from breastseg.io.raster import read_raster
from breastseg.io.volume import grid_difference, write_volume
from breastseg.io.write import write_png, write_text

from .conftest import SHAPE, outline, picture

MakeCase = Callable[..., CaseRef]


def facts(case: CaseRef) -> tuple[object, ...]:
    return case.case_id, case.patient_id, case.label, case.fold, case.modality


def same(one: CaseRef, other: CaseRef) -> None:
    """Check that two cases are the same but for their data set's name."""
    assert facts(one) == facts(other)
    a, b = one.load(), other.load()
    np.testing.assert_array_equal(a.images[0].array, b.images[0].array)
    assert a.images[0].array.dtype == b.images[0].array.dtype
    assert a.images[0].grid.spacing_mm == b.images[0].grid.spacing_mm
    if a.mask is None or b.mask is None:
        assert a.mask is b.mask
    else:
        np.testing.assert_array_equal(a.mask.foreground, b.mask.foreground)


def test_pictures_there_and_back(bus_bra_root: Path, tmp_path: Path) -> None:
    given = BusBra(bus_bra_root).cases()
    steps: list[tuple[int, int]] = []
    out = tmp_path / "Dataset001_BUSBRA"
    to_nnunet(given, out, lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    there = NnUnet(out)
    to_folder(there.cases(), tmp_path / "back")
    for one, other, again in zip(
        given, there.cases(), Folder(tmp_path / "back").cases(), strict=True
    ):
        same(one, other)
        same(one, again)
    assert there.remarks() == ()


def test_what_nnunet_itself_reads(bus_bra_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "Dataset001_BUSBRA"
    to_nnunet(BusBra(bus_bra_root).cases(), out)
    said = json.loads((out / "dataset.json").read_text())
    assert said["channel_names"] == {"0": "ultrasound"}
    assert said["labels"] == {"background": 0, "lesion": 1}
    assert (said["numTraining"], said["file_ending"]) == (3, ".png")
    labels = read_raster(out / "labelsTr" / "bus_0001-l.png").array
    assert np.unique(labels).tolist() == [0, 1]
    assert (out / "imagesTr" / "bus_0001-l_0000.png").is_file()
    assert json.loads((out / "splits_final.json").read_text()) == [
        {"train": ["bus_0001-l", "bus_0001-r"], "val": ["bus_0007-s"]},
        {"train": ["bus_0007-s"], "val": ["bus_0001-l", "bus_0001-r"]},
    ]


def test_names_with_spaces_and_empty_masks(busi_root: Path, tmp_path: Path) -> None:
    given = Busi(busi_root).cases()
    to_nnunet(given, tmp_path / "Dataset2_BUSI")
    to_folder(given, tmp_path / "folder")
    assert (tmp_path / "Dataset2_BUSI" / "labelsTr" / "benign_1.png").is_file()
    assert not (tmp_path / "Dataset2_BUSI" / "splits_final.json").exists()
    there = NnUnet(tmp_path / "Dataset2_BUSI").cases()
    assert [case.case_id for case in there] == [case.case_id for case in given]
    assert there[-1].is_normal
    for one, other, folder in zip(given, there, Folder(tmp_path / "folder").cases(), strict=True):
        same(one, other)
        same(one, folder)


def test_several_data_sets_keep_their_patients_apart(make_case: MakeCase, tmp_path: Path) -> None:
    given = [
        make_case("a", picture(1), (outline(1, 1),), source="S", patient="1"),
        make_case("a", picture(2), (outline(3, 3),), source="T", patient="1"),
        make_case("a?b", picture(3), None, source="T", patient="2"),
    ]
    to_nnunet(given, tmp_path / "D")
    cases = NnUnet(tmp_path / "D").cases()
    assert [(case.case_id, case.patient_id) for case in cases] == [
        ("S/a", "S/1"),
        ("T/a", "T/1"),
        ("T/a?b", "T/2"),
    ]
    assert cases[2].mask_paths is None
    assert (tmp_path / "D" / "imagesTs" / "T_a_b_0000.png").is_file()


def test_deep_and_fractional_grey(make_case: MakeCase, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    deep = make_case("deep", picture(1), (outline(1, 1),))
    write_png(deep.image_path, picture(1).astype(np.uint16) * 200)
    real = make_case("real", picture(2), (outline(1, 1),))
    values = picture(2).astype(np.float32) / 7 - 3
    path = real.image_path.with_suffix(".tif")
    Pillow.fromarray(values).save(path)
    real = CaseRef("real", "real", None, "S", path, real.mask_paths)
    to_nnunet([deep, real], tmp_path / "D")
    one, other = NnUnet(tmp_path / "D").cases()
    same(deep, one)
    array = other.load().images[0].array
    assert array.dtype == np.uint16
    scaled = (values - values.min()) / np.ptp(values) * 65535
    assert np.abs(array[0] - scaled).max() < 1


def test_volumes_there(tmp_path: Path) -> None:
    grid = Grid((3, 4, 5), (2.0, 0.7, 0.8), (1.0, 2.0, 3.0), (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    for phase in range(2):
        write_volume(np.full(grid.shape, phase, np.int16), grid, tmp_path / f"{phase}.nii.gz")
    lesion = np.zeros(grid.shape, bool)
    lesion[1] = True
    write_volume(lesion, grid, tmp_path / "m.nii.gz")
    given = VolumeRef(
        "x", "p", "malignant", "S", tmp_path / "0.nii.gz", (tmp_path / "m.nii.gz",), fold=2,
        later_paths=(tmp_path / "1.nii.gz",),
    )  # fmt: skip
    to_nnunet([given], tmp_path / "D")
    (there,) = NnUnet(tmp_path / "D").cases()
    same(given, there)
    assert grid_difference(given.load().images[0].grid, there.load().images[0].grid) == ""
    assert there.modality is Modality.MRI
    with pytest.raises(DataSetError, match=r"S: holds volumes. Expected: data sets of images"):
        to_folder([given], tmp_path / "F")
    assert not (tmp_path / "F").exists()


def test_what_cannot_be_converted(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case("a", picture(1))
    with pytest.raises(DataSetError, match=r"no case. Expected: at least one"):
        to_nnunet([], tmp_path / "D")
    with pytest.raises(DataSetError, match=r"exists. Expected: a new folder"):
        to_folder([case], tmp_path)
    volume = VolumeRef("v", "v", None, "V", tmp_path / "v.nii.gz", None)
    with pytest.raises(DataSetError, match=r"images and volumes. Expected: one kind"):
        to_nnunet([case, volume], tmp_path / "D")
    assert not (tmp_path / "D").exists()


@pytest.fixture
def raw(tmp_path: Path) -> Callable[..., NnUnet]:
    """A data set with this dataset.json, of two channels."""

    def make(
        said: dict[str, object],
        numbers: tuple[int, ...] = (0, 1),
        values: tuple[int, ...] = (0, 1, 1, 0),
    ) -> NnUnet:
        root = tmp_path / "Dataset003_Raw"
        labels = np.zeros(SHAPE, np.uint8)
        labels[0, :4] = values
        for number in numbers:
            write_png(root / "imagesTr" / f"p_1_{number:04d}.png", picture(number))
        write_png(root / "labelsTr" / "p_1.png", labels)
        write_text(root / "dataset.json", json.dumps(said))
        return NnUnet(root)

    return make


def marked(case: CaseRef) -> NDArray[np.bool_]:
    mask = case.load().mask
    assert mask is not None
    return mask.foreground[0, :4]


V2 = {"channel_names": {"0": "T1", "1": "DCE"}, "file_ending": ".png"}


@pytest.mark.parametrize(
    ("said", "values", "wanted"),
    [
        (
            V2 | {"labels": {"background": 0, "tumour": 1, "other": 2, "ignore": 3}},
            (0, 1, 2, 3),
            [1, 2],
        ),
        (V2 | {"labels": {"background": 0, "whole": [1, 2], "core": [2]}}, (0, 1, 2, 0), [1, 2]),
        (
            {"modality": {"0": "MRI", "1": "MRI"}, "file_ending": ".png"}
            | {"labels": {"0": "background", "1": "cyst", "3": "tumour"}},
            (0, 1, 0, 3),
            [1, 3],
        ),
    ],
)
def test_labels_of_both_versions(
    raw: Callable[..., NnUnet],
    said: dict[str, object],
    values: tuple[int, ...],
    wanted: list[int],
) -> None:
    (case,) = raw(said, values=values).cases()
    assert case.case_id == "p_1"
    assert np.flatnonzero(marked(case)).tolist() == wanted
    assert case.load().images[0].array.shape == (2, *SHAPE)
    assert case.modality is Modality.MRI


@pytest.mark.parametrize("value", [2, 255])
def test_a_label_that_is_not_declared_is_refused_by_name(
    raw: Callable[..., NnUnet], value: int
) -> None:
    (case,) = raw(V2 | {"labels": {"background": 0, "tumour": 1}}, values=(0, 1, 0, value)).cases()
    with pytest.raises(
        GroundTruthError, match=f"p_1.png: the undeclared label {value}. Expected: labels of"
    ):
        case.load()


def test_merged_labels_are_said(raw: Callable[..., NnUnet]) -> None:
    data = raw(V2 | {"labels": {"background": 0, "cyst": 1, "tumour": 2, "ignore": 3}})
    assert data.remarks() == ("the labels cyst (1), tumour (2) count as one lesion",)


def test_what_is_ignored_survives_conversion(raw: Callable[..., NnUnet], tmp_path: Path) -> None:
    said = V2 | {"labels": {"background": 0, "tumour": 1, "other": 4, "ignore": 7}}
    (before,) = raw(said, values=(0, 1, 4, 7)).cases()
    to_nnunet([before], tmp_path / "Dataset004_Again")
    (after,) = NnUnet(tmp_path / "Dataset004_Again").cases()
    for case in (before, after):
        mask = case.load().mask
        assert mask is not None
        assert np.flatnonzero(mask.foreground).tolist() == [1, 2]
        assert np.flatnonzero(mask.ignored).tolist() == [3]
    with pytest.raises(DataSetError, match="pixels to be ignored"):
        to_folder([after], tmp_path / "folder")


def test_suffixes_in_capitals_and_hidden_files(raw: Callable[..., NnUnet]) -> None:
    data = raw(V2 | {"labels": {"background": 0, "tumour": 1}})
    for part in ("imagesTr", "labelsTr"):
        for path in sorted((data.root / part).iterdir()):
            path.rename(path.with_suffix(".PNG"))
        (data.root / part / "._p_1.png").write_bytes(b"\0\5\x16\7")
    (case,) = data.cases()
    assert case.load().mask is not None
    assert data.remarks() == ()


def test_folds_are_those_of_the_splits(raw: Callable[..., NnUnet]) -> None:
    data = raw(V2 | {"labels": {"background": 0, "tumour": 1}})
    splits = [{"train": ["p_1"], "val": []}, {"train": [], "val": ["p_1"]}]
    write_text(data.root / "splits_final.json", json.dumps(splits))
    assert data.cases()[0].fold == 2
    write_text(data.root / "splits_final.json", "[1]")
    with pytest.raises(DataSetError, match=r"splits_final\.json holds no splits"):
        data.cases()


def test_the_table_of_cases_is_read_as_that_of_a_folder(raw: Callable[..., NnUnet]) -> None:
    data = raw(V2 | {"labels": {"background": 0, "tumour": 1}})
    table = data.root / "cases.csv"
    write_text(table, "file,patient_id,label,notes\np_1,A,Normal,x\n")
    assert [(case.patient_id, case.label) for case in data.cases()] == [("A", "normal")]
    (data.root / "labelsTr" / "p_1.png").unlink()
    assert data.cases()[0].mask_paths == ()
    assert "columns of cases.csv that are not used: notes" in data.remarks()
    for file, message in (
        ("p_1.png,A", "names cases that are not in"),
        ("p_1,A\np_1,B", "two rows"),
    ):
        write_text(table, f"file,patient_id\n{file}\n")
        with pytest.raises(DataSetError, match=message):
            data.cases()


@pytest.mark.parametrize(
    ("said", "numbers", "message"),
    [
        ({"labels": {"a": 1}}, (0,), "no channel_names or no labels"),
        (V2 | {"labels": {"background": 0}}, (0, 1), "no label but background"),
        (V2 | {"labels": {"a": "b"}}, (0, 1), "label 'a': 'b'"),
        (V2 | {"labels": {"a": 1}}, (0, 2), "has the channels 0, 2. Expected: 2 from 0000"),
        (V2 | {"labels": {"a": 1}, "file_ending": "png"}, (0, 1), "file_ending 'png'"),
        (V2 | {"labels": {"a": 1}, "file_ending": ".tif"}, (0, 1), "no case in"),
    ],
)
def test_what_is_wrong_is_named(
    raw: Callable[..., NnUnet], said: dict[str, object], numbers: tuple[int, ...], message: str
) -> None:
    with pytest.raises(DataSetError, match=message):
        raw(said, numbers).cases()


def test_colours_in_one_file_are_the_channels(raw: Callable[..., NnUnet], tmp_path: Path) -> None:
    said = {"channel_names": {"0": "R", "1": "G", "2": "B"}, "labels": {"a": 1}}
    data = raw(said | {"file_ending": ".png"}, (0,))
    colour = np.stack([picture(5), picture(6), picture(7)], axis=2)
    write_png(data.root / "imagesTr" / "p_1_0000.png", colour)
    (case,) = data.cases()
    np.testing.assert_array_equal(case.load().images[0].array, np.moveaxis(colour, 2, 0))
    to_nnunet([case], tmp_path / "Dataset004_Back")
    same(case, NnUnet(tmp_path / "Dataset004_Back").cases()[0])


def test_missing_parts_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no dataset\.json and no imagesTr in"):
        NnUnet(tmp_path).cases()
