"""TNBC: nuclei in histopathology of triple-negative breast cancer (Naylor 2019)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.colour import ColourRef
from breastseg.data.dataset import CaseRef, DataSetInfo, require, some
from breastseg.data.files import visible

SPACING_MM = (0.25e-3, 0.25e-3)
"""Of a scan at 40x, as all images are."""

_SLIDE = re.compile(r"Slide_(\d+)")
_PLACES = (".", "TNBC_NucleiSegmentation", "TNBC", "histopathology/TNBC")


@dataclass(frozen=True)
class Tnbc:
    """50 colour images of 512 x 512 pixels from 11 patients, with every nucleus outlined.

    The masks are of nuclei of all kinds of cells, those of stroma and lymphocytes included: a
    network that learns from them finds nuclei and not cancer. The patient is the number of the
    slide. A copy with ``images`` and ``masks`` in place of the slides' folders can be used too;
    it has no slide numbers, and every image stands for its own patient.

    Attributes:
        root: ``TNBC_NucleiSegmentation``, or a folder that holds it.
    """

    root: Path
    name: ClassVar[str] = "TNBC"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="TNBC, nuclei in histopathology of triple-negative breast cancer",
        paper="Naylor P, Lae M, Reyal F, Walter T. Segmentation of nuclei in histopathology images "
        "by deep regression of the distance map. IEEE Transactions on Medical Imaging 38, 448-459 "
        "(2019)",
        doi="10.1109/TMI.2018.2865709",
        licence="CC BY 4.0",
        home="Zenodo (doi 10.5281/zenodo.1175282)",
        tree="Slide_01/01_1.png with GT_01/01_1.png and so on to slide 11; or images/ and masks/",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds the slides' folders."""
        places = (self.root / place for place in _PLACES)
        return next((place for place in places if any(_pairs(place))), self.root)

    def cases(self) -> tuple[CaseRef, ...]:
        """One case an image, sorted by case_id, the stem of its file: ``"01_1"``.

        An image without its mask has no ground truth. All are malignant.

        Raises:
            DataSetError: there is no image, or two have one name.
        """
        require(self.root, (), self.info)
        found: dict[str, CaseRef] = {}
        for slide, images, masks in _pairs(self.folder):
            for path in visible(images, ".png"):
                if path.stem in found:
                    raise DataSetError(
                        f"{found[path.stem].image_path} and {path} have one name",
                        "a name an image",
                        f"get it from {self.info.home}",
                    )
                mask = masks / path.name
                found[path.stem] = ColourRef(
                    case_id=path.stem,
                    patient_id=slide or path.stem,
                    label="malignant",
                    source=self.name,
                    image_path=path,
                    mask_paths=(mask,) if mask.is_file() else None,
                    spacing_mm=SPACING_MM,
                    modality=Modality.HISTOPATHOLOGY,
                )
        if not found:
            raise DataSetError(
                f"{self.info.title}: no image in {self.root}",
                f"a folder that holds {self.info.tree}",
                f"get it from {self.info.home}",
            )
        return tuple(found[case_id] for case_id in sorted(found))

    def remarks(self) -> tuple[str, ...]:
        """Images without a mask, masks without an image, and missing slide numbers."""
        bare, stray = set(), set()
        folders = list(_pairs(self.folder))
        for _, images, masks in folders:
            pictured = {path.name for path in visible(images, ".png")}
            outlined = {path.name for path in visible(masks, ".png")}
            bare |= pictured - outlined
            stray |= outlined - pictured
        counted = (("images without a mask", bare), ("masks without an image", stray))
        remarks = [f"{len(names)} {what}: {some(names)}" for what, names in counted if names]
        if any(not slide for slide, _, _ in folders):
            remarks.append("no slide numbers: every image stands for its own patient")
        return tuple(remarks)


def _pairs(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Each slide's number with its folders of images and masks; no number in a flat copy."""
    if (folder / "images").is_dir():
        yield "", folder / "images", folder / "masks"
        return
    for images in sorted(folder.glob("Slide_*")):
        match = _SLIDE.fullmatch(images.name)
        if match and images.is_dir():
            yield match[1], images, folder / f"GT_{match[1]}"
