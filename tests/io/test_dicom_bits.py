"""Which bits are the value, and what padding and tables say of them, whatever their type."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from breastseg.core.image import Image
from breastseg.io.dicom_image import read_dicom
from breastseg.io.stored_bits import CUT

from .lossless import encode

MakeDicom = Callable[..., bytes]


def shown(data: bytes) -> list[float]:
    return read_dicom(io.BytesIO(data)).array[0].ravel().tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("slope", [1, 2.5, -1, -3])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", "", "NONE OF THESE"])
def test_a_window_never_turns_grey_levels_round(
    make_dicom: MakeDicom, slope: float, function: str
) -> None:
    stored = np.array([[10, 100, 240]], np.uint8)
    said = {"RescaleSlope": slope, "RescaleIntercept": 7, "VOILUTFunction": function}
    plain = shown(make_dicom(stored, **said))
    said |= {"WindowCenter": float(np.mean(plain)), "WindowWidth": 2 * float(np.ptp(plain))}
    assert np.argsort(shown(make_dicom(stored, **said))).tolist() == np.argsort(plain).tolist()


@pytest.mark.parametrize("function", ["", "WHATEVER"])
def test_an_unknown_function_is_linear(make_dicom: MakeDicom, function: str) -> None:
    said = {"WindowCenter": 100, "WindowWidth": 50}
    stored = np.array([[80, 95, 110]], np.uint8)
    assert shown(make_dicom(stored, VOILUTFunction=function, **said)) == shown(
        make_dicom(stored, VOILUTFunction="LINEAR", **said)
    )


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_values_in_the_upper_bits(make_dicom: MakeDicom, syntax: str, dtype: type) -> None:
    values = np.array([[1, 700, 2047]], np.int16)
    if dtype is np.int16:
        values = values - 1000
    # an overlay lies in the lowest bit
    stored = ((values.astype(np.int32) << 4) | 1).astype(dtype)
    data = make_dicom(stored, syntax=syntax, BitsStored=12, HighBit=15)
    assert shown(data) == values.ravel().tolist()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_an_overlay_above_the_values(make_dicom: MakeDicom, syntax: str) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (33, 40)).astype(np.uint16)
    stored = values | np.uint16(1 << 12)
    whole = make_dicom(stored, syntax=syntax)
    assert shown(whole) == stored.ravel().tolist()
    data = with_overlay(whole, bits=12, position=12)
    assert shown(data) == values.ravel().tolist()


def with_overlay(data: bytes, bits: int, position: int) -> bytes:
    from pydicom import dcmread

    ds = dcmread(io.BytesIO(data))
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.add_new((0x6000, 0x0100), "US", 16)
    ds.add_new((0x6000, 0x0102), "US", position)
    stream = io.BytesIO()
    ds.save_as(stream)
    return stream.getvalue()


@pytest.mark.parametrize("high", [11, 15])
def test_lossless_jpeg_of_whole_cells(make_dicom: MakeDicom, high: int) -> None:
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300
    cells = (values << 4) | 1 if high == 15 else values | (1 << 13)
    encoded = [encode(cells.astype(np.uint16), 16)]
    data = make_dicom(cells, syntax=JPEGLossless, encoded=encoded, BitsStored=12, HighBit=high)
    assert shown(data) == values.ravel().tolist()


@pytest.mark.parametrize(("vr", "value"), [("US", 63536), ("SS", -2000), ("OW", b"\x30\xf8")])
def test_padding_whatever_its_type(make_dicom: MakeDicom, vr: str, value: object) -> None:
    stored = np.array([[-2000, 10, 50]], np.int16)
    assert shown(retyped(make_dicom(stored), "PixelPaddingValue", vr, value)) == [10, 10, 50]
    unsigned = np.array([[63536, 10, 50]], np.uint16)
    assert shown(retyped(make_dicom(unsigned), "PixelPaddingValue", vr, value)) == [10, 10, 50]


def retyped(data: bytes, keyword: str, vr: str, value: object) -> bytes:
    from pydicom import dcmread

    ds = dcmread(io.BytesIO(data))
    ds.add_new(keyword, vr, value)
    stream = io.BytesIO()
    ds.save_as(stream)
    return stream.getvalue()


def table(first: int, vr: str, entries: NDArray[np.uint16], modality: bool) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries), first, 16])
    item.add_new("LUTData", "OW", entries.tobytes())
    if modality:
        item.ModalityLUTType = "US"
    return Sequence([item])


@pytest.mark.parametrize("keyword", ["ModalityLUTSequence", "VOILUTSequence"])
@pytest.mark.parametrize(("vr", "first"), [("US", 65531), ("SS", -5)])
def test_the_first_value_of_a_table_is_signed_as_the_values_are(
    make_dicom: MakeDicom, keyword: str, vr: str, first: int
) -> None:
    stored = np.array([[-5, -1, 3]], np.int16)
    entries = np.arange(10, 20, dtype=np.uint16)
    lut = table(first, vr, entries, keyword.startswith("Modality"))
    assert shown(make_dicom(stored, **{keyword: lut})) == [10, 14, 18]


@pytest.mark.parametrize(("vr", "first"), [("US", 40000), ("SS", 40000 - 65536)])
def test_the_first_value_of_a_table_for_unsigned_values(
    make_dicom: MakeDicom, vr: str, first: int
) -> None:
    stored = np.array([[39000, 40001, 50000]], np.uint16)
    lut = table(first, vr, np.arange(10, 20, dtype=np.uint16), False)
    assert shown(make_dicom(stored, VOILUTSequence=lut)) == [10, 11, 19]


def test_a_table_after_a_rescale_that_goes_below_zero(make_dicom: MakeDicom) -> None:
    stored = np.array([[0, 1024, 1026]], np.uint16)
    lut = table(65536 - 1024, "US", np.arange(2048, dtype=np.uint16), False)
    data = make_dicom(stored, RescaleSlope=1, RescaleIntercept=-1024, VOILUTSequence=lut)
    assert shown(data) == [0, 1024, 1026]


def test_palette_of_signed_values(make_dicom: MakeDicom) -> None:
    said: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, entries in (("Red", [1, 2, 3, 9]), ("Green", [4, 5, 6, 9]), ("Blue", [7, 8, 9, 0])):
        said[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 8]
        said[f"{colour}PaletteColorLookupTableData"] = bytes(entries)
    data = make_dicom(np.array([[-2, -1, 0]], np.int8), **said)
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableDescriptor"
        data = retyped(data, keyword, "US", [4, 65534, 8])
    assert read_dicom(io.BytesIO(data)).array[:, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLossless])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_values_above_the_stored_bits_are_told(
    make_dicom: MakeDicom, dtype: type, syntax: str
) -> None:
    values = np.array([[-5 if dtype is np.int16 else 5, 700, 1023]], dtype)

    def read() -> Image:
        encoded = [encode(values.view(np.uint16), 16)] if syntax == JPEGLossless else None
        said = {"syntax": syntax, "encoded": encoded, "BitsStored": 12, "HighBit": 11}
        return read_dicom(io.BytesIO(make_dicom(values, **said)))

    assert CUT not in read().remarks
    values[0, 1] = 5000
    assert CUT in read().remarks
    assert read().array[0, 0].tolist() == [values[0, 0], 5000 - 4096, 1023]


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_deeper_codestream_keeps_its_values(make_dicom: MakeDicom, syntax: str) -> None:
    values = np.tile(np.array([[5, 5000, 1023]], np.uint16), (33, 12))
    data = retyped(make_dicom(values, syntax=syntax), "BitsStored", "US", 12)
    image = read_dicom(io.BytesIO(retyped(data, "HighBit", "US", 11)))
    assert image.array[0].tolist() == values.tolist()
    assert CUT not in image.remarks
