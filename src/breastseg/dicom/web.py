"""DICOMweb: a server, and finding and fetching objects on it; DICOM PS3.18 10.4, 10.6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.parameters import Strict, Within, check_bounds
from breastseg.core.signals import heed_interruption
from breastseg.dicom.extra import require
from breastseg.io.source import quiet
from breastseg.io.write import replacing

if TYPE_CHECKING:
    from dicomweb_client.api import DICOMwebClient


class WebError(InputError):
    """A server that cannot be reached, or that refuses."""


@dataclass(frozen=True)
class WebServer(Strict):
    """A DICOMweb server.

    Attributes:
        url: of the service, before /studies.
        user: for HTTP basic authentication.
        secret_file: a file with the password of the user, or without a user with a bearer token.
        authorities: PEM file with the authorities of the server's certificate, in place of the
            system's.
        timeout_s: seconds to wait for an answer.

    Raises:
        InputError: a user without a secret, a URL that is none or holds a password, or a number
            out of bounds.
    """

    url: str
    user: str = ""
    secret_file: Path | None = None
    authorities: Path | None = None
    timeout_s: Annotated[float, Within(1, 86400)] = 60.0

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.user and self.secret_file is None:
            raise InputError(f"user {self.user!r} without a secret", "a file with the password")
        _check_url(self.url)

    def client(self) -> DICOMwebClient:
        """A client that asks once and waits no longer than it is told.

        Raises:
            MissingExtraError: dicomweb-client is not installed.
            InputError: a URL or file that cannot be used.
        """
        require("dicomweb_client")
        from dicomweb_client.api import DICOMwebClient

        from breastseg.dicom.bounded_http import bounded_session

        session = bounded_session()
        if self.authorities is not None:
            session.verify = str(self.authorities)
        if self.secret_file is not None:
            secret = _secret(self.secret_file)
            if self.user:
                session.auth = (self.user, secret)
            else:
                session.headers["Authorization"] = f"Bearer {secret}"
        try:
            client = DICOMwebClient(self.url.rstrip("/"), session, timeout=self.timeout_s)
        except ValueError as error:
            raise InputError(f"URL {self.url!r}", "http://... or https://...") from error
        client.set_http_retry_params(retry=False)
        return client


@dataclass(frozen=True)
class Found:
    """An instance that a server has.

    Attributes:
        study: Study Instance UID.
        series: Series Instance UID.
        instance: SOP Instance UID.
        modality: DICOM's term.
    """

    study: str
    series: str
    instance: str
    modality: str


def find_instances(client: DICOMwebClient, filters: Mapping[str, str]) -> Iterator[Found]:
    """Ask for the instances of studies that fit, by QIDO-RS.

    Args:
        client: of the server.
        filters: by attribute keyword, such as ``{"AccessionNumber": "A1"}``; at least one.

    Raises:
        WebError: the server cannot be reached, refuses, or answers with what was not asked for.
    """
    if not filters:
        raise InputError("nothing to look for", "a study, an accession number, or the like")
    for row in _all(client, filters):
        with _answered():
            _check_asked(row, filters)
            one = Found(*(_first(row, tag) for tag in ("0020000D", "0020000E", _UID, "00080060")))
        yield one


def _first(row: Mapping[str, Mapping[str, object]], tag: str) -> str:
    """The first value of an element of DICOM JSON; empty for none."""
    values = row.get(tag, {}).get("Value") or [""]
    return str(values[0]) if isinstance(values, list) else ""


def _check_asked(row: Mapping[str, Mapping[str, object]], filters: Mapping[str, str]) -> None:
    """A server that does not know a filter may answer with all that it has."""
    from pydicom.datadict import tag_for_keyword

    for keyword, asked in filters.items():
        said = _text(row.get(f"{tag_for_keyword(keyword):08X}", {}))
        if said and said != asked.strip() and not set("*?") & set(asked):
            raise WebError(
                f"the server answers with instances of another {keyword} than was asked for",
                "a server that heeds it",
                "ask for the study by its UID",
            )


@dataclass(frozen=True)
class Study:
    """A study that a server has, or a series of one, in the words of its attributes.

    Attributes:
        uid: Study or Series Instance UID.
        described: by attribute keyword; what the server does not tell is left out.
    """

    uid: str
    described: Mapping[str, str]


_OF_STUDY = (
    *("StudyDate", "StudyDescription", "ModalitiesInStudy", "PatientID", "PatientName"),
    *("AccessionNumber", "NumberOfStudyRelatedInstances"),
)
_OF_SERIES = ("Modality", "SeriesNumber", "SeriesDescription", "NumberOfSeriesRelatedInstances")


def find_studies(
    client: DICOMwebClient, filters: Mapping[str, str], limit: int
) -> tuple[Study, ...]:
    """The studies that fit, by QIDO-RS.

    Args:
        client: of the server.
        filters: by attribute keyword; at least one.
        limit: how many at most.

    Raises:
        InputError: nothing to look for.
        WebError: the server cannot be reached, or refuses.
    """
    if not filters:
        raise InputError("nothing to look for", "a patient, an accession number or a date")
    with _answered():
        rows = client.search_for_studies(
            search_filters=dict(filters), fields=list(_OF_STUDY), limit=limit
        )
        return tuple(_described(row, "0020000D", _OF_STUDY) for row in rows[:limit])


def find_series(client: DICOMwebClient, study: str) -> tuple[Study, ...]:
    """The series of a study, by QIDO-RS; errors as `find_studies`."""
    with _answered():
        rows = client.search_for_series(study, fields=list(_OF_SERIES))
        return tuple(_described(row, "0020000E", _OF_SERIES) for row in rows)


def _described(row: Mapping[str, Mapping[str, object]], uid: str, keywords: Sequence[str]) -> Study:
    from pydicom.datadict import tag_for_keyword

    found = {key: _text(row.get(f"{tag_for_keyword(key):08X}", {})) for key in keywords}
    return Study(_text(row[uid]), {key: text for key, text in found.items() if text})


def _text(element: Mapping[str, object]) -> str:
    """The values of an element of DICOM JSON as text; of a name its first form."""
    values = element.get("Value")
    if not isinstance(values, list):
        return ""
    names = [one.get("Alphabetic", "") if isinstance(one, dict) else one for one in values]
    return ", ".join(str(one) for one in names if one not in (None, ""))


_UID = "00080018"
_PAGE = 500
_MAX_INSTANCES = 10**6


def _all(
    client: DICOMwebClient, filters: Mapping[str, str]
) -> Iterator[dict[str, dict[str, list[object]]]]:
    """Page after page, until one brings nothing new: a server may page or not."""
    seen: set[str] = set()
    while len(seen) < _MAX_INSTANCES:
        with _answered():
            page = client.search_for_instances(
                search_filters=dict(filters),
                fields=[*{"Modality", *filters}],
                limit=_PAGE,
                offset=len(seen),
            )
            new = [row for row in page if _first(row, _UID) not in seen]
            seen.update(_first(row, _UID) for row in new)
        if not new:
            return
        yield from new
    raise WebError(f"the server lists more than {_MAX_INSTANCES} instances", "those of a study")


def fetch(client: DICOMwebClient, found: Found, folder: Path) -> Path:
    """Fetch one instance by WADO-RS, in the transfer syntax in which the server has it.

    Returns:
        ``folder/STUDY/SERIES/INSTANCE.dcm``, whole; one that is there already is left as it is.

    Raises:
        WebError: the server cannot be reached, refuses, or gives another instance.
        InputError: a UID that is none, or the folder cannot be written.
    """
    for uid in (found.study, found.series, found.instance):
        if not uid or not all(c.isdigit() or c == "." for c in uid) or len(uid) > 64:
            raise WebError(f"a UID {uid[:64]!r} from the server", "digits and dots")
    path = folder / found.study / found.series / f"{found.instance}.dcm"
    if path.is_file():
        return path
    with _answered():
        one = client.retrieve_instance(
            found.study, found.series, found.instance, media_types=(("application/dicom", "*"),)
        )
        got = tuple(
            str(one[tag].value)
            for tag in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        )
    if got != (found.study, found.series, found.instance):
        raise WebError("the server gives another instance than was asked for", "the same UIDs")
    with replacing(path) as temporary, quiet(), _answered():
        one.save_as(temporary, enforce_file_format=True)
    return path


@contextmanager
def _answered() -> Iterator[None]:
    """Say of the server what the libraries say.

    Raises:
        WebError: it cannot be reached, refuses, or gives no answer that can be read.
    """
    import requests

    from breastseg.dicom.bounded_http import status_words, trouble

    try:
        yield
    except BreastsegError:
        raise
    except requests.HTTPError as error:
        code = "" if error.response is None else f": {status_words(error.response.status_code)}"
        raise WebError(f"the server refused{code}") from error
    except Exception as error:
        heed_interruption()
        raise WebError(f"no answer that can be read ({trouble(error)})"[:200]) from error


def _check_url(url: str) -> None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise InputError(f"URL {url!r}", "http://... or https://...")
    if parts.username is not None:
        raise InputError(
            "a URL with a user or password in it", "a user, and a file with the secret"
        )


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
        if not secret:
            raise InputError(f"{path}: is empty", "a file with a secret")
        return secret
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}", "a readable file with a secret") from error
