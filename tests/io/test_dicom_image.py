"""DICOM images of each kind and compression that is read."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    JPEG2000,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from breastseg.core.box import Box
from breastseg.core.errors import InputError, UnreadableError, UnsupportedError
from breastseg.io import dicom_pixels
from breastseg.io.dicom_image import read_dicom, read_dicom_frames

MakeDicom = Callable[..., bytes]
MakeRaster = Callable[..., bytes]

# The smallest image that OpenJPEG encodes with its default of six resolutions.
SHAPE = (33, 40)


def grey(dtype: str) -> NDArray[np.generic]:
    info = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    return rng.integers(info.min, info.max, SHAPE, dtype, endpoint=True)


def colour() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (*SHAPE, 3), np.uint8)


def read(data: bytes) -> NDArray[np.generic]:
    return read_dicom(io.BytesIO(data)).array


NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless)


GREY = [(syntax, dtype) for syntax in NATIVE for dtype in ("uint8", "uint16", "int16")]
GREY += [(JPEG2000Lossless, dtype) for dtype in ("uint8", "uint16", "int16")]
GREY += [(JPEGLSLossless, dtype) for dtype in ("uint8", "uint16")]


@pytest.mark.parametrize(("syntax", "dtype"), GREY)
def test_grey_is_kept_exactly(make_dicom: MakeDicom, syntax: str, dtype: str) -> None:
    array = grey(dtype)
    got = read(make_dicom(array, syntax=syntax))
    np.testing.assert_array_equal(got, array[None])
    assert got.dtype == dtype


@pytest.mark.parametrize("syntax", [*NATIVE, JPEGLSLossless, JPEG2000Lossless])
def test_colour_is_kept_exactly(make_dicom: MakeDicom, syntax: str) -> None:
    array = colour()
    got = read(make_dicom(array, colour=True, syntax=syntax))
    np.testing.assert_array_equal(got, np.moveaxis(array, 2, 0))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_big_endian(make_dicom: MakeDicom, dtype: str) -> None:
    array = grey(dtype)
    swapped = array.astype(array.dtype.newbyteorder(">")).tobytes()
    data = make_dicom(array, syntax=ExplicitVRBigEndian, data=swapped)
    if dtype == "uint8":  # eight-bit data of this syntax is written in swapped pairs
        ds = dcmread(io.BytesIO(data))
        ds["PixelData"].VR = "OW"
        ds.PixelData = array.view(np.uint16).byteswap().tobytes()
        buffer = io.BytesIO()
        ds.save_as(buffer)
        data = buffer.getvalue()
    got = read(data)
    np.testing.assert_array_equal(got[0], array)
    assert got.dtype.isnative


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLossless])
def test_lossless_jpeg(
    make_dicom: MakeDicom,
    make_lossless_jpeg: Callable[[NDArray[np.generic]], bytes],
    syntax: str,
    dtype: str,
) -> None:
    array = grey(dtype)
    got = read(make_dicom(array, syntax=syntax, encoded=[make_lossless_jpeg(array)]))
    np.testing.assert_array_equal(got[0], array)
    assert got.dtype == dtype


def test_lossless_jpeg_of_colour_in_several_frames(
    make_dicom: MakeDicom, make_lossless_jpeg: Callable[[NDArray[np.generic]], bytes]
) -> None:
    frames = np.stack([colour(), 255 - colour()])
    encoded = [make_lossless_jpeg(frame) for frame in frames]
    data = make_dicom(frames, colour=True, syntax=JPEGLosslessSV1, encoded=encoded)
    for image, frame in zip(read_dicom_frames(io.BytesIO(data)), frames, strict=True):
        np.testing.assert_array_equal(image.array, np.moveaxis(frame, 2, 0))


def test_damaged_lossless_jpeg_costs_one_file(
    make_dicom: MakeDicom, make_lossless_jpeg: Callable[[NDArray[np.generic]], bytes]
) -> None:
    """This codestream ends the process that decodes it: its Huffman table has no such code."""
    array = grey("uint8")
    stream = bytearray(make_lossless_jpeg(array))
    table = stream.index(b"\xff\xc4")
    stream[table + 5 : table + 21] = bytes([255] * 16)
    data = make_dicom(array, syntax=JPEGLosslessSV1, encoded=[bytes(stream)])
    with pytest.raises(UnreadableError, match="lossless JPEG"):
        read(data)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
def test_lossy_jpeg(make_dicom: MakeDicom, make_raster: MakeRaster, syntax: str) -> None:
    smooth = np.add.outer(np.arange(33), np.arange(40)).astype(np.uint8) * 3
    jpeg = make_raster(smooth, "JPEG", quality=95)
    got = read(make_dicom(smooth, syntax=syntax, encoded=[jpeg]))
    with Pillow.open(io.BytesIO(jpeg)) as picture:
        np.testing.assert_array_equal(got[0], np.asarray(picture))


def test_lossy_colour_jpeg(make_dicom: MakeDicom, make_raster: MakeRaster) -> None:
    smooth = np.add.outer(np.arange(33), np.arange(40)).astype(np.uint8) * 3
    rgb = np.stack([smooth, smooth[::-1], 255 - smooth], axis=2)
    jpeg = make_raster(rgb, "JPEG", quality=95)
    data = make_dicom(
        rgb,
        colour=True,
        syntax=JPEGBaseline8Bit,
        encoded=[jpeg],
        PhotometricInterpretation="YBR_FULL_422",
    )
    with Pillow.open(io.BytesIO(jpeg)) as picture:
        expected = np.moveaxis(np.asarray(picture), 2, 0)
    np.testing.assert_allclose(read(data).astype(int), expected.astype(int), atol=2)


def test_near_lossless_and_lossy(make_dicom: MakeDicom) -> None:
    """The packaged files of pydicom; its own reader, another way in, is the oracle."""
    for name, syntax in [
        ("JPEGLSNearLossless_08.dcm", JPEGLSNearLossless),
        ("JPEGLSNearLossless_16.dcm", JPEGLSNearLossless),
        ("JPEG2000.dcm", JPEG2000),
        ("SC_rgb_jpeg_dcmtk.dcm", JPEGBaseline8Bit),
        ("SC_rgb_rle_16bit_2frame.dcm", RLELossless),
    ]:
        ds = dcmread(str(get_testdata_file(name, download=False)))
        assert ds.file_meta.TransferSyntaxUID == syntax
        expected = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns, ds.SamplesPerPixel)
        with open(str(ds.filename), "rb") as stream:
            for image, frame in zip(read_dicom_frames(stream), expected, strict=True):
                np.testing.assert_array_equal(image.array, np.moveaxis(frame, 2, 0))


def test_planar_colour(make_dicom: MakeDicom) -> None:
    array = colour()
    planes = np.moveaxis(array, 2, 0).tobytes()
    data = make_dicom(array, colour=True, PlanarConfiguration=1, data=planes)
    np.testing.assert_array_equal(read(data), np.moveaxis(array, 2, 0))


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
def test_compressed_colour_is_the_same_whatever_is_said_of_its_planes(
    make_dicom: MakeDicom, syntax: str
) -> None:
    array = np.tile(colour(), (6, 5, 1))
    header = pydicom.dcmread(io.BytesIO(make_dicom(array, colour=True, syntax=syntax)))
    for planar in (0, 1):
        header.PlanarConfiguration = planar
        stream = io.BytesIO()
        header.save_as(stream)
        np.testing.assert_array_equal(read(stream.getvalue()), np.moveaxis(array, 2, 0))


def test_ybr_becomes_rgb(make_dicom: MakeDicom) -> None:
    array = colour()
    expected = np.moveaxis(convert_color_space(array, "YBR_FULL", "RGB"), 2, 0)
    data = make_dicom(array, colour=True, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_array_equal(read(data), expected)


def test_subsampled_ybr_becomes_rgb(make_dicom: MakeDicom) -> None:
    array = colour()
    array[:, 1::2, 1:] = array[:, ::2, 1:]
    pairs = np.stack([array[:, ::2, 0], array[:, 1::2, 0], array[:, ::2, 1], array[:, ::2, 2]], 2)
    data = make_dicom(
        array, colour=True, PhotometricInterpretation="YBR_FULL_422", data=pairs.tobytes()
    )
    expected = np.moveaxis(convert_color_space(array, "YBR_FULL", "RGB"), 2, 0)
    np.testing.assert_array_equal(read(data), expected)


def test_colour_that_is_grey_becomes_one_channel(make_dicom: MakeDicom) -> None:
    array = grey("uint8")
    got = read(make_dicom(np.stack([array] * 3, axis=2), colour=True))
    np.testing.assert_array_equal(got, array[None])


def test_palette(make_dicom: MakeDicom) -> None:
    tables = np.random.default_rng(2).integers(0, 65536, (3, 256), np.uint16)
    palette = {}
    for name, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    array = grey("uint8")
    data = make_dicom(array, PhotometricInterpretation="PALETTE COLOR", **palette)
    np.testing.assert_array_equal(read(data), tables[:, array])


def test_one_bit(make_dicom: MakeDicom) -> None:
    """DICOM PS3.5 8.1.1: the first pixel is the lowest bit."""
    bits = np.random.default_rng(3).integers(0, 2, (3, 4, 6), np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    data = make_dicom(bits, BitsAllocated=1, BitsStored=1, HighBit=0, data=packed)
    for image, frame in zip(read_dicom_frames(io.BytesIO(data)), bits, strict=True):
        np.testing.assert_array_equal(image.array[0], frame)


@pytest.mark.parametrize(
    ("said", "modality"),
    [("US", "ultrasound"), ("MG", "mammography"), ("MR", "mri"), ("SM", "histopathology"),
     ("OT", "unknown")],
)  # fmt: skip
def test_modality(make_dicom: MakeDicom, said: str, modality: str) -> None:
    image = read_dicom(io.BytesIO(make_dicom(grey("uint8"), Modality=said)), "scan")
    assert (image.modality, image.source, image.frame) == (modality, "scan", None)


def test_no_preamble(make_dicom: MakeDicom) -> None:
    array = grey("uint16")
    ds = dcmread(io.BytesIO(make_dicom(array)))
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        bare = Dataset()
        bare.update(ds)
        buffer = io.BytesIO()
        implicit = syntax == ImplicitVRLittleEndian
        bare.save_as(buffer, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        assert b"DICM" not in buffer.getvalue()
        np.testing.assert_array_equal(read(buffer.getvalue())[0], array)


class Counting(io.BytesIO):
    """A stream that knows how much was read from it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_frames_are_read_when_asked_for(make_dicom: MakeDicom, syntax: str) -> None:
    frames = np.random.default_rng(4).integers(0, 256, (50, 64, 64), np.uint8)
    stream = Counting(make_dicom(frames, syntax=syntax))
    images = read_dicom_frames(stream)
    stream.count = 0
    first = next(images)
    assert stream.count < 4 * 64 * 64
    np.testing.assert_array_equal(first.array[0], frames[0])
    stream.count = 0
    second = next(images)
    assert stream.count < 2 * 64 * 64
    np.testing.assert_array_equal(second.array[0], frames[1])
    assert [image.frame for image in images] == list(range(2, 50))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_one_frame_of_many(
    make_dicom: MakeDicom, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.stack([grey("uint8")] * 4) + np.arange(4, dtype=np.uint8)[:, None, None]
    data = make_dicom(frames, syntax=syntax)
    decoded = []
    decode = dicom_pixels._decode
    monkeypatch.setattr(
        dicom_pixels, "_decode", lambda *given: decoded.append(given) or decode(*given)
    )
    image = read_dicom(io.BytesIO(data), frame=2)
    np.testing.assert_array_equal(image.array[0], frames[2])
    assert image.frame == 2
    assert len(decoded) == 1
    with pytest.raises(InputError, match="frames 0 to 3"):
        read_dicom(io.BytesIO(data), frame=4)
    with pytest.raises(InputError, match="frame -1"):
        read_dicom(io.BytesIO(data), frame=-1)


def test_a_missing_frame_costs_only_itself(make_dicom: MakeDicom) -> None:
    frames = np.stack([grey("uint8")] * 3)
    data = make_dicom(frames, syntax=RLELossless)
    ds = dcmread(io.BytesIO(data))
    ds.NumberOfFrames = 4
    buffer = io.BytesIO()
    ds.save_as(buffer)
    images = read_dicom_frames(buffer)
    assert [next(images).frame for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UnreadableError, match="frame 4 of 4 is missing"):
        next(images)


def test_other_transfer_syntaxes_are_refused(make_dicom: MakeDicom) -> None:
    array = grey("uint8")
    with pytest.raises(UnsupportedError, match="MPEG-4"):
        read(make_dicom(array, syntax="1.2.840.10008.1.2.4.102", encoded=[b"video"]))
    with pytest.raises(UnsupportedError, match=r"1\.2\.3\.4\.5"):
        read(make_dicom(array).replace(b"1.2.840.10008.1.2.1\0", b"1.2.3.4.5".ljust(20, b"\0")))
    with pytest.raises(UnsupportedError, match="deflated"):
        read(make_dicom(array, syntax="1.2.840.10008.1.2.1.99"))


def test_twelve_bit_jpeg_is_refused() -> None:
    path = get_testdata_file("JPGExtended.dcm", download=False)
    with open(str(path), "rb") as stream, pytest.raises(UnsupportedError, match="12 bits"):
        read_dicom(stream)


def test_a_decoder_that_is_not_installed(
    make_dicom: MakeDicom, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_dicom(grey("uint8"), syntax=JPEGLSLossless)
    monkeypatch.setitem(dicom_pixels.DECODERS, str(JPEGLSLossless), "gone")
    with pytest.raises(UnsupportedError, match=r"needs the decoder gone.*pip install gone"):
        read(data)


@pytest.mark.parametrize("name", ["test-SR.dcm", "rtplan.dcm", "waveform_ecg.dcm"])
def test_objects_without_a_picture_are_refused(name: str) -> None:
    path = get_testdata_file(name, download=False)
    with open(str(path), "rb") as stream, pytest.raises(UnreadableError, match="no image"):
        read_dicom(stream)


def test_slides_are_refused(make_dicom: MakeDicom) -> None:
    with pytest.raises(UnsupportedError, match="whole-slide"):
        read(make_dicom(colour(), colour=True, Modality="SM", TotalPixelMatrixColumns=4000))


def test_a_frame_of_another_size_is_refused_before_it_is_decoded(make_dicom: MakeDicom) -> None:
    """A codestream that claims 60000 x 60000 pixels would else claim the memory for them."""
    for syntax in (JPEG2000Lossless, JPEGLSLossless):
        data = make_dicom(grey("uint8"), syntax=syntax)
        if syntax == JPEG2000Lossless:
            start = data.index(b"\xff\x4f\xff\x51") + 8
            data = data[:start] + (60000).to_bytes(4, "big") * 2 + data[start + 8 :]
        else:
            start = data.index(b"\xff\xf7") + 5
            data = data[:start] + (60000).to_bytes(2, "big") * 2 + data[start + 4 :]
        with pytest.raises(UnreadableError, match="60000 x 60000 pixels"):
            read(data)


def test_the_region_of_tissue_on_an_ultrasound_screen_comes_along(make_dicom: MakeDicom) -> None:
    region = Dataset()
    region.RegionSpatialFormat = region.RegionDataType = 1
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 4, 2
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 33, 21
    data = make_dicom(grey("uint8"), Modality="US", SequenceOfUltrasoundRegions=[region])
    assert read_dicom(io.BytesIO(data)).scan == Box.of(2, 4, 22, 34)
    assert read_dicom(io.BytesIO(make_dicom(grey("uint8")))).scan is None


@pytest.mark.parametrize(("keyword", "dtype"), [("Float", np.float32), ("DoubleFloat", np.float64)])
def test_values_of_a_floating_point_kind(make_dicom: MakeDicom, keyword: str, dtype: type) -> None:
    """They state no bits stored, PS3.3 C.7.6.24."""
    values = np.linspace(-1, 1, 48).reshape(6, 8).astype(dtype)
    header = dcmread(io.BytesIO(make_dicom(np.zeros((6, 8), np.uint16))))
    for gone in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        del header[gone]
    setattr(header, f"{keyword}PixelData", values.tobytes())
    header.BitsAllocated = 8 * values.itemsize
    stream = io.BytesIO()
    header.save_as(stream)
    assert np.allclose(read_dicom(stream).array[0], values)
