"""What ``breastseg segment --screenshot`` costs and gains: Dice with and without it.

    python studies/screen.py --data BUSI=FOLDER --split split:recipes/splits/busi.json#val \
        [--method ultrasound]

Each image with a lesion is outlined four times: as it is, and in the middle of a synthetic screen
(black margins, a title, a grey scale, four callipers and a dotted line on the lesion), with and
without `breastseg.inference.screen.WithinScan`. The lesion's border is not touched by the screen's
margins. Also said, of both: how often a part of a true lesion lies outside the box that is cut out.
Intervals by bootstrap over patients. Prints Markdown.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from _study import add_cases, cases_of, network_of, options_of
from breastseg.core.box import Box
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.segmenter import Segmenter
from breastseg.evaluation.statistics import mean_interval
from breastseg.inference.screen import WithinScan
from breastseg.metrics.overlap import dice
from breastseg.preprocess.burned_in import burned_in, without_marks
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.scan_sector import scan_box

MARGIN = 0.35  # of the image's side, on each side of it


def on_screen(image: Image, lesion: NDArray[np.bool_]) -> tuple[Image, Box]:
    """The image as a machine would show it; and where it lies there."""
    grey = np.rint(to_unit(image.grey()) * 220).astype(np.uint8)  # graphics are whiter than echoes
    rows, columns = np.nonzero(lesion)
    ends = [(rows.min(), columns.mean()), (rows.max(), columns.mean())]
    ends += [(rows.mean(), columns.min()), (rows.mean(), columns.max())]
    for row, column in ends:
        at = int(column), int(row)
        cv2.drawMarker(grey, at, 255, cv2.MARKER_CROSS, 11, 1)
    for column in range(columns.min(), columns.max(), 6):
        cv2.circle(grey, (column, int(rows.mean())), 0, 255, -1)
    high, wide = (round(MARGIN * side) for side in grey.shape)
    screen = np.pad(grey, ((high, high), (wide, wide)))
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(screen, "BREAST L  12 MHz  MI 0.9", (10, 24), font, 0.6, 255, 1)
    cv2.putText(screen, "1 D 12.3 mm", (10, screen.shape[0] - 12), font, 0.6, 255, 1)
    scale = np.linspace(255, 0, grey.shape[0]).astype(np.uint8)
    screen[high:-high, 8:20] = scale[:, None]
    grid = Grid(screen.shape, image.grid.spacing_mm)
    return replace(image, array=screen[None], grid=grid), Box.whole(grey.shape).shifted(high, wide)


def score(segmenter: Segmenter, image: Image, truth: NDArray[np.bool_]) -> float:
    """Dice at the method's own operating point."""
    return dice(segmenter.segment(image).mask().foreground, truth)


def is_cut(image: Image, truth: NDArray[np.bool_]) -> bool:
    """Whether a part of the lesion lies outside the box that `WithinScan` cuts out."""
    box = scan_box(without_marks(to_unit(image.grey()), burned_in(image)))
    outside = truth.copy()
    outside[box.slices] = False
    return bool(outside.any())


def main() -> None:
    """Score all, and print."""
    parser = options_of(__doc__)
    add_cases(parser, "lesions")
    parser.add_argument("--method", default="ultrasound")
    options = parser.parse_args()
    plain = network_of(options.method)
    within = WithinScan(plain)
    patients, rows, cut = [], [], []
    for ref in cases_of(options):
        case = ref.load()
        if case.mask is None or not case.mask.foreground.any():
            continue
        image, truth = case.images[0], case.mask.foreground
        screen, where = on_screen(image, truth)
        there = np.zeros(screen.grid.shape, bool)
        there[where.slices] = truth
        pairs = ((image, truth), (screen, there))
        rows.append([score(m, given, true) for given, true in pairs for m in (plain, within)])
        cut.append([is_cut(given, true) for given, true in pairs])
        patients.append(ref.patient_id)
    bare, shown = np.sum(cut, axis=0)
    cut_off = f"{bare} as published and {shown} on a screen"
    print(f"{len(rows)} images; a part of the lesion is cut off in {cut_off}\n")
    print("| image | as it is | with --screenshot | difference |\n|---|---|---|---|")
    values = np.array(rows)
    for name, first in (("as published", 0), ("on a synthetic screen", 2)):
        one, other = values[:, first], values[:, first + 1]
        cells = []
        for scores in (one, other, other - one):
            found = mean_interval(scores, patients, np.random.default_rng(0))
            cells.append(f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
