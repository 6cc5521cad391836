"""``breastseg service``: accounts, backup and restore of the web app's service."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from breastseg.cli.console import say
from breastseg.cli.serve import DEFAULT_ROOT, require_serve

if TYPE_CHECKING:
    from breastseg.service.settings import Settings


def _settings(root: Path, database: str) -> Settings:
    require_serve()
    from breastseg.service.settings import Settings

    return Settings(root, database)


@dataclass(frozen=True)
class AddAccount:
    """Add an account; once there is one, everyone has to log in.

    The password is asked for, or read as a line of standard input.

    Attributes:
        name: lower-case letters, digits and . _ @ -
        role: a reader looks, an annotator also segments and corrects, an admin also adds accounts.
        root: folder of the service.
        database: SQLAlchemy address of its store, where that is no file in the folder.
    """

    name: tyro.conf.Positional[str]
    role: Literal["reader", "annotator", "admin"] = "annotator"
    root: Path = DEFAULT_ROOT
    database: str = ""

    def run(self) -> int:
        """Add it; returns the exit code."""
        settings = _settings(self.root, self.database)
        from breastseg.service.accounts import Accounts
        from breastseg.service.store import open_store

        terminal = sys.stdin.isatty()
        password = getpass.getpass() if terminal else sys.stdin.readline().rstrip("\n")
        store = open_store(settings)
        try:
            Accounts(store).add(self.name, self.role, password)
        finally:
            store.close()
        say(f"Added the {self.role} {self.name}.")
        return 0


@dataclass(frozen=True)
class Backup:
    """Write scans, versions, results and accounts to one file; the service may be running.

    Attributes:
        out: the .tar file to write.
        root: folder of the service.
        database: SQLAlchemy address of its store, where that is no file in the folder.
    """

    out: tyro.conf.Positional[Path]
    root: Path = DEFAULT_ROOT
    database: str = ""

    def run(self) -> int:
        """Write it; returns the exit code."""
        settings = _settings(self.root, self.database)
        from breastseg.service.backup import back_up

        back_up(settings, self.out)
        say(f"Wrote {self.out}. It holds the images: keep it as safe as them.")
        return 0


@dataclass(frozen=True)
class Restore:
    """Bring a backup into a service that has nothing in it.

    Attributes:
        backup: the .tar file.
        root: folder of the service.
        database: SQLAlchemy address of its store, where that is no file in the folder.
    """

    backup: tyro.conf.Positional[Path]
    root: Path = DEFAULT_ROOT
    database: str = ""

    def run(self) -> int:
        """Restore it; returns the exit code."""
        settings = _settings(self.root, self.database)
        from breastseg.service.backup import restore

        restore(settings, self.backup)
        say(f"Restored {self.backup}.")
        return 0
