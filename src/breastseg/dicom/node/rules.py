"""Which method takes an instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import InputError, UnreadableError
from breastseg.core.image import Modality
from breastseg.core.mask import LESION
from breastseg.dicom.derived import MAKER, RESEARCH
from breastseg.dicom.derived import RESEARCH_SYNTHETIC as SYNTHETIC
from breastseg.dicom.node.config import Rule
from breastseg.dicom.node.received import EXACT, stated
from breastseg.io.dicom_image import decoding

MAX_NORMALS_OUTLINED = 0.2
"""Fraction of normal images with a mask above which a bundle is in no default rule."""

_TERMS = {Modality.ULTRASOUND: "US", Modality.MAMMOGRAPHY: "MG", Modality.MRI: "MR"}
_NORMALS = "normal images/fraction_outlined"
_DICE = "lesion images/dice"
_TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"),
    *(
        "PatientID",
        "BodyPartExamined",
        "StationName",
        "SeriesDescription",
        "NumberOfStudyRelatedInstances",
        "Manufacturer",
    ),
)


@dataclass(frozen=True)
class Header:
    """What the node looks at in an instance; what is not stated is empty.

    Attributes:
        uid: SOP Instance UID.
        sop_class: SOP Class UID.
        study: Study Instance UID.
        patient: Patient ID; for the audit trail alone.
        modality: DICOM's term.
        body_part: Body Part Examined.
        station: Station Name.
        series: Series Description.
        expected: Number of Study Related Instances (0020,1208), where it is stated.
        result: it is one of ours: segmented again, it would make another, and so on.
    """

    uid: str
    sop_class: str
    study: str
    patient: str
    modality: str
    body_part: str
    station: str
    series: str
    expected: int | None
    result: bool = False

    def asked(self) -> str:
        """What rules ask for, as it is stated here: for whoever writes a rule."""
        if self.result:
            return "a result of breastseg"
        return stated(self)


@dataclass(frozen=True)
class Handler:
    """A rule and what is known of its method.

    Attributes:
        rule: the rule.
        dimensions: of the method: 2 for images, 3 for volumes.
        synthetic: the method was trained on synthetic images; every output says so.
    """

    rule: Rule
    dimensions: int
    synthetic: bool = False

    @property
    def name(self) -> str:
        """What the queue calls it; the same in every run."""
        return f"{self.rule.method} [{self.rule.preset}]"

    def fits(self, header: Header) -> bool:
        """Whether the rule takes an instance."""
        asked = {key: str(getattr(self.rule, key)).casefold() for key in EXACT}
        same = all(not a or a == getattr(header, key).casefold() for key, a in asked.items())
        return same and self.rule.series.casefold() in header.series.casefold()


def handlers(rules: Iterable[Rule], defaults: bool) -> tuple[Handler, ...]:
    """The rules with what is known of their methods, the default rules last.

    Raises:
        BreastsegError: a method that there is not, one that outlines no lesions, or one that is
            for another modality than its rule.
    """
    every = (*rules, *(default_rules() if defaults else ()))
    return tuple(_handler(rule) for rule in every)


def default_rules() -> tuple[Rule, ...]:
    """A rule for each modality that a shipped bundle is fit for: the one with the highest Dice.

    A bundle is fit where it outlines lesions in images, takes no prompt, was trained on patients,
    and every protocol in its ``measured.json`` with normal images states a mask on at most
    `MAX_NORMALS_OUTLINED` of them. One that states none is not. Dice is the mean over the protocols
    that all the fit ones state, of images with a lesion.
    """
    from breastseg.inference.bundle_folder import read_bundle
    from breastseg.inference.catalogue import shipped_bundles

    fit: dict[str, dict[str, dict[str, float]]] = {}
    for name, folder in shipped_bundles().items():
        bundle = read_bundle(folder, verify=False)
        term = _TERMS.get(bundle.modality)
        alarms = normals_outlined(folder)
        usable = alarms is not None and alarms <= MAX_NORMALS_OUTLINED
        if term is None or not usable or bundle.trained_on_synthetic or bundle.target != LESION:
            continue
        if bundle.prompt is not None:  # for people who point
            continue
        fit.setdefault(term, {})[name] = _stated(folder, _DICE)
    return tuple(
        Rule(method=_best(of_term), modality=term) for term, of_term in sorted(fit.items())
    )


def _best(dices: Mapping[str, Mapping[str, float]]) -> str:
    """The bundle with the highest mean over the protocols that all have; else the first by name."""
    shared = set.intersection(*(set(one) for one in dices.values()))
    return max(sorted(dices), key=lambda name: sum(dices[name][key] for key in shared))


def normals_outlined(folder: Path) -> float | None:
    """The largest fraction of normal images with a mask that a bundle states; None for none."""
    return max(_stated(folder, _NORMALS).values(), default=None)


def _stated(folder: Path, figure: str) -> dict[str, float]:
    """A figure of a bundle's ``measured.json``, by protocol."""
    from breastseg.inference.bundle_folder import MEASURED
    from breastseg.inference.strict_json import load_json

    path = folder / MEASURED
    measured = load_json(path) if path.is_file() else {}
    results = measured.get("results", {}) if isinstance(measured, dict) else {}
    return {key: float(one[figure]) for key, one in results.items() if figure in one}


def choose(every: Sequence[Handler], header: Header) -> Handler | None:
    """The first that takes an instance; None for none, and for results."""
    if header.result:
        return None
    return next((one for one in every if one.fits(header)), None)


def read_facts(path: Path, name: str) -> Header:
    """What the header of a stored instance states.

    Args:
        path: a DICOM file.
        name: what messages call it.

    Raises:
        UnreadableError: damaged, or without SOP Instance or Class UID.
    """
    from pydicom import dcmread

    with decoding(name):
        one = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
        said = {tag: str(one.get(tag) or "").replace("\0", "").strip() for tag in _TAGS}
    if not said["SOPInstanceUID"] or not said["SOPClassUID"]:
        raise UnreadableError(f"{name}: has no SOP Instance or Class UID", "a stored object")
    number = said["NumberOfStudyRelatedInstances"]
    return Header(
        said["SOPInstanceUID"],
        said["SOPClassUID"],
        said["StudyInstanceUID"],
        said["PatientID"],
        said["Modality"],
        said["BodyPartExamined"],
        said["StationName"],
        said["SeriesDescription"],
        int(number) if number.isdecimal() and len(number) < 7 else None,
        said["Manufacturer"] == MAKER and said["SeriesDescription"] in (RESEARCH, SYNTHETIC),
    )


def _handler(rule: Rule) -> Handler:
    from breastseg.classical.preset import PLAIN, preset_names
    from breastseg.inference.bundle_folder import read_bundle
    from breastseg.inference.methods import (
        bundle_folder,
        is_classical,
        method_and_parameters,
        method_info,
        network_names,
    )

    info = method_info(rule.method, rule.preset)
    name, _ = method_and_parameters(rule.method)
    made_by = rule.made_by
    if is_classical(name):
        if rule.preset != PLAIN and made_by is not Modality.UNKNOWN and made_by != rule.preset:
            raise InputError(
                f"preset = {rule.preset!r} of the rule for {rule.method!r}, which takes {made_by}",
                " or ".join(one for one in preset_names() if one in (made_by, PLAIN)),
            )
        return Handler(rule, info.dimensions)
    if made_by not in (Modality.UNKNOWN, info.modality):
        raise InputError(
            f"the rule for {rule.method!r}, which is for {info.modality}, takes {made_by}",
            f"instances of {info.modality}",
            "another method for them",
        )
    bundles = [read_bundle(bundle_folder(part)) for part in network_names(name)]
    for bundle in bundles:
        if bundle.target != LESION:
            raise InputError(f"method {bundle.name!r} outlines {bundle.target!r}", "lesions")
    return Handler(rule, info.dimensions, any(bundle.trained_on_synthetic for bundle in bundles))
