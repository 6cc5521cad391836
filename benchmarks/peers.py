"""From image file to mask: the bundled networks on each engine beside what others would use.

    python benchmarks/peers.py [--rounds 10] [--threads 0] [--bundle FOLDER ...]

Every way takes its turn on the same 256x256 PNG images, one at a time, in one run; reading,
resizing and the mask on the image's own grid are included. The peers have random weights, which
cost what trained ones do. A peer that is not installed is left out and named: a list beside this
file, ``peers.txt``, pins them; the train and openvino extras are needed too. Nothing is downloaded.
Prints Markdown: the median of the wall and processor time of an image, and how many times the
processor time of the first way that is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import get_args

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
from breastseg.core import Image
from breastseg.core.errors import BreastsegError
from breastseg.inference.engine import Engine
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.postprocess import to_image_grid
from breastseg.inference.session import usable_cores
from breastseg.io.raster import read_raster
from breastseg.preprocess.prepare import prepare
from inference import write_images

Way = Callable[[Path], None]
BUNDLES = ("ultrasound", "ultrasound-fast")


def main() -> None:
    """Time all ways that are installed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    parser.add_argument(
        "--bundle", nargs="*", default=[], help="further bundles, such as int8 ones"
    )
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    options = parser.parse_args()
    threads = options.threads or usable_cores()
    ways: dict[str, Way] = {}
    absent: list[str] = []
    for name, make in (*_own(options.bundle, threads), *_peers(threads)):
        if any(word in name for word in options.without):
            continue
        try:
            ways[name] = make()
        except (ImportError, BreastsegError) as error:
            absent.append(f"{name} ({error})")
    with tempfile.TemporaryDirectory() as folder:
        files = write_images(Path(folder), options.rounds + 1, ((256, 256),))
        times = measured(ways, files)
    print(f"{threads} threads, load {os.getloadavg()[0]:.1f}, {options.rounds} rounds\n")
    print(table(times))
    for text in absent:
        print(f"\nNot measured: {text}")


def measured(ways: dict[str, Way], files: list[Path]) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor seconds of each way for each image; the first image does not count."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number, file in enumerate(files):
        for name, way in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            way(file)
            taken = time.perf_counter() - wall, time.process_time() - cpu
            if number:
                times[name].append(taken)
    return times


def table(times: dict[str, list[tuple[float, float]]]) -> str:
    """A row a way."""
    lines = [
        "| from file to mask | wall, ms | processor, ms | times the first |",
        "|---|---|---|---|",
    ]
    first = None
    for name, taken in times.items():
        wall, cpu = (median(column) * 1e3 for column in zip(*taken, strict=True))
        first = first or cpu
        lines.append(f"| {name} | {wall:.1f} | {cpu:.1f} | {cpu / first:.2f} |")
    return "\n".join(lines)


def _own(bundles: list[str], threads: int) -> Iterator[tuple[str, Callable[[], Way]]]:
    """The bundled networks, each on every engine, without test-time augmentation and with it."""
    for bundle in (*BUNDLES, *bundles):
        folder = bundle_folder(bundle)
        for engine in get_args(Engine):
            if engine != "auto":
                yield f"{folder.name}, {engine}", _segmenter(folder, threads, engine, False)
    yield "ultrasound as shipped", _segmenter(bundle_folder("ultrasound"), threads, "onnxruntime")


def _segmenter(
    folder: Path, threads: int, engine: Engine, flip: bool | None = None
) -> Callable[[], Way]:
    def make() -> Way:
        network = OnnxSegmenter(folder, threads, engine=engine)
        if flip is not None:
            network = network.with_output(replace(network.output, flip_average=flip))
        blank = np.zeros((1, network.bundle.input.channels, *network.bundle.input.size), np.float32)
        network.class_probabilities(blank)  # an engine that is not installed says so here
        return lambda file: network.segment(read_raster(file)).mask()

    return make


def _peers(threads: int) -> Iterator[tuple[str, Callable[[], Way]]]:
    """What others would use, in plain PyTorch."""

    def network_of(kind: str) -> Way:
        import torch

        torch.manual_seed(0)
        torch.set_num_threads(threads)
        return plain(NETWORKS[kind]().eval())

    for kind in NETWORKS:
        yield f"{kind}, plain PyTorch", lambda kind=kind: network_of(kind)
    yield "nnU-Net 2-D with its mirroring, plain PyTorch", lambda: _mirrored(threads)
    for size in (256, 640):
        yield f"Ultralytics yolo11n-seg at {size}", lambda size=size: _yolo(size, threads)


def plain(network: object, views: int = 1) -> Way:
    """A PyTorch module around the preparation and the post-processing of `ultrasound`."""
    import torch

    segmenter = OnnxSegmenter(bundle_folder("ultrasound"), 1)
    spec, output = segmenter.bundle.input, segmenter.output

    def run(file: Path) -> None:
        image: Image = read_raster(file)
        array, placement = prepare(image, spec)
        batch = torch.from_numpy(array[None])
        with torch.inference_mode():
            maps = sum(
                network(batch.flip(axes) if axes else batch)  # type: ignore[operator]
                for axes in ((), (2,), (3,), (2, 3))[:views]
            )
            values: NDArray[np.float32] = torch.sigmoid(maps / views)[0, -1].numpy()
        mask = to_image_grid(values, placement, output) >= output.threshold
        assert mask.shape == image.grid.shape

    return run


def _same_encoder() -> object:
    from breastseg.networks.catalogue import build_network
    from breastseg.networks.recipe import EncoderUNetRecipe

    return build_network(EncoderUNetRecipe())


def _resnet34() -> object:
    import segmentation_models_pytorch as smp

    return smp.Unet("resnet34", encoder_weights=None, in_channels=1, classes=1)


def _nnunet() -> object:
    """What nnU-Net plans for grey 2-D images of 256x256."""
    import torch
    from dynamic_network_architectures.architectures.unet import PlainConvUNet

    return PlainConvUNet(
        input_channels=1,
        n_stages=7,
        features_per_stage=[32, 64, 128, 256, 512, 512, 512],
        conv_op=torch.nn.Conv2d,
        kernel_sizes=3,
        strides=[1, 2, 2, 2, 2, 2, 2],
        n_conv_per_stage=2,
        num_classes=2,
        n_conv_per_stage_decoder=2,
        conv_bias=True,
        norm_op=torch.nn.InstanceNorm2d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=torch.nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
    )


NETWORKS = {
    "the same network": _same_encoder,
    "ResNet-34 U-Net": _resnet34,
    "nnU-Net 2-D": _nnunet,
}


def _mirrored(threads: int) -> Way:
    import torch

    torch.set_num_threads(threads)
    return plain(_nnunet().eval(), 4)  # type: ignore[attr-defined]


def _yolo(size: int, threads: int) -> Way:
    os.environ["YOLO_OFFLINE"] = "true"  # it would look for a connection and report its use
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp())
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(threads)
    model = YOLO("yolo11n-seg.yaml", task="segment")

    def run(file: Path) -> None:
        model.predict(str(file), imgsz=size, device="cpu", verbose=False, retina_masks=True)

    return run


if __name__ == "__main__":
    main()
