"""Lesions found against false positives per image, of one bundle.

    python studies/free_response.py BUNDLE --data CDD-CESM=FOLDER --split fold:2 [--at 1]

Regions are those at the bundle's threshold, each with its score; a true lesion is found where
a region reaches an intersection over union of 0.1 with it. For each number of false positives an
image the line says which score the regions must have, and what fraction of the lesions is then
found (`breastseg.metrics.detection.free_response_curve`), with a 95 % interval by bootstrap over
patients at that score. Prints Markdown.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from _study import add_cases, cases_of, network_of, options_of
from breastseg.evaluation.statistics import ratio_intervals
from breastseg.metrics.detection import ImageDetections, free_response_curve, lesion_ious
from breastseg.metrics.lesionwise import DEFAULT_MIN_IOU


def main() -> None:
    """Score all, and print."""
    parser = options_of(__doc__)
    parser.add_argument("bundle")
    add_cases(parser, "lesions")
    parser.add_argument("--at", nargs="+", type=float, default=[0.25, 0.5, 1.0, 2.0])
    options = parser.parse_args()
    opened = network_of(options.bundle)
    network = opened.with_output(replace(opened.output, min_score=0.0))
    images, patients = [], []
    for ref in cases_of(options):
        case = ref.load()
        assert case.mask is not None
        lesions = network.segment(case.images[0]).lesions()
        scores = np.array([lesion.score for lesion in lesions], np.float64)
        images.append(ImageDetections(scores, lesion_ious(lesions, case.mask.foreground)))
        patients.append(ref.patient_id)
    curve = free_response_curve(images, DEFAULT_MIN_IOU)
    print("| false positives per image | score at least | lesions found |\n|---|---|---|")
    for at in options.at:
        last = int(np.flatnonzero(curve.false_positives <= at)[-1])
        least = curve.thresholds[last]
        hits = [(i.found(DEFAULT_MIN_IOU) & (i.scores >= least)).sum() for i in images]
        total = [i.ious.shape[1] for i in images]
        (fraction,) = ratio_intervals(
            np.array(hits)[:, None], np.array(total)[:, None], patients, np.random.default_rng(0)
        )
        interval = f"{fraction.value:.3f} [{fraction.low:.3f}, {fraction.high:.3f}]"
        print(f"| {curve.false_positives[last]:.2f} | {least:.3f} | {interval} |")


if __name__ == "__main__":
    main()
