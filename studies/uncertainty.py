"""Does the uncertainty of a mask tell good from bad ones? And which views are worth their time?

    python studies/uncertainty.py --data BUSI=FOLDER --split SELECTION

Runs the network once on each of fourteen views of every case and combines them afterwards. Scored
at the network's input size, one thread. Prints Markdown: the Dice of each set of views, and for
each measure how the mean over the mask ranks the outlined images. `rho`: rank correlation with
the Dice (-1 would be perfect). `area`: of a mask with a Dice below .5 and one above, how often
the first is the less certain.
"Kept": mean Dice of the most certain fraction of the outlined images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from _study import add_cases, cases_of, network_of, options_of
from breastseg.core import Grid, OutputSpec, Prediction, Provenance
from breastseg.data.dataset import CaseRef
from breastseg.inference.ensemble import Ensemble
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.postprocess import postprocess
from breastseg.inference.uncertainty import Measure, uncertainty_map
from breastseg.inference.views import FLIPS, PLAIN, View
from breastseg.measure.uncertainty import region_uncertainty
from breastseg.metrics import dice

GAMMAS, SCALES = (0.8, 1.0, 1.25), (1.0, 0.85)
SETS: dict[str, tuple[View, ...]] = {
    "plain": (PLAIN,),
    "plain, flipped (shipped)": FLIPS,
    "the same, and upside down": tuple(View(m, u) for m in (False, True) for u in (False, True)),
    "flipped x gamma .8, 1, 1.25": tuple(View(m, gamma=g) for m in (False, True) for g in GAMMAS),
    "flipped x scale 1, .85": tuple(View(m, scale=s) for m in (False, True) for s in SCALES),
    "flipped x gamma x scale": tuple(
        View(m, gamma=g, scale=s) for m in (False, True) for g in GAMMAS for s in SCALES
    ),
}
BAD = 0.5
KEPT = (1.0, 0.9, 0.8, 0.6)


@dataclass(frozen=True)
class Seen:
    """One case under one set of views."""

    lesion: bool
    dice: float
    uncertainty: dict[Measure, float | None]


def main() -> None:
    """Print both tables."""
    parser = options_of(__doc__)
    parser.add_argument("--bundle", default="ultrasound")
    add_cases(parser, "all")
    options = parser.parse_args()
    report(look(network_of(options.bundle), cases_of(options)))


def report(seen: dict[str, list[Seen]]) -> None:
    """Both tables."""
    print("| views | networks run | Dice | lesion images without a mask | normals outlined |")
    print("|---|---|---|---|---|")
    for name, cases in seen.items():
        lesions = [case for case in cases if case.lesion]
        print(
            f"| {name} | {len(SETS[name])} | {np.mean([c.dice for c in lesions]):.4f} "
            f"| {1 - fraction_outlined(lesions):.3f} "
            f"| {fraction_outlined([c for c in cases if not c.lesion]):.3f} |"
        )
    kept = " | ".join(f"kept {fraction:.0%}" for fraction in KEPT)
    print(f"\n| views | measure | outlined | rho | area | {kept} |")
    print("|---|---|---|---|---|" + "---|" * len(KEPT))
    for name, cases in seen.items():
        for measure in Measure if len(SETS[name]) > 1 else (Measure.ENTROPY,):
            print(f"| {name} | {measure} | {ranking(cases, measure)} |")


def look(network: OnnxSegmenter, refs: Sequence[CaseRef]) -> dict[str, list[Seen]]:
    """Every case under every set of views."""
    views = tuple(dict.fromkeys(view for chosen in SETS.values() for view in chosen))
    everything = Ensemble([network], views)
    seen: dict[str, list[Seen]] = {name: [] for name in SETS}
    for ref in refs:
        case = ref.load()
        maps, placement = everything.members(case.images[0])
        truth = np.zeros(placement.size, bool)
        if case.mask is not None:
            truth = placement.forward(case.mask.foreground) >= 0.5
        for name, chosen in SETS.items():
            members = maps[[views.index(view) for view in chosen]]
            seen[name].append(judge(members, truth, network.output))
    return seen


def judge(members: NDArray[np.float32], truth: NDArray[np.bool_], output: OutputSpec) -> Seen:
    """One case under one set of views, at the network's size."""
    probability = postprocess(members.mean(axis=0), output)
    nobody = Provenance("study", "0")
    found: dict[Measure, float | None] = {}
    for measure in Measure:
        spread = uncertainty_map(members, measure)
        prediction = Prediction(
            probability, Grid(truth.shape), nobody, output.threshold, uncertainty=spread
        )
        found[measure] = region_uncertainty(prediction)
    mask = probability >= output.threshold
    return Seen(bool(truth.any()), dice(mask, truth), found)


def fraction_outlined(cases: Sequence[Seen]) -> float:
    """The fraction with a mask; not a number where there is no case."""
    return float(np.mean([case.uncertainty[Measure.ENTROPY] is not None for case in cases]))


def ranking(cases: Sequence[Seen], measure: Measure) -> str:
    """The cells of one row: over the images with a mask, normal ones among them."""
    pairs = [(c.uncertainty[measure], c.dice) for c in cases]
    unsure, scores = np.array([(u, d) for u, d in pairs if u is not None]).T
    rho = stats.spearmanr(unsure, scores).statistic
    order = np.argsort(unsure, kind="stable")
    kept = [scores[order][: max(1, round(fraction * len(scores)))].mean() for fraction in KEPT]
    cells = [str(len(scores)), f"{rho:+.3f}", f"{area(unsure, scores < BAD):.3f}"]
    return " | ".join([*cells, *(f"{value:.3f}" for value in kept)])


def area(unsure: NDArray[np.float64], bad: NDArray[np.bool_]) -> float:
    """The fraction of pairs of a bad and a good mask in which the bad one is less certain."""
    apart = unsure[bad][:, None] - unsure[~bad][None]
    return float(np.mean((apart > 0) + 0.5 * (apart == 0))) if apart.size else float("nan")


if __name__ == "__main__":
    main()
