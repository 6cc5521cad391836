"""Damage to files: one number makes the damage, so that any case can be had again."""

from __future__ import annotations

import random

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


def damaged(data: bytes, header: int, seed: int) -> tuple[bytes, bool]:
    """Damage a file.

    Args:
        data: the whole file.
        header: its length; behind it lie pixels or cells.
        seed: the same gives the same damage.

    Returns:
        The damaged file and whether its header is as it was, which is so in three of five.
    """
    rng = random.Random(seed)
    behind = rng.random() < 0.6 and header < len(data)
    first, last = (header, len(data)) if behind else (0, max(1, min(header, len(data))))
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
    return bytes(out), behind
