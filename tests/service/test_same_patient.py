"""Whose images stand beside each other, as their files state it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.service.conftest import Upload

from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.reference import FrameReference, Reference
from breastseg.data.phantoms.dicom import dicom_phantom
from breastseg.service.same_patient import OTHER, Patient, same_patient


def image(number: str = "", born: str = "", issuer: str = "") -> Image:
    tags = {"PatientID": number, "PatientBirthDate": born, "IssuerOfPatientID": issuer}
    reference = Reference("1.2", "", "", (FrameReference("1.3", "1.4", "1.5"),), tags)
    return Image(np.zeros((1, 4, 5)), Grid((4, 5)), reference=reference)


@pytest.mark.parametrize(
    ("now", "prior", "told"),
    [
        (image("7"), image("7 "), "same"),
        (image("7", "19700101"), image("7"), "same"),
        (image("7"), image("8"), "other"),
        (image("7", "19700101"), image("7", "19700102"), "other"),
        (image("", "19700101"), image("", "19700102"), "other"),
        (image("", "19700101"), image("", "19700101"), "unknown"),
        (image("7", issuer="A"), image("8", issuer="B"), "unknown"),  # a prior of another hospital
        (image("7", issuer="A"), image("7", issuer="B"), "unknown"),
        (image("7", issuer="A"), image("8"), "other"),
        (image("7"), image(), "unknown"),
        (image("7"), Image(np.zeros((1, 4, 5)), Grid((4, 5))), "unknown"),
    ],
)
def test_numbers_and_dates_of_birth_decide(now: Image, prior: Image, told: Patient) -> None:
    assert same_patient(now, prior) == same_patient(prior, now) == told


def dicom(number: str, study: int) -> bytes:
    one = dicom_phantom("us-still", study).objects[0]
    one.PatientID = number
    stream = io.BytesIO()
    one.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_another_patient_beside_is_told_and_nothing_of_either(
    client: TestClient, upload: Upload
) -> None:
    scans = [upload(**{"a.dcm": dicom(*one)})["id"] for one in (("77", 1), ("77", 2), ("88", 3))]
    picture = upload()["id"]
    place = f"/api/scans/{scans[0]}/images/0/beside"

    def beside(other: str) -> str:
        answer = client.get(f"{place}/{other}/0").json()
        assert set(answer) == {"patient"}
        return str(answer["patient"])

    assert [beside(one) for one in (*scans[1:], picture)] == ["same", "other", "unknown"]
    asked = [{"scan": scan, "method": "otsu"} for scan in scans]
    made = [client.post("/api/segmentations", json=one).json()["id"] for one in asked]
    for prior, told in zip(made[1:], (False, True), strict=True):
        body = {"now": {"segmentation": made[0]}, "prior": {"segmentation": prior}}
        entry = client.post("/api/comparisons", json=body).json()["document"]["entries"][0]
        assert (OTHER in entry["remarks"]) == told


def test_a_loop_and_a_volume_say_whose_they_are(client: TestClient) -> None:
    made = [client.post(f"/api/examples/{name}").json() for name in ("ultrasound-cine", "mri")]
    (loop, loop_kind), (volume, kind) = ((one["id"], one["images"][0]["kind"]) for one in made)
    assert (loop_kind, kind) == ("image", "volume")
    for scan in (loop, volume):
        beside = client.get(f"/api/scans/{scan}/images/0/beside/{scan}/0").json()
        assert beside == {"patient": "same"}
