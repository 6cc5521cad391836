"""Writing cases in another layout: nnU-Net's raw format, or a folder of images and masks."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.case import Case
from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.mask import IGNORE, LESION
from breastseg.data.dataset import NORMAL, CaseRef, require_images
from breastseg.data.sets.folder import TABLE
from breastseg.data.sets.nnunet import CASES, COLUMNS, DATASET, SPLITS
from breastseg.io.volume import write_volume
from breastseg.io.write import appearing, write_png, write_text

FOLDER_COLUMNS = ("file", "patient_id", "label", "spacing_mm", "modality", "fold")
"""Of the ``cases.csv`` of a folder."""

_UNSAFE = re.compile(r"[^\w.()\- ]")
_PICTURE, _VOLUME = ".png", ".nii.gz"

Progress = Callable[[int, int], None]
"""Called after each case with how many are done, and of how many."""


def to_nnunet(cases: Sequence[CaseRef], out: Path, progress: Progress | None = None) -> None:
    """Write cases in nnU-Net's raw format, version 2, whole or not at all.

    Images become PNG, volumes NIfTI; labels are 0 and 1, and 2 where nothing is known
    (nnU-Net's ``ignore``). Cases without ground truth go to
    ``imagesTs``. ``cases.csv`` keeps patients, labels, folds and spacing; ``splits_final.json``, to
    be copied to nnU-Net's folder of preprocessed data, has the folds.

    Args:
        cases: images alone or volumes alone, all with as many channels.
        out: must not exist yet; nnU-Net wants a name such as ``Dataset001_Name``.
        progress: to be told how far it is.

    Raises:
        DataSetError: no case, images among volumes, or a case with other channels.
        UnreadableError: a file is missing or damaged.
    """
    _check(cases, out)
    if len({case.is_volume for case in cases}) > 1:
        raise DataSetError("images and volumes", "one kind", "convert one data set at a time")
    volumes = cases[0].is_volume
    names = _names(cases, spaces=False)
    ending = _VOLUME if volumes else _PICTURE
    channels, trained, ignored, rows = 0, 0, False, []
    with appearing(out) as made:
        for done, (ref, name) in enumerate(zip(cases, names, strict=True), 1):
            case = ref.load()
            image = case.images[0]
            if done > 1 and len(image.array) != channels:
                raise DataSetError(
                    f"{ref.key} has {len(image.array)} channels, {cases[0].key} {channels}",
                    "as many channels in each case",
                    "convert them apart",
                )
            channels = len(image.array)
            part = "Ts" if case.mask is None else "Tr"
            _write_channels(image, made / f"images{part}" / name, ending)
            if case.mask is not None:
                trained += 1
                labels = case.mask.foreground + 2 * case.mask.ignored.astype(np.uint8)
                ignored = ignored or bool(case.mask.ignored.any())
                _write(labels, image.grid, made / f"labels{part}" / (name + ending))
            rows.append(_row(ref, case, name, cases))
            if progress is not None:
                progress(done, len(cases))
        document = {
            "channel_names": _channel_names(channels, cases, volumes),
            "labels": {"background": 0, LESION: 1, **({IGNORE: 2} if ignored else {})},
            "numTraining": trained,
            "file_ending": ending,
            "name": out.name,
            "description": "made of " + ", ".join(sorted({case.source for case in cases})),
        }
        (made / "imagesTr").mkdir(exist_ok=True)
        write_text(made / DATASET, json.dumps(document, indent=2) + "\n")
        write_text(made / CASES, _csv(COLUMNS, rows))
        splits = _splits(cases, names)
        if splits:
            write_text(made / SPLITS, json.dumps(splits, indent=1) + "\n")


def to_folder(cases: Sequence[CaseRef], out: Path, progress: Progress | None = None) -> None:
    """Write cases as `breastseg.data.sets.folder.Folder` reads them, whole or not at all.

    Args:
        cases: images.
        out: must not exist yet.
        progress: to be told how far it is.

    Raises:
        DataSetError: no case, one is a volume, or one has pixels to be ignored.
        UnreadableError: a file is missing or damaged.
    """
    _check(cases, out)
    require_images(cases)
    names = _names(cases, spaces=True)
    rows = []
    with appearing(out) as made:
        for done, (ref, name) in enumerate(zip(cases, names, strict=True), 1):
            case = ref.load()
            image = case.images[0]
            if case.mask is not None and case.mask.ignored.any():
                raise DataSetError(
                    f"{ref.key} has pixels to be ignored",
                    "lesion or background, which is all that masks in a folder hold",
                    "write nnU-Net's format",
                )
            pixels = np.moveaxis(_storable(image.array), 0, -1)
            if pixels.shape[2] not in (1, 3):
                raise DataSetError(f"{ref.key} has {pixels.shape[2]} channels", "1 or 3")
            pixels = pixels[..., 0] if pixels.shape[2] == 1 else _eight_bits(pixels)
            write_png(made / "images" / f"{name}.png", pixels, _spacing(image.grid))
            if case.mask is not None and (case.mask.foreground.any() or ref.label != NORMAL):
                write_png(made / "masks" / f"{name}.png", case.mask.foreground)
            rows.append(_row(ref, case, f"{name}.png", cases))
            if progress is not None:
                progress(done, len(cases))
        write_text(made / TABLE, _csv(FOLDER_COLUMNS, rows))


def _check(cases: Sequence[CaseRef], out: Path) -> None:
    if not cases:
        raise DataSetError("no case", "at least one")
    if out.exists():
        raise DataSetError(f"{out} exists", "a new folder", "choose another name")


def _names(cases: Sequence[CaseRef], spaces: bool) -> list[str]:
    """Names of files, as like to the cases' as can be, each once."""
    several = len({case.source for case in cases}) > 1
    taken: set[str] = set()
    names = []
    for case in cases:
        wanted = f"{case.source}_{case.case_id}" if several else case.case_id
        wanted = _UNSAFE.sub("_", wanted).lstrip(".") or "case"
        wanted = wanted if spaces else re.sub(r"[ ()]+", "_", wanted).strip("_") or "case"
        name, number = wanted, 1
        while name.lower() in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def _row(ref: CaseRef, case: Case, file: str, cases: Sequence[CaseRef]) -> Mapping[str, str]:
    several = len({other.source for other in cases}) > 1
    spacing = None if ref.is_volume else _spacing(case.images[0].grid)
    return {
        "file": file,
        "case_id": ref.key if several else ref.case_id,
        "patient_id": ref.patient_key if several else ref.patient_id,
        "label": ref.label or "",
        "modality": str(ref.modality),
        "fold": "" if ref.fold is None else str(ref.fold),
        "spacing_mm": "" if spacing is None else " ".join(map(repr, spacing)),
    }


def _spacing(grid: Grid) -> tuple[float, float] | None:
    return None if grid.spacing_mm is None else (grid.spacing_mm[0], grid.spacing_mm[1])


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _write_channels(image: Image, stem: Path, ending: str) -> None:
    """A file a channel, but one for red, green and blue."""
    array = image.array
    if ending == _PICTURE:
        array = _storable(array)
        if len(array) == 3 and array.dtype == np.uint8:
            _write(np.moveaxis(array, 0, -1), image.grid, stem.with_name(f"{stem.name}_0000.png"))
            return
    for channel, values in enumerate(array):
        _write(values, image.grid, stem.with_name(f"{stem.name}_{channel:04d}{ending}"))


def _write(values: NDArray[np.generic], grid: Grid, path: Path) -> None:
    if grid.ndim == 3:
        write_volume(values, grid, path)
    else:
        write_png(path, values, _spacing(grid))


def _storable(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Pixels as PNG has them: as they are where they are whole and fit, else scaled to 16 bits."""
    if array.dtype in (np.uint8, np.uint16):
        return array
    values = np.nan_to_num(array.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 65535 and np.array_equal(values, np.rint(values)):
        return values.astype(np.uint8 if high <= 255 else np.uint16)
    scaled = (values - low) * (65535 / (high - low) if high > low else 0)
    return np.asarray(np.rint(scaled).astype(np.uint16))


def _eight_bits(colour: NDArray[np.generic]) -> NDArray[np.generic]:
    return colour if colour.dtype == np.uint8 else (colour.astype(np.uint16) >> 8).astype(np.uint8)


def _channel_names(channels: int, cases: Sequence[CaseRef], volumes: bool) -> Mapping[str, str]:
    """What nnU-Net calls the channels; what it does not know it scales by mean and deviation."""
    if volumes:
        names = ["before contrast", *(f"contrast phase {n}" for n in range(1, channels))]
    else:
        modality = str(cases[0].modality)
        names = ["R", "G", "B"] if channels == 3 else [modality] * channels
    return {str(number): name for number, name in enumerate(names)}


def _splits(cases: Sequence[CaseRef], names: Sequence[str]) -> list[Mapping[str, Sequence[str]]]:
    """For each fold the cases outside and those inside; none where no fold is known.

    Cases without a fold are trained on always.
    """
    known = [(name, ref.fold) for ref, name in zip(cases, names, strict=True) if _has_truth(ref)]
    folds = sorted({fold for _, fold in known if fold is not None})
    return [
        {
            "train": [name for name, own in known if own != fold],
            "val": [name for name, own in known if own == fold],
        }
        for fold in folds
    ]


def _has_truth(ref: CaseRef) -> bool:
    return ref.mask_paths is not None
