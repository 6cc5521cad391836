"""Damage to files: one number makes the damage, so that any case can be had again.

In a text most damage of bytes ends the grammar, and a reader never comes to what is said. So most
damage of a text leaves the grammar: digits and letters become others, numbers become odd values.
"""

from __future__ import annotations

import random
import re

EXTREMES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"-1",
    b"1e9",
)
ODD_VALUES = (
    *(b"-1", b"0", b"0.5", b"1e308", b"1e999", b"NaN", b"99999999999"),
    *(b"null", b'""', b"true", b"[]", b"{}"),
)
_NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_ALIKE = (b"0123456789", b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def damaged(data: bytes, header: int, seed: int) -> tuple[bytes, bool]:
    """Damage a file.

    Args:
        data: the whole file.
        header: its length; behind it lie pixels or cells.
        seed: the same gives the same damage.

    Returns:
        The damaged file, which is never the whole one, and whether its header is as it was, which
        is so in three of five.
    """
    rng = random.Random(seed)
    behind = rng.random() < 0.6 and header < len(data)
    first, last = (header, len(data)) if behind else (0, max(1, min(header, len(data))))
    out = data
    while out == data:
        change = _other_words if data.isascii() and rng.random() < 0.6 else _other_bytes
        out = change(data, first, last, rng)
    return out, behind


def _other_words(data: bytes, first: int, last: int, rng: random.Random) -> bytes:
    """A text with a number replaced, or some digits and letters, in a part of it."""
    numbers = [match.span() for match in _NUMBER.finditer(data, first, last)]
    if numbers and rng.random() < 0.4:
        start, end = rng.choice(numbers)
        return data[:start] + rng.choice(ODD_VALUES) + data[end:]
    out = bytearray(data)
    places = [at for at in range(first, last) if data[at : at + 1].isalnum()]
    for at in rng.sample(places, min(len(places), rng.choice((1, 1, 2, 8)))):
        alike = next(kind for kind in _ALIKE if data[at] in kind)
        out[at] = rng.choice(alike.replace(data[at : at + 1], b""))
    return bytes(out)


def _other_bytes(data: bytes, first: int, last: int, rng: random.Random) -> bytes:
    """A file with bits turned, or bytes overwritten, taken, put in or repeated, in a part of it."""
    kind = rng.choice(("flip", "flip", "extreme", "cut", "remove", "insert", "zero", "repeat"))
    out = bytearray(data)
    at = rng.randrange(first, last)
    length = rng.choice((1, 2, 4, 16, 200))
    if kind == "flip":
        for _ in range(rng.choice((1, 1, 2, 8, 40))):
            out[rng.randrange(first, last)] ^= 1 << rng.randrange(8)
    elif kind == "extreme":
        value = rng.choice(EXTREMES)
        out[at : at + len(value)] = value
    elif kind == "cut":
        del out[at:]
        if rng.random() < 0.5:
            out += data[-2:]  # the end marker stays
    elif kind == "remove":
        del out[at : at + length]
    elif kind == "insert":
        out[at:at] = rng.randbytes(length)
    elif kind == "zero":
        out[at : at + length] = bytes(min(length, len(out) - at))
    else:
        out[at:at] = out[at : at + length] * rng.choice((1, 3, 50))
    return bytes(out)
