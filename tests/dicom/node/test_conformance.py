"""The conformance statement says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="needs the dicom extra")

from breastseg.dicom.capture import MULTI, SINGLE
from breastseg.dicom.node.config import DicomDestination, Listen, NodeConfig
from breastseg.dicom.node.intake import Status
from breastseg.dicom.node.received import STORAGE_CLASSES
from breastseg.dicom.node.receiving import TRANSFER_SYNTAXES
from breastseg.dicom.node.send_dicom import outcome_of
from breastseg.dicom.node.sending import Outcome
from breastseg.dicom.presentation import COLOUR_STATE, GREY_STATE
from breastseg.dicom.report import COMPREHENSIVE, COMPREHENSIVE_3D
from breastseg.dicom.segmentation import SEGMENTATION_STORAGE
from breastseg.dicom.web_store import LATER, TRANSIENT

SENT = {
    *(SEGMENTATION_STORAGE, COMPREHENSIVE, COMPREHENSIVE_3D),
    *(GREY_STATE, COLOUR_STATE, SINGLE, MULTI),
}
PAGE = (Path(__file__).parents[3] / "docs/reference/conformance.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the rows of all tables under a heading, without their titles."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [
        [c.strip() for c in line.strip("|").split("|")]
        for line in section.splitlines()
        if "|" in line
    ]
    ruled = [number for number, row in enumerate(cells) if set(row[0]) == {"-"}]
    return [r for n, r in enumerate(cells) if n not in ruled and n + 1 not in ruled]


def uids(heading: str, root: str) -> list[str]:
    """The UIDs of a section: ``1.2.3.4, .5`` are 1.2.3.4 and 1.2.3.5."""
    found: list[str] = []
    for cell in (row[1] for row in rows(heading)):
        for part in cell.split(", ") if cell.startswith("1.2.840") else ():
            found.append(part if part[0] != "." else found[-1].rpartition(".")[0] + part)
    return [one for one in found if one.startswith(root)]


def test_classes_and_syntaxes_that_are_received() -> None:
    assert uids("Storage as provider", "1.2.840.10008.5.1.4") == [*STORAGE_CLASSES]
    assert uids("Storage as provider", "1.2.840.10008.1.2") == [*TRANSFER_SYNTAXES]


def test_classes_that_are_sent() -> None:
    assert set(uids("Storage as user", "1.2.840.10008.5.1.4")) == SENT


def test_statuses_that_are_answered() -> None:
    said = {row[0] for row in rows("Storage as provider") if re.fullmatch("[0-9A-F]{4}", row[0])}
    assert said == {f"{status:04X}" for status in Status}


def test_what_is_made_of_statuses() -> None:
    meanings: dict[int, Outcome] = {}
    for codes, meaning, *_ in rows("Storage as user"):
        for code in re.findall(r"\b[0-9A-Fx]{4}\b", codes):
            kind = {"stored": "sent", "final": "refused", "tried again": "later"}[meaning]
            for status in (int(code.replace("x", digit), 16) for digit in "09F"):
                assert outcome_of(status).kind == kind, code
                meanings[status] = outcome_of(status)
    assert {one.kind for one in meanings.values()} == {"sent", "refused", "later"}


def test_timers() -> None:
    defaults = {
        "idle_s": Listen.idle_s,
        "association_s": Listen.association_s,
        "timeout_s": DicomDestination.timeout_s,
        "first_wait_s": NodeConfig.first_wait_s,
        "longest_wait_s": NodeConfig.longest_wait_s,
    }
    said = {row[1].strip("`"): float(row[2]) for row in rows("Timers") if row[1].startswith("`")}
    assert said == defaults


def test_what_is_made_of_answers_over_http() -> None:
    meanings = {row[0]: row[1].partition(",")[0] for row in rows("Storage by DICOMweb")}
    again = " ".join(answer for answer, meaning in meanings.items() if meaning == "tried again")
    assert {int(code) for code in re.findall(r"\b[45]\d\d\b", again)} == {*TRANSIENT}
    assert {int(code, 16) for code in re.findall(r"\b[0A]\d{3}\b", again)} == {*LATER}
    assert meanings["any other failure reason"] == "final"
    assert meanings["any other status of an error"] == "final"
