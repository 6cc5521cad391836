"""A study from a modality to the PACS: dcmtk sends, the node segments, Orthanc has the results."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pynetdicom", reason="needs the dicom extra")
pytest.importorskip("highdicom", reason="needs the dicom extra")

from pydicom import Dataset, dcmread

from breastseg.data.phantoms.dicom import write_dicom_phantoms
from breastseg.inference.open import open_segmenter
from breastseg.io.open import open_images

from ..dicom.orthanc import Orthanc, orthanc_in

METHOD = "ultrasound-fast"
CONFIG = """
folder = "node"
min_free_mib = 10
[listen]
peers = ["STORESCU"]
port = 0
[monitor]
port = 0
[[rules]]
modality = "US"
method = "{method}"
[[dicom]]
name = "pacs"
ae_title = "ORTHANC"
host = "127.0.0.1"
port = {port}
"""


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    (tmp_path / "orthanc").mkdir()
    with orthanc_in(tmp_path / "orthanc") as one:
        yield one


@contextmanager
def node(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A node in a process of its own, with its port, once it listens."""
    command = [sys.executable, "-m", "breastseg.cli.main", "node", "--config", "node.toml"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process, int(awaited(process, r"on port (\d+)"))
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def awaited(process: subprocess.Popen[str], words: str) -> str:
    """Read the node's log up to a line with these words; returns their first group."""
    assert process.stderr is not None
    read = []
    for line in process.stderr:
        read.append(line)
        found = re.search(words, line)
        if found is not None:
            return found[1]
    pytest.fail(f"the node ended without {words!r}: {''.join(read)}")


def test_a_study_comes_back_to_the_archive_though_the_node_is_killed(
    tmp_path: Path, orthanc: Orthanc
) -> None:
    storescu = shutil.which("storescu")
    if storescu is None:
        pytest.skip("storescu (dcmtk) is not installed")
    write_dicom_phantoms(tmp_path, 3)
    (tmp_path / "node.toml").write_text(CONFIG.format(method=METHOD, port=orthanc.dicom_port))
    still, cine = (tmp_path / "studies" / name / "0001.dcm" for name in ("us-still", "us-cine"))
    with node(tmp_path) as (process, port):
        command = [storescu, "-aec", "BREASTSEG", "127.0.0.1", str(port), str(still), str(cine)]
        assert subprocess.run(command, check=False).returncode == 0
        process.send_signal(signal.SIGKILL)  # whatever it was at: both were acknowledged
    with node(tmp_path) as (process, _):
        monitor = f"http://127.0.0.1:{awaited(process, 'metrics on port (.+)')}"
        while len(orthanc.uids()) < 4:
            awaited(process, r"(\w+)\.dcm sent to pacs")
        assert json.loads(fetched(f"{monitor}/health"))["healthy"]
        assert 'breastseg_items{state="' in fetched(f"{monitor}/metrics")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130
    results = [dcmread(BytesIO(orthanc.file(one))) for one in orthanc.uids().values()]
    for source in (still, cine):
        study = dcmread(source).StudyInstanceUID
        mine = {one.Modality: one for one in results if one.StudyInstanceUID == study}
        assert set(mine) == {"SEG", "SR"}
        masks = expected(source)
        np.testing.assert_array_equal(outlined(mine["SEG"], len(masks)), masks)


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def expected(source: Path) -> np.ndarray:
    """(frames, rows, columns) of bool, as the library finds it."""
    segmenter = open_segmenter(METHOD, threads=1)
    return np.stack(
        [segmenter.segment(one).mask().foreground for one in open_images(source, "source")]
    )


def outlined(segmentation: Dataset, frames: int) -> np.ndarray:
    """The same, of all segments together, from the object in the archive."""
    shown = np.zeros((frames, segmentation.Rows, segmentation.Columns), bool)
    pixels = segmentation.pixel_array.reshape(-1, *shown.shape[1:]).astype(bool)
    groups = segmentation.PerFrameFunctionalGroupsSequence
    for group, mask in zip(groups, pixels, strict=True):
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        shown[int(source.get("ReferencedFrameNumber", 1)) - 1] |= mask
    return shown
