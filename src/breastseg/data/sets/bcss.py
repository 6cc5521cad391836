"""BCSS: tissue regions in histopathology of breast cancer (Amgad 2019)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.core.image import Image, Modality
from breastseg.data.colour import ColourRef
from breastseg.data.dataset import CaseRef, DataSetInfo, locate, require, some
from breastseg.data.files import by_stem

OUTSIDE = 0
"""The code of what was not looked at: neither tumour nor anything else."""
TUMOUR_CODES = (1, 19, 20)
"""Tumour, angioinvasion and ductal carcinoma in situ: wherever malignant cells are outlined."""
MOST = 21
SHARED_UM = 0.25
"""Micrometres a pixel of the copy that the authors share."""

_OFFICIAL = re.compile(r"(?P<patient>TCGA-\w{2}-\w{4})-.+_MPP-(?P<um>\d+(?:\.\d+)?)", re.IGNORECASE)
_IMAGES = ("images", "rgbs_colorNormalized", "rgbs")
_SUFFIXES = (".png", ".jpg", ".jpeg")
_PLACES = (".", "BCSS", "histopathology/BCSS")


@dataclass(frozen=True)
class TissueRegion(ColourRef):
    """A region of a slide whose mask holds a code of the tissue at each pixel."""

    masks_are_images: ClassVar[bool] = False

    def read_image(self) -> Image:
        """The image; what lies outside the annotated region is white, as bare glass is.

        The corners of a turned region show tissue of which nothing is known; so no network is
        taught or scored on it.

        Returns:
            (3, rows, columns) uint8.

        Raises:
            UnreadableError: the image or its mask is missing or damaged.
            DataSetError: the mask does not fit the image, or holds no codes.
        """
        image = super().read_image()
        if not self.mask_paths:
            return image
        outside = self._codes(image.grid.shape) == OUTSIDE
        return replace(image, array=np.where(outside, np.uint8(255), image.array))

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Where the code is one of `TUMOUR_CODES`.

        Raises:
            UnreadableError: the mask is missing or damaged.
            DataSetError: it does not fit the image, or holds no codes.
        """
        if not self.mask_paths:
            return np.zeros(shape, bool)
        return np.isin(self._codes(shape), TUMOUR_CODES)

    def _codes(self, shape: tuple[int, ...]) -> NDArray[np.generic]:
        from breastseg.io.raster import read_raster

        (path,) = self.mask_paths or ()
        codes: NDArray[np.generic] = read_raster(path, f"{self.key}: {path.name}").array[0]
        if codes.shape != shape:
            raise DataSetError(
                f"{self.key}: {path.name} has {codes.shape} pixels, the image {shape}",
                "masks of the image's size",
                "repair or remove the file, or leave the case out",
            )
        if codes.max() > MOST:
            raise DataSetError(
                f"{self.key}: {path.name} holds the value {codes.max()}",
                f"codes of tissue, 0 to {MOST}",
                "name masks that are drawn in black and white otherwise than TCGA-..._MPP-...",
            )
        return codes


@dataclass(frozen=True)
class Bcss:
    """151 regions of 151 patients' slides in colour, with the kind of tissue at each pixel.

    A file named as the authors name it, ``TCGA-A1-A0SK-DX1_xmin..._ymin..._MPP-0.2500.png``, has a
    mask of codes: 0 is outside, 1 tumour, 2 stroma, 3 lymphocytic infiltrate, 4 necrosis, up to
    21. The lesion is tumour (1), angioinvasion (19) and ductal carcinoma in situ (20). Its patient
    and its micrometres a pixel are read from the name. The mask of any other file is drawn, bright
    on tumour; such a file has 0.25 micrometres a pixel and stands for its own patient.

    Attributes:
        root: the folder with the images' folder and ``masks``, or one that holds it.
    """

    root: Path
    name: ClassVar[str] = "BCSS"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="Breast Cancer Semantic Segmentation (BCSS), regions of tissue in histopathology",
        paper="Amgad M, Elfandy H, Hussein H, et al. Structured crowdsourcing enables "
        "convolutional segmentation of histology images. Bioinformatics 35, 3461-3467 (2019)",
        doi="10.1093/bioinformatics/btz083",
        licence="CC0 1.0",
        home="https://github.com/PathologyDataScience/BCSS",
        tree=f"images in {_IMAGES[0]}/ or {_IMAGES[1]}/ and masks of the same names in masks/: "
        "TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500.png",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds images and masks."""
        return locate(self.root, _PLACES, ("masks",))

    def cases(self) -> tuple[CaseRef, ...]:
        """One case a region, sorted by case_id, the stem of its file. All are malignant.

        An image without its mask has no ground truth.

        Raises:
            DataSetError: a folder is missing, there is no image, or two have one stem.
        """
        folder = self.folder
        require(folder, (self._images(), "masks"), self.info)
        images, masks = (
            by_stem(folder / self._images(), *_SUFFIXES),
            by_stem(folder / "masks", *_SUFFIXES),
        )
        if not images:
            raise DataSetError(f"no image in {folder / self._images()}", self.info.tree)
        return tuple(self._case(stem, images[stem], masks.get(stem)) for stem in sorted(images))

    def remarks(self) -> tuple[str, ...]:
        """Images without a mask, masks without an image, and names that tell no patient."""
        images = by_stem(self.folder / self._images(), *_SUFFIXES)
        masks = by_stem(self.folder / "masks", *_SUFFIXES)
        unnamed = {stem for stem in images if not _OFFICIAL.match(stem)}
        counted = (
            ("images without a mask", images.keys() - masks.keys()),
            ("masks without an image", masks.keys() - images.keys()),
            ("images whose name tells no patient: each stands for its own", unnamed),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)

    def _images(self) -> str:
        return next((name for name in _IMAGES if (self.folder / name).is_dir()), _IMAGES[0])

    def _case(self, stem: str, image: Path, mask: Path | None) -> CaseRef:
        match = _OFFICIAL.match(stem)
        step_mm = (float(match["um"]) if match else SHARED_UM) / 1000
        if not step_mm > 0:
            raise DataSetError(f"{image.name}: {step_mm} mm a pixel", "an MPP above 0 in its name")
        kind = TissueRegion if match else ColourRef
        return kind(
            case_id=stem,
            patient_id=match["patient"].upper() if match else stem,
            label="malignant",
            source=self.name,
            image_path=image,
            mask_paths=None if mask is None else (mask,),
            spacing_mm=(step_mm, step_mm),
            modality=Modality.HISTOPATHOLOGY,
        )
