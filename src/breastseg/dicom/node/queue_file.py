"""The queue's SQLite file: its tables, and whether a file has them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from breastseg.core.errors import InputError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items(
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, method TEXT NOT NULL,
    state TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 1, attempts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL, changed REAL NOT NULL, problem TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS by_state ON items(state, not_before);
CREATE TABLE IF NOT EXISTS instances(
    uid TEXT PRIMARY KEY, study TEXT NOT NULL, digest TEXT NOT NULL,
    item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS by_item ON instances(item);
CREATE INDEX IF NOT EXISTS by_study ON instances(study);
CREATE TABLE IF NOT EXISTS deliveries(
    uid TEXT NOT NULL, destination TEXT NOT NULL, file TEXT NOT NULL,
    item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '', PRIMARY KEY(uid, destination));
CREATE INDEX IF NOT EXISTS by_destination ON deliveries(destination, state, not_before);
CREATE INDEX IF NOT EXISTS of_item ON deliveries(item);
"""


def open_queue(path: Path) -> sqlite3.Connection:
    """Open a queue for several threads; make it if it is missing.

    Raises:
        InputError: the file is damaged, or has not these tables with these columns.
        sqlite3.OperationalError: the disk is full or fails.
    """
    db = sqlite3.connect(path, 60.0, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        found = _columns(db)
        with closing(sqlite3.connect(":memory:")) as fresh:
            fresh.executescript(_SCHEMA)
            known = _columns(fresh)
        if found and found != known:
            differ = ", ".join(sorted(found ^ known))
            raise InputError(
                f"{path}: a queue of another version (it differs in {differ})",
                "one that this version made",
                "let the version that made it send what it holds, or rescue that from the folder; "
                "then name a new one",
            )
        db.executescript(_SCHEMA)
    except BaseException as error:
        db.close()
        if type(error) is sqlite3.DatabaseError:
            raise InputError(
                f"{path}: damaged ({error})",
                "a queue",
                "restore the file, or rescue what the folder holds, then name a new one",
            ) from error
        raise
    return db


def _columns(db: sqlite3.Connection) -> set[str]:
    """All tables' columns, as ``table.column``."""
    tables = db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    return {
        f"{table[0]}.{column[1]}"
        for table in tables
        if not table[0].startswith("sqlite_")
        for column in db.execute(f"PRAGMA table_info({table[0]})")
    }
