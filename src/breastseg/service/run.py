"""Running the service."""

from __future__ import annotations

import uvicorn

from breastseg.service.app import create_app
from breastseg.service.settings import Settings


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until the process is interrupted.

    Args:
        settings: of the service.
        host: address to listen on.
        port: likewise.
    """
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
