"""Sources that are unusual but right, and some that are not: what their objects hold."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from breastseg.core.errors import InputError, UnsupportedError
from breastseg.dicom.presentation import presentation
from breastseg.dicom.report import report
from breastseg.dicom.segmentation import segmentation
from breastseg.dicom.subject import FrameResult, Subject, subject_of_frames
from breastseg.io.memory import MAX_MEMORY, set_max_memory
from breastseg.io.open import open_images
from breastseg.io.volume_series import read_series
from breastseg.measure.finding import findings

from .subjects import (
    expected,
    frame_results,
    phantoms,
    predicted,
    read_back,
    volume_subject,
    write_mr,
)
from .test_segmentation import by_hand


def changed(**said: object) -> Subject:
    """The still with other attributes, written in its own character set."""

    def change(one: Dataset) -> None:
        for keyword, value in said.items():
            setattr(one, keyword, value)

    return subject_of_frames(frame_results("us-still", change))


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GBK", "Zhang^XiaoDong=张^小东"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 144", "Ильин^Юлий"),
    ],
)
def test_names_of_any_character_set_are_carried_over(characters: object, name: str) -> None:
    subject = changed(SpecificCharacterSet=characters, PatientName=name)
    segments = segmentation(subject)
    for one in (segments, report(subject, segments), presentation(subject)):
        read = read_back(one)
        assert (read.SpecificCharacterSet, str(read.PatientName)) == ("ISO_IR 192", name)
    assert not subject.remarks


@pytest.mark.filterwarnings("ignore:Unknown encoding")
@pytest.mark.parametrize("characters", ["", "ISO_IR 999"])
def test_letters_of_no_known_character_set_are_remarked(characters: str) -> None:
    subject = changed(SpecificCharacterSet=characters, PatientName="Müller")
    assert any("spelt wrongly" in remark for remark in subject.remarks)
    assert not changed(SpecificCharacterSet=characters, PatientName="Mueller").remarks


def test_times_keep_their_zone_and_a_patient_without_an_identifier_has_none() -> None:
    one = read_back(segmentation(changed(TimezoneOffsetFromUTC="+0900", PatientID="")))
    assert (one.TimezoneOffsetFromUTC, one.PatientID) == ("+0900", "")
    assert "TimezoneOffsetFromUTC" not in segmentation(changed())


def test_an_unknown_class_is_referred_to_as_it_is() -> None:
    one = read_back(segmentation(changed(SOPClassUID="1.2.3.4.5")))
    (series,) = one.ReferencedSeriesSequence
    assert series.ReferencedInstanceSequence[0].ReferencedSOPClassUID == "1.2.3.4.5"


def big_endian(one: Dataset) -> bytes:
    one.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    one.PixelData = one.pixel_array.astype(">u2").tobytes()
    stream = BytesIO()
    dcmwrite(stream, one, implicit_vr=False, little_endian=False)
    return stream.getvalue()


def implicit(one: Dataset) -> bytes:
    one.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    stream = BytesIO()
    dcmwrite(stream, one, implicit_vr=True, little_endian=True)
    return stream.getvalue()


@pytest.mark.parametrize("encoded", [big_endian, implicit])
def test_the_encoding_of_the_source_makes_no_difference(
    encoded: Callable[[Dataset], bytes],
) -> None:
    source = dcmread(BytesIO(encoded(read_back(phantoms()["mg"].objects[0]))))
    (image,) = open_images(BytesIO(encoded(source)), "mg")
    prediction = predicted(image, expected("mg")[0])
    subject = subject_of_frames([FrameResult.of(image, prediction, findings(prediction, image))])
    assert np.array_equal(by_hand(segmentation(subject)).max(axis=0), expected("mg")[0])
    known = presentation(subject_of_frames(frame_results("mg")))
    assert presentation(subject).SoftcopyVOILUTSequence == known.SoftcopyVOILUTSequence


def test_more_pixels_than_fit_into_memory_are_refused() -> None:
    subject = subject_of_frames(frame_results("us-still"))
    set_max_memory(2**20)
    try:
        segmentation(subject)
        every = replace(subject, segments=subject.segments[:1] * 200)
        with pytest.raises(UnsupportedError, match="200 frames of"):
            segmentation(every)
    finally:
        set_max_memory(MAX_MEMORY)


def test_slices_that_share_one_instance_uid_have_no_objects(tmp_path: Path) -> None:
    objects = [copy.deepcopy(one) for one in phantoms()["mr"].objects]
    for one in objects:
        one.SOPInstanceUID = objects[0].SOPInstanceUID
    write_mr(tmp_path, objects)
    image = read_series(tmp_path)
    with pytest.raises(InputError, match="share one SOP Instance UID"):
        volume_subject(image, np.ones(image.grid.shape, bool))
