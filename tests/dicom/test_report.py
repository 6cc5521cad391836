"""Reports, read back by highdicom and by hand."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom import Dataset
from skimage.draw import polygon2mask

from breastseg.dicom.report import report
from breastseg.dicom.segmentation import segmentation
from breastseg.io.volume_series import read_series

from .subjects import (
    image_subject,
    phantoms,
    read_back,
    saved,
    volume_subject,
    with_margins,
    write_mr,
)


def groups(one: Dataset) -> list[Dataset]:
    """The measurement groups of a report."""
    return [*items(one, "Imaging Measurements")[0].ContentSequence]


def items(one: Dataset, name: str) -> list[Dataset]:
    return [
        item for item in one.ContentSequence if item.ConceptNameCodeSequence[0].CodeMeaning == name
    ]


def number(group: Dataset, name: str) -> float:
    return float(items(group, name)[0].MeasuredValueSequence[0].NumericValue)


def test_measurements_are_those_of_the_findings() -> None:
    subject = image_subject("us-still")
    one = read_back(report(subject))
    assert (one.VerificationFlag, one.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    for group, segment in zip(groups(one), subject.segments, strict=True):
        measured = segment.finding.measured
        assert measured is not None
        assert number(group, "Long Axis") == pytest.approx(measured.longest, rel=1e-3)
        assert number(group, "Short Axis") == pytest.approx(measured.perpendicular, rel=1e-3)
        assert number(group, "Area") == pytest.approx(measured.area, rel=1e-3)
        unit = items(group, "Area")[0].MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
        assert unit.CodeValue == "mm2"
    assert "Research use only" in items(one, "Comment")[0].TextValue


@pytest.mark.parametrize("name", ["us-still", "us-cine", "us-colour", "mg", "mg-tomo"])
def test_the_tree_is_what_the_conformance_statement_says(name: str) -> None:
    subject = image_subject(name)
    segments = segmentation(subject)
    one = read_back(report(subject, segments))
    (template,) = one.ContentTemplateSequence
    assert (template.MappingResource, template.TemplateIdentifier) == ("DCMR", "1500")
    root = one.ConceptNameCodeSequence[0]
    assert (root.CodeValue, root.CodingSchemeDesignator) == ("126000", "DCM")
    assert not items(one, "Image Library")  # as the statement says
    tracked = [items(group, "Tracking Unique Identifier")[0].UID for group in groups(one)]
    assert tracked == [segment.TrackingUID for segment in segments.SegmentSequence]
    for group in groups(one):
        assert items(group, "Tracking Identifier")[0].TextValue
        assert items(group, "Finding Site")[0].ConceptCodeSequence[0].CodeValue == "76752008"
        assert items(group, "Algorithm Name")[0].TextValue
        assert items(group, "Algorithm Version")[0].TextValue
        (seen,) = items(group, "Source Image for Segmentation")
        (outlined,) = items(group, "Referenced Segmentation Frame")
        uids = {frame.instance_uid for frame in subject.sources}
        assert seen.ReferencedSOPSequence[0].ReferencedSOPInstanceUID in uids
        outlined_uid = outlined.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        assert outlined_uid == segments.SOPInstanceUID
    evidence = {
        instance.ReferencedSOPInstanceUID
        for study in one.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert evidence >= uids | {segments.SOPInstanceUID}


def test_the_contour_of_a_report_without_a_segmentation_encloses_the_lesion() -> None:
    subject = image_subject("mg")
    one = read_back(report(subject))
    plane = subject.segments[0].planes[0]
    region = items(groups(one)[0], "Image Region")[0]
    line = np.reshape(region.GraphicData, (-1, 2))
    assert np.array_equal(line[0], line[-1])
    # (column, row) from the outer corner: the centre of a pixel is half a pixel further
    inside = polygon2mask(subject.grid.shape, line[:, ::-1] - 0.5)
    assert np.array_equal(inside[plane.box.slices], plane.crop)
    assert region.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == (
        phantoms()["mg"].objects[0].SOPInstanceUID
    )


def test_a_lesion_of_a_loop_refers_to_its_frame_in_the_segmentation() -> None:
    subject = image_subject("us-cine")
    segments = segmentation(subject)
    one = read_back(report(subject, segments))
    for k, group in enumerate(groups(one)):
        reference = items(group, "Referenced Segmentation Frame")[0].ReferencedSOPSequence[0]
        assert reference.ReferencedSOPInstanceUID == segments.SOPInstanceUID
        frame = segments.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
        assert frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber == k + 1
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.ReferencedFrameNumber == subject.segments[k].measured_at + 1
        assert (
            items(group, "Tracking Identifier")[0].TextValue
            == segments.SegmentSequence[k].TrackingID
        )


def test_a_volume_has_a_volume_and_highdicom_finds_its_segment(tmp_path: Path) -> None:
    write_mr(tmp_path)
    subject = volume_subject(read_series(tmp_path), phantoms()["mr"].truth)
    segments = segmentation(subject)
    one = read_back(report(subject, segments))
    read = highdicom.sr.Comprehensive3DSR.from_dataset(one)
    found = read.content.get_volumetric_roi_measurement_groups()
    assert len(found) == len(subject.segments)
    for group, segment in zip(groups(one), subject.segments, strict=True):
        assert number(group, "Volume") == pytest.approx(segment.finding.volume, rel=1e-3)
    assert found[0].tracking_uid == segments.SegmentSequence[0].TrackingUID


def test_the_same_report_in_every_run_and_another_with_a_segmentation() -> None:
    subject, again = image_subject("mg"), image_subject("mg")
    assert saved(report(subject)) == saved(report(again))
    segments = segmentation(subject)
    assert report(subject).SOPInstanceUID != report(subject, segments).SOPInstanceUID


def test_descriptors_are_stated_as_computed() -> None:
    one = read_back(report(image_subject("us-still")))
    group = groups(one)[0]
    shape = items(group, "Shape")[0].ConceptCodeSequence[0].CodeMeaning
    assert shape in ("Round shape", "Ovoid shape (Oval)", "Irregular")
    assert items(group, "Orientation")
    assert not items(groups(read_back(report(image_subject("mg"))))[0], "Orientation")
    said = " ".join(item.TextValue for item in items(one, "Comment"))
    assert "computed from mask and grey levels and are not a reading" in said
    assert "second moments" in said
    pattern = items(group, "Echo pattern")
    if pattern:
        assert "of the grey range" in said
    else:
        assert "Lesion 1, echo pattern: not computed" in said


def test_an_interval_is_stated_with_what_it_promises() -> None:
    subject = with_margins(image_subject("us-still"))
    one = read_back(report(subject))
    margin = subject.segments[0].finding.margin
    assert margin is not None
    found = {}
    for item in items(groups(one)[0], "Long Axis"):
        kinds = items(item, "Derivation") if "ContentSequence" in item else []
        kind = kinds[0].ConceptCodeSequence[0].CodeMeaning if kinds else "itself"
        found[kind] = float(item.MeasuredValueSequence[0].NumericValue)
    low, high = margin.longest_diameter
    assert found["Minimum"] == pytest.approx(low, rel=1e-3)
    assert found["Maximum"] == pytest.approx(high, rel=1e-3)
    assert found["Minimum"] < found["itself"] < found["Maximum"]
    said = " ".join(item.TextValue for item in items(one, "Comment"))
    assert "probability of 90%" in said
    assert one.SOPInstanceUID != report(image_subject("us-still")).SOPInstanceUID
