"""What of this room is an extra to install."""

from __future__ import annotations

from importlib.util import find_spec

from breastseg.core.errors import MissingExtraError

_PACKAGES = {
    "highdicom": ("DICOM objects need", "highdicom"),
    "pynetdicom": ("DICOM network services need", "pynetdicom"),
    "dicomweb_client": ("DICOMweb needs", "dicomweb-client"),
}


def require(module: str) -> None:
    """Refuse before any work where a package of the extra is not installed.

    Args:
        module: highdicom, pynetdicom or dicomweb_client.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec(module) is None:
        what, package = _PACKAGES[module]
        raise MissingExtraError(
            f"{what} {package}, which is not installed",
            "the dicom extra",
            "pip install 'breastseg[dicom]'",
        )
