"""The bundles that come with the package."""

from __future__ import annotations

from pathlib import Path

from breastseg.inference.bundle_folder import DESCRIPTION

BUNDLES = Path(__file__).resolve().parent.parent / "bundles"


def shipped_bundles() -> dict[str, Path]:
    """The folders of the bundles that come with the package, by name, in alphabetical order."""
    return {path.parent.name: path.parent for path in sorted(BUNDLES.glob(f"*/{DESCRIPTION}"))}
