"""Workers of a local cluster: what they make is what the plain run makes, though some die."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from breastseg.classical.preset import classical_method
from breastseg.core.errors import InputError
from breastseg.data.phantoms.dicom import write_dicom_phantoms
from breastseg.data.phantoms.ultrasound import write_phantoms
from breastseg.dicom.objects import DicomObjects, DicomOptions
from breastseg.inference.options import SegmentOptions
from breastseg.results import segment_on_ray as segment_on_ray_module
from breastseg.results.run import Run
from breastseg.results.segment import segment_images
from breastseg.results.segment_on_ray import Work, check_cluster, segment_on_ray
from breastseg.results.source import STANDARD_INPUT, Source, Sources, find_sources

OPTIONS = SegmentOptions(threads=2)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Stills, a cine loop with a still that has the name of a frame, a file that is none."""
    folder = tmp_path / "scans"
    folder.mkdir()
    stills = write_phantoms(tmp_path / "phantoms", 4, 0)
    names = ("a.png", "once.png", "always.png", "loop_f0002.png")
    for path, name in zip(sorted(stills), names, strict=True):
        path.rename(folder / name)
    write_dicom_phantoms(tmp_path / "dicom", 3)
    (tmp_path / "dicom" / "studies" / "us-cine" / "0001.dcm").rename(folder / "loop.dcm")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def plain(sources: Sources, root: Path, resume: bool = False) -> None:
    run = Run({}, root, {source.name: source.path for source in sources}, resume=resume)
    companion = DicomObjects(DicomOptions(("seg",)))
    otsu = classical_method("otsu", "none")
    list(segment_images(otsu, sources, OPTIONS, run, companion=companion))


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(find_spec("ray") is None, reason="needs the ray extra")
def test_the_results_are_the_same_though_workers_die(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("highdicom", reason="needs the dicom extra")
    sources = find_sources([scans], None)
    plain(sources, tmp_path / "plain")
    met = tmp_path / "met"
    met.mkdir()
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    deadly = import_module("deadly")
    method = deadly.Deadly(met, classical_method("otsu", "none"))
    work = Work(partial(deadly.opened, method), OPTIONS, DicomObjects(DicomOptions(("seg",))))
    root = tmp_path / "ray"
    run = Run({}, root, {source.name: source.path for source in sources})
    home = os.environ.get("HOME")
    try:
        entries = list(segment_on_ray("local", work, sources, run))
    except InputError as error:
        if "timed out during startup" in str(error):
            pytest.skip("this machine is too busy to start Ray")
        raise
    finally:
        gc.collect()  # Ray leaves its processes' handles to the collector
    assert os.environ.get("HOME") == home
    assert {path.name: len(path.read_text()) for path in met.iterdir()} == {
        "once.png": 1,
        "always.png": 2,  # done again once and only once
    }
    problems = {Path(entry.input).name: entry.error for entry in entries if entry.failed}
    assert set(problems) == {"always.png", "broken.png"}
    assert "the worker died over it, twice" in str(problems["always.png"])
    mine, theirs = held(root), held(tmp_path / "plain")
    lost = {name for name in theirs if name.startswith("always")}
    assert set(theirs) - set(mine) == lost
    documents = {"results.json", "results.csv"}
    assert {n: d for n, d in mine.items() if n not in documents} == {
        n: d for n, d in theirs.items() if n not in documents | lost
    }
    plain(sources, root, resume=True)  # the folder is that of any other run
    assert held(root) == theirs


@pytest.mark.skipif(find_spec("ray") is None, reason="needs the ray extra")
@pytest.mark.parametrize("handler", [lambda number, _: sys.exit(number), lambda *_: None])
def test_an_interrupted_start_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, handler: Callable[[int, object], None]
) -> None:
    """Whether Ray's own handler leaves the process or what it raises is lost on the way."""
    segment_on_ray_module._read_once()  # before Ray is loaded
    import ray

    begun: list[subprocess.Popen[bytes]] = []

    def interrupted(*_words: object, **_named: object) -> None:
        words = [sys.executable, "-c", "import time; time.sleep(600)"]
        begun.append(subprocess.Popen(words))
        signal.signal(signal.SIGTERM, handler)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(ray, "init", interrupted)
    run = Run({}, tmp_path / "run", {})
    work = Work(partial(classical_method, "otsu", "none"), OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        list(segment_on_ray("local", work, [Source("a", Path("a.png"))], run))
    begun[0].wait(timeout=60)


@pytest.mark.skipif(find_spec("ray") is None, reason="needs the ray extra")
@pytest.mark.parametrize(
    ("address", "sources", "threads", "words"),
    [
        ("local", [Source("standard input", STANDARD_INPUT)], 0, "standard input"),
        ("ray://head:10001", [], 0, "for Ray's client"),
        ("head:6379", [], 4, "uses all its cores"),
    ],
)
def test_what_a_cluster_cannot_do_is_refused(
    address: str, sources: list[Source], threads: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        check_cluster(address, sources, threads)
