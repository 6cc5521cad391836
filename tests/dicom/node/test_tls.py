"""TLS with peers of pynetdicom and dcmtk, and who is refused."""

from __future__ import annotations

import gc
import logging
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="needs the dicom extra")

from pynetdicom import AE, evt

from breastseg.dicom.node.config import DicomDestination
from breastseg.dicom.node.send_dicom import DicomSender
from breastseg.dicom.segmentation import SEGMENTATION_STORAGE, segmentation

from ..subjects import image_subject, saved
from .conftest import Keys
from .nodes import Parts, handler
from .test_receiving import receiving, still

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
    # pynetdicom drops its own socket unclosed where it is refused as a client
    pytest.mark.filterwarnings("ignore:unclosed.*ocket:ResourceWarning"),
]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path, [handler("us-still")])


def secured(keys: Keys) -> dict[str, Path]:
    names = {"certificate": keys.certificate("node"), "key": keys.key("node")}
    return {**names, "authorities": keys.certificate("authority")}


def stored(port: int, context: ssl.SSLContext | None) -> int | None:
    """The status of a C-STORE; None where there is no association."""
    one = still()
    entity = AE("US1")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    entity.add_requested_context(one.SOPClassUID)
    tls = None if context is None else (context, "127.0.0.1")
    association = entity.associate("127.0.0.1", port, ae_title="BREASTSEG", tls_args=tls)
    if not association.is_established:
        gc.collect()  # what was dropped is dropped here
        return None
    status: int = association.send_c_store(one).Status
    association.release()
    return status


def test_a_peer_with_a_certificate_stores(parts: Parts, keys: Keys) -> None:
    with receiving(parts, **secured(keys)) as port:
        assert stored(port, keys.context("room")) == 0


def test_storescu_stores(parts: Parts, keys: Keys, tmp_path: Path) -> None:
    if shutil.which("storescu") is None:
        pytest.skip("storescu is not installed")
    file = tmp_path / "still.dcm"
    file.write_bytes(saved(still()))
    with receiving(parts, **secured(keys)) as port:
        command = ["storescu", "-aet", "US1", "-aec", "BREASTSEG", "+cf"]
        command += [str(keys.certificate("authority")), "+tls"]
        command += [str(keys.key("room")), str(keys.certificate("room"))]
        command += ["127.0.0.1", str(port), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(parts.queue.items()) == 1


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (None, "does not speak it"),
        ("", "shows no certificate"),
        ("stranger", "not of the configured authorities"),
    ],
)
def test_others_are_refused_and_the_log_says_why(
    parts: Parts, keys: Keys, caplog: pytest.LogCaptureFixture, shown: str | None, said: str
) -> None:
    caplog.set_level(logging.INFO)
    with receiving(parts, **secured(keys)) as port:
        assert stored(port, None if shown is None else keys.context(shown)) is None
    assert any(said in line for line in caplog.messages), caplog.messages
    assert not list(parts.folder.incoming.iterdir())


@pytest.mark.parametrize("trusted", ["authority", "stranger"])
def test_results_go_to_a_destination_that_is_trusted(
    keys: Keys, tmp_path: Path, trusted: str
) -> None:
    """Which asks for the node's certificate in turn."""
    got = []

    def store(event: evt.Event) -> int:
        got.append(event.request.AffectedSOPInstanceUID)
        return 0

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keys.certificate("room"), keys.key("room"))
    server.load_verify_locations(keys.certificate("authority"))
    server.verify_mode = ssl.CERT_REQUIRED
    entity = AE("PACS")
    entity.add_supported_context(SEGMENTATION_STORAGE)
    peer = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=server, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    both = tmp_path / "node-both.pem"
    both.write_bytes(keys.certificate("node").read_bytes() + keys.key("node").read_bytes())
    one = segmentation(image_subject("us-still"))
    file = tmp_path / "seg.dcm"
    file.write_bytes(saved(one))
    destination = DicomDestination(
        "pacs",
        "PACS",
        "127.0.0.1",
        peer.server_address[1],
        authorities=keys.certificate(trusted),
        certificate=both,
        timeout_s=20.0,
    )
    try:
        (outcome,) = DicomSender(destination)([file])
    finally:
        peer.shutdown()
        gc.collect()
    assert outcome.kind == ("sent" if trusted == "authority" else "later")
    assert ("certificate" in outcome.words) == (trusted == "stranger")
    assert got == ([one.SOPInstanceUID] if trusted == "authority" else [])
