"""BUSI: Breast Ultrasound Images (Al-Dhabyani 2020)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.dataset import (
    NORMAL,
    CaseRef,
    DataSetInfo,
    Fault,
    locate,
    require,
    some,
)
from breastseg.data.files import visible

LABELS = ("benign", "malignant", NORMAL)

_MASK = re.compile(r"(?P<case>.+)_mask(?:_\d+)?\.png", re.IGNORECASE)


@dataclass(frozen=True)
class Busi:
    """780 images: 437 benign, 210 malignant, 133 normal; a lesion image has one to three masks.

    It has no patient numbers, so that every image stands for its own patient. It does hold the
    same images several times, in both classes even: split it with the groups of
    `breastseg.data.audit.near_duplicate_groups`.

    Attributes:
        root: ``Dataset_BUSI_with_GT``, or a folder that holds it.
    """

    root: Path
    name: ClassVar[str] = "BUSI"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="Breast Ultrasound Images (BUSI)",
        paper="Al-Dhabyani W, Gomaa M, Khaled H, Fahmy A. Dataset of breast ultrasound images. "
        "Data in Brief 28, 104863 (2020)",
        doi="10.1016/j.dib.2019.104863",
        licence="open access with the article; the authors ask to be cited",
        home="the article's data page (doi 10.1016/j.dib.2019.104863)",
        tree="benign/, malignant/ and normal/ with 'benign (1).png', 'benign (1)_mask.png', "
        "'benign (1)_mask_1.png', ...",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds the three class folders."""
        places = (
            ".",
            "Dataset_BUSI_with_GT",
            "BUSI/Dataset_BUSI_with_GT",
            "BUSI",
            "ultrasound/BUSI/Dataset_BUSI_with_GT",
        )
        return locate(self.root, places, LABELS)

    def cases(self) -> tuple[CaseRef, ...]:
        """One case an image, sorted by case_id, which is the file's name: ``"benign (1)"``.

        The masks of one image are listed together; normal images list none, for theirs are
        all zero. A lesion image whose mask file is missing has no ground truth.

        Raises:
            DataSetError: a class folder is missing, or there is no image at all.
        """
        folder = self.folder
        require(folder, LABELS, self.info)
        found = []
        for label in LABELS:
            images, masks = _listing(folder / label)
            for case_id, path in images.items():
                paths = () if label == NORMAL else masks.get(case_id)
                found.append(
                    CaseRef(
                        case_id,
                        case_id,
                        label,
                        self.name,
                        path,
                        paths,
                        modality=Modality.ULTRASOUND,
                    )
                )
        if not found:
            raise DataSetError(f"no image in {folder}", self.info.tree)
        return tuple(sorted(found, key=lambda case: case.case_id))

    def remarks(self) -> tuple[str, ...]:
        """Images without a mask, and masks without an image."""
        remarks = []
        for label in LABELS:
            images, masks = _listing(self.folder / label)
            bare = images.keys() - masks.keys()
            if bare and label != NORMAL:
                remarks.append(Fault(f"{len(bare)} {label} images without a mask: {some(bare)}"))
            stray = masks.keys() - images.keys()
            if stray:
                remarks.append(
                    Fault(f"masks of {len(stray)} {label} images not there: {some(stray)}")
                )
        return tuple(remarks)


def _listing(folder: Path) -> tuple[Mapping[str, Path], Mapping[str, tuple[Path, ...]]]:
    images: dict[str, Path] = {}
    masks: dict[str, tuple[Path, ...]] = {}
    for path in visible(folder, ".png"):
        match = _MASK.fullmatch(path.name)
        if match:
            masks[match["case"]] = (*masks.get(match["case"], ()), path)
        else:
            images[path.stem] = path
    return images, masks
