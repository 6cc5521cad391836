"""DICOMweb: storing objects, and what the answers of a server mean; DICOM PS3.18 10.5."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from breastseg.core.signals import heed_interruption
from breastseg.io.dicom_image import decoding
from breastseg.io.source import quiet

if TYPE_CHECKING:
    import requests
    from dicomweb_client.api import DICOMwebClient
    from pydicom import Dataset

TRANSIENT = (401, 408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses that say nothing of the object; 401 says that a token has expired."""
_REASONS = {
    0xA700: "out of resources",
    0x0110: "processing failure",
    0x0111: "it has the object already",
    0x0122: "it does not take objects of this class",
    0x0124: "not authorised",
}
LATER = (0xA700, 0x0110)
"""Failure reasons that may not last."""


@dataclass(frozen=True)
class Answer:
    """What a server said to one object.

    Attributes:
        stored: it says that it has it.
        final: it refuses it for good; only where it has it not.
        words: what it said, or why nothing is known; empty where all is well.
    """

    stored: bool
    final: bool = False
    words: str = ""


def store(client: DICOMwebClient, file: Path) -> Answer:
    """Store one object by STOW-RS.

    An object counts as stored only where the answer lists it as such.

    Args:
        client: of the server.
        file: a DICOM file.

    Raises:
        UnreadableError: it is no DICOM file.
    """
    import requests
    from pydicom import dcmread

    from breastseg.dicom.bounded_http import trouble

    with decoding(file.name):
        one = dcmread(file)
        uid = str(one.SOPInstanceUID)
    try:
        with quiet():
            answer = client.store_instances([one])
        return _told(answer, uid)
    except requests.HTTPError as error:
        return _refused(error.response, uid)
    except Exception as error:  # noqa: BLE001 -- a server can answer anything
        heed_interruption()
        return Answer(False, words=f"no answer that can be read ({trouble(error)})")


def _refused(response: requests.Response | None, uid: str) -> Answer:
    from pydicom import Dataset

    from breastseg.dicom.bounded_http import status_words

    if response is None:
        return Answer(False, words="no answer")
    code = response.status_code
    try:
        with quiet():
            told = _told(Dataset.from_json(response.json()), uid)
    except Exception:  # noqa: BLE001 -- a server can answer anything
        told = Answer(False)
    if told.final or told.words.startswith("status"):
        return told
    return Answer(False, code not in TRANSIENT, status_words(code))


def _told(answer: Dataset, uid: str) -> Answer:
    """What a Store Instances Response says of one object; PS3.18 I.2."""
    for one in answer.get("FailedSOPSequence") or ():
        if str(one.get("ReferencedSOPInstanceUID", uid)) == uid:
            code = int(one.get("FailureReason") or 0)
            said = f"status 0x{code:04X} {_REASONS.get(code, '')}".rstrip()
            return Answer(False, code not in LATER, said)
    for one in answer.get("ReferencedSOPSequence") or ():
        if str(one.get("ReferencedSOPInstanceUID", "")) == uid:
            warning = one.get("WarningReason")
            return Answer(True, words="" if not warning else f"stored, warning 0x{warning:04X}")
    return Answer(False, words="the answer does not list the object")
