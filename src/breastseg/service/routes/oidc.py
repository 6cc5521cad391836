"""``/api/session/oidc``: log in at the configured identity provider."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from breastseg.service.accounts import SESSION_DAYS
from breastseg.service.guard import COOKIE
from breastseg.service.oidc import OPEN_S, Provider
from breastseg.service.problem import NotFoundError, RefusedError, UnknownCallerError
from breastseg.service.service import Service, ServiceOf

router = APIRouter(tags=["accounts"])

_STATE = "breastseg_oidc"
_PLACE = "/api/session/oidc"
_BACK = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    '<title>breastseg</title><p><a href="/">Go on</a></p>'
)
"""A page of our own between: after a step from another site a browser withholds strict cookies."""

Word = Annotated[str, Query(min_length=1, max_length=4096)]
Error = Annotated[str, Query(pattern="^[a-z_]{0,64}$", description="RFC 6749, 4.1.2.1")]


@router.get(
    "/session/oidc",
    status_code=303,
    response_class=RedirectResponse,
    responses={303: {"description": "to the identity provider"}},
)
def begin_oidc(service: ServiceOf) -> RedirectResponse:
    """Log in at the identity provider, where one is configured; a page of the app links here."""
    url, state = _provider(service).begin()
    response = RedirectResponse(url, 303)
    response.set_cookie(
        _STATE,
        state,
        max_age=int(OPEN_S),
        path=_PLACE,
        httponly=True,
        samesite="lax",  # it must come back with the step from the provider
        secure=_is_secure(service),
    )
    return response


@router.get(
    "/session/oidc/callback",
    response_class=HTMLResponse,
    responses={200: {"description": "a page that goes on to the app"}},
)
def finish_oidc(
    request: Request, service: ServiceOf, state: Word, code: Word | None = None, error: Error = ""
) -> Response:
    """Where the identity provider sends a browser back to; begins the session."""
    kept = request.cookies.get(_STATE, "")
    if not hmac.compare_digest(kept.encode(), state.encode()):
        raise UnknownCallerError(
            "a login of another browser", "one that was begun here", "log in again"
        )
    if code is None:
        raise RefusedError(
            f"a login that the identity provider did not grant ({error or 'without a reason'})",
            remedy="log in again, or ask an admin of the provider",
        )
    person = _provider(service).finish(state, code)
    secret = service.accounts.log_in_as(person.subject, person.name, person.role)
    response = HTMLResponse(_BACK)
    response.delete_cookie(_STATE, path=_PLACE)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_DAYS * 86400,
        httponly=True,
        samesite="strict",
        secure=_is_secure(service),
    )
    return response


def _provider(service: Service) -> Provider:
    if service.provider is None:
        raise NotFoundError("no identity provider", remedy="log in with name and password")
    return service.provider


def _is_secure(service: Service) -> bool:
    oidc = service.settings.connections.oidc
    return oidc is not None and oidc.public_url.startswith("https:")
