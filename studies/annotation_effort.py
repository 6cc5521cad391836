"""What labelling an image takes: from nothing, from a model's mask, and from a box or a click.

    python studies/annotation_effort.py --data BUS-UCLM=FOLDER [--split all] \
        [--method ultrasound ultrasound-fast] [--prompted polar-path] [--tolerance 0.04 0.08]

A simulated reader brings each mask to the ground truth and is content where no error is deeper than
the tolerance: a fraction of the diameter of a circle with the smallest lesion's area, at least
2 px. A circle that is too large all around by .04 of its diameter has a Dice of .92, by .08 of .85.
Clicks:

- an image is kept: 1;
- a lesion is drawn: the vertices that Douglas and Peucker's rule needs to stay within the tolerance
  of its contour, and 1 to close the polygon;
- a region that touches no lesion is deleted: 1;
- an error at a lesion that is deeper than the tolerance is mended: the vertices of the stretch of
  the true contour along it, its two ends among them; 1 where it is a hole within the lesion;
- a box is drawn around a lesion: 2; a click is set inside of it, at the point farthest from its
  border: 1;
- if that comes to more than clearing the image (1) and drawing everything, that is done instead.

Edited pixels are those in which the mask that is kept differs from the one that was proposed, as
the app counts them. The reader knows the ground truth, never slips,
and draws tight boxes; clicks are no times. Intervals: bootstrap over patients. Prints Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from _study import add_cases, cases_of, network_of, options_of
from breastseg.core.image import Image
from breastseg.core.prompt import Prompt
from breastseg.core.regions import connected_regions
from breastseg.core.segmenter import Segmenter
from breastseg.evaluation.statistics import mean_interval
from breastseg.inference.open import open_segmenter
from breastseg.metrics.overlap import dice

Bools = NDArray[np.bool_]
MIN_TOLERANCE_PX = 2.0
ACCEPT, CLOSE, DELETE, CLEAR, FILL, BOX, POINT = 1, 1, 1, 1, 1, 2, 1
EMPTY = "from nothing"


@dataclass(frozen=True)
class Cost:
    """What an image took.

    Attributes:
        clicks: as above.
        edited_px: pixels that differ between the mask that was kept and the one proposed.
        dice: of the mask that was kept; NaN without a lesion.
        kept: the proposed mask was right as it was.
        anew: all was drawn anew.
    """

    clicks: int
    edited_px: int
    dice: float
    kept: bool = False
    anew: bool = False


def drawn(start: Bools, truth: Bools, tolerance: float) -> Cost:
    """An image that is labelled from nothing; `start` is the mask that was cleared first."""
    mask = np.zeros(truth.shape, np.uint8)
    clicks = ACCEPT + CLEAR * bool(start.any())
    for contour in contours_of(truth):
        polygon = cv2.approxPolyDP(contour, tolerance, closed=True)
        clicks += max(3, len(polygon)) + CLOSE
        cv2.fillPoly(mask, [polygon], 1)
    edited = int(((mask > 0) != start).sum())
    return Cost(clicks, edited, dice(mask > 0, truth), anew=True)


def corrected(start: Bools, truth: Bools, tolerance: float) -> Cost:
    """An image whose mask is mended; drawn anew where that takes fewer clicks."""
    whole = drawn(start, truth, tolerance)
    clicks, mask = ACCEPT, start.copy()
    regions, lesions = connected_regions(start), connected_regions(truth)
    false = regions.chosen(~touched(regions.labels, regions.count, truth))
    missed = lesions.chosen(~touched(lesions.labels, lesions.count, start))
    if false.any():
        clicks += DELETE * len(connected_regions(false))
        mask &= ~false
    for contour in contours_of(missed):
        clicks += max(3, len(cv2.approxPolyDP(contour, tolerance, closed=True))) + CLOSE
    mask |= missed
    for error in errors_of(mask, truth, tolerance):
        clicks += clicks_along(error, truth, tolerance)
        mask ^= error
    if clicks > whole.clicks:
        return whole
    return Cost(clicks, int((mask != start).sum()), dice(mask, truth), clicks == ACCEPT)


def errors_of(mask: Bools, truth: Bools, tolerance: float) -> Iterator[Bools]:
    """The connected errors of one kind, too much or too little, deeper than the tolerance."""
    for wrong, right in ((mask & ~truth, truth), (truth & ~mask, mask)):
        if not wrong.any():
            continue
        depth = distance_transform_edt(~right)
        found = connected_regions(wrong)
        for number in range(1, found.count + 1):
            error = found.labels == number
            if depth[error].max() > tolerance:
                yield error


def clicks_along(error: Bools, truth: Bools, tolerance: float) -> int:
    """The vertices of the stretches of the true contour along an error."""
    near = cv2.dilate(error.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    clicks = 0
    for contour in contours_of(truth):
        along = near[contour[:, 0, 1], contour[:, 0, 0]]
        if along.all():
            clicks += max(3, len(cv2.approxPolyDP(contour, tolerance, closed=True))) + CLOSE
        elif along.any():
            first = int(np.argmin(along))  # begin where there is no error
            turned, there = np.roll(contour, -first, axis=0), np.roll(along, -first)
            edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                stretch = cv2.approxPolyDP(turned[begin:end], tolerance, closed=False)
                clicks += max(2, len(stretch))
    return clicks or FILL


def touched(labels: NDArray[np.int32], count: int, other: Bools) -> Bools:
    """(count,) whether each region shares a pixel with another mask."""
    return np.bincount(labels[other], minlength=count + 1)[1:] > 0


def contours_of(mask: Bools) -> Sequence[NDArray[np.int32]]:
    """The outer contours, (points, 1, 2) of column and row each."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(one, np.int32) for one in found]


def tolerance_of(truth: Bools, fraction: float) -> float:
    """How deep an error may be, in pixels."""
    diameter = 2 * float(np.sqrt(min(connected_regions(truth).sizes) / np.pi))
    return max(MIN_TOLERANCE_PX, fraction * diameter)


def pointed(segmenter: Segmenter, image: Image, truth: Bools, with_box: bool) -> tuple[Bools, int]:
    """The mask of a method that is shown each lesion, and the clicks that this took."""
    lesions = connected_regions(truth)
    mask = np.zeros(truth.shape, bool)
    for number, box in enumerate(lesions.boxes, start=1):
        depth = distance_transform_edt(np.pad(lesions.labels == number, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        inside = ((int(row), int(column)),)
        prompt = Prompt(box=box) if with_box else Prompt(inside=inside)
        mask |= segmenter.segment(image, prompt).mask().foreground
    return mask, lesions.count * (BOX if with_box else POINT)


@dataclass(frozen=True)
class Case:
    """What one image took.

    Attributes:
        patient: unique over all sources.
        found: the first model's mask shares a pixel with a lesion; None without a lesion.
        costs: by the tolerance and the way of labelling.
    """

    patient: str
    found: bool | None
    costs: dict[float, dict[str, Cost]]


def look(options: argparse.Namespace) -> Iterator[Case]:
    """Label every image in every way."""
    networks = {name: network_of(name) for name in options.method}
    prompted = open_segmenter(options.prompted, threads=1)
    for ref in cases_of(options):
        case = ref.load()
        assert case.mask is not None, ref.key
        image, truth = case.images[0], case.mask.foreground
        masks = {n: one.segment(image).mask().foreground for n, one in networks.items()}
        shown = dict.fromkeys(masks, 0)
        found = None
        if truth.any():
            found = bool((masks[options.method[0]] & truth).any())
            for with_box in (True, False):
                name = f"{options.prompted}, {'a box' if with_box else 'a click'}"
                masks[name], shown[name] = pointed(prompted, image, truth, with_box)
        costs = {}
        for fraction in options.tolerance:
            tolerance = tolerance_of(truth, fraction) if truth.any() else MIN_TOLERANCE_PX
            costs[fraction] = {EMPTY: drawn(np.zeros_like(truth), truth, tolerance)}
            for name, mask in masks.items():
                cost = corrected(mask, truth, tolerance)
                costs[fraction][name] = replace(cost, clicks=cost.clicks + shown[name])
        yield Case(ref.patient_key, found, costs)


def table(title: str, cases: Sequence[Case], tolerance: float) -> None:
    """Print what the images of a group took."""
    patients = [case.patient for case in cases]
    count = f"{len(cases)} images of {len(set(patients))} patients"
    print(f"\n{title}, tolerance {tolerance:g}: {count}\n")
    if not cases:
        return
    print(
        "| labelled | clicks: median [quartiles] | mean | less than from nothing | edited px: "
        "median [quartiles] | mean | less than from nothing | kept | drawn anew | Dice |"
    )
    print(f"|{'---|' * 10}")
    for name in cases[0].costs[tolerance]:
        costs = [case.costs[tolerance][name] for case in cases]
        cells = []
        for unit, digits in (("clicks", 1), ("edited_px", 0)):
            values = np.array([getattr(cost, unit) for cost in costs], float)
            plain = [getattr(case.costs[tolerance][EMPTY], unit) for case in cases]
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
            saved = mean_interval(plain - values, patients, np.random.default_rng(0))
            text = f"{saved.value:.{digits}f} [{saved.low:.{digits}f}, {saved.high:.{digits}f}]"
            cells += [f"{middle:.0f} [{low:.0f}, {high:.0f}]", f"{values.mean():.{digits}f}", text]
        for value in ("kept", "anew", "dice"):
            cells.append(f"{np.mean([getattr(cost, value) for cost in costs]):.3f}")
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Label all, and print."""
    parser = options_of(__doc__)
    add_cases(parser, "all")
    parser.add_argument("--method", nargs="+", default=["ultrasound", "ultrasound-fast"])
    parser.add_argument("--prompted", default="polar-path", help="answers a box or a click")
    parser.add_argument(
        "--tolerance", nargs="+", type=float, default=[0.04, 0.08], help="of the lesion's diameter"
    )
    options = parser.parse_args()
    for name in options.method:
        bundle = network_of(name).bundle
        print(f"{name}: {bundle.name} {bundle.version}, weights {bundle.weights_sha256[:12]}")
    cases = list(look(options))
    lesions = [case for case in cases if case.found is not None]
    for tolerance in options.tolerance:
        table("Images with a lesion", lesions, tolerance)
        found = [case for case in lesions if case.found]
        table(f"Lesion found by {options.method[0]}", found, tolerance)
        missed = [case for case in lesions if not case.found]
        table(f"Lesion missed by {options.method[0]}", missed, tolerance)
    table("Images without a lesion", [c for c in cases if c.found is None], options.tolerance[0])


if __name__ == "__main__":
    main()
