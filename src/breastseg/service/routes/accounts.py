"""``/api/session``, ``tokens``, ``accounts`` and ``audit``: who may use the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from breastseg.service.accounts import MIN_PASSWORD, SESSION_DAYS
from breastseg.service.caller import AdminOf, CallerOf, Role
from breastseg.service.guard import COOKIE
from breastseg.service.problem import ConflictError
from breastseg.service.service import ServiceOf
from breastseg.service.tables import Account, Audit

router = APIRouter(tags=["accounts"])

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
Label = Annotated[str, Field(pattern=r"^[\w .-]{1,100}$")]


class LoginRequest(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=64)
    password: str = Field(max_length=1000)


class AccountRequest(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    role: Role
    password: str = Field(min_length=MIN_PASSWORD, max_length=1000)


class AccountInfo(BaseModel):
    """An account."""

    name: str
    role: Role
    created_at: datetime


class PasswordRequest(BaseModel):
    """One's own next password."""

    model_config = ConfigDict(extra="forbid")
    old: str = Field(max_length=1000)
    new: str = Field(min_length=MIN_PASSWORD, max_length=1000)


class NewPassword(BaseModel):
    """The next password of somebody else."""

    model_config = ConfigDict(extra="forbid")
    new: str = Field(min_length=MIN_PASSWORD, max_length=1000)


class NewRole(BaseModel):
    """The next role of an account."""

    model_config = ConfigDict(extra="forbid")
    role: Role


class TokenRequest(BaseModel):
    """What an API token is for."""

    model_config = ConfigDict(extra="forbid")
    label: Label


class TokenInfo(BaseModel):
    """An API token; its secret is told once, when it is made."""

    label: str
    created_at: datetime
    expires_at: datetime


class NewToken(BaseModel):
    """An API token's secret, for the header ``Authorization: Bearer``."""

    secret: str


class AuditLine(BaseModel):
    """Something that an account has changed or taken out."""

    at: datetime
    account: str
    action: str
    status: int


@router.post("/session", status_code=204)
def log_in(body: LoginRequest, request: Request, response: Response, service: ServiceOf) -> None:
    """Begin a session, which is kept in a cookie."""
    secret = service.accounts.log_in(body.name, body.password)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_DAYS * 86400,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


@router.delete("/session", status_code=204)
def log_out(request: Request, response: Response, service: ServiceOf) -> None:
    """End the session."""
    service.accounts.log_out(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)


@router.put("/session/password", status_code=204)
def change_password(
    body: PasswordRequest, request: Request, service: ServiceOf, caller: CallerOf
) -> None:
    """Change one's own password; one's other sessions end, the API tokens stay."""
    secret = request.cookies.get(COOKIE, "")
    service.accounts.change_password(caller.name, body.old, body.new, secret)


@router.get("/tokens")
def list_tokens(service: ServiceOf, caller: CallerOf) -> list[TokenInfo]:
    """The API tokens of the account that asks."""
    return [
        TokenInfo(label=one.label, created_at=one.created_at, expires_at=one.expires_at)
        for one in service.accounts.tokens(caller.name)
    ]


@router.post("/tokens", status_code=201)
def add_token(body: TokenRequest, service: ServiceOf, caller: CallerOf) -> NewToken:
    """Make an API token for the account that asks."""
    if not service.accounts.exist:
        raise ConflictError("a service without accounts", "an account", "it needs no token")
    return NewToken(secret=service.accounts.new_token(caller.name, body.label))


@router.delete("/tokens/{label}", status_code=204)
def revoke_token(label: Label, service: ServiceOf, caller: CallerOf) -> None:
    """End an API token of the account that asks."""
    service.accounts.revoke_token(caller.name, label)


@router.get("/accounts")
def list_accounts(service: ServiceOf, _caller: AdminOf) -> list[AccountInfo]:
    """All accounts."""
    return [_info(one) for one in service.accounts.everyone()]


@router.post("/accounts", status_code=201)
def add_account(body: AccountRequest, service: ServiceOf, _caller: AdminOf) -> AccountInfo:
    """Add an account; with the first one, which must be an admin, everyone has to log in."""
    if not service.accounts.exist and body.role != "admin":
        raise ConflictError("a first account that is no admin", "an admin first")
    return _info(service.accounts.add(body.name, body.role, body.password))


@router.put("/accounts/{name}/password", status_code=204)
def set_password(name: Name, body: NewPassword, service: ServiceOf, _caller: AdminOf) -> None:
    """Give an account another password, as where it was forgotten; its sessions and tokens end."""
    service.accounts.set_password(name, body.new)


@router.put("/accounts/{name}/role")
def set_role(name: Name, body: NewRole, service: ServiceOf, _caller: AdminOf) -> AccountInfo:
    """Give an account another role."""
    return _info(service.accounts.set_role(name, body.role))


@router.delete("/accounts/{name}", status_code=204)
def remove_account(name: Name, service: ServiceOf, _caller: AdminOf) -> None:
    """Remove an account; what it has made stays."""
    service.accounts.remove(name)


@router.get("/audit")
def list_audit(
    service: ServiceOf,
    _caller: AdminOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[datetime | None, Query(description="older than this alone")] = None,
) -> list[AuditLine]:
    """What was changed or taken out, and by whom, the newest first."""
    newest = select(Audit).order_by(Audit.id.desc()).limit(limit)
    if before is not None:
        newest = newest.where(Audit.at < before)
    with service.store.session() as session:
        return [
            AuditLine(at=one.at, account=one.account, action=one.action, status=one.status)
            for one in session.scalars(newest)
        ]


def _info(one: Account) -> AccountInfo:
    return AccountInfo.model_validate(
        {"name": one.name, "role": one.role, "created_at": one.created_at}
    )
