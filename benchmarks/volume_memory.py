"""Peak memory and time of outlining one large volume, in a process of its own.

    python benchmarks/volume_memory.py [--bundle FOLDER] [--shape 160 512 512] [--threads 0]
    python benchmarks/volume_memory.py --bundle mri-phantom --shape 160 448 448 --command

Prints Markdown. A bundle is given by its folder or, where it is bundled, by its name. Without one
a 3-D U-Net of the shipped recipe's size is exported with random weights, which costs what a trained
one costs; that needs the train extra, the measured process does not. The volume is synthetic,
phases of int16. "All" is the process with everything in it: Python, its libraries, the volume
itself and the result.

With --command the phases are NIfTI files and the process is ``breastseg volume``, from its start to
the mask and the probability on disk.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from _process import cost_of

from breastseg.core import Grid
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.volume_segmenter import VolumeSegmenter
from breastseg.io.volume import write_volume

LIMIT_GB = 3.0
SPACING_MM = (1.0, 0.7, 0.7)

CHILD = """
import json, sys, time
from pathlib import Path
import numpy as np
from breastseg.core import Grid, Image, Modality
from breastseg.inference.volume_segmenter import VolumeSegmenter


def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024e-9 for line in lines if line.startswith("VmHWM"))


folder, shape, spacing, threads = json.loads(sys.argv[1])
segmenter = VolumeSegmenter(Path(folder), threads)
channels = segmenter.spec.channels
generator = np.random.default_rng(0)
volume = np.empty((channels, *shape), np.int16)
for phase in volume:
    for plane in phase:
        plane[:] = generator.integers(0, 1000, plane.shape, np.int16)
before = peak()
image = Image(volume, Grid(tuple(shape), tuple(spacing)), Modality.MRI)
wall, used = time.perf_counter(), time.process_time()
prediction = segmenter.segment(image)
wall, used = time.perf_counter() - wall, time.process_time() - used
print(json.dumps([volume.nbytes / 1e9, before, peak(), wall, used]))
"""
# VmHWM is this process's own; `resource` would add what the process that started it held.


def main() -> None:
    """Measure one volume and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bundle", type=Path, help="a bundle's folder or name")
    parser.add_argument("--shape", type=int, nargs=3, default=(160, 512, 512))
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    parser.add_argument("--command", action="store_true", help="the whole command, with files")
    options = parser.parse_args()
    shipped = shipped_bundles()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bundle = shipped.get(str(options.bundle), options.bundle) or random_bundle(folder)
        phases = VolumeSegmenter(bundle).spec.channels
        if options.command:
            found = measure_command(bundle, phases, options.shape, options.threads, folder)
        else:
            found = measure(bundle, options.shape, options.threads)
    size, before, peak, wall, used = found
    print("| voxels | volume | before | all, at most | wall | CPU |")
    print("|---|---|---|---|---|---|")
    shape = "x".join(map(str, options.shape))
    print(
        f"| {shape}, {phases} phases | {size:.2f} GB | {before:.2f} GB | {peak:.2f} GB "
        f"| {wall:.0f} s | {used:.0f} s |"
    )
    print(f"\nLoad {os.getloadavg()[0]:.1f} at the end.")
    if peak > LIMIT_GB:
        sys.exit(f"more than {LIMIT_GB} GB")


def measure(bundle: Path, shape: tuple[int, ...], threads: int) -> list[float]:
    """Gigabytes of the volume, of the process before and at most; seconds by wall and processor."""
    task = json.dumps([str(bundle), list(shape), SPACING_MM, threads])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, task], check=True, capture_output=True, text=True
    )
    values: list[float] = json.loads(done.stdout)
    return values


def measure_command(
    bundle: Path, phases: int, shape: tuple[int, ...], threads: int, folder: Path
) -> list[float]:
    """As `measure`, of ``breastseg volume`` on files; before that command there is nothing."""
    generator = np.random.default_rng(0)
    names = [str(folder / f"phase{number}.nii.gz") for number in range(phases)]
    for name in names:
        values = generator.integers(0, 1000, shape, np.int16)
        write_volume(values, Grid(tuple(shape), SPACING_MM), Path(name))
    words = ["volume", *names, "--method", str(bundle), "--out", str(folder / "results")]
    words += ["--threads", str(threads), "--force"]
    cost = cost_of([sys.executable, "-m", "breastseg.cli.main", *words])
    size = phases * 2 * math.prod(shape) / 1e9
    return [size, 0.0, cost.peak_mb * 1.048576e-3, cost.wall_s, cost.cpu_s]


def random_bundle(folder: Path) -> Path:
    """The network of the shipped recipe with random weights, as a bundle."""
    import torch

    from breastseg.core import Bundle, Modality
    from breastseg.export.onnx import export_onnx
    from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json
    from breastseg.networks.catalogue import build_network
    from breastseg.training.recipe_file import read_recipe

    recipe = read_recipe(Path(__file__).resolve().parent.parent / "recipes" / "mri-phantom.toml")
    torch.manual_seed(0)
    network = build_network(recipe.network).eval()
    export_onnx(network, recipe.volume, folder / MODEL)
    draft = Bundle(
        name="random",
        version="0",
        modality=Modality.MRI,
        summary="random weights",
        network=recipe.network.title,
        weights_sha256="0" * 64,
        volume=recipe.volume,
    )
    write_bundle_json(folder, replace(draft, weights_sha256=sha256_of(folder / MODEL)))
    return folder


if __name__ == "__main__":
    main()
