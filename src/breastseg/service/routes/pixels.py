"""``/api/scans/.../pixels`` and ``display.png``: what a viewer shows."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Response
from numpy.typing import NDArray

from breastseg.core.image import Image
from breastseg.service import asked
from breastseg.service.caller import CallerOf
from breastseg.service.encoded import png_response, raw_response
from breastseg.service.service import Service, ServiceOf
from breastseg.service.wire import Id, Index

router = APIRouter(tags=["pixels"])

_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}

Frame = Annotated[
    Index | None,
    Query(description="of a cine loop or slice of a volume; a whole volume where there is none"),
]


@router.get(
    "/scans/{scan}/images/{image}/pixels",
    response_class=Response,
    responses={200: {"content": _BINARY, "description": "little-endian, rows first"}},
)
def get_pixels(
    scan: Id,
    image: Index,
    service: ServiceOf,
    _caller: CallerOf,
    frame: Frame = None,
    phase: Annotated[int, Query(ge=0, lt=1000)] = 0,
) -> Response:
    """The grey values as they are segmented, unscaled.

    The headers ``X-Dtype``, ``X-Shape`` (rows, columns; slices first for a whole volume) and
    ``X-Spacing-Mm`` (empty where it is not known) say what the bytes are.
    """
    found = _read(service, scan, image, frame, phase)
    return raw_response(_grey(found), found.grid.spacing_mm)


@router.get(
    "/scans/{scan}/images/{image}/display.png",
    response_class=Response,
    responses={200: {"content": _PNG, "description": "8 bits of grey or colour"}},
)
def get_display(
    scan: Id,
    image: Index,
    service: ServiceOf,
    _caller: CallerOf,
    frame: Index = 0,
    phase: Annotated[int, Query(ge=0, lt=1000)] = 0,
    low: Annotated[float | None, Query(description="shown black; the image's own")] = None,
    high: Annotated[float | None, Query(description="shown white; the image's own")] = None,
) -> Response:
    """An image, frame or slice as a picture of 8 bits."""
    found = _read(service, scan, image, frame, phase)
    with service.store.session() as session:
        held = asked.image(session, scan, image).held
    if found.array.dtype == np.uint8 and low is None and high is None:
        return png_response(found.array)
    black = held.low if low is None else low
    white = held.high if high is None else high
    return png_response(_windowed(found.array, black, white))


def _read(service: Service, scan: str, index: int, frame: int | None, phase: int) -> Image:
    with service.store.session() as session:
        found = asked.image(session, scan, index)
    held = found.held
    alone = held.frames == 1 and held.kind == "image"
    first = frame if not alone and (held.kind == "volume" or frame is not None) else frame or 0
    return service.pictures.image(held, first, found.stated_mm, phase)


def _grey(image: Image) -> NDArray[np.generic]:
    """One channel in the file's own type; of colour the luminance that methods see."""
    return image.grey() if image.array.shape[0] == 3 else image.array[0]


def _windowed(array: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    values = np.nan_to_num(array.astype(np.float64), nan=low, posinf=high, neginf=low)
    scale = 255 / (high - low) if high > low else 0.0
    return np.rint(np.clip((values - low) * scale, 0, 255)).astype(np.uint8)
