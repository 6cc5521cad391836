"""What a JPEG, JPEG-LS or JPEG 2000 codestream says of itself, and whether all of it is there.

Decoders fill what is missing at the end with grey and say nothing, where an end marker stands after
it. So a codestream is looked at before its pixels are believed.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_JPEG_2000_START = b"\xff\x4f\xff\x51"  # SOC and SIZ, ISO/IEC 15444-1 A.4
_JPEG_2000_BOX = b"\0\0\0\x0cjP  "
STARTS = (b"\xff\xd8\xff", _JPEG_2000_START, _JPEG_2000_BOX)
"""How a codestream begins, or one that is wrongly wrapped in the boxes of a JPEG 2000 file."""

_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # ISO/IEC 10918-1 B.1.1.3
_BY_LIBJPEG = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive, Huffman coded
_PROGRESSIVE = 0xC2
_SCAN, _END = 0xDA, 0xD9
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # a marker that ends coded data, B.1.1.5
_SURPLUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_PADDING_BYTES = 8
_TABLES = 0xC4
_FILLED = re.compile(rb"([^\xff])\1{11,}", re.DOTALL)
"""96 bits: some twenty coefficients alike, which no scan has."""


@dataclass(frozen=True)
class Codestream:
    """What its own header declares.

    Attributes:
        rows: height in pixels.
        columns: width in pixels.
        precision: bits a sample.
    """

    rows: int
    columns: int
    precision: int


def read_codestream(data: bytes) -> Codestream | None:
    """The size and depth that a codestream declares; None where it has no header."""
    if data[:2] == _JPEG_START:
        at = _jpeg_frame_header(data)
        if at is None:
            return None
        precision, rows, columns = struct.unpack_from(">BHH", data, at + 4)
        return Codestream(rows, columns, precision)
    start = data.find(_JPEG_2000_START)
    if start < 0 or len(data) < start + 43:
        return None
    right, bottom, left, top = struct.unpack_from(">4L", data, start + 8)
    return Codestream(bottom - top, right - left, (data[start + 42] & 0x7F) + 1)


def jpeg_damage(data: bytes) -> str:
    """Why the coded data of a JPEG image are not whole, as libjpeg-turbo sees it; else empty.

    Lossless JPEG and JPEG-LS, which libjpeg-turbo does not decode, count as whole here.

    Args:
        data: a JPEG file or codestream.
    """
    at = _jpeg_frame_header(data)
    if data[:2] != _JPEG_START or at is None or data[at + 1] not in _BY_LIBJPEG:
        return ""
    if data[at + 1] == _PROGRESSIVE:  # its later scans add bits, and may well repeat a byte
        if not _has_all_scans(data, at):
            return "its last scans are missing"
    elif _has_hole(data):
        return "a part of its coded data is one byte over and over"
    return _complaint(data, "CMYK" if data[at + 9] == 4 else "GRAY")


def _has_hole(data: bytes) -> bool:
    """Whether coded data hold one byte over and over that is no constant part of the image.

    A disk or a network fills what it has lost with one byte. The code of an image repeats itself
    only where the image does, as in its black parts; there it repeats the code of "no difference"
    and "end of block" (ISO/IEC 10918-1 F.1.2), which need not be a byte long.
    """
    header = _Header.of(data)
    for match in _FILLED.finditer(data, header.scan, max(header.scan, data.rfind(_JPEG_END))):
        bits = f"{match[1][0]:08b}"
        if not header.constant or bits * len(header.constant) not in header.constant * 16:
            return True
    return False


@dataclass(frozen=True)
class _Header:
    """What precedes the first coded data of a sequential JPEG image.

    Attributes:
        scan: where the header of the first scan stands.
        constant: bits of a unit of the image that repeats the one before it; empty if unknown.
    """

    scan: int
    constant: str

    @classmethod
    def of(cls, data: bytes) -> _Header:
        same: dict[int, str] = {}
        """By class and number of a table, the code of its symbol 0."""
        blocks: dict[int, int] = {}
        """By component, how many of its blocks stand in a unit."""
        at = 2
        while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
            if data[at + 1] == 0xFF:
                at += 1
                continue
            end = at + 2 + int(struct.unpack_from(">H", data, at + 2)[0])
            if data[at + 1] == _TABLES:
                same |= _codes_of_zero(data[at + 4 : end])
            elif data[at + 1] in _FRAME_HEADERS:
                parts = [data[n : n + 2] for n in range(at + 10, end - 2, 3)]
                blocks = {part[0]: (part[1] >> 4) * (part[1] & 15) for part in parts}
            at = end
        count = data[at + 4] if at + 4 < len(data) else 0
        unit = ""
        for n in range(at + 5, min(at + 5 + 2 * count, len(data) - 1), 2):
            once = same.get(data[n + 1] >> 4, "") + same.get(16 + (data[n + 1] & 15), "")
            unit += once * (blocks.get(data[n], 1) if count > 1 else 1)
        return cls(at, unit)


def _codes_of_zero(tables: bytes) -> dict[int, str]:
    """The code of symbol 0 in each Huffman table, by its class and number; C.2, empty if none."""
    found, at = {}, 0
    while at + 17 <= len(tables):
        counts = tables[at + 1 : at + 17]
        symbols = tables[at + 17 : at + 17 + sum(counts)]
        code, number, text = 0, 0, ""
        for length, count in enumerate(counts, start=1):
            for _ in range(count):
                if number < len(symbols) and symbols[number] == 0:
                    text = f"{code:0{length}b}"
                code, number = code + 1, number + 1
            code <<= 1
        found[tables[at]] = text
        at += 17 + sum(counts)
    return found


def _complaint(data: bytes, colours: str) -> str:
    """The decoder's own warning."""
    from simplejpeg import decode_jpeg  # type: ignore[import-untyped, unused-ignore]

    try:
        decode_jpeg(data, colours, strict=True)
    except ValueError as error:
        said = str(error)
        surplus = _SURPLUS.search(said)
        if surplus and int(surplus[1]) <= _PADDING_BYTES:
            return ""
        # all else is a kind of JPEG that it does not know, not damage
        if said.startswith(("Corrupt JPEG data", "Premature end")):
            return said.removeprefix("Corrupt JPEG data: ")
    return ""


def _jpeg_frame_header(data: bytes) -> int | None:
    """Where the marker of the frame header stands."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:  # a fill byte
            at += 1
        elif data[at + 1] in _FRAME_HEADERS:
            return at
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None


def _has_all_scans(data: bytes, at: int) -> bool:
    """Whether a progressive image has each coefficient of each component to its last bit.

    ISO/IEC 10918-1 G.1.1.1.1; a file that is cut between two scans decodes without a complaint.
    """
    components = {data[at + 10 + 3 * n] for n in range(data[at + 9]) if at + 10 + 3 * n < len(data)}
    missing = {(component, k) for component in components for k in range(64)}
    while at + 4 <= len(data) and data[at + 1] != _END:
        if data[at] != 0xFF:
            return False
        if data[at + 1] == 0xFF:
            at += 1
            continue
        length = int(struct.unpack_from(">H", data, at + 2)[0])
        is_scan = data[at + 1] == _SCAN
        if is_scan and at + 8 + 2 * data[at + 4] <= len(data):
            count = data[at + 4]
            first, last, bits = data[at + 5 + 2 * count : at + 8 + 2 * count]
            if bits & 0x0F == 0:
                named = [data[at + 5 + 2 * n] for n in range(count)]
                missing -= {(c, k) for c in named for k in range(first, last + 1)}
        at += 2 + length
        if is_scan:
            following = _AFTER_SCAN.search(data, at)
            at = following.start() if following else len(data)
    return not missing
