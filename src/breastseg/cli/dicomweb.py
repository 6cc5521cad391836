"""``breastseg dicomweb``: studies from a DICOMweb server, and DICOM files to one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.console import complain, progress, say
from breastseg.cli.entries import exit_code
from breastseg.core.errors import BreastsegError, InputError
from breastseg.dicom.web import WebServer
from breastseg.io.write import written

_FLAT = tyro.conf.arg(name="")
_OPTIONAL = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Pull:
    """Fetch the instances of studies: found by QIDO-RS, fetched by WADO-RS.

    Writes STUDY UID/SERIES UID/INSTANCE UID.dcm in the transfer syntax in which the server has
    it. What is there already is not fetched again.

    Exit codes: 0 all were fetched, 1 some, 2 none.

    Attributes:
        server: the server.
        out: the folder to write into.
        study: Study Instance UID.
        accession: Accession Number.
        patient: Patient ID.
        modality: of the series, such as US; all by default.
    """

    server: Annotated[WebServer, _FLAT]
    out: Path
    study: str = ""
    accession: str = ""
    patient: str = ""
    modality: str = ""

    def run(self) -> int:
        """Fetch them; returns the exit code."""
        from breastseg.dicom.web import fetch, find_instances

        asked = {
            "StudyInstanceUID": self.study,
            "AccessionNumber": self.accession,
            "PatientID": self.patient,
        }
        filters = {keyword: value for keyword, value in asked.items() if value}
        if filters and self.modality:
            filters["Modality"] = self.modality
        client = self.server.client()
        found = [*find_instances(client, filters)]
        if not found:
            raise InputError("the server has no such instance", "a study that it has")
        failed = 0
        with progress("Fetching", len(found)) as advance:
            for one in found:
                try:
                    fetch(client, one, self.out)
                except BreastsegError as error:
                    complain(f"{one.instance}: {error}")
                    failed += 1
                advance(1, "")
        say(f"{len(found) - failed} of {len(found)} instances are in {self.out}/")
        return exit_code(len(found) - failed, failed)


@dataclass(frozen=True)
class Push:
    """Store DICOM files on a server by STOW-RS, each in a request of its own.

    An object counts as stored only where the server's answer says so.

    Exit codes: 0 all were stored, 1 some, 2 none.

    Attributes:
        inputs: DICOM files, and folders with files that end in .dcm.
        server: the server.
    """

    inputs: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="INPUT ...", help_behavior_hint="")]
    ]
    server: Annotated[WebServer, _FLAT]

    def run(self) -> int:
        """Store them; returns the exit code."""
        from breastseg.dicom.web_store import store

        files = [
            file
            for path in self.inputs
            for file in (written(path, "**/*.dcm") if path.is_dir() else [path])
        ]
        if not files:
            raise InputError("nothing to store", "DICOM files, or folders with *.dcm in them")
        client = self.server.client()
        failed = 0
        with progress("Storing", len(files)) as advance:
            for file in files:
                try:
                    answer = store(client, file)
                    words, stored = answer.words, answer.stored
                except BreastsegError as error:
                    words, stored = str(error), False
                if not stored:
                    complain(f"{file}: not stored: {words}")
                    failed += 1
                elif words:
                    complain(f"{file}: {words}")
                advance(1, "")
        say(f"{len(files) - failed} of {len(files)} objects stored")
        return exit_code(len(files) - failed, failed)
