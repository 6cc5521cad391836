import shutil
import subprocess
import sys

import pytest

from breastseg.inference import catalogue
from breastseg.inference.bundle_folder import read_bundle


@pytest.fixture
def shipped(make_tiny, tmp_path, monkeypatch):
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    for name in ("zebra", "ant"):
        shutil.move(make_tiny(name=name), bundles / name)
    (bundles / "not-a-bundle").mkdir()
    monkeypatch.setattr(catalogue, "BUNDLES", bundles)
    return bundles


def test_bundles_are_listed_by_name(shipped):
    assert list(catalogue.shipped_bundles()) == ["ant", "zebra"]


def test_what_is_shipped_can_be_read_and_is_named_as_its_folder():
    for name, folder in catalogue.shipped_bundles().items():
        assert read_bundle(folder).name == name


def test_importing_the_room_imports_no_torch_and_nothing_slow():
    slow = ("torch", "onnxruntime", "onnx", "pydantic", "skimage")
    code = (
        "import sys, breastseg.inference.catalogue, breastseg.inference.open;"
        f"print([m for m in {slow!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
