"""Looking for studies in the configured archive, and taking one in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from breastseg.core.errors import UnsupportedError
from breastseg.dicom.web import (
    Found,
    Study,
    WebServer,
    fetch,
    find_instances,
    find_series,
    find_studies,
)
from breastseg.service.problem import ConflictError, NotFoundError
from breastseg.service.receiving import Received
from breastseg.service.settings import MIB, Limits

_NO_IMAGES = ("SR", "SEG", "PR", "KO", "DOC", "REG", "RTSTRUCT", "ANN", "PLAN", "AU", "ECG")


class Archive:
    """The one DICOMweb server that a service may ask; its address is never a client's.

    Args:
        server: None where none was configured.
        limits: of what is taken in.
    """

    def __init__(self, server: WebServer | None, limits: Limits) -> None:
        self._server = server
        self._limits = limits

    @property
    def is_configured(self) -> bool:
        """Whether there is one."""
        return self._server is not None

    def studies(self, filters: Mapping[str, str], limit: int) -> tuple[Study, ...]:
        """Those that fit; errors as `find_studies`."""
        return find_studies(self._configured().client(), filters, limit)

    def series(self, study: str) -> tuple[Study, ...]:
        """The series of a study that hold images; errors as `find_studies`."""
        every = find_series(self._configured().client(), study)
        return tuple(one for one in every if one.described.get("Modality") not in _NO_IMAGES)

    def fetched(self, study: str, series: str | None, folder: Path) -> Iterator[Received]:
        """The files of a study or series, one at a time, into a folder under names of our own.

        Raises:
            NotFoundError: the archive has no image of it.
            UnsupportedError: more than the limits of an upload allow.
            WebError: the server cannot be reached, or refuses.
        """
        client = self._configured().client()
        filters = {"StudyInstanceUID": study}
        if series is not None:
            filters["SeriesInstanceUID"] = series
        found = [
            one for one in find_instances(client, filters) if _is_asked_for(one, study, series)
        ]
        if not found:
            raise NotFoundError("no image of this study in the archive", remedy="look for it again")
        if len(found) > self._limits.upload_files:
            raise self._too_much(f"{len(found)} objects", f"{self._limits.upload_files}")
        left = self._limits.upload_mib * MIB
        for number, one in enumerate(found):
            path = fetch(client, one, folder / "fetched")
            left -= path.stat().st_size
            if left < 0:
                raise self._too_much(
                    f"more than {self._limits.upload_mib} MiB", f"{self._limits.upload_mib} MiB"
                )
            yield Received(
                path.rename(folder / f"{number:06d}"), f"object {number + 1}", named=False
            )

    def _configured(self) -> WebServer:
        if self._server is None:
            raise ConflictError(
                "a service without an archive",
                "a DICOMweb server in its configuration",
                "upload the files",
            )
        return self._server

    @staticmethod
    def _too_much(found: str, most: str) -> UnsupportedError:
        return UnsupportedError(f"a study of {found}", f"at most {most}", "take one of its series")


def _is_asked_for(one: Found, study: str, series: str | None) -> bool:
    """An image of this study alone, whatever the server answers."""
    return (
        one.study == study
        and (series is None or one.series == series)
        and one.modality not in _NO_IMAGES
    )
