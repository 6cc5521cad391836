"""What a run ran on: enough to repeat it."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

import torch

import breastseg

PACKAGES = ("torch", "lightning", "segmentation-models-pytorch", "timm", "numpy", "pillow")


def environment(command: list[str]) -> dict[str, object]:
    """Versions, processor, accelerator and the command as typed, as plain containers for JSON."""
    return {
        "breastseg": breastseg.__version__,
        "python": sys.version.split()[0],
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": command,
    }
