"""The header of an object without what identifies a patient, a person or a place.

Beyond the table of the profile go: private attributes, attributes that the dictionary does not
know, names and free text that the table does not list, the preamble and the file meta information.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from breastseg import __version__
from breastseg.dicom.deidentify.key import Key, Patient
from breastseg.dicom.deidentify.moments import shifted_date, shifted_moment, shifted_time
from breastseg.dicom.deidentify.profile import (
    CLEANED,
    EDITION,
    EMPTIED,
    KEPT,
    MAPPED,
    REMOVED,
    action,
)

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement

DUMMY = "DEIDENTIFIED"
SHIFTED = "shifted"
_FREE_TEXT = ("PN", "LT", "ST", "UT", "UC", "UN")
_CODED = ("CodingSchemeUID", "MappingResourceUID", "ContextUID", "ImplementationClassUID")
"""UIDs that name a system of codes or a program."""

_OWN_ACTION = ("Birth", "Death")
"""In keywords: a shifted date of birth would still tell the age."""

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, NotImplementedError)
"""What pydicom raises where a value is damaged."""

_NUMBERS = ("PatientID", "AccessionNumber", "OtherPatientIDs", "StudyID")
_DUMMIES: dict[str, object] = {
    **dict.fromkeys(("OB", "OW", "UN", "OF", "OD", "OL", "OV"), b"\0\0\0\0\0\0\0\0"),
    **dict.fromkeys(("DA", "DT"), "19000101"),
    **dict.fromkeys(("DS", "IS"), "0"),
    **dict.fromkeys(("US", "SS", "UL", "SL", "FL", "FD"), 0),
    "AS": "000Y",
    "TM": "000000",
    "UR": "about:blank",
}
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_METHOD = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
)


@dataclass(frozen=True)
class Header:
    """A header without what identifies, and what was done to it.

    Attributes:
        dataset: a new data set without pixels and without file meta information.
        done: how many attributes were changed, by what was done and keyword or group.
    """

    dataset: Dataset
    done: Counter[tuple[str, str]] = field(default_factory=Counter)


def deidentified(header: Dataset, key: Key) -> Header:
    """Apply the profile, with the option for modified dates.

    Args:
        header: as it came; not changed.
        key: for pseudonym, identifiers and shift.
    """
    from pydicom.sequence import Sequence

    patient = key.patient(header)
    done: Counter[tuple[str, str]] = Counter()
    one = _cleaned(header, key, patient, done)
    one.PatientName = one.PatientID = patient.pseudonym
    _second_look(one, _identifying(header), done)
    one.PatientIdentityRemoved = "YES"
    one.LongitudinalTemporalInformationModified = "MODIFIED"
    one.DeidentificationMethod = [f"breastseg {__version__}", f"DICOM PS3.15 {EDITION}"]
    one.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in _METHOD])
    return Header(one, done)


def _cleaned(
    source: Dataset, key: Key, patient: Patient, done: Counter[tuple[str, str]]
) -> Dataset:
    """A data set or an item of a sequence, with all that it holds."""
    from pydicom import Dataset
    from pydicom.sequence import Sequence

    clean = Dataset()
    clean.set_original_encoding(*source.original_encoding)
    for tag in sorted(source.keys()):
        if tag.group in (0, 2):  # of messages and of the file
            continue
        try:
            element = source[tag]
            what, name = _what(element)
            if what in (KEPT, CLEANED) and element.VR == "SQ":
                items = [_cleaned(item, key, patient, done) for item in element.value or ()]
                clean.add_new(tag, "SQ", Sequence(items))
            elif what != REMOVED:
                clean.add_new(tag, element.VR, _value(element, what, source, key, patient))
                if clean[tag].value == element.value:
                    what = KEPT
        except _UNREADABLE:
            what, name = "removed, as its value cannot be read", f"{tag:08x}"
            clean.pop(tag, None)
        if what != KEPT:
            done[what, name] += 1
    return clean


def _what(element: DataElement) -> tuple[str, str]:
    """What is done with an attribute, and how the report calls it."""
    tag, vr = element.tag, element.VR
    name = element.keyword or f"{tag.group:04x},{tag.element:04x}"
    if tag.is_private:
        return REMOVED, f"private attributes of group {tag.group:04x}"
    if name in _PIXELS:
        return REMOVED, "pixel data, written anew"
    if vr in ("DA", "TM", "DT") and not any(word in name for word in _OWN_ACTION):
        return SHIFTED, name
    return action(int(tag), vr) or _unlisted(element), name


def _unlisted(element: DataElement) -> str:
    """What is done with an attribute that is not in the table."""
    if element.VR == "UI":
        return KEPT if element.keyword in _CODED else MAPPED
    return KEPT if element.keyword and element.VR not in _FREE_TEXT else REMOVED


def _value(element: DataElement, what: str, source: Dataset, key: Key, patient: Patient) -> object:
    if what == KEPT:
        return element.value
    if what == MAPPED:
        values = _values(element)
        mapped = [key.uid(str(value)) for value in values]
        return mapped[0] if len(mapped) == 1 else mapped
    if what == SHIFTED:
        return _shifted(element, source, patient)
    if what == EMPTIED:
        return [] if element.VR == "SQ" else None
    return _dummy(element)


def _dummy(element: DataElement) -> object:
    from pydicom import Dataset
    from pydicom.uid import UID

    if element.VR == "SQ":
        return [Dataset()]
    if element.VR == "UI":
        return UID("2.25.0")
    return _DUMMIES.get(element.VR, DUMMY)


def _shifted(element: DataElement, source: Dataset, patient: Patient) -> object:
    """Dates with the time of day that belongs to them; what is none becomes empty."""
    moved: list[str] = []
    values = [str(value).strip() for value in _values(element)]
    for value in values:
        if element.VR == "DA":
            beside = str(source.get(element.keyword.replace("Date", "Time")) or "")
            new = shifted_date(value, beside if len(values) == 1 else None, patient.shift)
        elif element.VR == "TM":
            new = shifted_time(value, patient.shift)
        else:
            new = shifted_moment(value, patient.shift)
        if new is not None:
            moved.append(new)
    if len(moved) < len(values) or not moved:
        return None
    return moved[0] if len(moved) == 1 else moved


def _values(element: DataElement) -> list[object]:
    from pydicom.multival import MultiValue

    value = element.value
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, MultiValue | list) else [value]


def _identifying(header: Dataset) -> set[str]:
    """Words that name the patient or whoever saw them, in small letters, at any depth.

    Words of three letters or fewer are left out: they are met by chance.
    """
    words: set[str] = set()
    for element in _readable(header):
        if element.VR == "PN":
            for value in _values(element):
                words.update(str(value).replace("^", " ").replace("=", " ").split())
        elif element.keyword in _NUMBERS:
            words.update(str(value) for value in _values(element))
    return {word.strip().lower() for word in words if len(word.strip()) >= 4}


def _readable(source: Dataset) -> Iterator[DataElement]:
    """All elements that can be read, those of sequences too."""
    for tag in sorted(source.keys()):
        with suppress(*_UNREADABLE):
            element = source[tag]
            yield element
            for item in (element.value or ()) if element.VR == "SQ" else ():
                yield from _readable(item)


def _second_look(one: Dataset, words: set[str], done: Counter[tuple[str, str]]) -> None:
    """Replace what is left and repeats a name or number of the patient."""
    for element in one:
        if element.VR == "SQ":
            for item in element.value:
                _second_look(item, words, done)
        elif element.VR == "CS":
            values = _values(element)
            kept = [value for value in values if not _names(value, words)]
            if len(kept) < len(values) and element.keyword not in _STRUCTURE:
                element.value = kept or None
                done["shortened, as it repeated an identifier", element.keyword] += 1
        elif element.keyword not in ("PatientName", "PatientID") and _repeats(element, words):
            element.value = _dummy(element)
            done["replaced, as it repeated an identifier", element.keyword] += 1


_STRUCTURE = ("Modality", "PhotometricInterpretation", "SpecificCharacterSet", "PatientSex")
_TERMS = ("ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY")
"""Codes that an image needs, and that a patient may be called like."""


def _names(code: object, words: set[str]) -> bool:
    """Whether a code, which anybody can write by hand, repeats a name or number."""
    return code not in _TERMS and any(word in str(code).lower() for word in words)


def _repeats(element: DataElement, words: set[str]) -> bool:
    if element.VR in ("DS", "IS", "UI", "DA", "TM", "DT"):
        return False
    if isinstance(element.value, bytes):
        said = element.value.decode("latin-1").lower()
    else:
        said = "\\".join(str(value) for value in _values(element)).lower()
    return any(word in said for word in words)


def _code(value: str, meaning: str) -> Dataset:
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
