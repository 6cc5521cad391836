"""A method whose workers die. It stands alone, so that a worker can load it by its name."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.segmenter import Segmenter


@dataclass(frozen=True)
class Deadly:
    """Another method, but it ends its process over some images, and over some but once."""

    met: Path
    inner: Segmenter
    name: str = "otsu"
    dimensions: int = 2
    phases: int = 0

    def on_one_core(self) -> Deadly:
        return self

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        name = Path(image.source).name
        before = self.met / name
        if name.startswith("always") or (name.startswith("once") and not before.exists()):
            with before.open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.segment(image, prompt)


def opened(method: Deadly, threads: int) -> Deadly:
    assert threads == 1
    return method
