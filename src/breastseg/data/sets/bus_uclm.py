"""BUS-UCLM: breast ultrasound from Ciudad Real, Spain (Vallez 2025)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.image import Modality
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, locate, require, some
from breastseg.data.files import by_stem
from breastseg.data.table import Row, read_table

TABLE = "INFO.csv"
LABELS = ("benign", "malignant", NORMAL)
TAGS = ("doppler", "marks", "combined")
"""Colour Doppler, callipers or text, and two views side by side: columns of the table."""

_SUFFIXES = (".png", ".jpg", ".jpeg")
_YES, _NO = ("yes", "y"), ("no", "n", "")


@dataclass(frozen=True)
class BusUclm:
    """683 images of 38 patients from one scanner, 419 of them without a lesion.

    The patient is what stands before the underscore of an image's name. A mask is green on a
    benign lesion and red on a malignant one. Images whose mask has another shape are left out, and
    `remarks` names them. A partial copy can be used, and so can images that were saved as JPEG.

    Attributes:
        root: the folder with ``images``, ``masks`` and the table, or one that holds it.
    """

    root: Path
    name: ClassVar[str] = "BUS-UCLM"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="BUS-UCLM breast ultrasound",
        paper="Vallez N, Bueno G, Deniz O, Rienda MA, Pastor C. BUS-UCLM: breast ultrasound lesion "
        "segmentation dataset. Scientific Data 12 (2025); the data, version 3: "
        "doi 10.17632/7fvgj4jsp7.3",
        doi="10.1038/s41597-025-04562-3",
        licence="CC BY 4.0 in version 3, which is to be cited (the first two were NonCommercial)",
        home="Mendeley Data (doi 10.17632/7fvgj4jsp7.3)",
        tree=f"images/ABCD_000.png, masks/ABCD_000.png and {TABLE}",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds images, masks and the table."""
        places = (".", "BUS-UCLM", "ultrasound/BUS-UCLM", "BUS-UCLM/BUS-UCLM")
        return locate(self.root, places, ("images", "masks", TABLE))

    def cases(self) -> tuple[CaseRef, ...]:
        """One case an image that stands in the table, sorted by case_id: ``"ABCD_000"``.

        Raises:
            DataSetError: a folder, the table or a column is missing, a cell cannot be understood,
                or no image stands in the table.
        """
        images, masks, rows = self._listing()
        misfits = set(_misfits(images, masks))
        found = [
            _case(case_id, images[case_id], masks.get(case_id), rows[case_id])
            for case_id in sorted(images.keys() & rows.keys())
            if case_id not in misfits
        ]
        if not found:
            raise DataSetError(f"no image in {self.folder} stands in {TABLE}", self.info.tree)
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """Images left out, rows without an image, and lesions without a mask."""
        images, masks, rows = self._listing()
        lesions = {name for name, row in rows.items() if row["Label"].lower() != NORMAL}
        counted = (
            ("images whose mask has another shape, left out", set(_misfits(images, masks))),
            (f"images without a row in {TABLE}, left out", images.keys() - rows.keys()),
            (f"rows of {TABLE} without an image", rows.keys() - images.keys()),
            ("images of lesions without a mask", (images.keys() & lesions) - masks.keys()),
            ("masks without an image", masks.keys() - images.keys()),
        )
        return tuple(f"{len(names)} {what}: {some(names, 10)}" for what, names in counted if names)

    def _listing(self) -> tuple[Mapping[str, Path], Mapping[str, Path], Mapping[str, Row]]:
        folder = self.folder
        require(folder, ("images", "masks", TABLE), self.info)
        table = read_table(folder / TABLE, ("Image", "Label", *(tag.title() for tag in TAGS)))
        rows = {Path(row["Image"]).stem: row for row in table}
        return by_stem(folder / "images", *_SUFFIXES), by_stem(folder / "masks", *_SUFFIXES), rows


def _misfits(images: Mapping[str, Path], masks: Mapping[str, Path]) -> Iterator[str]:
    """The images whose mask has another shape; only headers are read."""
    from breastseg.io.raster import raster_shape

    for case_id in sorted(images.keys() & masks.keys()):
        try:
            if raster_shape(images[case_id]) != raster_shape(masks[case_id]):
                yield case_id
        except UnreadableError:
            continue  # it stays a case, and opening it says what is wrong


def _case(case_id: str, image: Path, mask: Path | None, row: Row) -> CaseRef:
    label = row["Label"].lower()
    if label not in LABELS:
        raise DataSetError(f"Label {row['Label']!r} of {case_id} in {TABLE}", "/".join(LABELS))
    masks = None if mask is None else (mask,)
    return CaseRef(
        case_id=case_id,
        patient_id=case_id.rpartition("_")[0] or case_id,
        label=label,
        source=BusUclm.name,
        image_path=image,
        mask_paths=() if label == NORMAL else masks,
        scanner="Siemens ACUSON S2000",
        modality=Modality.ULTRASOUND,
        tags=tuple(tag for tag in TAGS if _said(row[tag.title()], tag, case_id)),
    )


def _said(text: str, tag: str, case_id: str) -> bool:
    word = text.lower()
    if word not in (*_YES, *_NO):
        raise DataSetError(f"{tag.title()} {text!r} of {case_id} in {TABLE}", "Yes, Y or No")
    return word in _YES
