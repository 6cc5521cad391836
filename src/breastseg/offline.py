"""Nothing leaves the machine: what libraries report home is switched off before they are loaded.

Importing `breastseg` does it, so it holds whatever way in is used, and processes that are started
from here inherit it. ``docs/how-to/offline.md`` says how to check it.
"""

from __future__ import annotations

import os
import sys

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime; read when the library is loaded
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, which timm loads
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "FASTAPI_OTEL_AUTO_CONFIGURE": "false",
    "OTEL_SDK_DISABLED": "true",  # OpenTelemetry, which FastAPI calls
    "DO_NOT_TRACK": "1",  # what several others heed
}
"""Environment variables by which libraries are told to report nothing."""

REPORTERS = ("openvino_telemetry",)
"""Modules that do nothing but report; OpenVINO has a stand-in for where its own is absent."""


def keep_offline() -> None:
    """Switch it off in this process and in those that it starts.

    The values are set whatever they were: that nothing is sent is promised without conditions.
    """
    os.environ.update(SWITCHES)
    for name in REPORTERS:
        # None in place of a module makes its import fail as if it were not installed
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
