"""Tiny data sets in the official layouts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.data.dataset import CaseRef
from breastseg.io.write import write_png, write_text

SHAPE = (24, 32)


def picture(seed: int, shape: tuple[int, int] = SHAPE) -> NDArray[np.uint8]:
    """Noise: images of two seeds are unalike."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def outline(row: int, column: int, shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    """A square of 4 x 4 pixels."""
    mask = np.zeros(shape, bool)
    mask[row : row + 4, column : column + 4] = True
    return mask


@pytest.fixture
def busi_root(tmp_path: Path) -> Path:
    """Two benign images, one with two masks; one malignant; one normal."""
    root = tmp_path / "Dataset_BUSI_with_GT"
    for number, name in enumerate(("benign (1)", "benign (2)", "malignant (1)", "normal (1)")):
        folder = root / name.split()[0]
        write_png(folder / f"{name}.png", picture(number))
        lesion = outline(2, 3) if folder.name != "normal" else np.zeros(SHAPE, bool)
        write_png(folder / f"{name}_mask.png", lesion)
    write_png(root / "benign" / "benign (2)_mask_1.png", outline(12, 20))
    return root


@pytest.fixture
def bus_bra_root(tmp_path: Path) -> Path:
    """Three images of two patients, and a row whose image is absent."""
    root = tmp_path / "BUS-BRA"
    for number, name in enumerate(("0001-l", "0001-r", "0007-s")):
        write_png(root / "Images" / f"bus_{name}.png", picture(10 + number))
        write_png(root / "Masks" / f"mask_{name}.png", outline(5, 5))
    write_text(
        root / "bus_data.csv",
        "ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX\n"
        'bus_0001-l,1,cyst,benign,2,GE Logiq 7,9,9,left,"[1,2,3,4]"\n'
        'bus_0001-r,1,carcinoma,malignant,4,GE Logiq 7,9,9,right,"[1,2,3,4]"\n'
        'bus_0007-s,7,cyst,benign,2,Toshiba,9,9,single,"[1,2,3,4]"\n'
        'bus_0009-s,9,cyst,benign,2,Toshiba,9,9,single,"[1,2,3,4]"\n',
    )
    write_text(
        root / "5-fold-cv.csv",
        "ID,Pathology,kFold,valid_1\nbus_0001-l,benign,3,1\nbus_0001-r,malignant,3,NaN\n"
        "bus_0007-s,benign,1,0\nbus_0009-s,benign,5,0\n",
    )
    return root


@pytest.fixture
def make_case(tmp_path: Path) -> Callable[..., CaseRef]:
    """Write one image with its masks and return its case."""

    def make(
        name: str,
        pixels: NDArray[np.uint8],
        masks: tuple[NDArray[np.generic], ...] | None = (),
        label: str | None = None,
        source: str = "S",
        patient: str | None = None,
    ) -> CaseRef:
        path = tmp_path / source / f"{name}.png"
        write_png(path, pixels)
        paths = None
        if masks is not None:
            paths = tuple(path.with_name(f"{name}_{n}.png") for n in range(len(masks)))
            for mask_path, mask in zip(paths, masks, strict=True):
                write_png(mask_path, mask)
        return CaseRef(name, patient or name, label, source, path, paths)

    return make


@pytest.fixture
def bare_case() -> Callable[..., CaseRef]:
    """A case without files, for what looks at names only."""

    def make(
        name: str,
        label: str | None = "benign",
        source: str = "S",
        patient: str | None = None,
        fold: int | None = None,
    ) -> CaseRef:
        outlines = () if label == "normal" else (Path("m.png"),)
        return CaseRef(name, patient or name, label, source, Path("i.png"), outlines, None, fold)

    return make
