"""An archive and an identity provider on the loopback for the journeys, until the input ends.

The first line that it prints is JSON: `archive`, the DICOMweb address of an Orthanc with phantoms,
null where none is installed; `provider`, the issuer.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.dicom.orthanc import orthanc_in
from tests.dicom.subjects import phantoms
from tests.service.provider import provided

from breastseg.dicom.web import WebServer
from breastseg.dicom.web_store import store


def main() -> None:
    """Serve until the input ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        archive = None
        if shutil.which("Orthanc") is not None:
            archive = stack.enter_context(orthanc_in(folder)).web
            for name in ("us-still", "mg", "mr"):
                for one in phantoms()[name].objects:
                    path = folder / "one.dcm"
                    one.save_as(path, enforce_file_format=True)
                    store(WebServer(archive).client(), path)
        # Another site than the service's, as a provider is.
        provider = stack.enter_context(provided("localhost"))
        print(json.dumps({"archive": archive, "provider": provider.url}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
