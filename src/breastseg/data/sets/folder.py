"""A folder of pictures and masks: the layout for one's own data."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.cells import fold_of, modality_of, spacing_of
from breastseg.data.colour import ColourRef
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, require, some

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
TABLE = "cases.csv"
"""Optional, beside the pictures."""


@dataclass(frozen=True)
class Folder:
    """Pictures and masks by the names of their files.

    Either pictures in ``images/`` with masks of the same stem in ``masks/``, or all in one
    folder with the mask of ``scan.png`` as ``scan_mask.png``. A picture without a mask has no
    known truth, unless its label is ``normal``. The optional ``cases.csv`` has the columns
    file, patient_id, label, spacing_mm, modality and fold (all but the first may be absent or
    blank); spacing_mm is one number, or row and column spacing with a space between them. Without
    the table, every picture stands for its own patient.

    Attributes:
        root: the folder; its name is the data set's name.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="a folder of pictures",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="images/scan.png with masks/scan.png, or scan.png with scan_mask.png; "
        f"optionally {TABLE} with the columns file, patient_id, label, spacing_mm, modality, "
        "fold",
    )

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.root.resolve().name

    def cases(self) -> tuple[CaseRef, ...]:
        """One case a picture, sorted by case_id, which is the file's stem.

        Raises:
            DataSetError: there is no picture, two have one stem, or the table has a bad row.
        """
        require(self.root, (), self.info)
        images, masks = self._listing()
        if not images:
            raise DataSetError(f"no picture in {self.root}", self.info.tree)
        rows = read_rows(self.root / TABLE)
        unknown = rows.keys() - images.keys()
        if unknown:
            raise DataSetError(
                f"{TABLE} names pictures that are not in {self.root}: {some(unknown)}",
                "names of pictures that are there",
            )
        name = self.name
        return tuple(
            _case(case_id, images[case_id], masks.get(case_id), rows.get(case_id, {}), name)
            for case_id in sorted(images)
        )

    def remarks(self) -> tuple[str, ...]:
        """Pictures without a mask, and masks without a picture."""
        images, masks = self._listing()
        counted = (
            ("pictures without a mask", images.keys() - masks.keys()),
            ("masks without a picture", masks.keys() - images.keys()),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)

    def _listing(self) -> tuple[Mapping[str, Path], Mapping[str, Path]]:
        if (self.root / "images").is_dir():
            return _pictures(self.root / "images"), _pictures(self.root / "masks")
        everything = _pictures(self.root)
        images = {stem: path for stem, path in everything.items() if not stem.endswith("_mask")}
        masks = {
            stem.removesuffix("_mask"): path
            for stem, path in everything.items()
            if stem.endswith("_mask")
        }
        return images, masks


def _pictures(folder: Path) -> Mapping[str, Path]:
    """The pictures of one folder by stem."""
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        if path.stem in found:
            raise DataSetError(
                f"{found[path.stem].name} and {path.name} in {folder} have one stem",
                "one picture a stem",
                "rename one of them",
            )
        found[path.stem] = path
    return found


def read_rows(path: Path) -> Mapping[str, Mapping[str, str]]:
    """The rows of the optional table by the stem of their file; none where it is absent.

    Raises:
        DataSetError: it cannot be read, or has no column ``file``.
    """
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            if "file" not in (reader.fieldnames or ()):
                raise DataSetError(f"{path} has no column file", "a column that names the picture")
            return {Path(row["file"]).stem: row for row in reader if row["file"]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error


def _case(
    case_id: str, image: Path, mask: Path | None, row: Mapping[str, str], source: str
) -> CaseRef:
    label = row.get("label", "").strip() or None
    outlines = () if label == NORMAL else None
    where = f"{case_id} in {TABLE}"
    modality = modality_of(row.get("modality", ""), where)
    kind = ColourRef if modality is Modality.HISTOPATHOLOGY else CaseRef
    return kind(
        case_id=case_id,
        patient_id=row.get("patient_id", "").strip() or case_id,
        label=label,
        source=source,
        image_path=image,
        mask_paths=outlines if mask is None else (mask,),
        fold=fold_of(row.get("fold", ""), where),
        spacing_mm=spacing_of(row.get("spacing_mm", ""), where),
        modality=modality,
    )
