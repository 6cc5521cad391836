"""``--dicom``: DICOM objects beside the masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from breastseg.cli.main import main
from breastseg.data.phantoms.dicom import write_dicom_phantoms
from breastseg.dicom.objects import DicomObjects, DicomOptions
from breastseg.inference.open import open_segmenter
from breastseg.inference.options import SegmentOptions
from breastseg.io.volume import read_volume
from breastseg.io.volume_series import read_series
from breastseg.io.write import write_png
from breastseg.results.run import Run
from breastseg.results.segment import segment_images
from breastseg.results.source import find_sources

from ..scans import files, scan
from .results import entries, pixels

pytest.importorskip("highdicom", reason="needs the dicom extra")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_dicom_phantoms(folder, 1)
    return folder / "studies"


def segment(*words: object) -> int:
    return main(["segment", *map(str, words), "--method", "otsu"])


def test_objects_of_a_still_and_a_loop_hold_the_masks(studies: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    folders = (studies / "us-still", studies / "us-cine")
    assert segment(*folders, "--dicom", "seg,sr,ps", "--out", out) == 0
    made = [name for name in files(out) if name.endswith(".dcm")]
    stems = ("us-cine_0001", "us-still_0001")
    assert made == [f"{stem}_{kind}.dcm" for stem in stems for kind in ("ps", "seg", "sr")]
    for stem, masks in (
        ("us-still_0001", ["us-still_0001_mask.png"]),
        ("us-cine_0001", [f"us-cine_0001_f{n:04d}_mask.png" for n in range(1, 7)]),
    ):
        one = dcmread(out / f"{stem}_seg.dcm")
        shown = np.zeros((len(masks), one.Rows, one.Columns), bool)
        stored = one.pixel_array.reshape(-1, one.Rows, one.Columns)
        for frame, group in zip(stored, one.PerFrameFunctionalGroupsSequence, strict=True):
            source = group.DerivationImageSequence[0].SourceImageSequence[0]
            shown[int(source.get("ReferencedFrameNumber", 1)) - 1] |= frame > 0
        assert np.array_equal(shown, np.stack([pixels(out / name) > 0 for name in masks]))
    for entry in entries(out):
        named = entry["files"]
        assert isinstance(named, dict)
        assert {"report"} <= set(named)
        assert all((out / str(name)).exists() for name in named.values())


def test_again_gives_the_same_bytes_and_results_are_no_inputs(
    studies: Path, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    study.mkdir()
    (study / "image.dcm").write_bytes((studies / "us-still" / "0001.dcm").read_bytes())
    first, second = tmp_path / "first", tmp_path / "second"
    assert segment(study, "--dicom", "seg,sr,ps", "--out", first) == 0
    names = [name for name in files(first) if name.endswith(".dcm")]
    for name in names:
        (study / name).write_bytes((first / name).read_bytes())
    assert segment(study, "--dicom", "seg,sr,ps", "--out", second) == 0
    assert len(entries(second)) == 1
    assert len(names) == 3
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_the_objects_of_a_still_are_there_once_its_entry_is(studies: Path, tmp_path: Path) -> None:
    """Else a run that is killed in between would be resumed without them."""
    options = SegmentOptions("none", method="otsu")
    run = Run({}, tmp_path)
    sources = find_sources([studies / "us-still", studies / "us-colour"], tmp_path)
    objects = DicomObjects(DicomOptions(("seg", "sr")))
    entries = segment_images(
        open_segmenter("otsu", options), sources, options, run, companion=objects
    )
    for entry in entries:
        assert entry.files.report is not None
        assert (tmp_path / entry.files.report).exists()


def test_a_png_has_no_objects_and_says_why(tmp_path: Path) -> None:
    write_png(tmp_path / "scan.png", scan())
    assert segment(tmp_path / "scan.png", "--dicom", "seg", "--out", tmp_path / "out") == 0
    (entry,) = entries(tmp_path / "out")
    assert any("no DICOM" in str(remark) for remark in entry["remarks"])  # type: ignore[attr-defined]
    assert not [name for name in files(tmp_path / "out") if name.endswith(".dcm")]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("0001_sr.dcm", ("--dicom", "sr")),
        ("0001_sc.dcm", ("--dicom", "sc")),
        ("0001_fhir.json", ("--fhir",)),
    ],
)
def test_an_object_that_is_there_is_not_replaced(
    name: str,
    asked: tuple[str, ...],
    studies: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_bytes(b"mine")
    path = studies / "us-still" / "0001.dcm"
    assert segment(path, *asked, "--out", tmp_path) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize("kinds", ["seg,srx", "seg,probability"])
def test_other_kinds_are_refused(kinds: str, tmp_path: Path) -> None:
    assert segment(tmp_path, "--dicom", kinds) == 2


def test_a_volume_has_objects_on_its_slices(studies: Path, tmp_path: Path) -> None:
    out, series = tmp_path / "out", studies / "mr"
    words = ["volume", str(series), "--method", "mri-phantom", "--dicom", "probability,sr,ps"]
    assert main([*words, "--out", str(out)]) == 0
    mask = read_volume(out / "mask.nii.gz").array[0] > 0
    one = dcmread(out / "seg.dcm")
    assert one.SegmentationType == "FRACTIONAL"
    reference = read_series(series).reference
    assert reference is not None
    order = [frame.instance_uid for frame in reference.frames[len(mask) :]]
    shown = np.zeros_like(mask)
    stored = one.pixel_array.reshape(-1, one.Rows, one.Columns)
    for frame, group in zip(stored, one.PerFrameFunctionalGroupsSequence, strict=True):
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        shown[order.index(source.ReferencedSOPInstanceUID)] |= frame > 0
    assert np.array_equal(shown, mask)
    assert mask.any()
    assert (out / "sr.dcm").exists()
    assert (out / "ps.dcm").exists()
