"""A signal that a library makes another error of ends a run; it is no fault of the file at hand."""

from __future__ import annotations

import importlib
import json
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.core.errors import as_breastseg_error
from breastseg.core.signals import heed_interruption, interruptible
from breastseg.data.phantoms.dicom import write_dicom_phantoms
from breastseg.io.write import write_png

from ..scans import scan


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images each for all commands: DICOM, PNG, and a data set."""
    root = tmp_path_factory.mktemp("study")
    write_dicom_phantoms(root / "phantoms", 3)
    (root / "phantoms" / "studies" / "us-colour").rename(root / "dicom")
    (root / "phantoms" / "studies" / "us-still").rename(root / "dicom" / "more")
    for place in ("scans", "set/images", "set/masks"):
        for name in ("a.png", "b.png"):
            write_png(root / place / name, scan())
    return root


@pytest.mark.parametrize(
    ("words", "place", "number"),
    [
        ("segment scans --method otsu", "breastseg.io.open:open_images", signal.SIGINT),
        ("segment scans --method otsu", "breastseg.io.open:open_images", signal.SIGHUP),
        ("deidentify dicom", "breastseg.dicom.deidentify.run:clean_pixels", signal.SIGTERM),
        ("data audit --data folder=set", "breastseg.io.raster:read_raster", signal.SIGINT),
        ("evaluate otsu --data folder=set", "breastseg.io.raster:read_raster", signal.SIGTERM),
    ],
)
def test_a_signal_that_becomes_another_error_is_no_fault_of_the_file(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    place: str,
    number: signal.Signals,
) -> None:
    module, name = place.split(":")
    monkeypatch.chdir(study)
    given = [*words.split(), "--out", str(tmp_path / "out")]
    with monkeypatch.context() as patch:
        found = importlib.import_module(module)
        patch.setattr(found, name, _lost_at_the_second(getattr(found, name), number))
        assert main(given) == 130
    told = capsys.readouterr().err
    assert "breastseg: interrupted\n" in told
    assert "cannot be loaded" not in told
    if given[0] == "segment":
        text = (tmp_path / "out" / "results.json").read_text()
        assert not [entry for entry in json.loads(text)["entries"] if entry["error"]]
    if given[0] in ("segment", "deidentify"):
        assert main([*given, "--resume"]) == 0


def test_without_a_signal_and_after_it_nothing_is_raised() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():  # noqa: PT012 -- the loss is the point
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        heed_interruption()
    heed_interruption()
    assert "memory" in str(as_breastseg_error(MemoryError(), "scan.png"))


def _lost_at_the_second(
    function: Callable[..., object], number: signal.Signals
) -> Callable[..., object]:
    calls = []

    def losing(*args: object, **kwargs: object) -> object:
        calls.append(args)
        if len(calls) == 2:
            try:
                signal.raise_signal(number)
            except KeyboardInterrupt as error:
                raise ImportError("the library cannot be loaded") from error
        return function(*args, **kwargs)

    return losing
