"""How fast a bundle runs: images a second from PNG file to outline, cold start, peak memory.

    python benchmarks/inference.py [--bundle FOLDER] [--images 200]

Prints Markdown. The PyTorch rows need the train extra; they run the default architecture with
random weights, which costs what the trained one costs. Without a bundle that network is exported.
The columns "wall" and "CPU" differ where other programs use the machine: "CPU" is the processor
time of an image, and does not suffer from that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from _process import cost_of

from breastseg.core import Bundle, Image, InputSpec, Modality, OutputSpec
from breastseg.core.errors import BreastsegError
from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.postprocess import to_image_grid
from breastseg.inference.session import usable_cores
from breastseg.inference.stream import segment_stream
from breastseg.io.raster import read_raster
from breastseg.io.write import write_png
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.prepare import prepare

SIZES = ((471, 562), (769, 1024), (500, 600), (336, 420))


def main() -> None:
    """Measure everything on the same images in one go."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bundle", type=Path, help="a bundle's folder")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--without-torch", action="store_true")
    parser.add_argument("--cold-starts", type=int, default=5, help="0 for none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bundle = options.bundle or shipped_bundles().get("ultrasound") or random_bundle(folder)
        files = write_images(folder / "images", options.images)
        megapixels = sum(rows * columns for rows, columns in SIZES) / len(SIZES) / 1e6
        print(
            f"{len(files)} PNG images of {megapixels:.2f} megapixels on average, "
            f"{usable_cores()} cores, load {os.getloadavg()[0]:.1f} before the start\n"
        )
        shipped = OnnxSegmenter(bundle)
        once = OnnxSegmenter(bundle, output=replace(shipped.output, flip_average=False))
        throughput(shipped, once, files, with_torch=not options.without_torch)
        if options.cold_starts:
            print()
            cold_start(bundle, files[0], folder, options.cold_starts)


def throughput(
    shipped: OnnxSegmenter, once: OnnxSegmenter, files: list[Path], with_torch: bool
) -> None:
    """A row for each way to get from files to outlines; `once` runs the network once an image."""
    ways: dict[str, Callable[[list[Path]], None]] = {
        "`segment_stream`, one image a core": lambda f: stream(once, f),
        "`segment`, one after the other": lambda f: one_by_one(once, f),
        "`segment_batch` of 8": lambda f: in_batches(once, f, 8),
    }
    if shipped.output.flip_average:
        ways["`segment_stream`, with the flipped image"] = lambda f: stream(shipped, f)
    if with_torch:
        ways["plain PyTorch, one after the other"] = plain_torch(once, 1)
        ways["plain PyTorch, batches of 8"] = plain_torch(once, 8)
    print("| from PNG file to outline | images a second (wall) | ms of CPU an image |")
    print("|---|---|---|")
    for name, way in ways.items():
        way(files[:8])
        wall, cpu = time.perf_counter(), time.process_time()
        way(files)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"| {name} | {len(files) / wall:.1f} | {cpu / len(files) * 1e3:.1f} |", flush=True)


def stream(segmenter: OnnxSegmenter, files: list[Path]) -> None:
    for done in segment_stream(segmenter, files, read_raster):
        if isinstance(done.result, BreastsegError):
            raise done.result


def one_by_one(segmenter: OnnxSegmenter, files: list[Path]) -> None:
    for file in files:
        segmenter.segment(read_raster(file))


def in_batches(segmenter: OnnxSegmenter, files: list[Path], size: int) -> None:
    for start in range(0, len(files), size):
        segmenter.segment_batch([read_raster(file) for file in files[start : start + size]])


def plain_torch(segmenter: OnnxSegmenter, size: int) -> Callable[[list[Path]], None]:
    """The same network, preparation and post-processing around PyTorch."""
    import torch

    from breastseg.networks.catalogue import build_network
    from breastseg.networks.recipe import EncoderUNetRecipe

    spec, output = segmenter.bundle.input, segmenter.output
    torch.set_num_threads(usable_cores())
    network = build_network(EncoderUNetRecipe(in_channels=spec.channels)).eval()

    def run(files: list[Path]) -> None:
        for start in range(0, len(files), size):
            images: list[Image] = [read_raster(file) for file in files[start : start + size]]
            prepared = [prepare(image, spec) for image in images]
            batch = torch.from_numpy(np.stack([array for array, _ in prepared]))
            with torch.inference_mode():
                maps = torch.sigmoid(network(batch))[:, 0].numpy()
            for values, (_, placement) in zip(maps, prepared, strict=True):
                to_image_grid(values, placement, output)

    return run


def cold_start(bundle: Path, file: Path, folder: Path, times: int) -> None:
    """The command for one image, in a fresh process each time."""
    command = [sys.executable, "-m", "breastseg.cli.main", "segment", str(file), "--quiet"]
    command += ["--method", str(bundle), "--overwrite", "--out", str(folder / "out")]
    runs = [cost_of(command) for _ in range(times)]
    print("| `breastseg segment one.png`, cold | |")
    print("|---|---|")
    print(f"| wall, median of {times} | {statistics.median(run.wall_s for run in runs):.2f} s |")
    print(f"| CPU, median of {times} | {statistics.median(run.cpu_s for run in runs):.2f} s |")
    print(f"| peak memory | {max(run.peak_mb for run in runs):.0f} MB |")


def write_images(folder: Path, count: int, sizes: Sequence[tuple[int, int]] = SIZES) -> list[Path]:
    """Speckle with a dark disc, in sizes that scanners export."""
    rng = np.random.default_rng(0)
    files = []
    for number in range(count):
        shape = sizes[number % len(sizes)]
        speckle = rng.rayleigh(size=shape)
        layers = speckle + resize(rng.standard_normal((8, 8)), shape)
        rows, columns = np.indices(shape) / np.reshape(shape, (2, 1, 1)) - 0.5
        layers[rows**2 + columns**2 < 0.02] *= 0.3
        file = folder / f"{number:04}.png"
        write_png(file, (to_unit(layers) * 255).astype(np.uint8))
        files.append(file)
    return files


def random_bundle(folder: Path) -> Path:
    """A bundle of the default architecture with random weights that outlines nothing."""
    import torch

    from breastseg.export.onnx import export_onnx
    from breastseg.networks.catalogue import build_network
    from breastseg.networks.recipe import EncoderUNetRecipe

    torch.manual_seed(0)
    spec = InputSpec()
    out = folder / "random"
    out.mkdir()
    export_onnx(build_network(EncoderUNetRecipe()), spec, out / MODEL)
    bundle = Bundle(
        name="random",
        version="0",
        modality=Modality.UNKNOWN,
        summary="random weights",
        network="MobileNetV2 U-Net",
        weights_sha256=sha256_of(out / MODEL),
        input=spec,
        output=OutputSpec(threshold=0.999),
    )
    write_bundle_json(out, bundle)
    return out


if __name__ == "__main__":
    main()
