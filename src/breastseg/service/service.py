"""All that the routes work with, opened together and closed together."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from breastseg.service.accounts import Accounts
from breastseg.service.files import Files
from breastseg.service.jobs import Jobs
from breastseg.service.labelling import Labelling
from breastseg.service.methods import Methods
from breastseg.service.pictures import Pictures
from breastseg.service.results import Results
from breastseg.service.settings import MIB, Settings
from breastseg.service.store import open_store


class Service:
    """A service: its store, its files, its methods and its jobs.

    Args:
        settings: how it runs.
    """

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self.settings = settings
        self.files = Files(settings.root)
        self.store = open_store(settings)
        self.accounts = Accounts(self.store)
        self.methods = Methods(settings.threads)
        self.pictures = Pictures(self.files, limits.cache_mib * MIB)
        self.results = Results(self.files.results, limits.results_mib * MIB)
        self.labelling = Labelling(self.files.projects)
        self.jobs = Jobs(self.store, settings)

    def close(self) -> None:
        """End the jobs' workers and let the store go."""
        self.jobs.stop()
        self.store.close()


def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceOf = Annotated[Service, Depends(_service)]
"""A parameter of a route: the service that it belongs to."""
