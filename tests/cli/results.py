"""Reading what ``breastseg segment`` has written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image as Pillow


def entries(folder: Path) -> list[dict[str, object]]:
    document = json.loads((folder / "results.json").read_text())
    assert document["complete"] is True
    assert "not a medical device" in document["notice"]
    found: list[dict[str, object]] = document["entries"]
    return found


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Pillow.open(path))
