"""Lossless JPEG, encoded in the simplest way that ISO/IEC 10918-1 allows."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def encode(pixels: NDArray[np.unsignedinteger], bits: int) -> bytes:
    """One component, predictor 1 (the sample to the left), a code of five bits for each length.

    Args:
        pixels: (rows, columns).
        bits: a sample.
    """
    rows, columns = pixels.shape
    values = pixels.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 2 ** (bits - 1)
    differences = (values - predicted + 2**15) % 2**16 - 2**15
    differences[differences == -(2**15)] = 2**15
    code = "".join(_code(int(difference)) for difference in differences.ravel())
    code += "1" * (-len(code) % 8)
    scan = int(code, 2).to_bytes(len(code) // 8, "big").replace(b"\xff", b"\xff\x00")
    lengths = bytes((0, 0, 0, 0, 17, *(0,) * 11))
    return b"".join(
        (
            b"\xff\xd8",
            b"\xff\xc3" + struct.pack(">HBHHB3B", 11, bits, rows, columns, 1, 1, 0x11, 0),
            b"\xff\xc4" + struct.pack(">HB", 36, 0) + lengths + bytes(range(17)),
            b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, 1, 0, 0),
            scan,
            b"\xff\xd9",
        )
    )


def _code(difference: int) -> str:
    """The length of a difference, and its bits; ISO/IEC 10918-1 H.1.2.2."""
    length = abs(difference).bit_length()
    if length in (0, 16):
        return f"{length:05b}"
    value = difference if difference > 0 else difference + 2**length - 1
    return f"{length:05b}{value:0{length}b}"
