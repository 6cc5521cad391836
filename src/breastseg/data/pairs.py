"""Which mask belongs to which image, by the names of their files.

The mask of ``scan.png`` is ``scan.png`` in a folder of masks, or, in any letters, ``scan_mask``,
``scan-seg``, ``mask_scan`` and the like; ``scan_mask_1`` and ``scan_mask_2`` are further lesions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WORDS = (
    "masks?|segs?|segmentations?|labels?|gt|ground_?truth|annot|annotations?|lesions?|tumou?r|roi"
)
_AFTER = re.compile(rf"(?P<stem>.+?)[_\-. ](?:{_WORDS})(?:[_\-. ]?\d{{1,3}})?", re.IGNORECASE)
_BEFORE = re.compile(rf"(?:{_WORDS})[_\-. ](?P<stem>.+)", re.IGNORECASE)
_FLAT = re.compile(r"(?P<stem>.+?)[_\-. ](?:masks?|seg|segmentation|gt)(?:[_\-. ]?\d{1,3})?", re.I)
_PICTURE = re.compile(r"(?P<stem>.+?)[_\-. ](?:image|img|0000)", re.IGNORECASE)


@dataclass(frozen=True)
class Pairs:
    """Images and masks of a folder.

    Attributes:
        images: the images by stem.
        masks: their masks by the image's stem, where there are any.
        stray: the stems of masks that belong to no image.
    """

    images: Mapping[str, Path]
    masks: Mapping[str, tuple[Path, ...]]
    stray: tuple[str, ...]


def pair(images: Mapping[str, Path], masks: Mapping[str, Path]) -> Pairs:
    """Pair images with the masks of another folder.

    A mask of the image's own stem is its only one; without it all that are named after it count.

    Args:
        images: by stem.
        masks: by stem.
    """
    found = {stem: (masks[stem],) for stem in images.keys() & masks.keys()}
    others: dict[str, tuple[Path, ...]] = {}
    stray = []
    plain = {_match(_PICTURE, stem) or stem: stem for stem in images}
    for stem, path in masks.items():
        if stem in found:
            continue
        named = {_match(_AFTER, stem), _match(_BEFORE, stem), stem} - {""}
        owner = next((plain.get(name, name) for name in named if name in {*images, *plain}), "")
        if not owner or owner in found:
            stray.append(stem)
        else:
            others[owner] = (*others.get(owner, ()), path)
    return Pairs(images, {**found, **others}, tuple(stray))


def pair_flat(files: Mapping[str, Path]) -> Pairs:
    """Pair images with masks of the same folder, which are told by the ends of their names.

    Args:
        files: by stem.
    """
    masks = {stem: path for stem, path in files.items() if _match(_FLAT, stem)}
    images = {stem: path for stem, path in files.items() if stem not in masks}
    return pair(images, masks)


def _match(pattern: re.Pattern[str], stem: str) -> str:
    found = pattern.fullmatch(stem)
    return found["stem"] if found else ""
