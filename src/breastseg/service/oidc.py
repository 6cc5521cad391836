"""Logging in at an identity provider: OpenID Connect's authorisation code flow with PKCE.

OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9700 (security). Of the provider three
addresses are used: its description, its token endpoint and its keys, each only while somebody logs
in. No token is kept: the session is the service's own.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from breastseg.core.errors import InputError, MissingExtraError
from breastseg.service.caller import ROLES, Role
from breastseg.service.connections import Oidc, check_secure
from breastseg.service.problem import RefusedError, UnknownCallerError

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

CALLBACK = "/api/session/oidc/callback"
OPEN_S = 600.0
"""How long somebody may take to log in at the provider."""
_MOST_OPEN = 1000
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by the provider's private key; a shared secret or none proves nothing."""


@dataclass(frozen=True)
class Person:
    """Who has logged in.

    Attributes:
        subject: the issuer and its name for the person, which never changes.
        name: as the claim has it, in lower case.
        role: the highest that the claim gives.
    """

    subject: str
    name: str
    role: Role


@dataclass(frozen=True)
class _Begun:
    verifier: str
    nonce: str
    at: float


class Provider:
    """The configured provider; may be used from several threads at once.

    Args:
        settings: of the provider.
        clock: seconds that only grow.

    Raises:
        MissingExtraError: authlib is not installed.
    """

    def __init__(self, settings: Oidc, clock: Callable[[], float] = time.monotonic) -> None:
        if find_spec("authlib") is None or find_spec("requests") is None:
            raise MissingExtraError(
                "logging in at a provider needs authlib", remedy="pip install 'breastseg[oidc]'"
            )
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Begun] = OrderedDict()

    def begin(self) -> tuple[str, str]:
        """The address to send a browser to, and the state that it must bring back.

        Raises:
            RefusedError: the provider cannot be reached or is another than configured.
        """
        with self._session() as session:
            described = self._described(session)
            begun = _Begun(secrets.token_urlsafe(64), secrets.token_urlsafe(32), self._clock())
            url, state = session.create_authorization_url(
                _endpoint(described, "authorization_endpoint"),
                code_verifier=begun.verifier,
                nonce=begun.nonce,
            )
        with self._lock:
            self._open[state] = begun
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return str(url), str(state)

    def finish(self, state: str, code: str) -> Person:
        """Who a browser has come back as; each state counts once.

        Raises:
            UnknownCallerError: a state that was not begun or took too long.
            RefusedError: the provider's answer does not hold, or gives no role.
        """
        with self._lock:
            begun = self._open.pop(state, None)
        if begun is None or self._clock() - begun.at > OPEN_S:
            raise UnknownCallerError(
                "a login that was not begun here", "one of the last minutes", "log in again"
            )
        with self._session() as session:
            described = self._described(session)
            token = _answered(
                lambda: session.fetch_token(
                    _endpoint(described, "token_endpoint"),
                    code=code,
                    grant_type="authorization_code",
                    code_verifier=begun.verifier,
                )
            )
            keys = _answered(
                lambda: session.request(
                    "GET", _endpoint(described, "jwks_uri"), withhold_token=True
                ).json()
            )
        return self._person(self._claims(str(token.get("id_token", "")), keys, begun.nonce))

    def _session(self) -> OAuth2Session:
        from authlib.integrations.requests_client import OAuth2Session

        one = self._settings
        secret = None
        if one.secret_file is not None:
            try:
                secret = one.secret_file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(f"{one.secret_file}: {error}", "a readable file") from error
        session = OAuth2Session(
            one.client_id,
            secret,
            token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
            scope=one.scopes,
            redirect_uri=one.public_url.rstrip("/") + CALLBACK,
            code_challenge_method="S256",
            default_timeout=one.timeout_s,
        )
        session.trust_env = False  # no proxy or password that nobody named here
        session.max_redirects = 0
        if one.authorities is not None:
            session.verify = str(one.authorities)
        return session

    def _described(self, session: OAuth2Session) -> Mapping[str, Any]:
        url = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = _answered(lambda: session.request("GET", url, withhold_token=True).json())
        if not isinstance(found, dict) or found.get("issuer") != self._settings.issuer:
            raise RefusedError("a provider that names another issuer", self._settings.issuer)
        return found

    def _claims(self, token: str, keys: object, nonce: str) -> Mapping[str, Any]:
        """The claims of an identity token that holds: signed, of this issuer, for us, now."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        one = self._settings
        registry = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": one.issuer},
            aud={"essential": True, "value": one.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(keys), list(_ALGORITHMS)).claims  # type: ignore[arg-type]
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RefusedError(
                f"an identity token that does not hold ({type(error).__name__})"
            ) from error
        if claims.get("azp", one.client_id) != one.client_id:
            raise RefusedError("an identity token for another client")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        one = self._settings
        given = claims.get(one.roles_claim, ())
        values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        found = {
            one.roles[value] for value in values if isinstance(value, str) and value in one.roles
        }
        if not found:
            raise RefusedError(
                f"an identity without a role in the claim {one.roles_claim!r}",
                f"one of {', '.join(one.roles)}",
                "ask an admin of the provider",
            )
        name = claims.get(one.name_claim)
        if not isinstance(name, str):
            raise RefusedError(f"an identity without the claim {one.name_claim!r}")
        return Person(f"{one.issuer} {claims['sub']}", name.lower(), max(found, key=ROLES.index))


def _endpoint(described: Mapping[str, Any], name: str) -> str:
    url = str(described.get(name, ""))
    check_secure(url)
    return url


def _answered(ask: Callable[[], Any]) -> Any:  # noqa: ANN401 -- JSON
    """What the provider answers.

    Raises:
        RefusedError: it cannot be reached, refuses, or gives no answer that can be read.
    """
    import requests
    from authlib.common.errors import AuthlibBaseError

    try:
        return ask()
    except (requests.RequestException, AuthlibBaseError, ValueError) as error:
        raise RefusedError(
            f"no answer of the identity provider ({type(error).__name__})",
            remedy="try again, or ask an admin",
        ) from error
