"""Outline one large mammogram on the command line: seconds and the most memory that it takes.

    python benchmarks/mammogram.py [--method ultrasound ...] [--shape 4096 3328] [--runs 3]

The mammogram is synthetic, a DICOM file of 16-bit grey levels without compression: a breast with
tissue and one mass on a black background. Each run is a process of its own, from its start to the
mask, the overlay and the results on disk; the methods take turns, and the median run counts. A
method that was made for another modality is forced. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from _process import Cost, cost_of
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)
from scipy import ndimage

SPACING_MM = 0.07
BITS = 14


def mammogram(shape: tuple[int, int]) -> NDArray[np.uint16]:
    """A right-sided image of a left breast: half an ellipse from the left edge."""
    rows, columns = shape
    generator = np.random.default_rng(0)
    row = (np.arange(rows, dtype=np.float32)[:, None] / rows - 0.5) / 0.46
    column = np.arange(columns, dtype=np.float32) / columns / 0.75
    depth = np.clip(1 - row**2 - column**2, 0, None)  # 0 at the skin
    coarse = ndimage.gaussian_filter(generator.standard_normal((rows // 32, columns // 32)), 2)
    tissue = ndimage.zoom(coarse.astype(np.float32), 32.5, order=1)[:rows, :columns]
    picture = np.sqrt(depth) * (0.45 + 0.6 * tissue / np.abs(tissue).max() * 0.5)
    mass = (row + 0.1) ** 2 + ((column - 0.4) * columns / rows) ** 2 < 0.06**2
    picture[mass] += 0.25
    picture += (depth > 0) * generator.normal(0, 0.02, shape).astype(np.float32)
    return np.asarray(np.clip(picture, 0, 1) * (2**BITS - 1), np.uint16)


def write_dicom(path: Path, pixels: NDArray[np.uint16]) -> None:
    """As a mammography unit exports it for viewing."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    ds.SOPInstanceUID = generate_uid()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.Modality, ds.PresentationIntentType = "MG", "FOR PRESENTATION"
    ds.ImageLaterality, ds.ViewPosition = "L", "CC"
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, BITS, BITS - 1, 0
    ds.ImagerPixelSpacing = [SPACING_MM, SPACING_MM]
    ds.WindowCenter, ds.WindowWidth = 2 ** (BITS - 1), 2**BITS
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OW"
    ds.save_as(path, enforce_file_format=True)


def measure(scan: Path, method: str, threads: int, out: Path) -> Cost:
    """One run on one scan."""
    words = ["segment", str(scan), "--method", method, "--threads", str(threads), "--force"]
    command = [sys.executable, "-m", "breastseg.cli.main", *words, "--out", str(out), "--overwrite"]
    cost = cost_of(command)
    if not (out / f"{scan.stem}_mask.png").exists():
        sys.exit(f"breastseg {' '.join(words)} wrote no mask")
    return cost


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--method", nargs="+", default=["ultrasound"], help="names or folders")
    parser.add_argument("--shape", type=int, nargs=2, default=(4096, 3328))
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_dicom(folder / "scan.dcm", mammogram(tuple(options.shape)))
        runs: dict[str, list[Cost]] = {name: [] for name in options.method}
        for _ in range(options.runs):
            for method, taken in runs.items():
                taken.append(
                    measure(folder / "scan.dcm", method, options.threads, folder / "results")
                )
    print("| method | pixels | seconds, median (all) | processor seconds | peak memory |")
    print("|---|---|---|---|---|")
    shape = " x ".join(map(str, options.shape))
    for method, taken in runs.items():
        walls = [cost.wall_s for cost in taken]
        every = ", ".join(f"{wall:.1f}" for wall in walls)
        print(
            f"| {method} | {shape} | {statistics.median(walls):.1f} ({every}) "
            f"| {statistics.median(cost.cpu_s for cost in taken):.1f} "
            f"| {max(cost.peak_mb for cost in taken):.0f} MB |"
        )
    print(f"\nLoad {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
