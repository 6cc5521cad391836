"""Whether a mammogram's network gains from a second, magnified look at what it has found.

    python studies/second_look.py --data CDD-CESM=FOLDER --split fold:2 [--method mammography]

Wherever the whole breast gives .3 or more, the same network looks again at a window that is the
breast's box divided by the magnification, read from the image's own pixels; its map replaces the
first one in the window ("second"), or is mixed with it half and half, less towards the window's
edge ("mixed"). Findings that do not fit a window are left. Threshold .5, no other rule. Prints
Markdown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from _study import add_cases, cases_of, network_of, options_of
from breastseg.core.box import Box
from breastseg.core.bundle import Fit
from breastseg.core.image import Image
from breastseg.core.regions import connected_regions
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics.overlap import dice
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.intensity import rescale, to_unit
from breastseg.preprocess.prepare import prepare_unit

MAGNIFICATIONS = (1.5, 2.0)
CANDIDATE, FITS, SMALL = 0.3, 0.8, 0.03
Map = NDArray[np.float32]


def seen(network: OnnxSegmenter, unit: Map, placement: Placement) -> Map:
    """The network's map of an input, on the image's own grid."""
    batch = rescale(unit, network.bundle.input.intensity)[None, None]
    return placement.backward(network.class_probabilities(batch)[0, 0])


def second_look(
    network: OnnxSegmenter, image: Image, first: Map, whole: Placement, magnification: float
) -> tuple[Map, Map]:
    """The magnified map where there is one, the first elsewhere; and how much it weighs, 0 to 1."""
    unit = to_unit(image.grey())
    row0, column0, row1, column1 = whole.box
    high, wide = (int(side / magnification) for side in whole.box.shape)
    hill = (
        np.outer(np.hanning(high + 2)[1:-1], np.hanning(wide + 2)[1:-1]).astype(np.float32) + 1e-3
    )
    total, weight = np.zeros_like(first), np.zeros_like(first)
    for part in connected_regions(first >= CANDIDATE, corners=False).boxes:
        if part.shape[0] > FITS * high or part.shape[1] > FITS * wide:
            continue
        row, column = (
            (start + stop) // 2 for start, stop in zip(part.start, part.stop, strict=True)
        )
        top = int(np.clip(row - high // 2, row0, row1 - high))
        left = int(np.clip(column - wide // 2, column0, column1 - wide))
        box = Box.whole((high, wide)).shifted(top, left)
        near = Placement.of(whole.source, whole.size, Fit.PAD, box, whole.flipped)
        window = box.slices
        total[window] += seen(network, near.forward(unit), near)[window] * hill
        weight[window] += hill
    found = np.where(weight > 0, total / np.maximum(weight, 1e-6), first)
    return found, np.clip(2 * weight / max(float(weight.max()), 1e-6), 0, 1)


def main() -> None:
    """Score all, and print."""
    parser = options_of(__doc__)
    add_cases(parser, "lesions")
    parser.add_argument("--method", default="mammography")
    options = parser.parse_args()
    network = network_of(options.method)
    rows = []
    for ref in cases_of(options):
        case = ref.load()
        assert case.mask is not None
        image, truth = case.images[0], case.mask.foreground
        unit, whole = prepare_unit(image, network.bundle.input)
        first = seen(network, unit, whole)
        row = [float(truth.mean()), dice(first >= 0.5, truth)]
        for magnification in MAGNIFICATIONS:
            second, weight = second_look(network, image, first, whole, magnification)
            mixed = first + (second - first) * weight / 2
            row += [dice(second >= 0.5, truth), dice(mixed >= 0.5, truth)]
        rows.append(row)
    values = np.array(rows)
    small = values[:, 0] < SMALL
    names = [f"{word} at {m:g}" for m in MAGNIFICATIONS for word in ("second", "mixed")]
    print(
        f"| images | n | whole breast | {' | '.join(names)} |\n|---|---|---|{'---|' * len(names)}"
    )
    for name, chosen in (("all", small | ~small), (f"lesion below {SMALL:.0%}", small)):
        figures = " | ".join(f"{value:.3f}" for value in values[chosen, 1:].mean(axis=0))
        print(f"| {name} | {chosen.sum()} | {figures} |")


if __name__ == "__main__":
    main()
