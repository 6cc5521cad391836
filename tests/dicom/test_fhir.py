"""The FHIR bundle, validated by fhir.resources, and the secondary capture, judged by dciodvfy."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fhir.resources.bundle import Bundle
from pydicom import dcmread

from breastseg.dicom.fhir import fhir_bundle
from breastseg.dicom.objects import DicomObjects, DicomOptions
from breastseg.dicom.report import described, measurements
from breastseg.dicom.subject import subject_of_frames
from breastseg.io.open import open_images
from breastseg.measure.finding import findings

from .subjects import frame_results, image_subject, phantoms, predicted, saved
from .test_judges import said_by


@pytest.mark.parametrize("name", ["us-still", "us-cine", "mg"])
def test_a_bundle_is_valid_and_says_what_the_report_says(name: str) -> None:
    subject = image_subject(name)
    said = fhir_bundle(subject)
    assert json.loads(json.dumps(said)) == json.loads(json.dumps(fhir_bundle(image_subject(name))))
    bundle = Bundle.model_validate(json.loads(json.dumps(said)))
    found = {entry.fullUrl: entry.resource for entry in bundle.entry}
    report, study = (list(found.values())[at] for at in (0, 1))
    assert report.status == "preliminary"
    assert "Research use only" in report.conclusion
    assert "Phantom" not in json.dumps(said)  # the patient's name
    assert study.identifier[0].value == f"urn:oid:{subject.reference.study_uid}"
    one = phantoms()[name].objects[0]
    assert study.series[0].instance[0].uid == one.SOPInstanceUID
    observations = [found[result.reference] for result in report.result]
    for observation, segment in zip(observations, subject.segments, strict=True):
        values = [c.valueQuantity for c in observation.component if c.valueQuantity]
        expected = [(each.value, each.unit.value) for each in measurements(subject, segment)]
        assert [(float(value.value), value.code) for value in values] == expected
        said_of = {
            c.code.text: c.valueCodeableConcept.text
            for c in observation.component
            if c.valueCodeableConcept
        }
        assert said_of == {kind.meaning: value.meaning for kind, value in described(segment)}
        absent = [c for c in observation.component if c.dataAbsentReason]
        assert len(absent) == sum(one.value is None for one in segment.finding.descriptors)
        assert {reference.reference for reference in observation.derivedFrom} <= set(found)
        assert observation.bodySite.text == "Breast, Left"


def test_a_bundle_without_a_lesion_says_so() -> None:
    normal = [one for one in frame_results("us-cine") if not one.found]
    bundle = Bundle.model_validate(fhir_bundle(subject_of_frames(normal)))
    observation = bundle.entry[-1].resource
    assert observation.valueCodeableConcept.text == "Absent"


@pytest.mark.parametrize("name", ["us-still", "us-cine", "us-colour", "mg", "mg-tomo"])
def test_a_capture_shows_the_image_with_contours_and_its_use(name: str, tmp_path: Path) -> None:
    phantom = phantoms()[name]
    objects = DicomObjects(DicomOptions(("sc",), fhir=True))
    masks = phantom.truth if phantom.truth.ndim == 3 else phantom.truth[None]
    images = list(open_images(BytesIO(saved(phantom.objects[0])), name))
    for image, mask in zip(images, masks, strict=True):
        prediction = predicted(image, mask)
        objects.take("scan", image, prediction, findings(prediction, image))
    objects.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan_fhir.json", "scan_sc.dcm"]
    one = dcmread(tmp_path / "scan_sc.dcm")
    frames = one.pixel_array if one.get("NumberOfFrames", 1) > 1 else one.pixel_array[None]
    shown = [at for at, mask in enumerate(masks) if mask.any()]
    assert len(frames) == len(shown) == len(one.SourceImageSequence)
    rows, columns = images[0].grid.shape
    for frame, at in zip(frames, shown, strict=True):
        drawn = (frame[:rows] == (240, 170, 0)).all(axis=2)
        assert (drawn & masks[at]).sum() > 20  # the contour lies on the lesion's own rim
        assert frame[rows:].max() > 200
        away = np.s_[rows // 2 : rows * 3 // 4, columns // 2 :]
        if name == "us-still":
            assert np.array_equal(frame[away][..., 0], phantom.objects[0].pixel_array[away])
    said = said_by("dciodvfy", "-new", str(tmp_path / "scan_sc.dcm")).splitlines()
    assert [line for line in said if line.startswith("Error")] == []
