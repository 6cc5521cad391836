"""``breastseg serve``: the web app and its API on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.console import say
from breastseg.core.errors import MissingExtraError

DEFAULT_ROOT = Path("breastseg-service")


def require_serve() -> None:
    """Refuse where the web server is not installed.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import fastapi  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "the web server is not installed", remedy="pip install 'breastseg[serve]'"
        ) from None


@dataclass(frozen=True)
class Serve:
    """Open the web app in a browser on this machine: segment, correct, measure, report.

    Attributes:
        port: to listen on.
        host: address to listen on; any other than this machine's own needs accounts.
        root: folder for scans, results and the store.
        database: SQLAlchemy address of another store, such as postgresql+psycopg://...
        workers: processes that long jobs run in.
        threads: CPU cores that one network computes on; 0 for all.
        config: a TOML file with the servers that the service may reach: an archive to take studies
            from, a provider to log in at. It reaches none without.
    """

    port: int = 8765
    host: str = "127.0.0.1"
    root: Path = DEFAULT_ROOT
    database: str = ""
    workers: int = 1
    threads: int = 0
    config: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None

    def run(self) -> int:
        """Serve until interrupted; returns the exit code."""
        require_serve()
        from breastseg.service.connections import Connections, read_connections
        from breastseg.service.run import check_start, serve
        from breastseg.service.settings import Settings

        connections = Connections() if self.config is None else read_connections(self.config)
        settings = Settings(
            self.root, self.database, self.workers, self.threads, connections=connections
        )
        port = check_start(settings, self.host, self.port)
        say(f"Open http://{self.host}:{port} in a browser. Ctrl-C ends the service.")
        serve(settings, self.host, port)
        return 0
