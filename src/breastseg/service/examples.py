"""Generated scans that anyone may open: no patient's image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SEED = 5
_SEED_MRI = 6  # a lesion of a cubic centimetre: the one of seed 5 is a few voxels


@dataclass(frozen=True)
class ExampleScan:
    """An example.

    Attributes:
        summary: one line.
        write: writes files into a folder and returns those of the scan.
    """

    summary: str
    write: Callable[[Path], list[Path]]


def _still(folder: Path) -> list[Path]:
    from breastseg.data.phantoms.ultrasound.phantom import write_phantoms

    return write_phantoms(folder, 1, _SEED)


def _dicom(name: str, seed: int = _SEED) -> Callable[[Path], list[Path]]:
    def write(folder: Path) -> list[Path]:
        from breastseg.data.phantoms.dicom import dicom_phantom

        paths = []
        for number, one in enumerate(dicom_phantom(name, seed).objects, start=1):
            paths.append(folder / f"{name}-{number:04d}.dcm")
            one.save_as(paths[-1], enforce_file_format=True)
        return paths

    return write


EXAMPLES: dict[str, ExampleScan] = {
    "ultrasound": ExampleScan("Ultrasound still as PNG", _still),
    "ultrasound-dicom": ExampleScan("Ultrasound still as DICOM", _dicom("us-still")),
    "ultrasound-cine": ExampleScan("Ultrasound cine loop as DICOM", _dicom("us-cine")),
    "mammogram": ExampleScan("Mammogram as DICOM", _dicom("mg")),
    "mri": ExampleScan("MRI of two phases as DICOM", _dicom("mr", _SEED_MRI)),
}
