"""The web application: the API under ``/api``, and the built front end beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig

from breastseg import __version__
from breastseg.service import front_end, problem
from breastseg.service.guard import Guard
from breastseg.service.routes import (
    about,
    accounts,
    archive,
    comparisons,
    jobs,
    oidc,
    pixels,
    project_exports,
    projects,
    scans,
    segmentations,
    trainings,
    versions,
)
from breastseg.service.service import Service
from breastseg.service.settings import Settings

ROUTERS = tuple(
    noun.router
    for noun in (
        *(about, scans, archive, pixels, segmentations, versions, comparisons),
        *(projects, project_exports, trainings, jobs, accounts, oidc),
    )
)
"""All nouns of the API, each with its routes."""


_NOTHING_TOLD = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)


def create_app(settings: Settings) -> FastAPI:
    """The application of a service, which opens when it starts and closes when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = app.state.service = Service(settings)
        service.jobs.start()
        yield
        service.close()

    app = bare_app()
    app.add_middleware(Guard, limits=settings.limits)
    app.router.lifespan_context = lifespan
    front_end.add_to(app)
    return app


def bare_app() -> FastAPI:
    """The application without a service behind it: enough for its OpenAPI document."""
    app = FastAPI(
        title="breastseg",
        version=__version__,
        summary="Segment, correct, measure and report breast lesions in a browser.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        telemetry=_NOTHING_TOLD,
        generate_unique_id_function=lambda route: route.name,
    )
    api = APIRouter(prefix="/api", responses=problem.RESPONSES)
    for router in ROUTERS:
        api.include_router(router)
    app.include_router(api)
    problem.add_handlers(app)
    app.openapi = cache(lambda: problem.described(app))  # type: ignore[method-assign]
    return app
