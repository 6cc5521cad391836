"""nnU-Net's raw format, versions 2 and 1 (Isensee 2021, doi 10.1038/s41592-020-01008-z).

``dataset.json`` names the channels, the labels and, in version 2, the ending of the files.
``imagesTr/CASE_0000.ENDING`` is the first channel of a case, ``labelsTr/CASE.ENDING`` its labels;
``imagesTs`` and ``labelsTs`` hold the cases that are not trained on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.core.image import Image, Modality
from breastseg.data.cells import fold_of, modality_of, spacing_of
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, require, some
from breastseg.data.table import Row, read_table
from breastseg.data.volume_ref import VolumeRef
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
class NnUnetPicture(CaseRef):
    """A picture in one file, or in one for each channel, with a picture of labels.

    Attributes:
        later_paths: the channels after `image_path`.
        lesion_values: what the picture of labels holds inside a lesion.
        colour: one file holds red, green and blue as the three channels.
    """

    later_paths: tuple[Path, ...] = ()
    lesion_values: tuple[int, ...] = (1,)
    colour: bool = False

    masks_are_pictures: ClassVar[bool] = False

    @property
    def image_paths(self) -> tuple[Path, ...]:
        """The files of all channels."""
        return (self.image_path, *self.later_paths)

    def read_image(self) -> Image:
        """The picture.

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
            arrays.append(super(NnUnetPicture, replace(self, image_path=path)).read_image().array)
            if arrays[-1].shape != first.array.shape:
                raise DataSetError(
                    f"{self.key}: {path.name} has {arrays[-1].shape[1:]} pixels, the first channel "
                    f"{first.grid.shape}",
                    "channels of one size",
                )
        return replace(first, array=np.concatenate(arrays)) if self.later_paths else first

    def read_outline(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All lesions together.

        Args:
            shape: of the picture's grid.

        Returns:
            Of that shape, True where the label is one of a lesion.

        Raises:
            UnreadableError: the file is missing or damaged.
            DataSetError: the labels do not fit the picture.
        """
        from breastseg.io.raster import read_raster

        found = np.zeros(shape, bool)
        for path in self.mask_paths or ():
            values = read_raster(path).array[0]
            if values.shape != shape:
                raise DataSetError(
                    f"{self.key}: the labels have {values.shape} pixels, the image {shape}",
                    "labels of the image's size",
                )
            found |= np.isin(values, self.lesion_values)
        return found


@dataclass(frozen=True)
class NnUnet:
    """A data set in nnU-Net's raw format, of pictures or of volumes.

    All labels but background and ``ignore`` count as lesion. The folds are those of
    ``splits_final.json``, the first being 1, where it lies beside ``dataset.json``. The optional
    ``cases.csv``, which `breastseg data convert` writes, has what nnU-Net has no place for:
    patients, labels, folds and spacing; without it every case stands for its own patient.

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
        return self.root.resolve().name

    def cases(self) -> tuple[CaseRef, ...]:
        """One case each, sorted by case_id.

        A case without a file of labels has no known truth, unless it is labelled normal.

        Raises:
            DataSetError: ``dataset.json``, a folder or a channel is missing, or something in a
                table cannot be understood.
        """
        require(self.root, (DATASET, "imagesTr"), self.info)
        layout = _layout(self.root)
        rows = _rows(self.root)
        folds = _folds(self.root)
        found = []
        for part in PARTS:
            for file, channels in _channels(self.root / f"images{part}", layout).items():
                labels = self.root / f"labels{part}" / (file + layout.ending)
                row = rows.get(file, {})
                ref = self._case(file, channels, labels if labels.is_file() else None, row, layout)
                found.append(ref if ref.fold is not None else replace(ref, fold=folds.get(file)))
        if not found:
            raise DataSetError(f"no case in {self.root / 'imagesTr'}", self.info.tree)
        return tuple(sorted(found, key=lambda case: case.case_id))

    def remarks(self) -> tuple[str, ...]:
        """Cases to train on that have no labels."""
        images = set(_channels(self.root / "imagesTr", layout := _layout(self.root)))
        there = {path.name for path in (self.root / "labelsTr").glob("*")}
        bare = [name for name in images if name + layout.ending not in there]
        return (f"{len(bare)} cases in imagesTr without labels: {some(bare)}",) if bare else ()

    def _case(
        self, file: str, channels: Sequence[Path], labels: Path | None, row: Row, layout: _Layout
    ) -> CaseRef:
        where = f"{file} in {CASES}"
        label = row.get("label") or None
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
        later, lesions = tuple(channels[1:]), layout.lesion_values
        if layout.ending.lower() in VOLUME_SUFFIXES:
            return VolumeRef(**vars(shared), later_paths=later, lesion_values=lesions)
        colour = layout.channels == 3 and not later
        return NnUnetPicture(
            **vars(shared), later_paths=later, lesion_values=lesions, colour=colour
        )


@dataclass(frozen=True)
class _Layout:
    """What ``dataset.json`` says."""

    ending: str
    channels: int
    lesion_values: tuple[int, ...]
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
    return _Layout(ending, len(names), _lesion_values(labels, root), modality)


def _lesion_values(labels: Mapping[str, object], root: Path) -> tuple[int, ...]:
    """All values but those of background and of what is to be ignored."""
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
    found = tuple(sorted(n for n, name in values.items() if n != 0 and name != "ignore"))
    if not found:
        raise DataSetError(f"{root / DATASET} has no label but background", "a label of lesions")
    return found


def _channels(folder: Path, layout: _Layout) -> Mapping[str, tuple[Path, ...]]:
    """The files of each case; a case of one file may be without a channel's number."""
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if not path.name.endswith(layout.ending) or path.name.startswith("."):
            continue
        stem = path.name.removesuffix(layout.ending)
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


def _rows(root: Path) -> Mapping[str, Row]:
    path = root / CASES
    return {row["file"]: row for row in read_table(path, ("file",))} if path.is_file() else {}


def _folds(root: Path) -> Mapping[str, int]:
    """The fold in whose validation part a case is."""
    path = root / SPLITS
    if not path.is_file():
        return {}
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): k for k, split in enumerate(splits, 1) for name in split["val"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataSetError(
            f"{path} cannot be read: {error!r}", 'a JSON list of {"train": [...], "val": [...]}'
        ) from error


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a JSON file") from error
    if not isinstance(found, dict):
        raise DataSetError(f"{path} holds no object", "the file that nnU-Net describes")
    return found
