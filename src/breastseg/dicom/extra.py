"""What of this room is an extra to install."""

from __future__ import annotations

from importlib.util import find_spec

from breastseg.core.errors import MissingExtraError


def require_highdicom() -> None:
    """Refuse before any work where highdicom is not installed.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("highdicom") is None:
        raise MissingExtraError(
            "DICOM objects need highdicom, which is not installed",
            "the dicom extra",
            "pip install 'breastseg[dicom]'",
        )
