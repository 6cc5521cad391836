"""``breastseg deidentify``: what it says of the key, and of work that there was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.data.phantoms.dicom import write_dicom_phantoms


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("phantoms")
    write_dicom_phantoms(folder, 3)
    return str(folder / "studies" / "us-still")


def test_a_key_that_is_named_and_absent_is_no_new_key_unless_asked_for(
    scan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, key = str(tmp_path / "out"), str(tmp_path / "key.json")
    assert main(["deidentify", scan, "--out", out, "--key", key]) == 2
    assert "key.json: is not there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["deidentify", scan, "--out", out, "--key", key, "--new-key"]) == 0
    assert f"A new key is {key}" in capsys.readouterr().out
    assert main(["deidentify", scan, "--out", f"{out}2", "--key", key]) == 0
    assert f"The key is {key}" in capsys.readouterr().out
    assert main(["deidentify", scan, "--out", f"{out}3"]) == 0
    assert f"A new key is {out}3.key.json" in capsys.readouterr().out


def test_nothing_to_do_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    for inputs in ([], [str(tmp_path / "in")]):
        out = tmp_path / f"out{len(inputs)}"
        assert main(["deidentify", *inputs, "--out", str(out)]) == 2
        assert "no DICOM image" in capsys.readouterr().err
    (tmp_path / "in" / "note.txt").write_text("hello")
    assert main(["deidentify", str(tmp_path / "in"), "--out", str(tmp_path / "last")]) == 2
