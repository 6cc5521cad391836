"""Running the service."""

from __future__ import annotations

import socket

import uvicorn

from breastseg.core.errors import InputError
from breastseg.service.accounts import Accounts
from breastseg.service.app import create_app
from breastseg.service.guard import LOOPBACK
from breastseg.service.service import alone
from breastseg.service.settings import Settings
from breastseg.service.store import open_store

_MOST_PORTS = 65_535


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


def check_start(settings: Settings, host: str, port: int) -> int:
    """Find out whether a service can start, before anybody is told that it has.

    Returns:
        The port; for 0 one that is free.

    Raises:
        InputError: the folder cannot be used or is in use, the address is taken or none of this
            machine's, or others can reach it and there is no account.
    """
    try:
        settings.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = alone(settings.root)
    except OSError as error:
        raise InputError(
            f"{settings.root}: cannot hold a service ({error.strerror})",
            "a folder that may be written to",
        ) from error
    if lock is not None:
        lock.close()
    if not 0 <= port <= _MOST_PORTS:
        raise InputError(f"port {port}", f"0 to {_MOST_PORTS}")
    try:
        with socket.create_server((host, port)) as free:
            port = int(free.getsockname()[1])
    except OSError as error:
        raise InputError(
            f"{host}:{port}: cannot be listened on ({error.strerror or error})",
            "an address of this machine and a free port",
            "choose another port, or end what uses this one",
        ) from error
    check_reach(settings, host)
    return port


def check_reach(settings: Settings, host: str) -> None:
    """Refuse an address that others can reach where there is no account.

    Raises:
        InputError: it is such an address.
    """
    if host in LOOPBACK:
        return
    store = open_store(settings)
    try:
        by_provider = settings.connections.oidc is not None
        if not Accounts(store, by_provider).exist:
            raise InputError(
                f"a service on {host}, which others can reach, without an account",
                "an account of an admin",
                "add one first, or listen on 127.0.0.1",
            )
    finally:
        store.close()
