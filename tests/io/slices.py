"""Small DICOM series, written slice by slice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import MRImageStorage

from breastseg.core.grid import Grid
from breastseg.io.volume import positions_mm

Array = NDArray[np.generic]
MakeDicom = Callable[..., bytes]


def write_series(
    make_dicom: MakeDicom, folder: Path, values: Array, grid: Grid, **attributes: object
) -> list[Path]:
    """Write a volume as an MR series; the files' names are no guide to their order.

    Args:
        make_dicom: the fixture.
        folder: made where it is missing.
        values: (slices, rows, columns).
        grid: theirs, with a right- or left-handed direction.
        attributes: further elements; a list has a value for each slice, a tuple is one
            value of several parts.

    Returns:
        The files, in the order of the slices.
    """
    assert grid.spacing_mm is not None
    folder.mkdir(parents=True, exist_ok=True)
    direction = np.eye(3) if grid.direction is None else np.reshape(grid.direction, (3, 3))
    row, column = direction[::-1, 1], direction[::-1, 2]
    places = positions_mm(grid, np.array([(index, 0, 0) for index in range(len(values))]))
    names = np.random.default_rng(0).permutation(len(values))
    paths = []
    for index, (pixels, place) in enumerate(zip(values, places, strict=True)):
        own = {key: v[index] if isinstance(v, list) else v for key, v in attributes.items()}
        own = {key: [*v] if isinstance(v, tuple) else v for key, v in own.items()}
        elements = {
            "SOPClassUID": MRImageStorage,
            "Modality": "MR",
            "SeriesInstanceUID": "1.2.3.4",
            "SeriesNumber": 4,
            "SeriesDescription": "dynamic",
            "FrameOfReferenceUID": "1.2.3",
            "NumberOfFrames": 1,
            "ImagePositionPatient": [f"{value:.8f}"[:16] for value in place],
            "ImageOrientationPatient": [f"{value:.8f}" for value in (*column, *row)],
            "PixelSpacing": list(grid.spacing_mm[1:]),
            **own,
        }
        path = folder / f"{names[index]:03d}.dcm"
        path.write_bytes(make_dicom(pixels, **elements))
        paths.append(path)
    return paths
