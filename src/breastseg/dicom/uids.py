"""Identifiers that are the same in every run.

An object that is made again from the same image by the same method with the same outcome is the
same object, so that an archive that has it already keeps one.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from breastseg.dicom.subject import Subject


def derived_uid(*words: object) -> str:
    """A UID of the 2.25 root (DICOM PS3.5 B.2) from words, by a UUID of version 5."""
    text = "\0".join(map(str, ("breastseg", *words)))
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, text).int}"


def subject_digest(subject: Subject) -> str:
    """Hex SHA-256 of the sources, of what found the lesions, and of every pixel and probability."""
    provenance = subject.provenance
    digest = hashlib.sha256()
    said = {
        "sources": [[one.instance_uid, one.number] for one in subject.sources],
        "segmenter": [provenance.segmenter, provenance.version, provenance.weights_sha256],
        "parameters": dict(provenance.parameters),
        "spacing": subject.grid.spacing_mm,
    }
    digest.update(json.dumps(said, sort_keys=True).encode())
    for segment in subject.segments:
        for plane in segment.planes:
            digest.update(repr((plane.index, tuple(plane.box))).encode())
            digest.update(plane.crop.tobytes())
            digest.update(plane.probability.tobytes())
    return digest.hexdigest()
