"""The bundles that come with the package, and opening one by name or folder."""

from __future__ import annotations

from pathlib import Path

from breastseg.core.errors import BundleError
from breastseg.inference.bundle_folder import DESCRIPTION
from breastseg.inference.onnx_segmenter import OnnxSegmenter

BUNDLES = Path(__file__).resolve().parent.parent / "bundles"


def shipped_bundles() -> dict[str, Path]:
    """The folders of the bundles that come with the package, by name, in alphabetical order."""
    return {path.parent.name: path.parent for path in sorted(BUNDLES.glob(f"*/{DESCRIPTION}"))}


def load_segmenter(name_or_path: str | Path, threads: int = 0) -> OnnxSegmenter:
    """Open a bundle.

    Args:
        name_or_path: a name in `shipped_bundles`, or a bundle's folder. A name wins over a folder
            of the same name in the working directory; ``./name`` means the folder.
        threads: as for `OnnxSegmenter`.

    Raises:
        BundleError: neither, or the bundle is damaged.
    """
    shipped = shipped_bundles()
    if isinstance(name_or_path, str) and name_or_path in shipped:
        return OnnxSegmenter(shipped[name_or_path], threads)
    path = Path(name_or_path)
    if not path.is_dir():
        known = ", ".join(shipped) or "none are installed"
        raise BundleError(f"no bundle {str(name_or_path)!r}", f"{known}; or a bundle's folder")
    return OnnxSegmenter(path, threads)
