"""What int8 costs and gains: Dice, file size and speed of one network stored in several ways.

    python benchmarks/quantise.py --data BUSI=FOLDER --calibrate SELECTION --score SELECTION

Calibrates on cases of the first selection and scores on the second; they must not overlap. All
ways run in one process on one thread, image by image in turns, so that a busy machine slows all
alike; the milliseconds are processor time of the network alone. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from breastseg.core import Case
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.export.quantise import (
    Activations,
    Quantisation,
    Range,
    quantise_network,
)
from breastseg.inference.bundle_folder import MODEL
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.postprocess import to_image_grid
from breastseg.inference.session import OnnxNetwork
from breastseg.metrics import dice
from breastseg.networks import onnx_storage as storage
from breastseg.preprocess.prepare import prepare

PLANS = {
    "int8, as `breastseg quantise` does": Quantisation(),
    "- first convolution int8 too": Quantisation(float_first=False),
    "- last convolution int8 too": Quantisation(float_last=False),
    "- signed activations": Quantisation(activations=Activations.INT8),
    "- weights of 7 bits": Quantisation(seven_bits=True),
    "- range by entropy": Quantisation(range=Range.ENTROPY),
    "- range by percentile": Quantisation(range=Range.PERCENTILE),
}
MOST_IN_MEMORY = 32
"""Calibration images where the activations of all are held."""


@dataclass(eq=False)
class Way:
    """One way to store the network, and what it did to every case so far."""

    name: str
    path: Path
    network: OnnxNetwork
    dice: list[float] = field(default_factory=list)
    outlined: list[bool] = field(default_factory=list)
    difference: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def map_of(self, batch: NDArray[np.float32], mirror: bool) -> NDArray[np.float32]:
        """The map of one image, (1, channels, rows, columns), as the bundle averages it."""
        started = time.process_time()
        plain = self.network(batch)[0, 0]
        self.seconds.append(time.process_time() - started)
        if not mirror:
            return plain
        flipped = self.network(np.ascontiguousarray(batch[..., ::-1]))[0, 0, :, ::-1]
        return (plain + flipped) / np.float32(2)


def main() -> None:
    """Make all files, score them, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bundle", default="ultrasound")
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--calibrate", nargs="+", required=True, metavar="SELECTION")
    parser.add_argument("--score", nargs="+", required=True, metavar="SELECTION")
    parser.add_argument("--images", type=int, default=50, help="to calibrate with")
    options = parser.parse_args()
    segmenter = OnnxSegmenter(bundle_folder(options.bundle), threads=1)
    spec = segmenter.bundle.input
    refs = select_cases(options.data, options.calibrate)
    drawn = np.random.default_rng(0).permutation(len(refs))[: options.images]
    calibration = np.stack([prepare(refs[i].load().images[0], spec)[0] for i in sorted(drawn)])
    with tempfile.TemporaryDirectory() as temporary:
        files = stored(segmenter.folder / MODEL, Path(temporary), calibration)
        ways = [Way(name, path, OnnxNetwork(path, spec, 1)) for name, path in files.items()]
        lesion = score(ways, segmenter, select_cases(options.data, options.score))
        print(f"{lesion.sum()} images with a lesion, {(~lesion).sum()} normal; ", end="")
        print(f"calibrated with {len(calibration)}\n")
        report(ways, lesion)


def stored(source: Path, folder: Path, calibration: NDArray[np.float32]) -> dict[str, Path]:
    """The network's file in every way."""
    model = onnx.load(source)
    storage.widen_weights(model.graph)
    files = {"float32": folder / "float32.onnx", "large weights as shipped": source}
    onnx.save(model, files["float32"])
    storage.SMALLEST_STORED = 1  # what is a constant elsewhere is what is measured here
    storage.store_weights(model.graph, "float16")
    files["float16, all weights"] = folder / "float16.onnx"
    onnx.save(model, files["float16, all weights"])
    for number, (name, plan) in enumerate(PLANS.items()):
        files[name] = folder / f"{number}.onnx"
        count = len(calibration) if plan.range is Range.MINMAX else MOST_IN_MEMORY
        inputs = (picture[None] for picture in calibration[:count])
        quantise_network(source, files[name], inputs, plan)
    return files


def score(
    ways: Sequence[Way], segmenter: OnnxSegmenter, refs: Sequence[CaseRef]
) -> NDArray[np.bool_]:
    """Run every way on every case, in turns; returns which cases hold a lesion."""
    output = segmenter.output
    lesion = []
    for ref in refs:
        case = ref.load()
        truth = true_mask(case)
        lesion.append(bool(truth.any()))
        picture, placement = prepare(case.images[0], segmenter.bundle.input)
        reference: NDArray[np.float32] | None = None
        for way in ways:
            found = way.map_of(picture[None], output.flip_average)
            reference = found if reference is None else reference
            mask = to_image_grid(found, placement, output) >= output.threshold
            way.dice.append(dice(mask, truth))
            way.outlined.append(bool(mask.any()))
            way.difference.append(float(np.abs(found - reference).mean()))
    return np.array(lesion)


def true_mask(case: Case) -> NDArray[np.bool_]:
    """The ground truth."""
    if case.mask is None:
        raise SystemExit(f"{case.case_id}: no ground truth to score on")
    return case.mask.foreground


def report(ways: Sequence[Way], lesion: NDArray[np.bool_]) -> None:
    """A row a way; with the 95 % interval of the paired difference in Dice from the first."""
    print("| stored as | MB | Dice | minus float32 | normals outlined | mean difference | ms |")
    print("|---|---|---|---|---|---|---|")
    first = np.array(ways[0].dice)[lesion]
    for way in ways:
        scores = np.array(way.dice)[lesion]
        low, high = interval(scores - first)
        print(
            f"| {way.name} | {way.path.stat().st_size / 1e6:.2f} | {scores.mean():.4f} "
            f"| [{low:+.4f}, {high:+.4f}] | {np.array(way.outlined)[~lesion].mean():.3f} "
            f"| {np.mean(way.difference):.5f} | {np.median(way.seconds) * 1e3:.1f} |"
        )


def interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean, 2000 resamples, seed 0."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(differences), size=(2000, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    main()
