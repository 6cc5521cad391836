"""Identifiers that are the same in every run.

An object that is made again with the same content is the same object, so that an archive that has
it already keeps one; one whose content differs in anything is another.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset

_PIXELS = 0x7FE00010
_PART = 2**20


def derived_uid(*words: object) -> str:
    """A UID of the 2.25 root (DICOM PS3.5 B.2) from words, by a UUID of version 5."""
    text = "\0".join(map(str, ("breastseg", *words)))
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, text).int}"


def identify(one: Dataset) -> None:
    """Give an object and its series UIDs that stand for all of its content.

    Args:
        one: with all but these UIDs.
    """
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset
    from pydicom.uid import UID

    pixels = one.get(_PIXELS)
    if pixels is not None:  # are digested as they are, since they may be large
        del one[_PIXELS]
    encoded = DicomBytesIO()
    encoded.is_little_endian, encoded.is_implicit_VR = True, False
    write_dataset(encoded, one)
    digest = hashlib.sha256(encoded.getvalue())
    if pixels is not None:
        if pixels.is_buffered:
            pixels.value.seek(0)
            while part := pixels.value.read(_PART):
                digest.update(part)
            pixels.value.seek(0)
        else:
            digest.update(pixels.value)
        one.add(pixels)
    uid = UID(derived_uid("object", digest.hexdigest()))
    one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = uid
    one.SeriesInstanceUID = derived_uid("series of", uid)
