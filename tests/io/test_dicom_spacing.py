"""Which statement of distance in a DICOM header is believed."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from breastseg.core.box import Box
from breastseg.io.dicom_regions import scaled_regions, scan_region
from breastseg.io.dicom_spacing import NOT_SQUARE, ON_THE_FILM, spacing_mm, spacing_remarks


def header(**said: object) -> Dataset:
    ds = Dataset()
    for keyword, value in said.items():
        setattr(ds, keyword, value)
    return ds


def region(row_cm: float, column_cm: float, **said: object) -> Dataset:
    usual: dict[str, object] = {"RegionSpatialFormat": 1, "RegionDataType": 1}
    usual |= {"PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3}
    usual |= {"PhysicalDeltaY": row_cm, "PhysicalDeltaX": column_cm}
    return header(**{**usual, **said})


def ultrasound(*regions: Dataset, **said: object) -> Dataset:
    return header(SequenceOfUltrasoundRegions=Sequence(regions), **said)


BOX = ("RegionLocationMinY0", "RegionLocationMinX0", "RegionLocationMaxY1", "RegionLocationMaxX1")


def placed(*corners: int, **said: object) -> Dataset:
    return region(0.01, 0.01, **dict(zip(BOX, corners, strict=True)), **said)


def test_the_scan_is_around_the_tissue_regions() -> None:
    shape = (100, 200)
    assert scan_region(ultrasound(placed(10, 20, 59, 119)), shape) == Box.of(10, 20, 60, 120)
    two = ultrasound(placed(10, 20, 59, 89), placed(12, 100, 69, 199))
    assert scan_region(two, shape) == Box.of(10, 20, 70, 200)
    curve = placed(0, 0, 99, 199, RegionSpatialFormat=2)
    assert scan_region(ultrasound(curve, placed(10, 20, 59, 119)), shape) == Box.of(10, 20, 60, 120)
    assert scan_region(ultrasound(placed(0, 0, 100, 200)), shape) == Box.whole(shape)


@pytest.mark.parametrize("corners", [(0, 0, 101, 50), (50, 0, 50, 9), (9, 9, 5, 50), (0, 0, 0, 0)])
def test_a_region_that_is_no_box_in_the_picture_is_left_out(corners: tuple[int, ...]) -> None:
    assert scan_region(ultrasound(placed(*corners)), (100, 200)) is None


def test_no_region_is_no_scan() -> None:
    assert scan_region(header(), (9, 9)) is None
    assert scan_region(ultrasound(region(0.01, 0.01)), (9, 9)) is None  # without corners


def test_distances_of_a_picture_that_was_made_smaller_are_not_believed() -> None:
    at = {"RegionLocationMaxY1": 414, "RegionLocationMaxX1": 595}
    whole = ultrasound(region(0.01, 0.01, **at), Rows=480, Columns=640)
    smaller = ultrasound(region(0.01, 0.01, **at), Rows=240, Columns=320, PixelSpacing=[0.1, 0.1])
    assert spacing_mm(whole) == pytest.approx((0.1, 0.1))
    assert spacing_mm(smaller) is None


def test_nothing_said_is_unknown() -> None:
    assert spacing_mm(header()) is None


def test_pixel_spacing_is_row_then_column() -> None:
    assert spacing_mm(header(PixelSpacing=[0.1, 0.2])) == (0.1, 0.2)


@pytest.mark.parametrize("value", [[0, 0.1], [-1, 1], [], None, [0.1, 0.2, 0.3]])
def test_impossible_pixel_spacing_is_unknown(value: object) -> None:
    assert spacing_mm(header(PixelSpacing=value)) is None


def test_detector_spacing_is_divided_by_magnification() -> None:
    said = {"ImagerPixelSpacing": [0.08, 0.1], "EstimatedRadiographicMagnificationFactor": 1.6}
    assert spacing_mm(header(**said)) == pytest.approx((0.05, 0.0625))
    assert spacing_mm(header(ImagerPixelSpacing=[0.08, 0.1])) == (0.08, 0.1)


def test_calibrated_spacing_goes_before_the_detector() -> None:
    said = {"EstimatedRadiographicMagnificationFactor": 2, "ImagerPixelSpacing": [0.1, 0.1]}
    assert spacing_mm(header(PixelSpacing=[0.09, 0.09], **said)) == (0.09, 0.09)
    assert spacing_mm(header(PixelSpacing=[0.1, 0.1], **said)) == (0.05, 0.05)


def test_film_scanner_spacing_is_left_out() -> None:
    assert spacing_mm(header(NominalScannedPixelSpacing=[0.1, 0.1])) is None


def test_ultrasound_region_is_in_centimetres() -> None:
    assert spacing_mm(ultrasound(region(0.01, 0.02))) == pytest.approx((0.1, 0.2))
    assert spacing_mm(ultrasound(region(-0.01, 0.02))) == pytest.approx((0.1, 0.2))


@pytest.mark.parametrize(
    "said",
    [
        {"RegionSpatialFormat": 2},
        {"RegionDataType": 3},
        {"PhysicalUnitsXDirection": 4},
        {"PhysicalUnitsYDirection": 0},
        {"PhysicalDeltaX": 0.0},
    ],
)
def test_other_regions_do_not_count(said: dict[str, object]) -> None:
    other = region(0.5, 0.5, **said)
    assert spacing_mm(ultrasound(other)) is None
    assert spacing_mm(ultrasound(other, PixelSpacing=[1, 2])) == (1, 2)
    assert spacing_mm(ultrasound(other, region(0.01, 0.02))) == pytest.approx((0.1, 0.2))


def test_regions_that_disagree_give_no_spacing() -> None:
    assert spacing_mm(ultrasound(region(0.01, 0.01), region(0.01, 0.01))) == (0.1, 0.1)
    two = ultrasound(region(0.01, 0.01), region(0.02, 0.02), PixelSpacing=[0.1, 0.1])
    assert spacing_mm(two) is None


def test_each_flat_region_has_its_own_scale() -> None:
    flow = placed(10, 100, 49, 149, RegionDataType=2, PhysicalDeltaX=0.02, PhysicalDeltaY=0.03)
    bare = placed(50, 0, 89, 49, PhysicalUnitsXDirection=0)
    curve = placed(0, 0, 5, 5, RegionSpatialFormat=2)
    found = scaled_regions(ultrasound(placed(10, 20, 49, 89), flow, bare, curve), (100, 200))
    assert [tuple(part.box) for part in found] == [
        (10, 20, 50, 90),
        (10, 100, 50, 150),
        (50, 0, 90, 50),
    ]
    assert [part.spacing_mm for part in found] == [(0.1, 0.1), (0.3, 0.2), None]


def test_regions_without_any_scale_leave_the_image_its_own() -> None:
    bare = placed(0, 0, 9, 9, PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0)
    assert scaled_regions(ultrasound(bare), (20, 20)) == ()


DETECTOR: dict[str, object] = {"ImagerPixelSpacing": [0.2, 0.2]}


@pytest.mark.parametrize(
    ("said", "spacing", "remark"),
    [
        ({}, 0.2, True),
        ({"EstimatedRadiographicMagnificationFactor": 2}, 0.1, False),
        ({"DistanceSourceToDetector": 700, "DistanceSourceToPatient": 350}, 0.1, False),
        (
            {
                "EstimatedRadiographicMagnificationFactor": 1.25,
                "DistanceSourceToDetector": 700,
                "DistanceSourceToPatient": 350,
            },
            0.16,
            True,
        ),
        (
            {
                "EstimatedRadiographicMagnificationFactor": 1,
                "DistanceSourceToDetector": 700,
                "DistanceSourceToPatient": 660,
            },
            0.2,
            False,
        ),
        (
            {
                "EstimatedRadiographicMagnificationFactor": 0.5,
                "DistanceSourceToDetector": 700,
                "DistanceSourceToPatient": 350,
            },
            0.1,
            False,
        ),
        ({"DistanceSourceToDetector": 350, "DistanceSourceToPatient": 700}, 0.2, True),
        ({"DistanceSourceToDetector": 700, "DistanceSourceToPatient": 0}, 0.2, True),
        ({"EstimatedRadiographicMagnificationFactor": 0}, 0.2, True),
        ({"PixelSpacing": [0.15, 0.15]}, 0.15, False),
    ],
)
def test_magnification_or_a_remark(said: dict[str, object], spacing: float, remark: bool) -> None:
    ds = header(**DETECTOR, **said)
    assert spacing_mm(ds) == pytest.approx((spacing, spacing))
    assert bool(spacing_remarks(ds)) is remark


FILM: dict[str, object] = {"NominalScannedPixelSpacing": [0.1, 0.1]}


@pytest.mark.parametrize(
    ("said", "spacing", "remarks"),
    [
        ({**FILM, "PixelSpacing": [0.1, 0.1]}, (0.1, 0.1), (ON_THE_FILM,)),
        (
            {**FILM, "PixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 2},
            (0.05, 0.05),
            (),
        ),
        ({**FILM, "PixelSpacing": [0.08, 0.08]}, (0.08, 0.08), ()),  # calibrated
        (FILM, None, ()),
        ({"PixelAspectRatio": [2, 1]}, None, (NOT_SQUARE,)),
        ({"PixelAspectRatio": [1, 1]}, None, ()),
        ({"PixelAspectRatio": [2, 1], "PixelSpacing": [0.2, 0.1]}, (0.2, 0.1), ()),
    ],
)
def test_scanned_film_and_pixels_that_are_not_square(
    said: dict[str, object], spacing: tuple[float, float] | None, remarks: tuple[str, ...]
) -> None:
    found = spacing_mm(header(**said))
    assert found == (None if spacing is None else pytest.approx(spacing))
    assert spacing_remarks(header(**said)) == remarks


@pytest.mark.parametrize("step", [1e-7, 2e-4, 50.0, 700.0])
def test_distances_that_no_image_of_a_breast_has_count_as_absent(step: float) -> None:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        assert spacing_mm(header(**{keyword: [step, step]})) is None
    assert spacing_mm(ultrasound(region(step / 10, step / 10))) is None
    said = ultrasound(region(step / 10, step / 10), PixelSpacing=[0.2, 0.2])
    assert spacing_mm(said) == (0.2, 0.2)
