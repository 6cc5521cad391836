"""What each architecture costs: parameters, multiply-accumulates, and time on one and two cores.

    OMP_WAIT_POLICY=passive python benchmarks/networks.py [NAME ...] [--seconds 60]

At the defaults of its recipe with random weights, which cost what trained ones cost, on one image
of 256x256: PyTorch as it is (evaluation, float32, channels last) and ONNX Runtime as a bundle runs
it. Prints Markdown. Times are medians, with the fastest in brackets: on a machine that others use
the fastest says more. The rounds go over all networks in turn, so that a busy machine is busy for
all, and a thread that waits must not take the core from another (OMP_WAIT_POLICY; a bundle does the
same). Export comes first and takes some seconds a network.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch

from breastseg.core import InputSpec
from breastseg.core.errors import BundleError
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import seeded_inputs
from breastseg.inference.session import OnnxNetwork, usable_cores
from breastseg.networks.catalogue import NETWORKS, build_network, describe
from breastseg.networks.recipe import RECIPES

SPEC = InputSpec((256, 256))
THREADS = (1, 2)
LEAST_ROUNDS = 3
IMAGES = [name for name in RECIPES if name in NETWORKS and RECIPES[name].dimensions == 2]

Way = tuple[str, str, int]
"""Network, what runs it, threads."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(IMAGES)}")
    parser.add_argument("--seconds", type=float, default=60, help="for all rounds together")
    parser.add_argument("--without-onnx", action="store_true", help="PyTorch alone")
    given = parser.parse_args()
    names = given.names or IMAGES
    unknown = [name for name in names if name not in IMAGES]
    if unknown:
        parser.error(f"no network of images: {', '.join(unknown)}; one of {', '.join(IMAGES)}")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[Way, Callable[[], object]] = {}
        for name in names:
            ways |= ways_of(name, None if given.without_onnx else Path(folder))
        times = measure(ways, given.seconds)
    rounds = len(next(iter(times.values())))
    print(
        f"One image of 256x256, ms: median of {rounds} rounds (fastest). "
        f"torch {torch.__version__}, {usable_cores()} cores, load {load:.1f} before the start\n"
    )
    columns = [(engine, threads) for engine in ("PyTorch", "ONNX Runtime") for threads in THREADS]
    heads = [f"{engine}, {n} thread{'s' * (n > 1)}" for engine, n in columns]
    print(f"| network | M parameters | GMACs | {' | '.join(heads)} |")
    print("|---|---|---|" + "---|" * len(heads))
    for name in names:
        cost = describe(RECIPES[name]())
        cells = [cell(times.get((name, *column), [])) for column in columns]
        numbers = f"{cost.parameters / 1e6:.2f} | {cost.gmacs:.2f}"
        print(f"| `{name}` | {numbers} | {' | '.join(cells)} |")


def ways_of(name: str, folder: Path | None) -> dict[Way, Callable[[], object]]:
    """Calls that each compute one image; without ONNX where the network cannot be exported."""
    torch.manual_seed(0)
    network = build_network(RECIPES[name](), load_weights=False).eval()
    inputs = seeded_inputs(SPEC, 1)
    ways = {} if folder is None else onnx_ways(name, network, folder / f"{name}.onnx", inputs)
    network = network.to(memory_format=torch.channels_last)
    images = torch.from_numpy(inputs).to(memory_format=torch.channels_last)
    for threads in THREADS:
        ways[name, "PyTorch", threads] = torch_call(network, threads, images)
    return ways


def onnx_ways(
    name: str, network: torch.nn.Module, file: Path, inputs: np.ndarray
) -> dict[Way, Callable[[], object]]:
    """Those of ONNX Runtime; none where the network cannot be exported."""
    try:
        export_onnx(network, SPEC, file, precision="float32")
    except (BundleError, torch.onnx.OnnxExporterError) as error:
        print(f"{name} is not exported: {str(error).splitlines()[0]}\n")
        return {}
    return {
        (name, "ONNX Runtime", threads): onnx_call(file, threads, inputs) for threads in THREADS
    }


def onnx_call(file: Path, threads: int, inputs: np.ndarray) -> Callable[[], object]:
    network = OnnxNetwork(file, SPEC, threads)
    return lambda: network(inputs)


def torch_call(
    network: torch.nn.Module, threads: int, images: torch.Tensor
) -> Callable[[], object]:
    def run() -> object:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with torch.inference_mode():
            return network(images)

    return run


def measure(ways: dict[Way, Callable[[], object]], seconds: float) -> dict[Way, list[float]]:
    """Seconds of each call, round by round until the time is used up."""
    times: dict[Way, list[float]] = defaultdict(list)
    for run in ways.values():  # sets up, and is not counted
        run()
    begun, rounds = perf_counter(), 0
    while rounds < LEAST_ROUNDS or perf_counter() - begun < seconds:
        for way, run in ways.items():
            start = perf_counter()
            run()
            times[way].append(perf_counter() - start)
        rounds += 1
    return times


def cell(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    return f"{1000 * median(seconds):.1f} ({1000 * min(seconds):.1f})"


if __name__ == "__main__":
    main()
