"""Which mask belongs to which image, by the names of their files.

The mask of ``scan.png`` is ``scan.png`` in a folder of masks, or, in any letters, ``scan_mask``,
``scan-seg``, ``mask_scan`` and the like; ``scan_mask_1`` and ``scan_mask_2`` are further lesions.
An image may say what it is as well: ``img_7`` has ``mask_7``, ``7_image`` has ``7_mask``.
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
_BEFORE = re.compile(rf"(?:{_WORDS})(?:[_\-. ]|(?=\d))(?P<stem>.+)", re.IGNORECASE)
_FLAT = re.compile(r"(?P<stem>.+?)[_\-. ](?:masks?|seg|segmentation|gt)(?:[_\-. ]?\d{1,3})?", re.I)
_PICTURE = re.compile(r"(?P<stem>.+?)[_\-. ](?:image|img|0000)", re.IGNORECASE)
_PICTURE_BEFORE = re.compile(r"(?:image|img)(?:[_\-. ]|(?=\d))(?P<stem>.+)", re.IGNORECASE)


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
    plain = _plain(images)
    for stem, path in masks.items():
        if stem in found:
            continue
        named = {_match(_AFTER, stem), _match(_BEFORE, stem), stem} - {""}
        owners = {plain[name] for name in named if name in plain}
        owner = owners.pop() if len(owners) == 1 else ""
        if not owner or owner in found:
            stray.append(stem)
        else:
            others[owner] = (*others.get(owner, ()), path)
    return Pairs(images, {**found, **others}, tuple(stray))


def _plain(images: Mapping[str, Path]) -> dict[str, str]:
    """The images by their stems, and by what these say beside that they are images.

    A name that two images would have is none, unless it is the stem of one.
    """
    found: dict[str, str] = {}
    twice = set()
    for stem in images:
        name = _match(_PICTURE, stem) or _match(_PICTURE_BEFORE, stem)
        if name and found.setdefault(name, stem) != stem:
            twice.add(name)
    return {name: stem for name, stem in found.items() if name not in twice} | {
        stem: stem for stem in images
    }


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
