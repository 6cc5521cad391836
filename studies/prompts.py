"""How well methods segment a lesion that a reader points at: by a box, a loose box, or clicks.

    python studies/prompts.py --methods BUNDLE polar-path ellipse \
        --data BUSI=FOLDER BUS-BRA=FOLDER --split "BUSI=lesions" "BUS-BRA=fold:4" --out OUT

Every true lesion is pointed at in turn, the masks of an image's lesions are joined, and the image's
Dice is at its own size. ``box``: the tightest one; ``box 10 %`` and ``box 20 %``: each of its four
edges lies off by that fraction of the box's side, outwards or inwards as a coin falls; ``click``:
a pixel of the lesion, each as likely as another, the mean of three draws. All methods get the same
boxes and clicks, which --seed decides.

In images of one lesion a reader then corrects: each further click is the point that lies deepest in
the largest error, in the lesion or outside of it. ``N clicks``: the Dice after so many in all;
``clicks to .90``: how many were needed, 6 where five were not enough.

Means over images, intervals by bootstrap over patients. A method that takes no such prompt has "-".
What was found of each image is kept in OUT, so that a run that is stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from _study import add_cases, cases_of, options_of
from breastseg.core.box import Box
from breastseg.core.errors import BreastsegError
from breastseg.core.image import Image
from breastseg.core.prompt import Prompt
from breastseg.core.regions import connected_regions
from breastseg.core.segmenter import Segmenter
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.statistics import mean_interval
from breastseg.inference.open import open_segmenter
from breastseg.io.write import write_text
from breastseg.metrics.overlap import dice

Bools = NDArray[np.bool_]
Answer = Callable[[Prompt], Bools]

LOOSE = (0.1, 0.2)
DRAWS = 3
CLICKS = 5
ENOUGH = 0.9
COLUMNS = (
    *("box", *(f"box {fraction:.0%}" for fraction in LOOSE), "click"),
    *(f"{count} clicks" for count in range(2, CLICKS + 1)),
    "clicks to .90",
)


def loosened(
    box: Box, fraction: float, shape: tuple[int, ...], generator: np.random.Generator
) -> Box:
    """A box whose edges lie off by a fraction of its sides, cut to the image."""
    sides = np.array([*box.shape, *box.shape])
    edges = np.rint([*box.start, *box.stop] + fraction * sides * generator.choice([-1, 1], 4))
    row0, column0, row1, column1 = (int(edge) for edge in edges)
    return (
        Box.of(row0, column0, max(row1, row0 + 1), max(column1, column0 + 1)).within(shape) or box
    )


def random_pixel(lesion: Bools, generator: np.random.Generator) -> tuple[int, int]:
    """A pixel of a mask, each as likely as another."""
    rows, columns = np.nonzero(lesion)
    pick = int(generator.integers(rows.size))
    return int(rows[pick]), int(columns[pick])


def deepest_error(lesion: Bools, found: Bools) -> tuple[bool, tuple[int, int]]:
    """Whether the largest error lies in the lesion, and its point farthest from the border."""
    depths = [
        cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        for part in (lesion & ~found, found & ~lesion)
    ]
    inside = bool(depths[0].max() >= depths[1].max())
    depth = depths[0] if inside else depths[1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return inside, (int(row), int(column))


def corrected(lesion: Bools, answer: Answer, first: tuple[int, int]) -> list[float]:
    """The Dice after each of the clicks of a reader who corrects."""
    inside = [first]
    outside: list[tuple[int, int]] = []
    after: list[float] = []
    for _ in range(CLICKS):
        found = answer(Prompt(inside=tuple(inside), outside=tuple(outside)))
        after.append(dice(lesion, found))
        missed, point = deepest_error(lesion, found)
        (inside if missed else outside).append(point)
    return after


def scored(lesions: Bools, answer: Answer, generator: np.random.Generator) -> dict[str, float]:
    """The figures of one image under every prompt."""
    regions = connected_regions(lesions)
    each = [regions.labels == number for number in range(1, len(regions) + 1)]

    def joined(prompts: Sequence[Prompt]) -> float:
        return dice(lesions, np.logical_or.reduce([answer(prompt) for prompt in prompts]))

    found = {"box": joined([Prompt(box=box) for box in regions.boxes])}
    for fraction in LOOSE:
        loose = [loosened(box, fraction, lesions.shape, generator) for box in regions.boxes]
        found[f"box {fraction:.0%}"] = joined([Prompt(box=box) for box in loose])
    clicks = [[random_pixel(one, generator) for one in each] for _ in range(DRAWS)]
    draws = [joined([Prompt(inside=(click,)) for click in draw]) for draw in clicks]
    found["click"] = float(np.mean(draws))
    if len(each) == 1:
        after = corrected(lesions, answer, clicks[0][0])
        found |= {f"{count} clicks": after[count - 1] for count in range(2, CLICKS + 1)}
        reached = [count for count, value in enumerate(after, 1) if value >= ENOUGH]
        found["clicks to .90"] = reached[0] if reached else CLICKS + 1
    return found


def answers(method: Segmenter, image: Image) -> Answer:
    """The mask of a method on an image, by the prompt."""
    return lambda prompt: method.segment(image, prompt).mask().foreground


def scored_case(method: Segmenter, ref: CaseRef, seed: int) -> dict[str, float]:
    """The figures of one case; its boxes and clicks depend on the case and the seed alone."""
    case = ref.load()
    assert case.mask is not None, ref.key
    digest = hashlib.sha256(f"{seed} {ref.key}".encode()).digest()
    generator = np.random.default_rng(list(digest))
    return scored(case.mask.foreground, answers(method, case.images[0]), generator)


def scored_cases(
    name: str, cases: Sequence[CaseRef], options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """All cases, those from the file that an earlier run has left."""
    method = open_segmenter(name, threads=1)
    path = options.out / f"{Path(name).name}.json"
    held = json.loads(path.read_text()) if path.exists() else {}
    for count, ref in enumerate(cases):
        if ref.key not in held:
            held[ref.key] = scored_case(method, ref, options.seed)
        if count % 20 == 0 or count == len(cases) - 1:
            write_text(path, json.dumps(held))
    return held


def row_of(name: str, cases: Sequence[CaseRef], held: dict[str, dict[str, float]]) -> str:
    """A line of the table: means over the images of one source, with their intervals."""
    cells = [Path(name).name, cases[0].source, str(len(cases))]
    for column in COLUMNS:
        values = [held[ref.key].get(column, np.nan) for ref in cases]
        one = mean_interval(values, [ref.patient_key for ref in cases], np.random.default_rng(0))
        cells.append(f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Score every method on every source, and print the table."""
    parser = options_of(__doc__)
    add_cases(parser, "lesions")
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cases = [ref for ref in cases_of(options) if not ref.is_normal]
    lines = ["| " + " | ".join(("method", "source", "images", *COLUMNS)) + " |"]
    lines.append("|---" * (3 + len(COLUMNS)) + "|")
    for name in options.methods:
        try:
            held = scored_cases(name, cases, options)
        except BreastsegError as error:
            lines.append(f"| {Path(name).name} | {error} |")
            continue
        for source in sorted({ref.source for ref in cases}):
            lines.append(row_of(name, [ref for ref in cases if ref.source == source], held))
    write_text(options.out / "table.md", "\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
