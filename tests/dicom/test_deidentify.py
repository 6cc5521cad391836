"""De-identification: the whole table of the profile, identifiers, dates, and what is refused."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import JPEG2000Lossless

from breastseg.core.errors import InputError
from breastseg.dicom.deidentify.header import deidentified
from breastseg.dicom.deidentify.key import Key, open_key
from breastseg.dicom.deidentify.moments import shifted_date, shifted_moment, shifted_time
from breastseg.dicom.deidentify.profile import table
from breastseg.dicom.deidentify.run import Outcome, Places, deidentify

from .subjects import phantoms, read_back, saved

KEY = Key(bytes(range(32)))
SECRET, BORN = "Geheimrat", "19620417"
TEXT = ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")


def filled(tag: int, vr: str) -> object:
    """A value that tells something, by its representation."""
    if vr == "SQ":
        item = Dataset()
        item.PatientComments, item.SeriesInstanceUID, item.StudyDate = SECRET, "1.2.3.4.5", BORN
        return Sequence([item])
    if vr in TEXT:
        return SECRET
    words = {"UI": f"1.2.3.4.{tag}", "DA": BORN, "TM": "173952.445566", "DT": f"{BORN}173952"}
    words |= {"CS": SECRET.upper(), "AS": "063Y", "DS": "4711", "IS": "4711"}
    if vr in ("OB", "OW", "UN"):
        return SECRET.encode() + b"!"
    return words.get(vr, 4711)


def with_the_whole_table() -> Dataset:
    """An image whose header, and an item of a sequence in it, hold every attribute of the table."""
    one = read_back(phantoms()["us-still"].objects[0])
    item = Dataset()
    for digits in table():
        tag = Tag(int(digits.replace("x", "0"), 16))
        if tag.group in (0, 2):
            continue
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "LO"
        vr = vr.split(" or ")[-1]
        item.add_new(tag, vr, filled(int(tag), vr))
        if tag not in (0x00080016, 0x00080018):
            one.add_new(tag, vr, filled(int(tag), vr))
    one.SharedFunctionalGroupsSequence = Sequence([item])
    one.private_block(0x0019, "SOMEBODY", create=True).add_new(1, "LO", SECRET)
    one.add_new(0x00110010, "LO", SECRET)
    one.preamble = SECRET.encode().ljust(128)
    return one


def run(tmp_path: Path, *objects: Dataset, key: Path | None = None) -> list[Outcome]:
    for number, one in enumerate(objects):
        (tmp_path / "in").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / f"{SECRET}{number}.dcm").write_bytes(saved(one))
    return [*deidentify([tmp_path / "in"], Places.beside(tmp_path / "out", key))]


def test_nothing_of_the_whole_table_is_left(tmp_path: Path) -> None:
    [outcome] = run(tmp_path, with_the_whole_table())
    assert outcome.status == "written", outcome.why
    assert outcome.written is not None
    data = outcome.written.read_bytes()
    for told in (SECRET.encode(), SECRET.upper().encode(), BORN.encode(), b"1.2.3.4", b"173952"):
        assert told not in data
    one = dcmread(outcome.written)
    shared = one.SharedFunctionalGroupsSequence[0]
    for digits, listed in table().items():
        tag = Tag(int(digits.replace("x", "0"), 16))
        if tag.group in (0, 2) or tag in (0x00080016, 0x00080018, 0x00100010, 0x00100020):
            continue
        for where in (one, shared):
            element = where.get(tag)
            if element is None:
                assert "X" in listed, digits
            elif element.VR not in ("DA", "TM", "DT"):
                assert listed != "X", digits
            if element is not None and listed == "Z" and element.VR not in ("DA", "TM", "DT"):
                assert element.is_empty, digits
            if element is not None and listed in ("D", "U"):
                assert not element.is_empty, digits
    assert not [element for element in one if element.tag.is_private]
    assert SECRET not in (tmp_path / "out" / "report.jsonl").read_text()


def test_references_still_fit_and_patients_are_told_apart(tmp_path: Path) -> None:
    first, second = (read_back(one) for one in phantoms()["mr"].objects[:2])
    other = read_back(phantoms()["mg"].objects[0])
    reference = Dataset()
    reference.ReferencedSOPClassUID = first.SOPClassUID
    reference.ReferencedSOPInstanceUID = first.SOPInstanceUID
    second.ReferencedImageSequence = Sequence([reference])
    made = [KEY, Key(bytes(32))]
    one, two, third = (deidentified(image, made[0]).dataset for image in (first, second, other))
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPClassUID == first.SOPClassUID
    assert one.StudyInstanceUID == two.StudyInstanceUID != first.StudyInstanceUID
    assert one.PatientID == two.PatientID != third.PatientID
    assert deidentified(first, made[0]).dataset == one
    assert deidentified(first, made[1]).dataset.PatientID != one.PatientID
    assert made[0].patients[one.PatientID]["patient_id"] == first.PatientID


def test_distances_in_time_stay() -> None:
    shift = timedelta(days=-700, hours=17, minutes=3)
    for before, after in (("20240229", "20240302"), ("20231231", "20240101")):
        days = [
            datetime.strptime(shifted_date(day, "101500", shift) or "", "%Y%m%d")
            for day in (before, after)
        ]
        truth = datetime.strptime(after, "%Y%m%d") - datetime.strptime(before, "%Y%m%d")
        assert days[1] - days[0] == truth
    # a time of day past midnight takes its date along
    assert shifted_date("20240110", "235900", timedelta(minutes=2)) == "20240111"
    assert shifted_time("235900.5", timedelta(minutes=2)) == "000100.5"
    assert shifted_moment("20240110235900+0100", timedelta(minutes=2)) == "20240111000100+0100"
    assert shifted_time("2359", timedelta(minutes=2)) == "0001"
    for wrong in ("2024-01-10", "20241310", "", "yesterday"):
        assert shifted_date(wrong, None, shift) is None
    assert shifted_time("25", shift) is None
    assert shifted_moment("2024", shift) is None


def test_names_of_staff_and_nested_numbers_that_are_repeated_go_too() -> None:
    one = read_back(phantoms()["mg"].objects[0])
    one.OperatorsName = "Kurrentschrift^Ute"
    other = Dataset()
    other.PatientID = "GEHEIM77"
    one.OtherPatientIDsSequence = Sequence([other])
    one.ManufacturerModelName, one.ViewName = "set up by KURRENTSCHRIFT", "geheim77"
    clean = deidentified(one, KEY).dataset
    assert not [e for e in clean.iterall() if "urrentschrift" in str(e.value).lower()]
    assert "geheim77" not in str(clean).lower()


def test_of_two_images_with_one_uid_none_is_lost_without_a_word(tmp_path: Path) -> None:
    one, other = (read_back(phantoms()["mg"].objects[0]) for _ in range(2))
    other.PixelData = bytes(len(other.PixelData))
    first, second = run(tmp_path, one, other)
    assert (first.status, second.status) == ("written", "failed")
    assert "has the UID of an image before it" in second.why


def test_a_directory_of_media_is_not_copied(tmp_path: Path) -> None:
    media = read_back(phantoms()["mg"].objects[0])
    record = Dataset()
    record.DirectoryRecordType, record.PatientName = "PATIENT", SECRET
    for keyword in [e.keyword for e in media if e.tag.group >= 0x0010]:
        del media[keyword]
    media.DirectoryRecordSequence = Sequence([record])
    media.file_meta.MediaStorageSOPClassUID = media.SOPClassUID = "1.2.840.10008.1.3.10"
    (outcome,) = run(tmp_path, media)
    assert outcome.status == "left out"
    assert not [*(tmp_path / "out").rglob("*.dcm")]


def test_a_name_that_is_repeated_in_a_kept_attribute_goes() -> None:
    one = read_back(phantoms()["mg"].objects[0])
    one.PatientName, one.PatientID = "Mustermann^Erika", "4711-0815"
    one.FilterMaterial, one.ManufacturerModelName = "LEAD", "room of erika"
    one.ViewCodeSequence[0].CodeMeaning = "of 4711-0815"
    clean = deidentified(one, KEY)
    assert clean.dataset.ManufacturerModelName == "DEIDENTIFIED"
    assert clean.dataset.ViewCodeSequence[0].CodeMeaning == "DEIDENTIFIED"
    assert clean.dataset.FilterMaterial == "LEAD"


def test_codes_written_by_hand_lose_a_name_and_keep_what_an_image_needs() -> None:
    one = Dataset()
    one.PatientName, one.PatientID = "Primary^Zweistein", "4711"
    one.Modality, one.PhotometricInterpretation = "US", "MONOCHROME2"
    one.ImageType = ["DERIVED", "PRIMARY", "ZWEISTEIN", "0001"]
    one.BodyPartExamined, one.ViewPosition = "BREAST", "MLO 4711"
    item = Dataset()
    item.LossyImageCompressionMethod = "ZWEISTEIN_1"
    one.AnatomicRegionSequence = [item]
    clean = deidentified(one, KEY).dataset
    assert list(clean.ImageType) == ["DERIVED", "PRIMARY", "0001"]
    assert (clean.Modality, clean.BodyPartExamined) == ("US", "BREAST")
    assert not clean.ViewPosition
    assert not clean.AnatomicRegionSequence[0].LossyImageCompressionMethod


def test_pixels_that_are_no_screen_stay_and_wide_cells_lose_what_they_hide(tmp_path: Path) -> None:
    one = read_back(phantoms()["mg"].objects[0])
    stored = one.pixel_array.copy()
    one.PixelData = (stored | 0xF000).tobytes()  # as an overlay in the bits that are not stored
    [outcome] = run(tmp_path, one)
    clean = dcmread(outcome.written or "")
    assert np.frombuffer(clean.PixelData, np.uint16).max() <= 4095
    assert np.array_equal(clean.pixel_array, stored)
    assert clean.PatientIdentityRemoved == "YES"
    assert clean.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert "they were cut off" in outcome.why
    [line] = (tmp_path / "out" / "report.jsonl").read_text().splitlines()
    assert json.loads(line)["pixels"]["remarks"] == [outcome.why]


def test_compressed_values_that_need_more_bits_than_declared_are_kept(tmp_path: Path) -> None:
    one = read_back(phantoms()["mg"].objects[0])
    wide = one.pixel_array * np.uint16(8)
    one.PixelData, one.BitsStored, one.HighBit = wide.tobytes(), 16, 15
    one.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg")
    one.BitsStored, one.HighBit = 12, 11
    [outcome] = run(tmp_path, one)
    clean = dcmread(outcome.written or "")
    assert np.array_equal(clean.pixel_array, wide)
    assert (clean.BitsStored, clean.HighBit) == (15, 14)


def test_the_key_stays_out_of_the_result_and_is_used_again(tmp_path: Path) -> None:
    [first] = run(tmp_path / "a", phantoms()["mg"].objects[0])
    key = tmp_path / "a" / "out.key.json"
    assert key.stat().st_mode & 0o077 == 0
    [again] = run(tmp_path / "b", phantoms()["mg"].objects[0], key=key)
    assert first.written is not None
    assert again.written is not None
    assert first.written.read_bytes() == again.written.read_bytes()
    with pytest.raises(InputError, match="key in the folder"):
        Places.beside(tmp_path / "c", tmp_path / "c" / "key.json")
    with pytest.raises(InputError, match="holds something"):
        run(tmp_path / "a")
    key.write_text("{}")
    with pytest.raises(InputError, match="no key"):
        open_key(key)


def test_what_is_no_image_is_left_out_and_what_is_damaged_fails(tmp_path: Path) -> None:
    report = read_back(phantoms()["mg"].objects[0])
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    outcomes = run(tmp_path, phantoms()["mg"].objects[0], report)
    (tmp_path / "in" / "note.txt").write_text("hello")
    whole = (tmp_path / "in" / f"{SECRET}0.dcm").read_bytes()
    (tmp_path / "in" / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(tmp_path / "out")
    outcomes = [*deidentify([tmp_path / "in"], Places.beside(tmp_path / "out"))]
    statuses = [outcome.status for outcome in outcomes]
    assert sorted(statuses) == ["failed", "left out", "left out", "written"]
    lines = (tmp_path / "out" / "report.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["attributes"]["removed"]["SeriesDescription"] == 1
