"""From stored values to what a viewer shows, by hand and against the formulas of the standard."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence

from breastseg.io.dicom_image import read_dicom, read_dicom_frames

MakeDicom = Callable[..., bytes]
STORED = np.array([[0, 100, 200, 255]], np.uint8)


def shown(make: MakeDicom, stored: NDArray[np.generic] = STORED, **said: object) -> list[float]:
    got = read_dicom(io.BytesIO(make(stored, **said))).array
    assert got.shape == (1, *stored.shape)
    return got[0, 0].tolist()  # type: ignore[no-any-return]


def lut(entries: int, first: int, depth: int, data: NDArray[np.unsignedinteger]) -> Sequence:
    item = Dataset()
    item.LUTDescriptor = [entries, first, depth]
    item.LUTData = data.tobytes() + b"\0" * (data.nbytes % 2)
    item["LUTData"].VR = "OW"
    return Sequence([item])


def test_nothing_said_changes_nothing(make_dicom: MakeDicom) -> None:
    assert shown(make_dicom) == [0, 100, 200, 255]
    same = {"RescaleSlope": 1, "RescaleIntercept": 0}
    assert read_dicom(io.BytesIO(make_dicom(STORED, **same))).array.dtype == np.uint8


def test_rescale(make_dicom: MakeDicom) -> None:
    assert shown(make_dicom, RescaleSlope=0.5, RescaleIntercept=-10) == [-10, 40, 90, 117.5]


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_rescale_of_other_types(make_dicom: MakeDicom, dtype: type) -> None:
    stored = np.array([[0, 100, 70 if dtype is np.uint32 else -30000]], dtype)
    expected = (stored[0] * 2.0 + 1).tolist()
    assert shown(make_dicom, stored, RescaleSlope=2, RescaleIntercept=1) == expected


def test_linear_window(make_dicom: MakeDicom) -> None:
    """DICOM PS3.3 C.11.2.1.2.1: the window from 100 to 200 is spread over 0 to 255."""
    got = shown(make_dicom, WindowCenter=150.5, WindowWidth=101)
    assert got == [0, 0, 255, 255]
    between = (150 - (150.5 - 0.5)) / (101 - 1) + 0.5
    stored = np.array([[150]], np.uint8)
    got = shown(make_dicom, stored, WindowCenter=150.5, WindowWidth=101)
    assert got == [pytest.approx(between * 255)]


def test_linear_exact_window(make_dicom: MakeDicom) -> None:
    stored = np.array([[99, 125, 150, 201]], np.uint8)
    said = {"WindowCenter": 150, "WindowWidth": 100, "VOILUTFunction": "LINEAR_EXACT"}
    assert shown(make_dicom, stored, **said) == pytest.approx([0, 63.75, 127.5, 255])


def test_sigmoid_window(make_dicom: MakeDicom) -> None:
    said = {"WindowCenter": 100, "WindowWidth": 50, "VOILUTFunction": "SIGMOID"}
    expected = 255 / (1 + np.exp(-4 * (STORED[0].astype(float) - 100) / 50))
    assert shown(make_dicom, **said) == pytest.approx(expected.tolist(), rel=1e-6)


def test_window_follows_rescale(make_dicom: MakeDicom) -> None:
    said = {"RescaleSlope": 2, "RescaleIntercept": -100}
    said |= {"WindowCenter": 100, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"}
    # -100, 100, 300 and 410 in a window from 0 to 200, spread over -100 to 410
    assert shown(make_dicom, **said) == pytest.approx([-100, 155, 410, 410])


def test_the_first_of_many_windows(make_dicom: MakeDicom) -> None:
    said = {"WindowCenter": [150, 10], "WindowWidth": [100, 5], "VOILUTFunction": "LINEAR_EXACT"}
    assert shown(make_dicom, **said) == pytest.approx([0, 0, 255, 255])
    assert shown(make_dicom, np.array([[125]], np.uint8), **said) == pytest.approx([63.75])


@pytest.mark.parametrize(
    "said",
    [
        {"WindowCenter": 100, "WindowWidth": 0},
        {"WindowCenter": 100, "WindowWidth": 0.5},
        {"WindowCenter": 100},
        {"WindowCenter": None, "WindowWidth": None},
    ],
)
def test_a_window_that_is_none(make_dicom: MakeDicom, said: dict[str, object]) -> None:
    assert shown(make_dicom, **said) == [0, 100, 200, 255]


def test_voi_lut_goes_before_window(make_dicom: MakeDicom) -> None:
    table = np.array([7, 1000, 65535], np.uint16)
    said = {"VOILUTSequence": lut(3, 99, 16, table), "WindowCenter": 10, "WindowWidth": 5}
    assert shown(make_dicom, **said) == [7, 1000, 65535, 65535]


def test_eight_bit_lut_of_many_entries(make_dicom: MakeDicom) -> None:
    stored = np.array([[0, 300, 4095]], np.uint16)
    table = (np.arange(4096) // 16).astype(np.uint8)
    for data in (table, table.astype(np.uint16)):  # packed, or an entry to a word
        said = {"VOILUTSequence": lut(4096, 0, 8, data)}
        assert shown(make_dicom, stored, **said) == [0, 18, 255]


def test_voi_lut_of_signed_values(make_dicom: MakeDicom) -> None:
    stored = np.array([[-5, -1, 3]], np.int16)
    table = np.arange(10, 20, dtype=np.uint16)
    item = lut(10, 0, 12, table)
    item[0].add_new("LUTDescriptor", "SS", [10, -5, 12])
    assert shown(make_dicom, stored, VOILUTSequence=item) == [10, 14, 18]


def test_modality_lut(make_dicom: MakeDicom) -> None:
    table = np.arange(512, 0, -2, dtype=np.uint16)
    item = lut(256, 0, 16, table)
    item[0].ModalityLUTType = "US"
    assert shown(make_dicom, ModalityLUTSequence=item) == [512, 312, 112, 2]


@pytest.mark.parametrize(
    "said",
    [
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
        {"PresentationLUTShape": "INVERSE"},
    ],
)
def test_bright_is_large(make_dicom: MakeDicom, said: dict[str, object]) -> None:
    assert shown(make_dicom, **said) == [255, 155, 55, 0]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_inversion_does_not_overflow(make_dicom: MakeDicom, dtype: type) -> None:
    info = np.iinfo(dtype)
    stored = np.array([[info.min, info.min + 1, info.max]], dtype)
    got = shown(make_dicom, stored, PhotometricInterpretation="MONOCHROME1")
    assert got == [info.max, info.max - 1, info.min]


def test_inversion_follows_the_window(make_dicom: MakeDicom) -> None:
    said = {"WindowCenter": 150, "WindowWidth": 100, "VOILUTFunction": "LINEAR_EXACT"}
    said |= {"PhotometricInterpretation": "MONOCHROME1"}
    stored = np.array([[99, 125, 150, 201]], np.uint8)
    assert shown(make_dicom, stored, **said) == pytest.approx([255, 191.25, 127.5, 0])


def test_padding_is_dark(make_dicom: MakeDicom) -> None:
    stored = np.array([[-2000, 10, 50, -1999]], np.int16)
    said = {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1999}
    assert shown(make_dicom, stored, **said) == [10, 10, 50, 10]
    white = {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 255}
    stored = np.array([[255, 10, 50]], np.uint8)
    assert shown(make_dicom, stored, **white) == [10, 50, 10]
    assert shown(make_dicom, np.array([[255]], np.uint8), **white) == [255]


def test_frames_of_an_enhanced_object_say_their_own(make_dicom: MakeDicom) -> None:
    def group(slope: float, spacing: float) -> Dataset:
        values, measures, said = Dataset(), Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = slope, 0
        measures.PixelSpacing = [spacing, spacing]
        said.PixelValueTransformationSequence = Sequence([values])
        said.PixelMeasuresSequence = Sequence([measures])
        return said

    window, shared = Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth, window.VOILUTFunction = 5, 10, "LINEAR_EXACT"
    shared.FrameVOILUTSequence = Sequence([window])
    data = make_dicom(
        np.array([[[5]], [[5]]], np.uint8),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence([group(1, 0.5), group(2, 0.25)]),
    )
    one, two = read_dicom_frames(io.BytesIO(data))
    assert (one.array.item(), two.array.item()) == (127.5, 510)
    assert (one.grid.spacing_mm, two.grid.spacing_mm) == ((0.5, 0.5), (0.25, 0.25))
