"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of public data sets; tests that need it are skipped where it is absent."""
    root = os.environ.get("BREASTSEG_DATA", "")
    if not root or not Path(root).is_dir():
        pytest.skip("BREASTSEG_DATA names no folder of data sets")
    return Path(root)
