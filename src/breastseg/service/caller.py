"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Request

from breastseg.service.problem import RefusedError, UnknownCallerError

Role = Literal["reader", "annotator", "admin"]
ROLES: tuple[Role, ...] = ("reader", "annotator", "admin")
"""From the least to the most: an annotator may do what a reader may, an admin everything."""


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        name: of the account.
        role: what it may do.
    """

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether it has this role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Caller("local", "admin")
"""The one user of a service that only this machine can reach."""


def _anyone(request: Request) -> Caller | None:
    caller = request.state.caller
    assert caller is None or isinstance(caller, Caller)
    return caller


def _caller(caller: Annotated[Caller | None, Depends(_anyone)]) -> Caller:
    if caller is None:
        raise UnknownCallerError("a request without an account", "a session or token", "log in")
    return caller


def _annotator(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return _required(caller, "annotator")


def _admin(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return _required(caller, "admin")


def _required(caller: Caller, role: Role) -> Caller:
    if not caller.may(role):
        raise RefusedError(f"an account with the role {caller.role}", role, "ask an admin")
    return caller


AnyoneOf = Annotated[Caller | None, Depends(_anyone)]
"""A parameter of a route that needs no account: None for who has not logged in."""
CallerOf = Annotated[Caller, Depends(_caller)]
"""A parameter of a route that any role may ask for."""
AnnotatorOf = Annotated[Caller, Depends(_annotator)]
"""A parameter of a route that writes."""
AdminOf = Annotated[Caller, Depends(_admin)]
"""A parameter of a route that administers."""
