"""A folder of images and masks: the layout for one's own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.cells import fold_of, label_of, modality_of, spacing_of
from breastseg.data.colour import ColourRef
from breastseg.data.columns import check_columns, unused
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, Fault, require, some
from breastseg.data.files import IMAGE_SUFFIXES, by_stem, folders_of_images, unread_images
from breastseg.data.pairs import Pairs, pair, pair_flat
from breastseg.data.patients import look_alikes
from breastseg.data.table import Row, read_table
from breastseg.io.real_path import real_path

TABLE = "cases.csv"
"""Optional, beside the images."""
COLUMNS = ("file", "patient_id", "label", "spacing_mm", "modality", "fold")
_FOR_PEOPLE = "description"
"""A column of words about each image, which the generated scans have too."""

_IMAGES = ("images", "image", "imgs", "img")
_MASKS = ("masks", "mask", "labels", "label", "annotations", "segmentations", "gt", "ground_truth")


@dataclass(frozen=True)
class Folder:
    """Images and masks by the names of their files.

    Either images in ``images/`` with masks in ``masks/``, of the same stem or as
    ``scan_mask.png``, or all in one folder with the mask of ``scan.png`` as ``scan_mask.png``; for
    the other endings see `breastseg.data.pairs`. An image without a mask has no ground truth,
    unless its label is ``normal``. The optional ``cases.csv`` has the columns file, patient_id,
    label, spacing_mm, modality and fold (all but the first may be absent or blank); spacing_mm is
    one number, or row and column spacing with a space between them. Without the table, every
    image stands for its own patient. A column of another name is told of by `remarks`, and
    refused where it looks like one of these that is not there.

    Attributes:
        root: the folder; its name is the data set's name.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="a folder of images",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="images/scan.png with masks/scan.png or masks/scan_mask.png, or scan.png with "
        "scan_mask.png; "
        f"optionally {TABLE} with the columns file, patient_id, label, spacing_mm, modality, "
        "fold",
    )

    @property
    def name(self) -> str:
        """The folder's own name."""
        return real_path(self.root).name

    def cases(self) -> tuple[CaseRef, ...]:
        """One case an image, sorted by case_id, which is the file's stem.

        Raises:
            DataSetError: there is no image, two have one stem, or the table has a bad row.
        """
        require(self.root, (), self.info)
        pairs = self._listing()
        images = pairs.images
        if not images:
            raise DataSetError(f"no image in {self.root}", self.info.tree)
        rows = read_rows(self.root / TABLE)
        unknown = rows.keys() - images.keys()
        if unknown:
            raise DataSetError(
                f"{TABLE} names images that are not in {self.root}: {some(unknown)}",
                "names of images that are there",
            )
        name = self.name
        return tuple(
            _case(
                case_id, images[case_id], pairs.masks.get(case_id, ()), rows.get(case_id, {}), name
            )
            for case_id in sorted(images)
        )

    def remarks(self) -> tuple[str, ...]:
        """Images without a mask, masks without an image, and columns that are not used."""
        cases, pairs = self.cases(), self._listing()
        rows = read_rows(self.root / TABLE)
        normal = {stem for stem, row in rows.items() if label_of(row.get("label", "")) == NORMAL}
        counted = (
            ("images without a mask", pairs.images.keys() - pairs.masks.keys() - normal),
            ("masks without an image", pairs.stray),
            ("images of a kind that is not read", unread_images(self._places())),
        )
        faults = [Fault(f"{len(names)} {what}: {some(names)}") for what, names in counted if names]
        columns = next(iter(rows.values()), {})
        told = (*look_alikes(cases), *self._below())
        left = check_columns(columns, (*COLUMNS, _FOR_PEOPLE), TABLE)
        return (*faults, *told, *unused(left, TABLE))

    def _below(self) -> tuple[str, ...]:
        """The remark on folders of images that are not read."""
        place = _subfolder(self.root, _IMAGES)
        names = [str(path.relative_to(self.root)) for path in folders_of_images(place or self.root)]
        return (Fault(f"{len(names)} folders of images are not read: {some(names)}"),) * bool(names)

    def _places(self) -> list[Path]:
        """The folders with its images and masks."""
        images, masks = _subfolder(self.root, _IMAGES), _subfolder(self.root, _MASKS)
        return [self.root] if images is None else [one for one in (images, masks) if one]

    def _listing(self) -> Pairs:
        images = _subfolder(self.root, _IMAGES)
        if images is None:
            return pair_flat(by_stem(self.root, *IMAGE_SUFFIXES))
        masks = _subfolder(self.root, _MASKS)
        return pair(
            by_stem(images, *IMAGE_SUFFIXES), by_stem(masks, *IMAGE_SUFFIXES) if masks else {}
        )


def _subfolder(root: Path, names: Sequence[str]) -> Path | None:
    """The first of the folders, in capitals or not."""
    there = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    return next((there[name] for name in names if name in there), None)


def read_rows(path: Path, used: Sequence[str] = COLUMNS) -> Mapping[str, Row]:
    """The rows of the optional table by the stem of their file; none where it is absent.

    Args:
        path: the table.
        used: the columns that matter here, of `COLUMNS`.

    Raises:
        DataSetError: it cannot be read, has no column ``file``, a column that looks like a used
            one that is not there, or two rows for files of one stem.
    """
    if not path.is_file():
        return {}
    rows = read_table(path, ("file",))
    check_columns(rows[0] if rows else (), used, path.name)
    found: dict[str, Row] = {}
    for row in rows:
        if row["file"] and found.setdefault(stem := _stem(row["file"]), row) is not row:
            raise DataSetError(
                f"{path.name} has two rows for {stem!r}: {found[stem]['file']} and {row['file']}",
                "one row a file; files of one name in several folders need a manifest",
            )
    return found


def _stem(file: str) -> str:
    """Of a name with or without folders, written in either way."""
    return Path(file.replace("\\", "/")).stem


def _case(case_id: str, image: Path, masks: tuple[Path, ...], row: Row, source: str) -> CaseRef:
    label = label_of(row.get("label", ""))
    stated = () if label == NORMAL else None
    where = f"{case_id} in {TABLE}"
    modality = modality_of(row.get("modality", ""), where)
    kind = ColourRef if modality is Modality.HISTOPATHOLOGY else CaseRef
    return kind(
        case_id=case_id,
        patient_id=row.get("patient_id") or case_id,
        label=label,
        source=source,
        image_path=image,
        mask_paths=masks or stated,
        fold=fold_of(row.get("fold", ""), where),
        spacing_mm=spacing_of(row.get("spacing_mm", ""), where),
        modality=modality,
    )
