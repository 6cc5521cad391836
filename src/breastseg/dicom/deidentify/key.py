"""The key: from it follow all pseudonyms, identifiers and shifts, in every run with it the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from breastseg.core.errors import InputError
from breastseg.io.write import replacing

if TYPE_CHECKING:
    from pydicom import Dataset

_FORMAT = 1
_MIN_DAYS, _MAX_DAYS = 365, 5 * 365
_STANDARD = "1.2.840.10008."
"""How the UIDs begin that the standard itself gives out, which identify no one."""


@dataclass(frozen=True)
class Patient:
    """What stands for a patient.

    Attributes:
        pseudonym: name and identifier in the result.
        shift: what is added to all dates and times; one to five years back.
    """

    pseudonym: str
    shift: timedelta


@dataclass(frozen=True)
class Key:
    """A secret, and the patients that were met with it.

    Attributes:
        secret: 32 bytes.
        patients: Patient ID and its issuer by pseudonym, for the way back.
    """

    secret: bytes = field(repr=False)
    patients: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def patient(self, header: Dataset) -> Patient:
        """The patient of an object: told by ID and issuer, else by name and birth date, else study.

        Args:
            header: as it came.
        """
        issuer, number = _text(header, "IssuerOfPatientID"), _text(header, "PatientID")
        words: tuple[str, ...] = (issuer, number)
        if not number:
            words = (_text(header, "PatientName"), _text(header, "PatientBirthDate"))
        if not any(words):
            words = (_text(header, "StudyInstanceUID"),)
        drawn = self._drawn("patient", *words)
        pseudonym = "BS-" + base64.b32encode(drawn[:10]).decode()[:12]
        days = _MIN_DAYS + int.from_bytes(drawn[10:18]) % (_MAX_DAYS - _MIN_DAYS)
        seconds = int.from_bytes(drawn[18:26]) % 86400
        self.patients[pseudonym] = {"patient_id": number, "issuer": issuer}
        return Patient(pseudonym, timedelta(seconds=seconds) - timedelta(days=days))

    def uid(self, uid: str) -> str:
        """What a UID becomes: one of the 2.25 root, or itself where it is the standard's own."""
        if not uid or uid.startswith(_STANDARD):
            return uid
        drawn = bytearray(self._drawn("uid", uid)[:16])
        return f"2.25.{uuid.UUID(bytes=bytes(drawn), version=4).int}"

    def fingerprint(self, stream: BinaryIO) -> str:
        """What tells a file from all others, and tells nothing of it to who lacks the key.

        Args:
            stream: the file, which is read from its start to its end.
        """
        stream.seek(0)
        drawn = hmac.new(self.secret, b"file\0", hashlib.sha256)
        while chunk := stream.read(2**20):
            drawn.update(chunk)
        return drawn.hexdigest()[:32]

    def write(self, path: Path) -> None:
        """Write it, for its owner's eyes alone, with the patients that are in the file already.

        Raises:
            InputError: it cannot be written, or another run has made another key there.
        """
        if path.exists():
            there = open_key(path)
            if there.secret != self.secret:
                raise InputError(
                    f"{path}: another run has made another key there meanwhile",
                    "one key a file",
                    "start again with that key",
                )
            for pseudonym, patient in there.patients.items():
                self.patients.setdefault(pseudonym, patient)
        said = {"format": _FORMAT, "secret": self.secret.hex(), "patients": self.patients}
        with replacing(path) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                json.dump(said, stream, indent=1, sort_keys=True)

    def _drawn(self, *words: str) -> bytes:
        text = "\0".join(words).encode("utf-8", "surrogateescape")
        return hmac.new(self.secret, text, hashlib.sha256).digest()


def open_key(path: Path, may_be_new: bool = False) -> Key:
    """Read a key, or make one where there is no such file and there need not be.

    Raises:
        InputError: the file is no key, or there is none.
    """
    if not path.exists() and may_be_new:
        return Key(secrets.token_bytes(32))
    try:
        said = json.loads(path.read_text())
        secret = bytes.fromhex(said["secret"])
        if said["format"] != _FORMAT or len(secret) != 32:
            raise ValueError("another format")
        return Key(secret, dict(said["patients"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{path}: is not there"
            if isinstance(error, FileNotFoundError)
            else f"{path}: is no key of a de-identification",
            "a file that an earlier de-identification wrote",
            "name another file",
        ) from error


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    return "" if value is None else str(value).strip()
