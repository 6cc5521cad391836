"""What the node is told: one frozen dataclass, read from a TOML file.

Default, bounds and help of each key stand on its field and nowhere else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from breastseg.core.errors import InputError
from breastseg.core.image import Modality
from breastseg.core.parameters import Strict, Within, check_bounds
from breastseg.dicom.node.received import MODALITIES, STORAGE_CLASSES
from breastseg.dicom.objects import DicomOptions, ObjectKind
from breastseg.io.dicom_modality import modality_of_class
from breastseg.io.toml_file import TomlKind, built, read_table

ANY = "*"
"""In place of an AE title: any."""

_KIND = TomlKind("configuration", "see docs/reference/node.md")
_AE_TITLE = re.compile(r"(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_Seconds = Annotated[float, Within(1, 86400)]


@dataclass(frozen=True)
class Listen(Strict):
    """Where and from whom studies are received.

    Attributes:
        peers: AE titles that may send; ["*"] for any.
        ae_title: the node's own; an association that calls another is rejected.
        host: address to listen on; by default this machine alone.
        port: TCP port.
        certificate: PEM file with the node's certificate: with it TLS is required.
        key: PEM file with its private key.
        authorities: PEM file with the authorities whose certificates peers must show; without it
            any peer may connect.
        associations: how many may be open at once; one more is rejected.
        max_object_mib: size of an object above which its association is ended.
        idle_s: seconds within which a peer must send a whole protocol data unit.
        association_s: seconds after which an association is ended.
    """

    peers: tuple[str, ...]
    ae_title: str = "BREASTSEG"
    host: str = "127.0.0.1"
    port: Annotated[int, Within(0, 65535)] = 11112
    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None
    associations: Annotated[int, Within(1, 1000)] = 16
    max_object_mib: Annotated[int, Within(1, 65536)] = 2048
    idle_s: _Seconds = 60.0
    association_s: _Seconds = 3600.0

    def __post_init__(self) -> None:
        check_bounds(self)
        _check_titles(self.ae_title, *(peer for peer in self.peers if peer != ANY))
        if not self.peers:
            raise InputError("peers = [] of listen", 'AE titles that may send, or ["*"] for any')
        if (self.certificate is None) != (self.key is None):
            raise InputError("a certificate without a key, or a key alone", "both, or neither")
        if self.authorities is not None and self.certificate is None:
            raise InputError("authorities without a certificate of the node", "both, or neither")
        _check_host(self.host)


@dataclass(frozen=True)
class Rule(Strict):
    """Which method takes an instance; the first rule that fits counts. What is empty fits any.

    Attributes:
        method: a bundle's name, or its folder with a slash in it, or another method; one for
            volumes takes all instances of a study that fit as one volume.
        modality: Modality (0008,0060): US, MG, MR, or of secondary captures CR, DX, OT, SC or XC.
        body_part: Body Part Examined (0018,0015).
        station: Station Name (0008,1010).
        sop_class: SOP Class UID, one of those that are received.
        series: words within Series Description (0008,103E).
        preset: of a classical method: ultrasound, mammography or none.
    """

    method: str
    modality: str = ""
    body_part: str = ""
    station: str = ""
    sop_class: str = ""
    series: str = ""
    preset: str = "ultrasound"

    def __post_init__(self) -> None:
        for key, known in (("modality", MODALITIES), ("sop_class", STORAGE_CLASSES)):
            asked = getattr(self, key)
            if asked and asked.upper() not in known:
                raise InputError(
                    f"{key} = {asked!r} of the rule for {self.method!r}, which fits nothing",
                    f"one of {', '.join(known)}",
                )
        for key in ("body_part", "station"):
            asked = getattr(self, key)
            if asked != asked.strip() or "\\" in asked:
                raise InputError(
                    f"{key} = {asked!r} of the rule for {self.method!r}, which fits nothing",
                    "text without a backslash and without space around",
                )
        by_class = modality_of_class(self.sop_class)
        if by_class not in (Modality.UNKNOWN, self.made_by):
            raise InputError(
                f"modality = {self.modality!r} of the rule for {self.method!r}, "
                f"whose sop_class is of {by_class}",
                "a modality and a class that go together",
            )

    @property
    def made_by(self) -> Modality:
        """What made the instances that it takes, as far as its modality or class says."""
        by_term = MODALITIES.get(self.modality.upper(), Modality.UNKNOWN)
        return modality_of_class(self.sop_class) if by_term is Modality.UNKNOWN else by_term


@dataclass(frozen=True)
class DicomDestination(Strict):
    """A peer that takes results by C-STORE.

    Attributes:
        name: what messages call it.
        ae_title: the peer's.
        host: its address.
        port: its TCP port.
        calling: the title that the node calls itself.
        authorities: PEM file with the authorities of the peer's certificate: with it TLS is used.
        certificate: PEM file with the node's certificate and key, where the peer asks for one.
        timeout_s: seconds to wait for an answer.
    """

    name: str
    ae_title: str
    host: str
    port: Annotated[int, Within(1, 65535)]
    calling: str = "BREASTSEG"
    authorities: Path | None = None
    certificate: Path | None = None
    timeout_s: _Seconds = 60.0

    def __post_init__(self) -> None:
        check_bounds(self)
        _check_titles(self.ae_title, self.calling)
        _check_peer(self.host, self.authorities, self.certificate)

    def __str__(self) -> str:
        return f"{self.name} ({self.ae_title} at {self.host}:{self.port})"


@dataclass(frozen=True)
class WebDestination(Strict):
    """A DICOMweb server that takes results by STOW-RS.

    Attributes:
        name: what messages call it.
        url: of the service, before /studies.
        user: for HTTP basic authentication.
        secret_file: a file with the password of the user, or without a user with a bearer token.
        authorities: PEM file with the authorities of the server's certificate, in place of the
            system's.
        timeout_s: seconds to wait for an answer.
    """

    name: str
    url: str
    user: str = ""
    secret_file: Path | None = None
    authorities: Path | None = None
    timeout_s: _Seconds = 60.0

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.user and self.secret_file is None:
            raise InputError(f"user {self.user!r} without a secret_file", "a file with a password")

    def __str__(self) -> str:
        return f"{self.name} ({re.sub('//.*@', '//', self.url)})"  # without a password in it


@dataclass(frozen=True)
class FolderDestination(Strict):
    """A folder that results are written to.

    Attributes:
        name: what messages call it.
        path: gets STUDY UID/INSTANCE UID.dcm.
    """

    name: str
    path: Path

    def __str__(self) -> str:
        return f"{self.name} ({self.path}/)"


@dataclass(frozen=True)
class AuditRepository(Strict):
    """Where messages of the audit trail go (DICOM PS3.15 A.5), over syslog.

    Attributes:
        host: its address.
        port: UDP port, or with authorities TCP port.
        authorities: PEM file with the authorities of its certificate: with it TLS is used.
        certificate: PEM file with the node's certificate and key, where it asks for one.
    """

    host: str
    port: Annotated[int, Within(1, 65535)] = 514
    authorities: Path | None = None
    certificate: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self)
        _check_peer(self.host, self.authorities, self.certificate)


@dataclass(frozen=True)
class MonitorAddress(Strict):
    """Where /health and /metrics are answered over HTTP.

    Attributes:
        host: address to listen on; by default this machine alone.
        port: TCP port.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Within(0, 65535)] = 11180

    def __post_init__(self) -> None:
        check_bounds(self)
        _check_host(self.host)


Destination = DicomDestination | WebDestination | FolderDestination


@dataclass(frozen=True)
class NodeConfig(Strict):
    """The node's configuration.

    Attributes:
        folder: where the queue, what was received and the results lie; readable by the node's user
            alone.
        listen: where studies are received; without it only a watched folder is served.
        rules: which method takes which instance, before the default rules.
        default_rules: also take ultrasound with the bundles that are fit for it, see the guide.
        objects: what is made: seg or probability, sr, ps, sc.
        dicom: where results go by C-STORE.
        dicomweb: where results go by STOW-RS.
        folders: where results are written as files.
        workers: how many items are segmented at once, each on one core; 0 for one a core.
        quiet_s: seconds without a further instance after which a study is taken to be complete.
        min_free_mib: free space below which no instance is taken.
        keep_days: days after which what was sent is removed here.
        attempts: how often a result is sent to a destination before it has failed.
        first_wait_s: seconds before the second attempt; each further wait is twice as long.
        longest_wait_s: the longest of these waits.
        log: text or json.
        audit: where the audit trail goes; without it there is none.
        monitor: where a monitor may ask; without it nowhere.
    """

    folder: Path
    listen: Listen | None = None
    rules: tuple[Rule, ...] = ()
    default_rules: bool = True
    objects: tuple[ObjectKind, ...] = ("seg", "sr")
    dicom: tuple[DicomDestination, ...] = ()
    dicomweb: tuple[WebDestination, ...] = ()
    folders: tuple[FolderDestination, ...] = ()
    workers: Annotated[int, Within(0, 256)] = 0
    quiet_s: Annotated[float, Within(0, 86400)] = 30.0
    min_free_mib: Annotated[int, Within(1, 10**5)] = 1024
    keep_days: Annotated[float, Within(0, 3650)] = 7.0
    attempts: Annotated[int, Within(1, 1000)] = 20
    first_wait_s: Annotated[float, Within(0.01, 3600)] = 5.0
    longest_wait_s: Annotated[float, Within(0.01, 86400)] = 3600.0
    log: Literal["text", "json"] = "text"
    audit: AuditRepository | None = None
    monitor: MonitorAddress | None = None

    def __post_init__(self) -> None:
        check_bounds(self)
        DicomOptions(self.objects)
        if not self.objects:
            raise InputError("objects = []", "at least one of seg, probability, sr, ps, sc")
        if self.first_wait_s > self.longest_wait_s:
            raise InputError(
                f"first_wait_s = {self.first_wait_s:g}",
                f"at most the longest_wait_s, {self.longest_wait_s:g}",
            )
        names = Counter(one.name for one in self.destinations)
        for name, count in names.items():
            if count > 1 or not _NAME.fullmatch(name):
                raise InputError(
                    f"{count} {'destination' if count == 1 else 'destinations'} named {name!r}",
                    "a name of letters, digits, '.', '_' and '-' for each",
                )

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """All of them."""
        return (*self.dicom, *self.dicomweb, *self.folders)

    @property
    def files(self) -> Iterator[Path]:
        """The certificates, keys and secrets that it names."""
        holders = (self.listen, self.audit, *self.dicom, *self.dicomweb)
        for holder in filter(None, holders):
            for name in ("certificate", "key", "authorities", "secret_file"):
                path = getattr(holder, name, None)
                if path is not None:
                    yield path

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after so many attempts."""
        return float(min(self.longest_wait_s, self.first_wait_s * 2 ** min(attempts - 1, 40)))


def read_config(path: Path) -> NodeConfig:
    """Read a configuration; relative paths in it are relative to its folder.

    Raises:
        InputError: no such file, not TOML, an unknown key or a value out of bounds.
    """
    return built(NodeConfig, _beside(read_table(path, _KIND), path.parent), str(path), _KIND)


_PATHS = ("folder", "path", "certificate", "key", "authorities", "secret_file")


def _beside(table: dict[str, object], folder: Path) -> dict[str, object]:
    """The table with its paths made absolute."""

    def of(key: str, value: object) -> object:
        if isinstance(value, dict):
            return _beside(value, folder)
        if isinstance(value, list):
            return [of(key, one) for one in value]
        if not isinstance(value, str):
            return value
        path = folder.absolute() / value
        # a method is a path where it looks like one and is one, else a name
        named = key in _PATHS or (key == "method" and "/" in value and path.is_dir())
        return str(path) if named else value

    return {key: of(key, value) for key, value in table.items()}


def _check_peer(host: str, authorities: Path | None, certificate: Path | None) -> None:
    _check_host(host)
    if certificate is not None and authorities is None:
        raise InputError(
            "a certificate without authorities, with which nothing is encrypted",
            "both, or neither",
        )


def _check_host(host: str) -> None:
    if not host.strip():
        raise InputError("host = ''", 'an address, such as "0.0.0.0" for all of this machine\'s')


def _check_titles(*titles: str) -> None:
    for title in titles:
        if not _AE_TITLE.fullmatch(title):
            raise InputError(
                f"AE title {title!r}", "1 to 16 ASCII characters, no backslash, no space around"
            )
