"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

import errno
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from breastseg.core.errors import BreastsegError
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


def answer(problem: Problem) -> JSONResponse:
    """The problem as a response."""
    return JSONResponse(problem.model_dump(), problem.status, media_type=MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every error of a route with a problem document."""

    @app.exception_handler(BreastsegError)
    def _ours(_request: Request, error: BreastsegError) -> JSONResponse:
        status, title = next((s, t) for kind, s, t in _STATUS if isinstance(error, kind))
        return answer(
            Problem(
                title=title,
                status=status,
                detail=str(error),
                found=error.given,
                expected=error.allowed,
                try_next=error.remedy,
            )
        )

    @app.exception_handler(OSError)
    @app.exception_handler(OperationalError)
    def _machine(_request: Request, error: Exception) -> JSONResponse:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        full = full or "is full" in str(error)  # as SQLite has it
        found = f"the service cannot use its {'disk: it is full' if full else 'disk or store'}"
        first = "free space there" if full else "let who runs the service look at its log"
        remedy = f"{first}, then do it again"
        detail = f"{found}. Try: {remedy}"
        _log.error("%s (%s)", found, type(error).__name__)
        return answer(
            Problem(title=_TITLES[507], status=507, detail=detail, found=found, try_next=remedy)
        )

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        detail = f"{where}: {first['msg']}"
        return answer(Problem(title="Cannot be done", status=422, detail=detail, found=detail))

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        return answer(
            Problem(
                title=_TITLES.get(error.status_code, "Cannot be done"),
                status=error.status_code,
                detail=str(error.detail),
                found=str(error.detail),
            )
        )
