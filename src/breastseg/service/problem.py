"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from breastseg.core.errors import BreastsegError
from breastseg.service.wire import Problem

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

RESPONSES: dict[int | str, dict[str, object]] = {
    status: {
        "description": title,
        "model": Problem,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, title in (
        (403, "Not allowed"),
        (404, "Not found"),
        (409, "Conflict"),
        (422, "Cannot be done"),
    )
}
"""What routes may answer besides what they promise, for the OpenAPI document."""


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

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        detail = f"{where}: {first['msg']}"
        return answer(Problem(title="Cannot be done", status=422, detail=detail))

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        return answer(
            Problem(title=str(error.detail), status=error.status_code, detail=str(error.detail))
        )
