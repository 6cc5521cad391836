"""The digests of a run's data go into its bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lightning")

from breastseg.core.errors import BundleError
from breastseg.data.fingerprint import Fingerprint
from breastseg.export.bundle import trained_on_of
from breastseg.training.run_data import HERE, RunData


def test_what_training_writes_is_read(tmp_path: Path) -> None:
    cases = {"a/1": Fingerprint("cd" * 32, "0" * 64), "a/2": Fingerprint("ab" * 32, "0" * 64)}
    RunData(HERE, {"train": cases, "val": {"a/3": Fingerprint("ef" * 32, "")}}).write(
        tmp_path / "data.json"
    )
    found = trained_on_of(tmp_path / "data.json")
    assert found.images == {"train": ("ab" * 32, "cd" * 32), "val": ("ef" * 32,)}
    (tmp_path / "data.json").write_text("{}")
    with pytest.raises(BundleError, match=r"data\.json: no record"):
        trained_on_of(tmp_path / "data.json")
