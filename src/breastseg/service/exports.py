"""A mask as the files that other programs and people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.results.document import to_csv, to_json
from breastseg.results.drawing import drawn
from breastseg.results.schema import NOTICE
from breastseg.results.sentences import to_paste
from breastseg.service.coco import CocoImage, coco_json
from breastseg.service.encoded import png_bytes
from breastseg.service.outlined import Outlined
from breastseg.service.report import html_report, pdf_report

ExportName = Literal[
    "mask.png",
    "overlay.png",
    "mask.nii.gz",
    "coco.json",
    "results.json",
    "results.csv",
    "report.html",
    "report.pdf",
    "sentence.txt",
    "seg.dcm",
    "sr.dcm",
    "ps.dcm",
]
_TYPES = {
    "png": "image/png",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "txt": "text/plain; charset=utf-8",
    "dcm": "application/dicom",
    "gz": "application/gzip",
}


def media_type(name: str) -> str:
    """Of an export."""
    return _TYPES[name.rpartition(".")[2]]


def export(name: ExportName, outlined: Outlined, scratch: Path) -> bytes:
    """Write one file.

    Args:
        name: which.
        outlined: the image and its mask.
        scratch: an empty folder for writers that need one.

    Raises:
        BreastsegError: it cannot be made of this image, and why.
    """
    if name.endswith(".dcm"):
        return _dicom(name.partition(".")[0], outlined, scratch)
    if name == "mask.nii.gz":
        return _nifti(outlined, scratch)
    return _WRITERS[name](outlined)


def _mask(outlined: Outlined) -> bytes:
    mask = _plane(outlined)
    return png_bytes(np.where(mask, np.uint8(255), np.uint8(0)))


def _overlay(outlined: Outlined) -> bytes:
    _plane(outlined)
    picture = drawn(outlined.image, outlined.prediction, outlined.found, skin=outlined.skin)
    return png_bytes(np.moveaxis(picture, 2, 0))


def _plane(outlined: Outlined) -> NDArray[np.bool_]:
    mask = outlined.prediction.mask().foreground
    if mask.ndim != 2:
        raise UnsupportedError("the mask of a volume as one image", "NIfTI", "export mask.nii.gz")
    return mask


def _sentence(outlined: Outlined) -> bytes:
    """Lines to paste into a letter."""
    entry = outlined.entry
    lines = to_paste(entry) or (f"No {entry.label or 'lesion'} found",)
    return "".join(f"{line}\n" for line in (*lines, NOTICE)).encode()


def _coco(outlined: Outlined) -> bytes:
    mask = _plane(outlined)
    regions = [one.lesion.on(mask.shape) for one in outlined.found]
    drawn_image = CocoImage(outlined.image.source, (mask.shape[0], mask.shape[1]), regions)
    return coco_json([drawn_image], outlined.prediction.target)


def _nifti(outlined: Outlined, scratch: Path) -> bytes:
    """A mask on the image's grid; of an image as a volume of one slice."""
    from breastseg.io.volume import write_volume

    grid = outlined.image.grid
    labels = outlined.prediction.mask().labels
    if grid.spacing_mm is None:
        raise GeometryError(
            "an image whose spacing is not known", "one in millimetres", "state the spacing first"
        )
    if grid.ndim == 2:
        grid = Grid((1, *grid.shape), (1.0, *grid.spacing_mm))
        labels = labels[None]
    write_volume(labels, grid, scratch / "mask.nii.gz")
    return (scratch / "mask.nii.gz").read_bytes()


def _dicom(kind: str, outlined: Outlined, scratch: Path) -> bytes:
    from breastseg.dicom.objects import DicomObjects, DicomOptions

    companion = DicomObjects(DicomOptions((kind,)))  # type: ignore[arg-type]
    taken = companion.take("", outlined.image, outlined.prediction, outlined.found)
    if not taken.names:
        why = "; ".join(taken.remarks) or "nothing is outlined in it"
        raise UnsupportedError(f"no DICOM object can be made of this image: {why}")
    companion.write(scratch)
    return (scratch / taken.names[0]).read_bytes()


_WRITERS: Mapping[str, Callable[[Outlined], bytes]] = {
    "mask.png": _mask,
    "overlay.png": _overlay,
    "coco.json": _coco,
    "results.json": lambda outlined: to_json(outlined.document).encode(),
    "results.csv": lambda outlined: to_csv(outlined.document).encode(),
    "report.html": html_report,
    "report.pdf": pdf_report,
    "sentence.txt": _sentence,
}
