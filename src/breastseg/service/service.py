"""All that the routes work with, opened together and closed together."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Annotated

from fastapi import Depends, Request

from breastseg.core.errors import InputError
from breastseg.service.accounts import Accounts
from breastseg.service.archive import Archive
from breastseg.service.files import Files
from breastseg.service.jobs import Jobs
from breastseg.service.kinds import Kinds
from breastseg.service.labelling import Labelling
from breastseg.service.methods import Methods
from breastseg.service.oidc import Provider
from breastseg.service.pictures import Pictures
from breastseg.service.results import Results
from breastseg.service.settings import MIB, Settings
from breastseg.service.store import open_store


class Service:
    """A service: its store, its files, its methods and its jobs.

    Args:
        settings: how it runs.

    Raises:
        InputError: another service uses the folder.
    """

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self.settings = settings
        self.files = Files(settings.root)
        self._alone = alone(settings.root)
        if self._alone is not None:
            self.files.forget_interrupted()
        self.store = open_store(settings)
        oidc = settings.connections.oidc
        self.provider = None if oidc is None else Provider(oidc)
        self.accounts = Accounts(self.store, by_provider=oidc is not None)
        self.archive = Archive(settings.connections.dicomweb, limits)
        self.methods = Methods(settings.threads, self.files.trained)
        self.pictures = Pictures(self.files, limits.cache_mib * MIB)
        self.results = Results(self.files.results, limits.results_mib * MIB)
        self.labelling = Labelling(self.files.projects)
        self.kinds = Kinds(self.store, self.files, self.pictures, self.labelling, settings.threads)
        self.jobs = Jobs(self.store, settings, self.kinds)

    def close(self) -> None:
        """End the jobs' workers and let the store go."""
        self.jobs.stop()
        self.store.close()
        if self._alone is not None:
            self._alone.close()


def alone(root: Path) -> IO[str] | None:
    """A lock that the system lets go when the process ends, however that happens.

    A second service would take the running jobs of the first for interrupted. None where the system
    has no such lock.
    """
    try:
        import fcntl
    except ImportError:
        return None
    stream = (root / "service.lock").open("w")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise InputError(
            f"{root}: another service uses this folder", "one at a time", "stop it first"
        ) from None
    return stream


def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceOf = Annotated[Service, Depends(_service)]
"""A parameter of a route: the service that it belongs to."""
