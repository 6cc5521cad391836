"""Arrays as the bodies of answers."""

from __future__ import annotations

import io

import numpy as np
from fastapi import Response
from numpy.typing import NDArray

_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""For what is named by its content: it never changes."""


def raw_response(array: NDArray[np.generic], spacing_mm: tuple[float, ...] | None) -> Response:
    """The array's bytes, little-endian, rows first, with what they are in the headers."""
    stored = np.asarray(array, np.uint8) if array.dtype == np.bool_ else array
    little = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<"))
    headers = {
        "X-Dtype": stored.dtype.name,
        "X-Shape": ",".join(map(str, stored.shape)),
        "X-Spacing-Mm": ",".join(map(repr, spacing_mm or ())),
        "Cache-Control": "private, no-cache",
    }
    return Response(little.tobytes(), media_type="application/octet-stream", headers=headers)


def png_response(array: NDArray[np.generic]) -> Response:
    """(rows, columns), or (1 or 3, rows, columns), of uint8 or uint16 as a PNG."""
    return Response(png_bytes(array), media_type="image/png", headers=_FOREVER)


def png_bytes(array: NDArray[np.generic]) -> bytes:
    """The same as the bytes of a file."""
    from PIL import Image as Pillow

    flat = array[0] if array.ndim == 3 and len(array) == 1 else array
    pixels = np.moveaxis(flat, 0, 2) if flat.ndim == 3 else flat
    stream = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
