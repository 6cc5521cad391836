"""Which files of a folder are images, and how many others lie there.

Folders as a hospital exports them hold reports, presentation states, indexes and text beside the
images. These are passed over and counted. What looks like an image by its content or its name and
cannot be read is not passed over: opening it says what is wrong.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import UnreadableError
from breastseg.io.foreign import FOREIGN_SUFFIXES
from breastseg.io.open import DICOM_SUFFIXES, SUFFIXES, is_dicom, is_image_head, is_text
from breastseg.io.source import opened
from breastseg.io.volume_header import HEAD_BYTES

_OUR_OUTPUTS = re.compile(r".*_(mask|seen|overlay|uncertainty)(_\d+)?", re.IGNORECASE)
_DICOM_INDEX = "dicomdir"
_CLASS_OF_FILE = re.compile(rb"\x02\x00\x02\x00UI..([0-9.]{1,64})", re.DOTALL)  # (0002,0002)
_CLASS = re.compile(rb"\x08\x00\x16\x00(?:UI..|..\x00\x00)([0-9.]{1,64})", re.DOTALL)  # (0008,0016)
_PREFIX = "1.2.840.10008."
_NO_IMAGES = (
    "1.3.10",  # the index of a medium
    "5.1.4.1.1.4.2",  # MR spectroscopy
    *("5.1.4.1.1.9.", "5.1.4.1.1.11.", "5.1.4.1.1.40"),  # waveforms, presentation states
    *("5.1.4.1.1.66", "5.1.4.1.1.67", "5.1.4.1.1.68"),  # raw data, segmentations, surfaces
    *("5.1.4.1.1.78.", "5.1.4.1.1.79.", "5.1.4.1.1.80."),  # of ophthalmology
    *("5.1.4.1.1.88.", "5.1.4.1.1.90."),  # reports, key objects, assessments
    "5.1.4.1.1.104.",  # encapsulated documents
    *(f"5.1.4.1.1.481.{number}" for number in (*range(3, 10), 10, 11)),  # plans and structures
    *("5.1.4.1.1.200.", "5.1.4.1.1.201."),
    *("5.1.4.38.", "5.1.4.39.", "5.1.4.43.", "5.1.4.44.", "5.1.4.45."),  # not of a patient
)
"""How the SOP classes without pixels of a scan begin after `_PREFIX`; DICOM PS3.4 B.5, PS3.6 A."""


@dataclass(frozen=True)
class Found:
    """What lies in a folder and in those below it.

    Attributes:
        images: files to be opened, sorted, and folders that cannot be listed.
        others: how many files were passed over; hidden ones do not count.
    """

    images: tuple[Path, ...]
    others: int


def find_images(paths: Sequence[Path]) -> list[Path]:
    """Expand folders to the images in them; see `search_folder`.

    Args:
        paths: files and folders; one that is no folder stays as it is.

    Returns:
        Each path once, in the order given and sorted within a folder. A folder that cannot be
        listed, or that holds no image, stands for itself: opening it says so.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = search_folder(path).images if path.is_dir() else ()
        found.update(dict.fromkeys(inside or [path]))
    return list(found)


def search_folder(folder: Path, leave_out: Path | None = None) -> Found:
    """Tell the images in a folder, and in all folders below it, from the other files.

    A file is an image where its content is of a kind that is read, or of one that is known and not
    read (see `breastseg.io.foreign`), or where it is called like one; so is a file without a suffix
    that is empty, cannot be opened or breaks off within a DICOM preamble. Left out are hidden
    files; DICOM objects without pixels of a scan, such as reports, presentation states,
    segmentations and the index of a medium; and what is called ``*_mask``, ``*_seen``,
    ``*_overlay`` or ``*_uncertainty``, with a number or without: outputs, not scans.

    Args:
        folder: an existing folder. Links that lead in a circle are followed once.
        leave_out: a folder below it that is not looked into, such as one for outputs.
    """
    images: list[Path] = []
    others = 0
    apart = frozenset() if leave_out is None else frozenset({os.path.realpath(leave_out)})
    for path in _walk(folder, apart - {os.path.realpath(folder)}):
        if path.is_dir() or _is_image(path):
            images.append(path)
        else:
            others += 1
    return Found(tuple(images), others)


def _walk(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """All files below a folder, but not of folders in `above`, which ends circular links."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, above | {here})
        else:
            yield entry


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    if name == _DICOM_INDEX:
        return False
    suffix = image_suffix(path.name)
    if suffix and suffix not in DICOM_SUFFIXES:
        return _OUR_OUTPUTS.fullmatch(path.name[: -len(suffix)]) is None
    # a number after the last dot belongs to an identifier
    named = bool(suffix) or not re.search("[a-z]", path.suffix.lower())
    try:
        with opened(path) as stream:
            head = stream.read(HEAD_BYTES)
    except (UnreadableError, OSError):
        return named
    if is_dicom(head):
        return not is_without_pixels(head)
    return bool(suffix) or is_image_head(head) or (named and _breaks_off(head))


def image_suffix(name: str) -> str:
    """How an image is called that is read or known, as ``.png`` or ``.gif``; else empty."""
    return next((end for end in (*SUFFIXES, *FOREIGN_SUFFIXES) if name.lower().endswith(end)), "")


def is_without_pixels(head: bytes) -> bool:
    """Whether this is the start of a DICOM object that holds no scan."""
    stated = _CLASS_OF_FILE.search(head) or _CLASS.search(head)
    uid = stated[1].decode("ascii").rstrip("\0") if stated else ""
    return uid.startswith(tuple(_PREFIX + start for start in _NO_IMAGES))


def _breaks_off(head: bytes) -> bool:
    """Whether this may be a DICOM file that ends, or was emptied, within its preamble."""
    return not any(head) or (len(head) < 132 and not is_text(head))
