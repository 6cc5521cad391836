"""Segmentations, read back by two readers that did not write them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import highdicom
import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray
from pydicom import Dataset

from breastseg.core.errors import InputError, UnsupportedError
from breastseg.dicom.segmentation import segmentation
from breastseg.dicom.subject import Subject, subject_of_frames
from breastseg.io.volume_series import read_series

from .subjects import (
    expected,
    frame_results,
    image_subject,
    phantoms,
    read_back,
    saved,
    volume_subject,
    write_mr,
)

IMAGES = ("us-still", "us-colour", "us-cine", "mg", "mg-tomo")
MULTI = ("us-cine", "mg-tomo")
LESIONS = {"us-cine": 4}


def by_hand(one: Dataset) -> NDArray[np.uint8]:
    """(frames, rows, columns) of an object's pixels, from its bytes."""
    shape = (int(one.NumberOfFrames), one.Rows, one.Columns)
    data = np.frombuffer(one.PixelData, np.uint8)
    if one.BitsAllocated == 1:
        data = np.unpackbits(data, bitorder="little")
    return data[: np.prod(shape)].reshape(shape)


def on_source(one: Dataset, frames: int) -> NDArray[np.uint8]:
    """All segments on the frames of the source that they name."""
    found = np.zeros((frames, one.Rows, one.Columns), np.uint8)
    for pixels, group in zip(by_hand(one), one.PerFrameFunctionalGroupsSequence, strict=True):
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        found[int(source.get("ReferencedFrameNumber", 1)) - 1] |= pixels
    return found


@pytest.mark.parametrize("name", IMAGES)
def test_two_readers_find_every_pixel_on_its_frame(name: str) -> None:
    subject = image_subject(name)
    one = read_back(segmentation(subject))
    mask = expected(name)
    assert np.array_equal(on_source(one, len(mask)), mask)
    read = highdicom.seg.segread(BytesIO(saved(one)))
    uid = phantoms()[name].objects[0].SOPInstanceUID
    numbers = [*range(1, len(mask) + 1)]
    found = (
        read.get_pixels_by_source_frame(
            uid, numbers, assert_missing_frames_are_empty=True, ignore_spatial_locations=True
        )
        if name in MULTI
        else read.get_pixels_by_source_instance([uid])
    )
    assert np.array_equal(found.any(axis=-1), mask)
    assert found.shape[-1] == len(subject.segments) == LESIONS.get(name, 2)


def test_a_segment_follows_its_lesion_through_a_cine_loop() -> None:
    one = segmentation(image_subject("us-cine"))
    shown = [
        (
            group.SegmentIdentificationSequence[0].ReferencedSegmentNumber,
            group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber,
        )
        for group in one.PerFrameFunctionalGroupsSequence
    ]
    # the loop shows none in frames 2 and 6: what comes after a gap is another lesion
    assert len(shown) == 8
    assert sorted({frame for _, frame in shown}) == [1, 3, 4, 5]


def test_fractions_are_the_probabilities_on_the_lesions() -> None:
    subject = image_subject("us-still")
    one = read_back(segmentation(subject, "FRACTIONAL"))
    assert (one.MaximumFractionalValue, one.SegmentationFractionalType) == (255, "PROBABILITY")
    plane = subject.segments[0].planes[0]
    stored = by_hand(one)[0]
    assert np.array_equal(stored[plane.box.slices], np.rint(plane.probability * 255))
    assert np.count_nonzero(stored) == subject.segments[0].finding.lesion.area_px


def test_it_says_what_whose_by_what_and_for_research() -> None:
    one = read_back(segmentation(image_subject("mg")))
    source = phantoms()["mg"].objects[0]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber", "StudyDate"):
        assert one[keyword].value == source[keyword].value
    segment = one.SegmentSequence[0]
    assert segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "4147007"
    region = segment.AnatomicRegionSequence[0]
    assert region.CodeValue == "76752008"
    assert region.AnatomicRegionModifierSequence[0].CodeMeaning == "Left"
    algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("oracle", "1")
    assert "ab" * 32 in algorithm.AlgorithmParameters
    assert segment.TrackingID
    assert "Research use only" in one.ContentDescription
    assert one.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID


def test_a_run_again_gives_the_same_bytes_and_another_outcome_another_object() -> None:
    first, again = (saved(segmentation(image_subject("us-still"))) for _ in range(2))
    assert first == again
    others = {
        segmentation(image_subject("us-still"), kind).SOPInstanceUID
        for kind in (
            "BINARY",
            "FRACTIONAL",
        )
    }
    others.add(segmentation(image_subject("us-colour")).SOPInstanceUID)
    assert len(others) == 3


def test_a_source_without_study_and_series_gets_new_ones_with_a_remark() -> None:
    def forget(one: Dataset) -> None:
        del one.StudyInstanceUID, one.SeriesInstanceUID

    subject = subject_of_frames(frame_results("us-still", forget))
    one = segmentation(subject)
    assert one.StudyInstanceUID.startswith("2.25.")
    assert one.ReferencedSeriesSequence[0].SeriesInstanceUID.startswith("2.25.")
    assert len([remark for remark in subject.remarks if "Instance UID" in remark]) == 2


def test_what_has_no_instance_or_no_lesion_makes_no_object() -> None:
    def forget(one: Dataset) -> None:
        del one.SOPInstanceUID
        del one.file_meta.MediaStorageSOPInstanceUID

    with pytest.raises((UnsupportedError, AttributeError)):
        frame_results("us-still", forget)
    nothing = [one for one in frame_results("us-cine") if not one.found]
    with pytest.raises(InputError, match="without a lesion"):
        segmentation(subject_of_frames(nothing))


def mr_subject(folder: Path, flip: bool) -> tuple[Subject, NDArray[np.bool_]]:
    """The oblique phantom; flipped, its rows run the other way, as of a left-handed scan."""
    objects = [read_back(one) for one in phantoms()["mr"].objects]
    truth = phantoms()["mr"].truth
    if flip:
        for one in objects:
            pixels = one.pixel_array
            down = np.array(one.ImageOrientationPatient[3:], float)
            step = down * float(one.PixelSpacing[0]) * (one.Rows - 1)
            place = np.array(one.ImagePositionPatient, float) + step
            one.ImagePositionPatient = [f"{value:.8f}"[:16] for value in place]
            one.ImageOrientationPatient[3:] = [f"{value:.10f}" for value in -down]
            one.PixelData = np.ascontiguousarray(pixels[::-1]).tobytes()
        # our reader sorts along the normal, which points the other way now
        truth = truth[::-1, ::-1]
    write_mr(folder, objects)
    image = read_series(folder)
    return volume_subject(image, truth), truth


@pytest.mark.parametrize("flip", [False, True])
def test_slices_of_an_oblique_series_lie_where_simpleitk_sees_them(
    tmp_path: Path, flip: bool
) -> None:
    subject, truth = mr_subject(tmp_path, flip)
    one = read_back(segmentation(subject))
    assert one.FrameOfReferenceUID == phantoms()["mr"].objects[0].FrameOfReferenceUID
    reader = SimpleITK.ImageSeriesReader()
    series = one.ReferencedSeriesSequence[0].SeriesInstanceUID
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path), series))
    scan = reader.Execute()
    found = np.zeros(scan.GetSize()[::-1], bool)
    across, down = np.reshape(
        [
            *one.SharedFunctionalGroupsSequence[0]
            .PlaneOrientationSequence[0]
            .ImageOrientationPatient
        ],
        (2, 3),
    ).astype(float)
    spacing = one.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
    for pixels, group in zip(by_hand(one), one.PerFrameFunctionalGroupsSequence, strict=True):
        origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        for row, column in np.argwhere(pixels):
            place = origin + across * spacing[1] * column + down * spacing[0] * row
            x, y, z = scan.TransformPhysicalPointToIndex(place.tolist())
            found[z, y, x] = True
    assert np.array_equal(found, truth)


@pytest.mark.parametrize("flip", [False, True])
def test_frames_of_an_enhanced_object_are_a_volume_in_any_order(tmp_path: Path, flip: bool) -> None:
    phantom = phantoms()["mr-enhanced"]
    assert phantom.grid is not None
    source, truth = read_back(phantom.objects[0]), phantom.truth
    if flip:  # the normal points the other way, so that the slices count down
        shared = source.SharedFunctionalGroupsSequence[0]
        turned = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        turned[3:] = [-value for value in turned[3:]]
        truth = truth[::-1]
    source.save_as(tmp_path / "any.dcm", enforce_file_format=True)
    image = read_series(tmp_path)
    subject = volume_subject(image, truth)
    one = read_back(segmentation(subject))
    shown = np.zeros_like(truth)
    for pixels, group in zip(by_hand(one), one.PerFrameFunctionalGroupsSequence, strict=True):
        number = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        frame = source.PerFrameFunctionalGroupsSequence[number - 1]
        assert frame.FrameContentSequence[0].TemporalPositionIndex == 2, "after contrast"
        places = [one.PlanePositionSequence[0].ImagePositionPatient for one in (frame, group)]
        np.testing.assert_allclose(*places, atol=1e-6)
        at = frame.FrameContentSequence[0].InStackPositionNumber - 1
        shown[at] |= pixels.astype(bool)
        values = image.array[1, at if not flip else len(truth) - 1 - at]
        assert np.array_equal(values, source.pixel_array[number - 1])
    assert np.array_equal(shown, phantom.truth)
    read = highdicom.seg.segread(BytesIO(saved(one)))
    numbers = [frame.number for frame in subject.sources]
    found = read.get_pixels_by_source_frame(
        source.SOPInstanceUID, numbers, assert_missing_frames_are_empty=True
    )
    assert np.array_equal(found.any(axis=-1), truth)


def test_slices_of_tomosynthesis_are_one_lesion_in_its_place_in_the_patient() -> None:
    """However the frames are ordered, and although one is seen by frames, not as a volume."""
    phantom = phantoms()["mg-tomo"]
    order = np.array([4, 8, 0, 6, 2, 5, 1, 7, 3])

    def shuffle(one: Dataset) -> None:
        one.PixelData = one.pixel_array[order].tobytes()
        groups = one.PerFrameFunctionalGroupsSequence
        one.PerFrameFunctionalGroupsSequence = [groups[at] for at in order]

    subject = subject_of_frames(frame_results("mg-tomo", shuffle, phantom.truth[order]))
    assert len(subject.segments) == 2
    one = read_back(segmentation(subject))
    source = phantom.objects[0]
    assert one.FrameOfReferenceUID == source.FrameOfReferenceUID
    measures = one.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert (list(measures.PixelSpacing), measures.SliceThickness) == ([0.8, 0.8], 3)
    places = [
        tuple(group.PlanePositionSequence[0].ImagePositionPatient)
        for group in source.PerFrameFunctionalGroupsSequence
    ]
    groups = one.PerFrameFunctionalGroupsSequence
    shown = np.zeros_like(phantom.truth)
    for pixels, group in zip(by_hand(one), groups, strict=True):
        at = places.index(tuple(group.PlanePositionSequence[0].ImagePositionPatient))
        shown[at] |= pixels.astype(bool)
        assert group.FrameContentSequence[0].InStackPositionNumber == len(places) - at
    assert np.array_equal(shown, expected("mg-tomo"))


def test_highdicom_sees_the_series_in_its_slices(tmp_path: Path) -> None:
    subject, truth = mr_subject(tmp_path, False)
    read = highdicom.seg.segread(BytesIO(saved(segmentation(subject))))
    uids = [source.instance_uid for source in subject.sources]
    found = read.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    assert np.array_equal(found.any(axis=-1), truth)
    second = {one.SOPInstanceUID for one in phantoms()["mr"].objects if one.SeriesNumber == 2}
    assert set(uids) == second, "the phase after contrast"
    assert read.get_volume_geometry() is not None
