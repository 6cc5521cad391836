"""What an image of DICOM is called in a list, so that it can be told apart without naming anybody.

Numbers, DICOM's terms and the view are taken. Descriptions are free text, in which names stand.
"""

from __future__ import annotations

import re

from breastseg.core.image import Image

_NUMBER = re.compile(r"\d{1,12}")
_TERM = re.compile(r"[A-Z]{2,16}")


def number_of(image: Image) -> str:
    """Its series and place there, such as ``series 3, image 12``; empty where neither is stated."""
    tags = {} if image.reference is None else image.reference.tags
    stated = [("series", "SeriesNumber")]
    if image.grid.ndim == 2:
        stated.append(("image", "InstanceNumber"))
    parts = [f"{noun} {tags[tag]}" for noun, tag in stated if _NUMBER.fullmatch(tags.get(tag, ""))]
    return ", ".join(parts)


def title_of(image: Image, otherwise: str) -> str:
    """A name for what has none, such as ``MG R CC, series 3, image 12``.

    Args:
        image: as it was read.
        otherwise: is added where the file states no number, such as the place in an answer.
    """
    tags = {} if image.reference is None else image.reference.tags
    modality = tags.get("Modality", "")
    known = [modality if _TERM.fullmatch(modality) else "", image.view]
    said = " ".join(part for part in known if part)
    return ", ".join(part for part in (said, number_of(image) or otherwise) if part)
