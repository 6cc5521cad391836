"""FHIR R5: a bundle with a diagnostic report, an observation a lesion, and the imaging study.

For systems that take no DICOM report. Its codes and measurements are those of the structured
report; the patient is named by identifier alone. Every resource is preliminary and says that it is
for research. Source: https://hl7.org/fhir/R5/diagnosticreport.html.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Sequence

from pydicom.sr.coding import Code

from breastseg.dicom.codes import BREAST, MASS, SIDES
from breastseg.dicom.derived import RESEARCH
from breastseg.dicom.report import (
    ABSENT,
    DESCRIBED,
    DESCRIPTORS,
    Measured,
    measurements,
    remarks,
    words,
)
from breastseg.dicom.segmentation import tracking
from breastseg.dicom.subject import Segment, Subject

Resource = dict[str, object]

_SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "UCUM": "http://unitsofmeasure.org",
}
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_PRESENT = Code("52101004", "SCT", "Present")
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")


def fhir_bundle(subject: Subject) -> Resource:
    """Make the bundle; also where no lesion was found, which it then says.

    Args:
        subject: the lesions.

    Returns:
        A bundle of type collection, as plain containers ready for JSON. The same subject gives the
        same bundle.
    """
    content = json.dumps(_bundle(subject, _Names("")), sort_keys=True)
    return _bundle(subject, _Names(hashlib.sha256(content.encode()).hexdigest()))


def _bundle(subject: Subject, names: _Names) -> Resource:
    study, device = _study(subject), _device(subject)
    observations = [*_observations(subject, names)]
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "code": {
            "coding": [
                {
                    "system": "http://loinc.org",
                    "code": "18748-4",
                    "display": "Diagnostic imaging study",
                }
            ]
        },
        "subject": _patient(subject),
        **_effective(subject),
        "study": [names.reference("study")],
        "result": [
            names.reference(f"observation {number}") for number in range(1, len(observations) + 1)
        ],
        "conclusion": ". ".join((words(subject).rstrip("."), *remarks(subject))) + ".",
    }
    named = [("report", report), ("study", study), ("device", device)]
    named += [(f"observation {number}", one) for number, one in enumerate(observations, start=1)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": names.url(name), "resource": one} for name, one in named],
    }


class _Names:
    """The identifiers of the resources of one bundle, from the digest of its content."""

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def url(self, name: str) -> str:
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'breastseg {name} {self._digest}')}"

    def reference(self, name: str) -> Resource:
        return {"reference": self.url(name)}


def _patient(subject: Subject) -> Resource:
    """By identifier where there is one, never by name."""
    tags = subject.reference.tags
    identifier = {"value": tags["PatientID"]} if tags.get("PatientID") else {}
    if identifier and tags.get("IssuerOfPatientID"):
        identifier["system"] = f"urn:issuer:{tags['IssuerOfPatientID']}".replace(" ", "-")
    return {"identifier": identifier} if identifier else {"display": "not stated"}


def _effective(subject: Subject) -> Resource:
    found = _DATE.fullmatch(subject.reference.tags.get("StudyDate", ""))
    return {"effectiveDateTime": "-".join(found.groups())} if found else {}


def _study(subject: Subject) -> Resource:
    """What was looked at; ImagingStudy."""
    reference = subject.reference
    identifiers: list[Resource] = [
        {"system": "urn:dicom:uid", "value": f"urn:oid:{reference.study_uid}"}
    ]
    if reference.accession_number:
        kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}
        identifiers.append({"type": {"coding": [kind]}, "value": reference.accession_number})
    series: dict[str, dict[str, str]] = {}
    for frame in (*subject.sources, *subject.others):
        series.setdefault(frame.series_uid, {})[frame.instance_uid] = frame.class_uid
    modality = reference.tags.get("Modality") or "OT"
    system = _SYSTEMS["DCM"]
    return {
        "resourceType": "ImagingStudy",
        "status": "available",
        "identifier": identifiers,
        "subject": _patient(subject),
        "series": [
            {
                "uid": uid,
                "modality": {"coding": [{"system": system, "code": modality}]},
                "instance": [
                    {
                        "uid": instance,
                        "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{kind}"},
                    }
                    for instance, kind in instances.items()
                ],
            }
            for uid, instances in series.items()
        ],
    }


def _device(subject: Subject) -> Resource:
    said = subject.provenance
    weights = f", weights {said.weights_sha256}" if said.weights_sha256 else ""
    return {
        "resourceType": "Device",
        "manufacturer": "breastseg",
        "name": [{"value": said.segmenter, "type": "registered-name", "display": True}],
        "version": [{"value": said.version}],
        "note": [{"text": f"{RESEARCH}{weights}"}],
    }


def _observations(subject: Subject, names: _Names) -> Iterator[Resource]:
    """One a lesion; without a lesion one that says so."""
    if not subject.segments:
        yield _observation(subject, names, ABSENT)
    for number, segment in enumerate(subject.segments, start=1):
        name, uid = tracking(subject, number)
        source = subject.sources[segment.measured_at]
        at = "" if source.number is None else f", frame {source.number}"
        yield {
            **_observation(subject, names, _PRESENT),
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}],
            "component": [
                *(_measured(one) for one in measurements(subject, segment)),
                *_descriptors(segment),
            ],
            "note": [{"text": f"{RESEARCH}. {name}, measured on {source.instance_uid}{at}"}],
        }


def _measured(one: Measured) -> Resource:
    """A component; that of an interval also says which end it is."""
    code = _concept(one.code)
    if one.derivation is not None:
        code["text"] = f"{one.code.meaning}, {one.derivation.meaning.casefold()}"
    return {
        "code": code,
        "valueQuantity": {
            "value": one.value,
            "unit": one.unit.meaning,
            "system": _SYSTEMS["UCUM"],
            "code": one.unit.value,
        },
    }


def _descriptors(segment: Segment) -> Iterator[Resource]:
    """A component for each computed descriptor, and for one that could not be computed."""
    for one in segment.finding.descriptors:
        code = _concept(DESCRIPTORS[one.kind])
        if one.value is not None:
            yield {"code": code, "valueCodeableConcept": _concept(DESCRIBED[one.value])}
            continue
        reason = {"system": _ABSENT, "code": "not-performed", "display": "Not Performed"}
        yield {"code": code, "dataAbsentReason": {"coding": [reason], "text": one.detail}}


def _observation(subject: Subject, names: _Names, value: Code) -> Resource:
    place = [BREAST, *filter(None, [SIDES.get(subject.side)])]
    return {
        "resourceType": "Observation",
        "status": "preliminary",
        "code": _concept(MASS),
        "subject": _patient(subject),
        **_effective(subject),
        "valueCodeableConcept": _concept(value),
        "bodySite": _concept(*place),
        "device": names.reference("device"),
        "derivedFrom": [names.reference("study")],
        "note": [{"text": RESEARCH}],
    }


def _concept(*codes: Code) -> Resource:
    concepts: Sequence[Resource] = [
        {
            "system": _SYSTEMS[code.scheme_designator],
            "code": code.value,
            "display": code.meaning,
        }
        for code in codes
    ]
    return {"coding": concepts, "text": ", ".join(code.meaning for code in codes)}
