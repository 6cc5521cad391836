"""A process that decodes lossless JPEG frames with gdcm; run by `breastseg.io.jpeg_lossless`.

It reads the frame's description from its arguments and frames from standard input, and writes
decoded bytes to standard output, each with its length in front (8 bytes, big endian). It imports
nothing of this package, so that it starts quickly.
"""

from __future__ import annotations

import sys

# gdcm comes without type information.
import gdcm  # type: ignore[import-untyped, unused-ignore]


def decode(frame: bytes, syntax: str, photometric: str, numbers: list[int]) -> bytes:
    """Decode one frame.

    Args:
        frame: the codestream.
        syntax: transfer syntax UID.
        photometric: photometric interpretation.
        numbers: columns, rows, samples, bits allocated, pixel representation.

    Returns:
        The samples, little endian, colour by pixel; empty where it cannot be decoded.
    """
    columns, rows, samples, allocated, signed = numbers
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    colours = gdcm.PhotometricInterpretation
    image.SetPhotometricInterpretation(colours(colours.GetPIType(photometric)))
    image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    # told of fewer bits it would cut the values itself
    image.SetPixelFormat(gdcm.PixelFormat(samples, allocated, allocated, allocated - 1, signed))
    text = image.GetBuffer()  # C bytes as text, or nothing
    return text.encode("utf-8", "surrogateescape") if text else b""


_END = b"\xff\xd9"
_MORE = bytes(range(1, 255))  # coded data without a marker


def decode_whole(frame: bytes, syntax: str, photometric: str, numbers: list[int]) -> bytes:
    """The same; empty also where the coded data end before the last pixel.

    The decoder fills up what is missing and says nothing, if an end marker stands there. So it
    decodes once more with further data before that marker: only pixels that are missing take
    them.
    """
    data = decode(frame, syntax, photometric, numbers)
    coded, end, rest = frame.rpartition(_END)
    if data and end and decode(coded + _MORE + end + rest, syntax, photometric, numbers) != data:
        return b""
    return data


def main() -> None:
    """Decode frames until standard input ends."""
    syntax, photometric, *numbers = sys.argv[1:]
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while length := given.read(8):
        frame = given.read(int.from_bytes(length, "big"))
        data = decode_whole(frame, syntax, photometric, [int(number) for number in numbers])
        answers.write(len(data).to_bytes(8, "big") + data)
        answers.flush()


if __name__ == "__main__":
    main()
