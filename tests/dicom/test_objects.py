"""The writer beside the masks: odd headers, what is missing, what is forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, config, dcmread

from breastseg.core.errors import MissingExtraError
from breastseg.core.image import Image
from breastseg.dicom.fhir import fhir_bundle
from breastseg.dicom.objects import DicomObjects, DicomOptions, ObjectKind, made_objects
from breastseg.dicom.subject import Subject
from breastseg.io.open import open_images
from breastseg.io.volume_series import read_series
from breastseg.measure.descriptors import Descriptor
from breastseg.measure.finding import findings

from .subjects import image_subject, phantoms, predicted, read_back, saved, with_margins, write_mr

ODD = {
    "StudyDate": "2020.01.02",
    "StudyTime": "10:15",
    "PatientID": "x" * 100,
    "PatientSex": "Female",
    "PatientBirthDate": "1970-01-01",
    "PatientName": "Müller^Änne=山田",
    "AccessionNumber": "A" * 40,
    "StudyDescription": "d" * 100,
}
EVERY = DicomOptions(("seg", "sr", "ps"))


def images(name: str, change: dict[str, str]) -> list[Image]:
    one: Dataset = read_back(phantoms()[name].objects[0])
    with config.disable_value_validation():
        for keyword, value in change.items():
            setattr(one, keyword, value)
        return list(open_images(BytesIO(saved(one)), name))


def take(objects: DicomObjects, image: Image, mask: np.ndarray) -> tuple[str, ...]:
    prediction = predicted(image, mask)
    return objects.take("scan", image, prediction, findings(prediction, image)).names


def test_a_header_against_the_rules_is_repeated_as_it_is(tmp_path: Path) -> None:
    objects = DicomObjects(EVERY)
    (image,) = images("us-still", ODD)
    names = take(objects, image, phantoms()["us-still"].truth)
    objects.write(tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    with config.disable_value_validation():
        for name in names:
            one = dcmread(tmp_path / name)
            assert {keyword: str(one[keyword].value) for keyword in ODD} == ODD
            assert one.SeriesDate == "19700101"


def test_a_window_of_a_centre_alone_makes_no_presentation_state() -> None:
    objects = DicomObjects(EVERY)
    (image,) = images("mg", {"WindowWidth": ""})
    prediction = predicted(image, phantoms()["mg"].truth)
    taken = objects.take("scan", image, prediction, findings(prediction, image))
    assert taken.presentation is None
    assert any("no window" in remark for remark in taken.remarks)


CHANGES: dict[str, Callable[[Subject], Subject]] = {
    "the same": lambda subject: subject,
    "name": lambda subject: replace(
        subject,
        reference=replace(
            subject.reference, tags={**subject.reference.tags, "PatientName": "Doe^Jane"}
        ),
    ),
    "side": lambda subject: replace(subject, side="R"),
    "remark": lambda subject: replace(subject, remarks=("cut",)),
    "method": lambda subject: replace(
        subject, provenance=replace(subject.provenance, parameters={"threshold": 0.4})
    ),
    "margin": with_margins,
    "descriptor": lambda subject: replace(
        subject,
        segments=tuple(
            replace(one, finding=replace(one.finding, descriptors=(Descriptor("shape", "round"),)))
            for one in subject.segments
        ),
    ),
}
UNTOUCHED = {
    "seg": {"remark", "margin", "descriptor"},
    "sr": set[str](),
    "ps": {"remark", "descriptor", "method"},
    "fhir": {"name", "method"},
}
"""By kind of object, the changes of which it shows nothing."""


@pytest.mark.parametrize("kind", UNTOUCHED)
def test_an_object_with_another_content_has_another_uid(kind: ObjectKind) -> None:
    """And with the same content the same one."""
    uids, still = {}, image_subject("us-still")
    for name, change in CHANGES.items():
        subject = change(still)
        if kind == "fhir":
            uids[name] = json.dumps(fhir_bundle(subject)["entry"])
        else:
            uids[name] = str(made_objects(subject, frozenset({kind}))[kind].SOPInstanceUID)
    changed = set(CHANGES) - {"the same"} - UNTOUCHED[kind]
    assert {name for name in changed if uids[name] == uids["the same"]} == set()
    assert len({uids[name] for name in changed}) == len(changed)


def test_what_is_forgotten_is_not_written(tmp_path: Path) -> None:
    objects = DicomObjects(EVERY)
    first, second, third, *_ = images("us-cine", {})
    truth = phantoms()["us-cine"].truth
    for image, mask in ((first, truth[0]), (third, truth[2])):
        take(objects, image, mask)
    objects.forget()
    assert take(objects, second, truth[1]) == ("scan_sr.dcm",)
    objects.write(tmp_path)
    assert dcmread(tmp_path / "scan_seg.dcm").NumberOfFrames == 1
    for path in tmp_path.iterdir():
        path.unlink()
    objects.write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_capture_holds_each_drawn_frame_but_the_forgotten(tmp_path: Path) -> None:
    loop, truth = images("us-cine", {})[:3], phantoms()["us-cine"].truth
    written = []
    for folder, shown in (("all", (0, 2)), ("forgotten", (0, 2)), ("one", (0,))):
        objects = DicomObjects(DicomOptions(("sc",)))
        for index in shown:
            take(objects, loop[index], truth[index])
        if folder == "forgotten":
            take(objects, loop[1], truth[0])
            objects.forget()
        objects.write(tmp_path / folder)
        written.append((tmp_path / folder / "scan_sc.dcm").read_bytes())
    assert written[0] == written[1]  # the same bytes under the same UID
    both, single = (dcmread(BytesIO(data)).pixel_array for data in written[1:])
    assert len(both) == 2
    np.testing.assert_array_equal(both[0], single)


def test_a_volume_has_no_secondary_capture_and_says_so(tmp_path: Path) -> None:
    write_mr(tmp_path / "mr")
    volume = read_series(tmp_path / "mr")
    prediction = predicted(volume, phantoms()["mr"].truth)
    taken = DicomObjects(DicomOptions(("sc", "sr"))).take(
        "scan", volume, prediction, findings(prediction, volume)
    )
    assert taken.capture is None
    assert any("no secondary capture" in remark for remark in taken.remarks)


def test_without_highdicom_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breastseg.dicom.extra.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="dicom"):
        DicomObjects(EVERY)
