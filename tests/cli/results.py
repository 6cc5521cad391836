"""Reading what ``breastseg segment`` has written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image as Pillow


def document(folder: Path) -> dict[str, dict[str, object]]:
    """A complete ``results.json``."""
    found: dict[str, dict[str, object]] = json.loads((folder / "results.json").read_text())
    assert found["complete"] is True
    assert "not a medical device" in found["notice"]
    return found


def entries(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = document(folder)["entries"]  # type: ignore[assignment]
    return found


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Pillow.open(path))
