"""Accounts, sessions in a browser, and API tokens."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from breastseg.core.errors import InputError
from breastseg.service.caller import ROLES, Caller, Role
from breastseg.service.problem import (
    ConflictError,
    NotFoundError,
    RefusedError,
    UnknownCallerError,
)
from breastseg.service.store import Store
from breastseg.service.tables import Account, Audit, Login, now

SESSION_DAYS = 7
TOKEN_DAYS = 365
MIN_PASSWORD = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Verified where there is no such account, so that the time taken does not tell."""


class Accounts:
    """The accounts of a store.

    Args:
        store: holds them.
        by_provider: people also log in at an identity provider.
    """

    def __init__(self, store: Store, by_provider: bool = False) -> None:
        self._store = store
        self._by_provider = by_provider

    @property
    def exist(self) -> bool:
        """Whether people log in; otherwise the service is open to this machine alone."""
        if self._by_provider:
            return True
        with self._store.session() as session:
            return bool(session.scalar(select(func.count()).select_from(Account)))

    def everyone(self) -> list[Account]:
        """All accounts, by name."""
        with self._store.session() as session:
            return list(session.scalars(select(Account).order_by(Account.name)))

    def add(self, name: str, role: Role, password: str) -> Account:
        """Add an account.

        Raises:
            InputError: a name, role or password that is not allowed.
            ConflictError: the name is taken.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"the account name {name!r}",
                "1 to 64 lower-case letters, digits and . _ @ -",
            )
        if role not in ROLES:
            raise InputError(f"the role {role!r}", f"one of {', '.join(ROLES)}")
        _check_password(password)
        with self._store.deciding() as session:
            if session.get(Account, name) is not None:
                raise ConflictError("an account of this name", "another name")
            account = Account(name=name, role=role, password_hash=_hasher.hash(password))
            session.add(account)
        return account

    def change_password(self, name: str, old: str, new: str, session_secret: str) -> None:
        """Change one's own password; all other sessions of the account end, its tokens stay.

        Args:
            name: of the account.
            old: its password.
            new: its next one.
            session_secret: of the session that asks, which goes on.

        Raises:
            RefusedError: another password than the account's.
            InputError: a new password that is not allowed.
        """
        with self._store.session() as session:
            account = _existing(session, name)
            if not _matches(account.password_hash, old):
                raise RefusedError("another password than the present one", "the present one")
            _check_password(new)
            account.password_hash = _hasher.hash(new)
            others = Login.secret_hash != _hash(session_secret)
            session.execute(
                delete(Login).where(Login.account == name, Login.is_token.is_(False), others)
            )

    def set_password(self, name: str, new: str) -> None:
        """Give an account another password; all its sessions and tokens end.

        Raises:
            NotFoundError: there is no such account.
            InputError: a password that is not allowed.
        """
        _check_password(new)
        with self._store.session() as session:
            _existing(session, name).password_hash = _hasher.hash(new)
            session.execute(delete(Login).where(Login.account == name))

    def set_role(self, name: str, role: Role) -> Account:
        """Give an account another role, which holds from its next request on.

        Raises:
            NotFoundError: there is no such account.
            ConflictError: it is the last admin.
        """
        with self._store.session() as session:
            account = _existing(session, name)
            if role != "admin":
                _keep_an_admin(session, name)
            account.role = role
        return account

    def remove(self, name: str) -> None:
        """Remove an account with its sessions and tokens; what it has made stays.

        Raises:
            NotFoundError: there is none.
            ConflictError: it is the last admin.
        """
        with self._store.session() as session:
            account = _existing(session, name)
            _keep_an_admin(session, name)
            session.execute(delete(Login).where(Login.account == name))
            session.delete(account)

    def log_in(self, name: str, password: str) -> str:
        """Begin a session; returns its secret.

        Raises:
            UnknownCallerError: no such account, or another password.
        """
        with self._store.session() as session:
            account = session.get(Account, name)
            known = _NOBODY if account is None else account.password_hash
            if not _matches(known, password) or account is None:
                raise UnknownCallerError("this name and password", "those of an account")
            session.execute(delete(Login).where(Login.expires_at < now()))
            return _new_login(session, name, "browser", SESSION_DAYS, is_token=False)

    def log_in_as(self, subject: str, name: str, role: Role) -> str:
        """Begin a session of who has logged in at the identity provider; returns its secret.

        The account is made at the first time, and has the provider's role from then on.

        Args:
            subject: the provider's own name for the person, which never changes.
            name: of the account.
            role: that the provider gives.

        Raises:
            RefusedError: the name is another person's, or not allowed.
        """
        with self._store.deciding() as session:
            account = session.scalar(select(Account).where(Account.subject == subject))
            if account is None:
                if not _NAME.fullmatch(name) or session.get(Account, name) is not None:
                    raise RefusedError(
                        "an identity whose name cannot be an account's, or is another's",
                        "a name of its own of lower-case letters, digits and . _ @ -",
                        "ask an admin",
                    )
                account = Account(name=name, role=role, password_hash="", subject=subject)
                session.add(account)
                session.flush()
            account.role = role
            session.execute(delete(Login).where(Login.expires_at < now()))
            return _new_login(session, account.name, "browser", SESSION_DAYS, is_token=False)

    def new_token(self, name: str, label: str) -> str:
        """An API token of an account; returns its secret, which is not kept."""
        with self._store.session() as session:
            return _new_login(session, name, label, TOKEN_DAYS, is_token=True)

    def tokens(self, name: str) -> list[Login]:
        """The API tokens of an account, without their secrets."""
        mine = select(Login).where(Login.account == name, Login.is_token)
        with self._store.session() as session:
            return list(session.scalars(mine.order_by(Login.created_at)))

    def revoke_token(self, name: str, label: str) -> None:
        """End the tokens of this label.

        Raises:
            NotFoundError: there is none.
        """
        mine = (Login.account == name, Login.is_token, Login.label == label)
        with self._store.session() as session:
            if session.scalar(select(Login.secret_hash).where(*mine)) is None:
                raise NotFoundError("no such token", remedy="list the tokens")
            session.execute(delete(Login).where(*mine))

    def log_out(self, secret: str) -> None:
        """End a session."""
        with self._store.session() as session:
            session.execute(delete(Login).where(Login.secret_hash == _hash(secret)))

    def caller(self, secret: str) -> Caller | None:
        """Who a session or token belongs to; None where it has ended."""
        with self._store.session() as session:
            login = session.get(Login, _hash(secret))
            if login is None or login.expires_at < now():
                return None
            role = session.get_one(Account, login.account).role
            return Caller(login.account, next(one for one in ROLES if one == role))

    def record(self, account: str, action: str, status: int) -> None:
        """Add to the audit trail."""
        with self._store.session() as session:
            session.add(Audit(account=account, action=action, status=status))


def _existing(session: Session, name: str) -> Account:
    account = session.get(Account, name)
    if account is None:
        raise NotFoundError("no such account", remedy="list the accounts")
    return account


def _keep_an_admin(session: Session, name: str) -> None:
    admins = session.scalars(select(Account.name).where(Account.role == "admin")).all()
    if list(admins) == [name]:
        raise ConflictError("the last admin", "another admin first")


def _new_login(session: Session, name: str, label: str, days: int, is_token: bool) -> str:
    secret = secrets.token_urlsafe(32)
    expires = now() + timedelta(days=days)
    session.add(
        Login(
            secret_hash=_hash(secret),
            account=name,
            label=label,
            is_token=is_token,
            expires_at=expires,
        )
    )
    return secret


def _hash(secret: str) -> str:
    """Of a random secret, which needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _matches(known: str, password: str) -> bool:
    try:
        return _hasher.verify(known, password)
    except (Argon2Error, InvalidHashError):
        return False


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= 1000:
        raise InputError(f"a password of {len(password)} characters", f"at least {MIN_PASSWORD}")
