"""Running the service."""

from __future__ import annotations

import uvicorn

from breastseg.core.errors import InputError
from breastseg.service.accounts import Accounts
from breastseg.service.app import create_app
from breastseg.service.guard import LOOPBACK
from breastseg.service.settings import Settings
from breastseg.service.store import open_store


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


def check_reach(settings: Settings, host: str) -> None:
    """Refuse an address that others can reach where there is no account.

    Raises:
        InputError: it is such an address.
    """
    if host in LOOPBACK:
        return
    store = open_store(settings)
    try:
        if not Accounts(store).exist:
            raise InputError(
                f"a service on {host}, which others can reach, without an account",
                "an account of an admin",
                "add one first, or listen on 127.0.0.1",
            )
    finally:
        store.close()
