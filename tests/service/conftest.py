"""A service in a folder of its own, and what is uploaded to it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow

from breastseg.service.app import create_app
from breastseg.service.settings import Settings

Json = dict[str, Any]
Upload = Callable[..., Json]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a fresh service, which is closed afterwards."""
    with TestClient(
        create_app(Settings(tmp_path / "service")), base_url="http://127.0.0.1"
    ) as client:
        yield client


def png_of(array: np.ndarray) -> bytes:
    """An array as the bytes of a PNG file."""
    stream = io.BytesIO()
    Pillow.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def disc(shape: tuple[int, int] = (96, 128), radius: int = 20) -> np.ndarray:
    """(rows, columns) bool: a disc in the middle."""
    rows, columns = np.indices(shape)
    return (rows - shape[0] // 2) ** 2 + (columns - shape[1] // 2) ** 2 <= radius**2


def dark_disc() -> bytes:
    """A PNG of a dark disc on a bright ground, without a spacing."""
    return png_of(np.where(disc(), 40, 160).astype(np.uint8))


@pytest.fixture
def upload(client: TestClient) -> Upload:
    """Upload files by name; the dark disc without any."""

    def send(**files: bytes) -> Json:
        given = files or {"disc.png": dark_disc()}
        parts = [("files", (name, data)) for name, data in given.items()]
        answer = client.post("/api/scans", files=parts)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    return send
