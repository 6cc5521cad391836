"""What a node refuses before it begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("dicomweb_client", reason="needs the dicom extra")

from breastseg.core.errors import InputError
from breastseg.dicom.derived import derived_dataset
from breastseg.dicom.node.checks import check_usable
from breastseg.dicom.node.config import (
    AuditRepository,
    DicomDestination,
    FolderDestination,
    Listen,
    NodeConfig,
    Rule,
    WebDestination,
)
from breastseg.dicom.node.rules import Handler, choose, read_facts

from ..subjects import image_subject, saved

PACS = DicomDestination("pacs", "ORTHANC", "10.0.0.5", 4242)


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    """One that can be used."""
    rules = (Rule("otsu", "US", series="left"), Rule("watershed", "US"))
    listen = Listen(("US1",), port=21112)
    return NodeConfig(tmp_path / "node", listen, rules, dicom=(PACS,))


def test_what_can_be_used_is_not_refused(config: NodeConfig) -> None:
    check_usable(config)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rules": (Rule("otsu"), Rule("canny", "us"))}, r"rule 2 \(canny\) is never reached"),
        ({"rules": (Rule("otsu", "US"),) * 2}, "rule 2"),
        ({"dicom": (PACS, replace(PACS, name="again"))}, "2 destinations"),
        ({"dicom": (DicomDestination("me", "BREASTSEG", "127.0.0.1", 21112),)}, "this node itself"),
        ({"dicom": (replace(PACS, authorities=Path(__file__)),)}, "test_checks.py.*PEM file"),
        ({"dicomweb": (WebDestination("web", "ftp://a"),)}, "http"),
        ({"dicomweb": (WebDestination("web", "http://a:b@c"),)}, "password in it"),
        ({"folders": (FolderDestination("out", Path(__file__)),)}, "destination out"),
        (
            {"listen": Listen(("A",), certificate=Path(__file__), key=Path(__file__))},
            "PEM file with a certificate",
        ),
    ],
)
def test_what_would_go_wrong_later_is_refused(
    config: NodeConfig, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        check_usable(replace(config, **changes))  # type: ignore[arg-type]


def test_results_do_not_go_into_the_node_s_own_folder(config: NodeConfig) -> None:
    inside = FolderDestination("out", config.folder / "items")
    with pytest.raises(InputError, match="own folder"):
        check_usable(replace(config, folders=(inside,)))


def test_a_certificate_that_would_not_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="nothing is encrypted"):
        replace(PACS, certificate=Path("own.pem"))
    with pytest.raises(InputError, match="nothing is encrypted"):
        AuditRepository("10.0.0.8", certificate=Path("own.pem"))
    with pytest.raises(InputError, match="authorities without"):
        Listen(("A",), authorities=Path("ca.pem"))
    with pytest.raises(InputError, match="host"):
        Listen(("A",), host="")


def test_a_result_that_comes_back_is_not_segmented_again(tmp_path: Path) -> None:
    result = derived_dataset(image_subject("us-still"), "1.2.840.10008.5.1.4.1.1.7", "OT", 1)
    result.SOPInstanceUID = result.SeriesInstanceUID = "1.2.3"
    (tmp_path / "sc.dcm").write_bytes(saved(result))
    facts = read_facts(tmp_path / "sc.dcm", "a capture")
    assert choose((Handler(Rule("otsu"), 2),), facts) is None
    assert facts.asked() == "a result of breastseg"
    assert choose((Handler(Rule("otsu"), 2),), replace(facts, result=False)) is not None
