"""Benign or malignant: fit the calibration on one selection, score it on others.

    python benchmarks/malignancy.py BUNDLE --data BUSI=FOLDER BUS-BRA=FOLDER \
        --calibrate 'BUSI=split:recipes/splits/busi.json#val' BUS-BRA=none \
        --score 'BUSI=split:recipes/splits/busi.json#test' BUS-BRA=fold:4 [--write]

BUNDLE was trained with ``classes = ["benign", "malignant"]``. Platt's line is fitted to the
probability of malignancy of the outlined images of the first selection, and every data set is
scored by itself on the second, with it. Prints Markdown. ``--write`` leaves the line in the bundle,
which from then on applies it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from breastseg.core.bundle import PlattScaling
from breastseg.core.case import Case
from breastseg.core.prediction import Prediction, malignancy_of
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.evaluation.malignancy import LABELS, malignancy_figures, malignancy_markdown
from breastseg.inference.bundle_folder import write_bundle_json
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics.calibration import fit_platt


def predictions(
    network: OnnxSegmenter, refs: Sequence[CaseRef], scaling: PlattScaling | None
) -> Iterator[tuple[Case, Prediction]]:
    """Each case with its prediction, the malignancy scaled by `scaling` alone."""
    for ref in refs:
        case = ref.load()
        found = network.segment(case.images[0])
        yield case, replace(found, malignancy=malignancy_of(found, scaling))


def fitted(network: OnnxSegmenter, refs: Sequence[CaseRef]) -> PlattScaling:
    """Platt's line over the outlined images that are benign or malignant."""
    told = [
        (found.malignancy, case.label == LABELS[1])
        for case, found in predictions(network, refs, None)
        if case.label in LABELS and found.malignancy is not None
    ]
    given, malignant = zip(*told, strict=True)
    print(f"fitted to {len(told)} outlined images, {sum(malignant)} of them malignant")
    return fit_platt(np.array(given), np.array(malignant))


def main() -> None:
    """Fit, score, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--calibrate", nargs="+", required=True, metavar="SELECTION")
    parser.add_argument("--score", nargs="+", required=True, metavar="SELECTION")
    parser.add_argument("--write", action="store_true", help="leave the line in the bundle")
    options = parser.parse_args()
    network = OnnxSegmenter(options.bundle, threads=1)
    scaling = fitted(network, select_cases(options.data, options.calibrate))
    print(f"slope {scaling.slope:.3f}, intercept {scaling.intercept:.3f}", file=sys.stderr)
    chosen = select_cases(options.data, options.score)
    for source in dict.fromkeys(ref.source for ref in chosen):
        refs = [ref for ref in chosen if ref.source == source]
        seen = list(predictions(network, refs, scaling))
        before = malignancy_figures(
            (case, replace(found, malignancy=malignancy_of(found))) for case, found in seen
        )
        name = f"{options.bundle.name} on {source}"
        print(malignancy_markdown(name, malignancy_figures(seen)))
        print(f"Calibration error before the line was fitted: {before.calibration_error:.3f}\n")
    if options.write:
        write_bundle_json(options.bundle, replace(network.bundle, malignancy=scaling))


if __name__ == "__main__":
    main()
