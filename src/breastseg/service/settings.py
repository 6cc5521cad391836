"""What a service is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from breastseg.core.parameters import Within, check_bounds
from breastseg.service.connections import Connections

MIB = 2**20
DATABASE = "service.sqlite"
"""The store's file, where no other database is named."""


@dataclass(frozen=True)
class Limits:
    """What one request or job may take.

    Attributes:
        upload_mib: MiB that one upload may have, before and after it is unpacked.
        upload_files: files that one upload may have, those in archives counted.
        job_memory_mib: MiB that a worker process may take; a job that needs more fails.
        cache_mib: MiB of decoded images that are held to be shown and segmented again.
        results_mib: MiB of probability maps that are kept; the oldest go first and are computed
            again when they are asked for.
        requests_a_minute: requests that one address may send.
        logins_a_minute: attempts to log in that one address has.

    Raises:
        InputError: a number that is out of bounds.
    """

    upload_mib: Annotated[int, Within(1)] = 4096
    upload_files: Annotated[int, Within(1, 100_000)] = 10_000
    job_memory_mib: Annotated[int, Within(512)] = 6144
    cache_mib: Annotated[int, Within(16)] = 512
    results_mib: Annotated[int, Within(16)] = 2048
    requests_a_minute: Annotated[int, Within(1)] = 6000
    logins_a_minute: Annotated[int, Within(1)] = 10

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True)
class Settings:
    """How a service runs.

    Attributes:
        root: folder for scans and results; made where it is missing.
        database: SQLAlchemy address of the store; an SQLite file in `root` where it is empty.
        workers: processes that jobs run in.
        threads: CPU cores that one network computes on; 0 for all.
        limits: what one request or job may take.
        connections: the servers that it may reach; none by default.

    Raises:
        InputError: a number that is out of bounds.
    """

    root: Path
    database: str = ""
    workers: Annotated[int, Within(1, 64)] = 1
    threads: Annotated[int, Within(0)] = 0
    limits: Limits = Limits()
    connections: Connections = field(default_factory=Connections)

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def database_url(self) -> str:
        """The address of the store."""
        return self.database or f"sqlite:///{self.root.absolute() / DATABASE}"
