"""Show what each operating point costs: missed lesions against outlines on normals.

    python benchmarks/operating_point.py BUNDLE --data BUSI=FOLDER --split split:FILE#val

Runs the network once a case and applies every combination of threshold, least peak and least area
to its map. Choose on cases that are not reported on.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np

from breastseg.core import OutputSpec
from breastseg.data.sources import select_cases
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.postprocess import postprocess
from breastseg.metrics import confusion
from breastseg.training.feed import prepare_cases

THRESHOLDS = (0.3, 0.4, 0.5, 0.6)
PEAKS = (0.0, 0.7, 0.8, 0.9, 0.95, 0.98)
AREAS = (0.0, 0.002, 0.005)


def main() -> None:
    """Print a Markdown row a combination."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--split", nargs="+", default=["all"], metavar="[NAME=]SELECTION")
    parser.add_argument("--flip-average", action="store_true", help="average with the mirror image")
    options = parser.parse_args()
    segmenter = OnnxSegmenter(
        options.bundle, output=OutputSpec(flip_average=options.flip_average), force=True
    )
    spec = segmenter.bundle.input
    cases = prepare_cases(select_cases(options.data, options.split), spec)
    unit = cases.images[:, None].astype(np.float32) / 255
    batch = np.repeat(unit * 2 - 1, spec.channels, axis=1)
    maps = np.concatenate(
        [segmenter.probabilities(batch[i : i + 8]) for i in range(0, len(batch), 8)]
    )
    lesion = cases.has_lesion
    print(
        f"{lesion.sum()} images with a lesion, {(~lesion).sum()} normal; at {spec.size}, "
        f"mirrored image {'averaged in' if options.flip_average else 'not used'}"
    )
    print(
        "| threshold | least peak | least area | Dice of lesion images | lesion images without "
        "an outline | normals outlined |"
    )
    print("|---|---|---|---|---|---|")
    for threshold, peak, area in itertools.product(THRESHOLDS, PEAKS, AREAS):
        output = OutputSpec(threshold, peak, area)
        outlines = [postprocess(values, output) >= threshold for values in maps]
        dice = [
            confusion(outline, truth).dice
            for outline, truth in zip(outlines, cases.masks, strict=True)
        ]
        found = np.array([outline.any() for outline in outlines])
        print(
            f"| {threshold} | {peak} | {area} | {np.mean(np.array(dice)[lesion]):.4f} "
            f"| {(~found[lesion]).mean():.3f} | {found[~lesion].mean():.3f} |"
        )


if __name__ == "__main__":
    main()
