"""nnU-Net's raw format, versions 2 and 1 (Isensee 2021, doi 10.1038/s41592-020-01008-z).

``dataset.json`` names the channels, the labels and, in version 2, the ending of the files.
``imagesTr/CASE_0000.ENDING`` is the first channel of a case, ``labelsTr/CASE.ENDING`` its labels;
``imagesTs`` and ``labelsTs`` hold the cases that are not trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.mask import IGNORE, Mask
from breastseg.data.cells import fold_of, label_of, modality_of, spacing_of
from breastseg.data.columns import check_columns, unused
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, Fault, Notice, require, some
from breastseg.data.files import read_json
from breastseg.data.lesion_pixels import labelled
from breastseg.data.patients import look_alikes
from breastseg.data.table import Row, read_table
from breastseg.data.volume_ref import VolumeRef
from breastseg.io.real_path import real_path
from breastseg.io.volume import VOLUME_SUFFIXES

DATASET, CASES, SPLITS = "dataset.json", "cases.csv", "splits_final.json"
COLUMNS = ("file", "case_id", "patient_id", "label", "modality", "fold", "spacing_mm")
"""Of the optional ``cases.csv``, which nnU-Net does not know; ``file`` is the case in nnU-Net."""

PARTS = ("Tr", "Ts")
_WORDS: Mapping[str, Modality] = {
    "ultrasound": Modality.ULTRASOUND,
    "mammo": Modality.MAMMOGRAPHY,
    "histo": Modality.HISTOPATHOLOGY,
    "mr": Modality.MRI,
    "dce": Modality.MRI,
    "contrast": Modality.MRI,
    "t1": Modality.MRI,
    "t2": Modality.MRI,
}
"""What in a channel's name tells the modality, in lower case."""


@dataclass(frozen=True)
class NnUnetImage(CaseRef):
    """An image in one file, or in one for each channel, with an image of labels.

    Attributes:
        later_paths: the channels after `image_path`.
        lesion_values: what the image of labels holds inside a lesion.
        ignore_value: what it holds where nothing is known; None where there is no such value.
        colour: one file holds red, green and blue as the three channels.
    """

    later_paths: tuple[Path, ...] = ()
    lesion_values: tuple[int, ...] = (1,)
    ignore_value: int | None = None
    colour: bool = False

    masks_are_images: ClassVar[bool] = False

    @property
    def image_paths(self) -> tuple[Path, ...]:
        """The files of all channels."""
        return (self.image_path, *self.later_paths)

    def read_image(self) -> Image:
        """The image.

        Returns:
            (channels, rows, columns) in the file's dtype; colours become grey unless they are the
            channels.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: the channels differ in size.
        """
        from breastseg.io.raster import read_raster

        if self.colour:
            image = read_raster(self.image_path, self.key)
            grid = replace(image.grid, spacing_mm=self.spacing_mm or image.grid.spacing_mm)
            return replace(image, grid=grid, modality=self.modality)
        first = super().read_image()
        arrays = [first.array]
        for path in self.later_paths:
            arrays.append(super(NnUnetImage, replace(self, image_path=path)).read_image().array)
            if arrays[-1].shape != first.array.shape:
                raise DataSetError(
                    f"{self.key}: {path.name} has {arrays[-1].shape[1:]} pixels, the first channel "
                    f"{first.grid.shape}",
                    "channels of one size",
                )
        return replace(first, array=np.concatenate(arrays)) if self.later_paths else first

    def read_mask(self, grid: Grid) -> Mask:
        """The ground truth on the image's grid; what is raised as for `read_mask_array`."""
        return labelled(self._label_files(grid.shape), self, grid)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All lesions together.

        Args:
            shape: of the image's grid.

        Returns:
            Of that shape, True where the label is one of a lesion.

        Raises:
            UnreadableError: the file is missing or damaged.
            DataSetError: the labels do not fit the image, or one is not declared.
        """
        return self.read_mask(Grid(shape)).foreground

    def _label_files(self, shape: tuple[int, ...]) -> Iterator[tuple[NDArray[np.generic], str]]:
        from breastseg.io.raster import read_raster

        for path in self.mask_paths or ():
            values = read_raster(path).array[:1]
            if values.shape[1:] != shape:
                raise DataSetError(
                    f"{self.key}: the labels have {values.shape[1:]} pixels, the image {shape}",
                    "labels of the image's size",
                )
            yield values, f"{self.key}: {path.name}"


@dataclass(frozen=True)
class NnUnet:
    """A data set in nnU-Net's raw format, of images or of volumes.

    All labels but background and ``ignore`` count as lesion, and `remarks` says so where there are
    several; a label that ``dataset.json`` does not declare is refused. The folds are those of
    ``splits_final.json``, the first being 1, where it lies beside ``dataset.json``. The optional
    ``cases.csv``, which the conversion writes, has what nnU-Net has no place for:
    patients, labels, folds and spacing; without it every case stands for its own patient. A row of
    a case that is not there is refused: its patient would count as several.

    Attributes:
        root: the folder with ``dataset.json``, such as ``Dataset001_Name``; its name is the data
            set's name.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="a data set in nnU-Net's raw format",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="dataset.json, imagesTr/case_0000.png, labelsTr/case.png; optionally imagesTs, "
        f"labelsTs, {SPLITS}, and {CASES} with the columns {', '.join(COLUMNS)}",
    )

    @property
    def name(self) -> str:
        """The folder's own name."""
        return real_path(self.root).name

    def cases(self) -> tuple[CaseRef, ...]:
        """One case each, sorted by case_id.

        A case without a file of labels has no ground truth, unless it is labelled normal.

        Raises:
            DataSetError: ``dataset.json``, a folder or a channel is missing, or something in a
                table cannot be understood.
        """
        require(self.root, (DATASET, "imagesTr"), self.info)
        layout = _layout(self.root)
        rows = _rows(self.root)
        folds = _folds(self.root)
        found, files = [], set()
        for part in PARTS:
            labels = _labels(self.root / f"labels{part}", layout)
            for file, channels in _channels(self.root / f"images{part}", layout).items():
                files.add(file)
                ref = self._case(file, channels, labels.get(file), rows.get(file, {}), layout)
                found.append(ref if ref.fold is not None else replace(ref, fold=folds.get(file)))
        if not found:
            raise DataSetError(f"no case in {self.root / 'imagesTr'}", self.info.tree)
        unknown = rows.keys() - files
        if unknown:
            raise DataSetError(
                f"{CASES} names cases that are not in {self.root}: {some(unknown)}",
                "in the column file the case in nnU-Net, without channel and ending",
            )
        return tuple(sorted(found, key=lambda case: case.case_id))

    def remarks(self) -> tuple[str, ...]:
        """Cases without labels, labels without a case or merged, patients alike, unused columns."""
        layout = _layout(self.root)
        images = set(_channels(self.root / "imagesTr", layout))
        labels = set(_labels(self.root / "labelsTr", layout))
        remarks: list[str] = [
            Fault(f"{len(names)} {what}: {some(names)}")
            for what, names in (
                ("cases in imagesTr without labels", images - labels),
                ("files in labelsTr without an image", labels - images),
            )
            if names
        ]
        if len(layout.lesions) > 1:
            named = ", ".join(f"{name} ({value})" for value, name in layout.lesions.items())
            remarks.append(Notice(f"the labels {named} count as one lesion"))
        columns = check_columns(next(iter(_rows(self.root).values()), ()), COLUMNS, CASES)
        return (*remarks, *look_alikes(self.cases()), *unused(columns, CASES))

    def _case(
        self, file: str, channels: Sequence[Path], labels: Path | None, row: Row, layout: _Layout
    ) -> CaseRef:
        where = f"{file} in {CASES}"
        label = label_of(row.get("label", ""))
        case_id = row.get("case_id") or file
        truth = () if label == NORMAL else None
        modality = modality_of(row.get("modality", ""), where)
        shared = CaseRef(
            case_id=case_id,
            patient_id=row.get("patient_id") or case_id,
            label=label,
            source=self.name,
            image_path=channels[0],
            mask_paths=truth if labels is None else (labels,),
            fold=fold_of(row.get("fold", ""), where),
            spacing_mm=spacing_of(row.get("spacing_mm", ""), where),
            modality=layout.modality if modality is Modality.UNKNOWN else modality,
        )
        later, lesions = tuple(channels[1:]), tuple(layout.lesions)
        known = {**vars(shared), "later_paths": later, "lesion_values": lesions}
        known["ignore_value"] = layout.ignore
        if layout.ending.lower() in VOLUME_SUFFIXES:
            return VolumeRef(**known)
        return NnUnetImage(**known, colour=layout.channels == 3 and not later)


@dataclass(frozen=True)
class _Layout:
    """What ``dataset.json`` says."""

    ending: str
    channels: int
    lesions: Mapping[int, str]
    ignore: int | None
    modality: Modality


def _layout(root: Path) -> _Layout:
    stated = _json(root / DATASET)
    names = stated.get("channel_names", stated.get("modality"))  # the second in version 1
    labels = stated.get("labels")
    if not isinstance(names, dict) or not isinstance(labels, dict) or not names:
        raise DataSetError(
            f"{root / DATASET} has no channel_names or no labels",
            "channel_names and labels (version 2), or modality and labels (version 1)",
        )
    ending = stated.get("file_ending", ".nii.gz")
    if not isinstance(ending, str) or not ending.startswith("."):
        raise DataSetError(f"file_ending {ending!r} in {root / DATASET}", ".png or .nii.gz")
    words = " ".join(map(str, names.values())).lower()
    modality = next((m for word, m in _WORDS.items() if word in words), Modality.UNKNOWN)
    values = _label_names(labels, root)
    ignore = next((value for value, name in values.items() if name == IGNORE), None)
    lesions = {v: name for v, name in sorted(values.items()) if v != 0 and name != IGNORE}
    if not lesions:
        raise DataSetError(f"{root / DATASET} has no label but background", "a label of lesions")
    return _Layout(ending, len(names), lesions, ignore, modality)


def _label_names(labels: Mapping[str, object], root: Path) -> Mapping[int, str]:
    """What each value means."""
    values: dict[int, str] = {}
    for key, value in labels.items():
        # version 1 has the value first; a region of version 2 has several values
        pairs = [(key, value)] if str(key).isdecimal() else [(value, key)]
        if isinstance(value, list):
            pairs = [(one, key) for one in value]
        for number, name in pairs:
            try:
                values[int(str(number))] = str(name).lower()
            except ValueError as error:
                raise DataSetError(
                    f"label {key!r}: {value!r} in {root / DATASET}", "a name and whole numbers"
                ) from error
    return values


def _channels(folder: Path, layout: _Layout) -> Mapping[str, tuple[Path, ...]]:
    """The files of each case; a case of one file may be without a channel's number."""
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        stem = _stem(path, layout)
        if not stem:
            continue
        case, _, number = stem.rpartition("_")
        if case and len(number) == 4 and number.isdecimal():
            found.setdefault(case, {})[int(number)] = path
        else:
            found.setdefault(stem, {})[0] = path
    for case, files in found.items():
        whole = sorted(files) == list(range(layout.channels))
        if not whole and sorted(files) != [0]:
            raise DataSetError(
                f"{folder / case}: has the channels {', '.join(map(str, sorted(files)))}",
                f"{layout.channels} from 0000, as {DATASET} says, or one file with all",
            )
    return {case: tuple(files[at] for at in sorted(files)) for case, files in found.items()}


def _labels(folder: Path, layout: _Layout) -> Mapping[str, Path]:
    found = {_stem(path, layout): path for path in sorted(folder.glob("*"))}
    return {stem: path for stem, path in found.items() if stem}


def _stem(path: Path, layout: _Layout) -> str:
    """The name without its ending, in capitals or not; "" for another file or a hidden one."""
    if path.name.startswith(".") or not path.name.lower().endswith(layout.ending.lower()):
        return ""
    return path.name[: -len(layout.ending)]


def _rows(root: Path) -> Mapping[str, Row]:
    path = root / CASES
    if not path.is_file():
        return {}
    rows = read_table(path, ("file",))
    check_columns(rows[0] if rows else (), COLUMNS, CASES)
    found: dict[str, Row] = {}
    for row in rows:
        if row["file"] and found.setdefault(row["file"], row) is not row:
            raise DataSetError(f"{CASES} has two rows for {row['file']!r}", "one row a case")
    return found


def _folds(root: Path) -> Mapping[str, int]:
    """The fold in whose validation part a case is."""
    path = root / SPLITS
    if not path.is_file():
        return {}
    expected = 'a JSON list of {"train": [...], "val": [...]}'
    splits = read_json(path, expected)
    listed = splits if isinstance(splits, list) else []
    parts = [split.get("val") if isinstance(split, dict) else None for split in listed]
    if not parts or not all(isinstance(part, list) for part in parts):
        raise DataSetError(f"{path} holds no splits", expected)
    return {str(name): k for k, part in enumerate(parts, 1) for name in part or ()}


def _json(path: Path) -> dict[str, object]:
    found = read_json(path, "the file that nnU-Net describes")
    if not isinstance(found, dict):
        raise DataSetError(f"{path} holds no object", "the file that nnU-Net describes")
    return found
