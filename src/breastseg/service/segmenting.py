"""From a request to a result: the same steps whether it is answered at once or by a job."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.segmenter import Segmenter
from breastseg.inference.open import check_margin
from breastseg.inference.options import MethodOptions
from breastseg.measure.finding import findings
from breastseg.results.entry import success
from breastseg.results.remarks import marked
from breastseg.results.schema import Document, Entry, Files, SegmenterRecord
from breastseg.service.methods import Described, Methods
from breastseg.service.pictures import Held, Pictures
from breastseg.service.wire import SegmentationRequest

Advance = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a request.

    Attributes:
        document: as ``results.json`` has it.
        probability: (rows, columns), or with an axis of frames or slices before; float32.
        mask: the same shape, uint8 labels.
    """

    document: Document
    probability: NDArray[np.float32]
    mask: NDArray[np.uint8]


def identity(
    request: SegmentationRequest, spacing_mm: tuple[float, ...] | None, method: Described
) -> str:
    """The name of a result: one for all requests that must have the same answer.

    Args:
        request: whose scan is named by its content.
        spacing_mm: (row, column) as a person has stated it.
        method: as it is now: with another operating point it gives another result.
    """
    whole = [__version__, method.description_digest, spacing_mm, request.model_dump(mode="json")]
    text = json.dumps(whole, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_instant(request: SegmentationRequest, held: Held, methods: Methods) -> bool:
    """Whether it is answered at once: one image, by a method for images.

    Raises:
        InputError: the method is not one for what is asked for.
    """
    dimensions = methods.one(request.method).info.dimensions
    whole_volume = held.kind == "volume" and request.frame is None
    if dimensions == 3 and not whole_volume:
        raise InputError(f"{request.method!r} is a method for volumes", "a whole volume")
    if dimensions == 2 and whole_volume:
        raise InputError(f"{request.method!r} is a method for images", "a slice of the volume")
    if whole_volume and request.prompt is not None:
        raise InputError("a prompt for a whole volume", "none, or a prompt for one slice of it")
    if whole_volume and request.phase:
        raise InputError(f"phase {request.phase} of a whole volume", "all phases, which is phase 0")
    return dimensions == 2 and (held.frames == 1 or request.frame is not None)


def check_method(request: SegmentationRequest, methods: Methods) -> None:
    """Refuse what the method does not take, before a job is begun for it.

    A network for volumes, which takes neither parameters nor margins, is loaded by the job alone.

    Raises:
        BreastsegError: a parameter, margin or prompt that the method does not have.
    """
    for_images = methods.one(request.method).info.dimensions == 2
    if for_images or request.parameters or request.margin is not None:
        _check_margin(request, _opened(request, methods))
    _prompt(request)


def segmented(
    request: SegmentationRequest,
    held: Held,
    pictures: Pictures,
    methods: Methods,
    spacing_mm: tuple[float, ...] | None = None,
    advance: Advance = lambda _fraction: None,
) -> Outcome:
    """Segment what is asked for.

    Args:
        request: what and how.
        held: the image.
        pictures: reads it.
        methods: opens the method.
        spacing_mm: (row, column) as a person has stated it.
        advance: is told the fraction that is done.

    Raises:
        BreastsegError: as the method, or a request that does not fit the image.
    """
    segmenter = _opened(request, methods)
    _check_margin(request, segmenter)
    if segmenter.dimensions == 3:
        return _volume(segmenter, marked(pictures.image(held), segmenter))
    prompt = _prompt(request)
    if request.frame is None and held.frames > 1:
        frames = []
        for frame in range(held.frames):
            image = marked(pictures.image(held, frame, spacing_mm), segmenter, prompt)
            frames.append(_outcome(image, segmenter.segment(image, prompt), request.margin))
            advance((frame + 1) / held.frames)
        return _stacked(frames)
    found = pictures.image(held, request.frame, spacing_mm, request.phase)
    image = marked(found, segmenter, prompt)
    return _outcome(image, segmenter.segment(image, prompt), request.margin)


def _check_margin(request: SegmentationRequest, segmenter: Segmenter) -> None:
    """Refuse a margin that does not hold for what is asked for."""
    if request.margin is None:
        return
    if request.prompt is not None or request.screenshot:
        raise InputError(
            "a margin with a prompt, or for a screenshot",
            "whole images, which margins were calibrated on",
        )
    check_margin(segmenter, request.margin)


def _opened(request: SegmentationRequest, methods: Methods) -> Segmenter:
    options = MethodOptions(request.preset, request.threshold, force=request.force)
    segmenter = methods.open(request.method, request.parameters, options)
    if not request.screenshot:
        return segmenter
    from breastseg.inference.screen import WithinScan

    return WithinScan(segmenter)


def _volume(segmenter: Segmenter, image: Image) -> Outcome:
    from breastseg.inference.study import segment_study

    return _outcome(image, segment_study(segmenter, image))


def _outcome(image: Image, prediction: Prediction, margin: float | None = None) -> Outcome:
    entry = success(image.source, image, prediction, findings(prediction, image, margin), Files())
    return Outcome(
        _document((entry,), prediction),
        prediction.probability,
        np.asarray(prediction.mask().labels, np.uint8),
    )


def _document(entries: tuple[Entry, ...], prediction: Prediction) -> Document:
    return Document(
        complete=True,
        options={},
        provenance=SegmenterRecord.of(prediction.provenance),
        entries=entries,
    )


def _stacked(frames: list[Outcome]) -> Outcome:
    first = frames[0].document
    document = Document(
        complete=True,
        options={},
        provenance=first.provenance,
        entries=tuple(entry for frame in frames for entry in frame.document.entries),
    )
    return Outcome(
        document,
        np.stack([frame.probability for frame in frames]),
        np.stack([frame.mask for frame in frames]),
    )


def _prompt(request: SegmentationRequest) -> Prompt | None:
    asked = request.prompt
    if asked is None:
        return None
    box = None if asked.box is None else Box.of(*asked.box)
    scribble = None if asked.scribble is None else labels_of_png(_decoded(asked.scribble))
    return Prompt(box, asked.inside, asked.outside, scribble)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("a scribble that is no base64", "base64 of a grey PNG") from None


def labels_of_png(data: bytes) -> NDArray[np.uint8]:
    """The grey levels of a PNG as labels.

    Returns:
        (rows, columns) uint8.

    Raises:
        BreastsegError: no PNG, or not 8 bits of grey.
    """
    from breastseg.io.raster import read_raster

    if not data.startswith(b"\x89PNG"):
        raise InputError("a drawn mask that is no PNG", "a grey PNG of 8 bits")
    array = read_raster(io.BytesIO(data), "the drawn mask").array
    if array.dtype not in (np.uint8, np.bool_) or len(array) != 1:
        raise InputError(
            f"a drawn mask of {len(array)} channels of {array.dtype}", "a grey PNG of 8 bits"
        )
    return np.asarray(array[0], np.uint8)
