"""The servers that a service may reach, from its configuration alone; none by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from breastseg.core.errors import InputError
from breastseg.core.parameters import Strict, Within, check_bounds
from breastseg.dicom.web import WebServer
from breastseg.io.toml_file import TomlKind, built, read_table

_KIND = TomlKind("configuration", "see docs/how-to/serve.md")
_PATHS = ("secret_file", "authorities")


@dataclass(frozen=True)
class Oidc(Strict):
    """An identity provider that people log in at, by OpenID Connect.

    Attributes:
        issuer: the provider's address, as its tokens name it.
        client_id: that it knows the service by.
        public_url: the service's own address as browsers see it, such as
            https://breastseg.hospital.example.
        roles: role by the value of the claim; a person gets the highest.
        secret_file: a file with the client's secret; none for a public client.
        authorities: PEM file with the authorities of the provider's certificate, in place of the
            system's.
        roles_claim: of the identity token; text, or a list of text.
        name_claim: that becomes the account's name.
        scopes: that are asked for.
        timeout_s: seconds to wait for an answer.

    Raises:
        InputError: no role, an address that is not https and not this machine's, or a number out
            of bounds.
    """

    issuer: str
    client_id: str
    public_url: str
    roles: Mapping[str, Literal["reader", "annotator", "admin"]]
    secret_file: Path | None = None
    authorities: Path | None = None
    roles_claim: str = "roles"
    name_claim: str = "preferred_username"
    scopes: str = "openid profile"
    timeout_s: Annotated[float, Within(1, 300)] = 10.0

    def __post_init__(self) -> None:
        check_bounds(self)
        check_secure(self.issuer)
        check_secure(self.public_url)
        if not self.roles:
            raise InputError("a provider without roles", "a role for a value of the claim")


def check_secure(url: str) -> None:
    """Refuse an address whose traffic others could read.

    Raises:
        InputError: neither https nor on this machine.
    """
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or parts.scheme not in (("http", "https") if local else ("https",)):
        raise InputError(f"the address {url!r}", "https://..., or http:// on this machine alone")


@dataclass(frozen=True)
class Connections(Strict):
    """What a configuration file of a service holds.

    Attributes:
        dicomweb: an archive that people may look for studies in.
        oidc: where people log in.
    """

    dicomweb: WebServer | None = None
    oidc: Oidc | None = field(default=None)


def read_connections(path: Path) -> Connections:
    """Read a TOML file; its relative paths are beside it.

    Raises:
        InputError: no such file, not TOML, an unknown key or a value out of bounds.
    """
    table = read_table(path, _KIND)
    folder = path.parent.absolute()
    for part in table.values():
        if isinstance(part, dict):
            part.update({key: str(folder / part[key]) for key in _PATHS if key in part})
    return built(Connections, table, str(path), _KIND)
