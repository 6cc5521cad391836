"""A data set of volumes in MAMA-MIA's layout, made of phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from breastseg.data.phantoms.volume import volume_phantom
from breastseg.io.volume import write_volume
from breastseg.io.write import write_text

SHAPE = (8, 32, 32)


def write_mama_mia(
    folder: Path, labels: Sequence[str] = ("malignant", "malignant"), phases: int = 3
) -> Path:
    """One study a label, ``DUKE_001`` and so on; the first is fold 1, the others fold 2."""
    names = [f"DUKE_{number:03d}" for number in range(1, len(labels) + 1)]
    for seed, (name, label) in enumerate(zip(names, labels, strict=True), 1):
        case = volume_phantom(seed, SHAPE, (3.0, 1.2, 1.5), phases, label)  # type: ignore[arg-type]
        assert case.mask is not None
        image = case.images[0]
        for phase, values in enumerate(image.array):
            write_volume(
                values, image.grid, folder / "images" / name / f"{name}_{phase:04d}.nii.gz"
            )
        outlines = folder / "segmentations" / "expert"
        write_volume(case.mask.labels, case.mask.grid, outlines / f"{name}.nii.gz")
    rows = [f"{names[0]},{names[1]}", *(f",{name}" for name in names[2:])]
    write_text(folder / "train_test_splits.csv", "\n".join(["train_split,test_split", *rows, ""]))
    return folder
