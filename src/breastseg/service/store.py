"""The store: the database of scans, results, versions, jobs and accounts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from breastseg.service.migrations.migrate import migrate
from breastseg.service.settings import DATABASE, Settings


def open_store(settings: Settings) -> Store:
    """The store of these settings; an SQLite one is made where it is missing."""
    settings.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not settings.database:
        # for nobody else to read, also in a folder that others may look into; SQLite gives the
        # files beside it the same mode
        settings.root.joinpath(DATABASE).touch(mode=0o600)
    return Store(settings.database_url)


class Store:
    """Opens a database and brings it to the newest schema.

    Args:
        url: its SQLAlchemy address.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._alone = threading.Lock()
        migrate(self.engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: kept at its end, undone by an error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def deciding(self) -> Iterator[Session]:
        """A transaction that looks and then writes, with no other such one in between.

        One service uses a store, so that a lock of the process is enough on either database.
        """
        with self._alone, self.session() as session:
            yield session

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    # what people have written does not come into a log with an error
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _prepare(connection: object, _record: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            # readers and the one writer do not wait for each other; nothing is lost in a crash
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=15000"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    return engine
