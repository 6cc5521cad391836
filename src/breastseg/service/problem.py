"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from breastseg.core.errors import BreastsegError
from breastseg.service.machine import UNUSABLE, Trouble, trouble_of
from breastseg.service.wire import Problem

_log = logging.getLogger("uvicorn.error")
MEDIA_TYPE = "application/problem+json"


class NotFoundError(BreastsegError):
    """What was asked for is not in the store."""


class UnknownCallerError(BreastsegError):
    """Who asks is not known."""


class RefusedError(BreastsegError):
    """Who asks may not do it."""


class ConflictError(BreastsegError):
    """What was asked for does not go with what is in the store."""


_STATUS: tuple[tuple[type[BreastsegError], int, str], ...] = (
    (NotFoundError, 404, "Not found"),
    (UnknownCallerError, 401, "Log in first"),
    (RefusedError, 403, "Not allowed"),
    (ConflictError, 409, "Conflict"),
    (BreastsegError, 422, "Cannot be done"),
)

_TITLES = {
    400: "Bad request",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    413: "Too large",
    422: "Cannot be done",
    429: "Too many requests",
    507: "Nowhere to keep it",
}
RESPONSES: dict[int | str, dict[str, object]] = {
    status: {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, title in _TITLES.items()
}
"""What routes may answer besides what they promise, for the OpenAPI document."""


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application, with the form of its problems."""
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    return document


_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
    "<style>body{{max-width:40rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,"
    "sans-serif}}</style><h1>{title}</h1><p>{detail}</p>"
    '<p><a href="/">Go to the app</a></p></html>'
)


def answer(problem: Problem, headers: Mapping[str, str]) -> Response:
    """The problem as a response: a page where the request's headers ask for one.

    A browser asks for pages where a person follows an address, as back from an identity provider.
    """
    if "text/html" in headers.get("accept", ""):
        title = html.escape(problem.title)
        detail = html.escape(f"{problem.detail[:1].upper()}{problem.detail[1:]}")
        return HTMLResponse(_PAGE.format(title=title, detail=detail), problem.status)
    return JSONResponse(problem.model_dump(), problem.status, media_type=MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every error of a route with a problem document."""

    @app.exception_handler(BreastsegError)
    def _ours(request: Request, error: BreastsegError) -> Response:
        trouble = trouble_of(error)
        if trouble is not None:
            return answer(_told(trouble, error), request.headers)
        status, title = next((s, t) for kind, s, t in _STATUS if isinstance(error, kind))
        return answer(
            Problem(
                title=title,
                status=status,
                detail=str(error),
                found=error.given,
                expected=error.allowed,
                try_next=error.remedy,
            ),
            request.headers,
        )

    @app.exception_handler(OSError)
    @app.exception_handler(OperationalError)
    def _machine(request: Request, error: Exception) -> Response:
        return answer(_told(trouble_of(error) or UNUSABLE, error), request.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        detail = f"{where}: {first['msg']}"
        wrong = Problem(title="Cannot be done", status=422, detail=detail, found=detail)
        return answer(wrong, request.headers)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        return answer(
            Problem(
                title=_TITLES.get(error.status_code, "Cannot be done"),
                status=error.status_code,
                detail=str(error.detail),
                found=str(error.detail),
            ),
            request.headers,
        )


def _told(trouble: Trouble, error: Exception) -> Problem:
    """The machine's trouble as a problem; the log names the kind of the error."""
    _log.error("%s (%s)", trouble.found, type(error).__name__)
    return Problem(
        title=_TITLES[507],
        status=507,
        detail=str(trouble),
        found=trouble.found,
        try_next=trouble.remedy,
    )
