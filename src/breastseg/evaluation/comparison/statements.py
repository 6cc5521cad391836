"""What the figures of a comparison say, in sentences that claim no more than the figures do."""

from __future__ import annotations

from collections.abc import Sequence

from breastseg.data.catalogue import DATA_SETS
from breastseg.evaluation.comparison.results import ALL, LESIONS, NORMALS, Results, ScoredMethod
from breastseg.evaluation.comparison.table import p_phrase
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.report import rules
from breastseg.evaluation.run import unscored_lines
from breastseg.evaluation.summary import Figure

NOTICE = "Research tool, not a medical device."
_NAMED = 4  # methods; more are counted
FEW = 10
"""A subgroup of fewer images is not named among the hard ones."""


def subtitle(results: Results) -> str:
    """What was compared, in a line."""
    rows = results.rows
    sources = ", ".join(sorted({row.source for row in rows}))
    methods = len(results.scored_methods)
    told = {
        Prompting.NONE: "each method finds the lesion itself",
        Prompting.BOX: "each method is given a box around the lesion",
    }[results.comparison.protocol.prompting]
    compared = f"{methods} method{'' if methods == 1 else 's'}"
    return f"{compared} on {images(len(rows))} of {sources}; {told}."


def findings(results: Results) -> tuple[str, ...]:
    """The comparison in a few sentences: which was best, by how much, what it missed, and where."""
    if results.ranking is None:
        return (_alarms(results, results.best),)
    parts = [_best(results), _margin(results), _missed(results), _hardest(results)]
    if NORMALS in results.best.groups:
        parts.append(_alarms(results, results.best))
    parts += [_seen(results), _caution(results)]
    return tuple(part for part in parts if part)


def _best(results: Results) -> str:
    best = results.best
    group, dice = best.groups[LESIONS], best.figure("dice")
    assert dice is not None
    where = f"{images(group.images)} with a lesion{_of_patients(results, group.patients)}"
    half = f"on half of them its Dice was {dice.median:.3f} or more"
    if len(results.scored_methods) == 1:
        return f"{best.label} reached a mean Dice of {with_interval(dice)} on {where}; {half}."
    return (
        f"Of {len(results.scored_methods)} methods, {best.label} had the highest mean Dice "
        f"on {where}: {with_interval(dice)}; {half}."
    )


def _margin(results: Results) -> str:
    """The best against the second, and what that is worth."""
    apart = results.runner_up
    if apart is None:
        return ""
    gap, second = apart.difference, results.scored_methods[1]
    text = (
        f"The next was {second.label} with {second.dice:.3f}; image by image {results.best.label} "
        f"is ahead by {abs(gap.value):.3f} ({_between(_bare(-gap.high), _bare(-gap.low))}, "
        f"p {p_phrase(apart.p_adjusted)} after Holm's correction for its comparisons with all "
        "others)"
    )
    if apart.p_adjusted < 0.05 and gap.high < 0:
        return text + ", more than chance would explain on images like these."
    return text + ", so these images do not tell the two apart."


def _missed(results: Results) -> str:
    best = results.best
    scores = [row.score for row in best.lesion_rows]
    lesions, found = sum(s.true_lesions for s in scores), sum(s.found for s in scores)
    false = sum(s.false_positives for s in scores)
    failed = f" It failed on {images(best.failures)}." if best.failures else ""
    beside = f"{false} false positive{'' if false == 1 else 's'}" if false else "no false positive"
    return (
        f"{best.label} missed {lesions - found or 'none'} of {lesions} lesions and drew {beside} "
        f"on these images.{failed}"
    )


def _hardest(results: Results) -> str:
    """Where the best method is worst, of the subgroups that are large enough to speak of."""
    label = results.best.label
    dice: dict[str, Figure] = {}
    for name, groups in results.subgroups.items():
        group = groups.get(label)
        if group is not None and FEW <= group.images < results.best.groups[LESIONS].images:
            dice[name] = group.figures["dice"]
    if not dice:
        return ""
    name = min(dice, key=lambda name: dice[name].value)
    if not dice[name].value < results.best.dice:
        return ""
    return (
        f"The hardest kind of image for it was '{name}' ({images(dice[name].images)}), with a mean "
        f"Dice of {with_interval(dice[name])}."
    )


def _alarms(results: Results, scored: ScoredMethod) -> str:
    """How often something is outlined where there is nothing."""
    group = scored.groups[NORMALS]
    least = min(results.scored_methods, key=_outlined)
    text = (
        f"On {images(group.images)} without a lesion {scored.label} outlined something "
        f"{_times(_outlined(scored))}"
    )
    if _outlined(least) < _outlined(scored):
        text += f"; the fewest were outlined by {least.label}, {_outlined(least)}"
    return text + "."


def _times(count: int) -> str:
    return {0: "on none", 1: "on one"}.get(count, f"on {count}")


def _outlined(scored: ScoredMethod) -> int:
    """Normal images with any mask."""
    return sum(cell.row.outlined for cell in scored.cells if not cell.row.has_lesion)


def _seen(results: Results) -> str:
    """A warning where methods were trained or tuned on a published data set that is used here."""
    parts = []
    for name in sorted({row.source for row in results.rows} & set(DATA_SETS)):
        # CDD-CESM-DM is a part of CDD-CESM
        names = [whole.lower() for whole in DATA_SETS if name.startswith(whole)]
        learnt = [
            s for s in results.scored_methods if any(n in s.info.trained_on.lower() for n in names)
        ]
        trained = [s.label for s in learnt if s.info.kind == "network"]
        tuned = [s.label for s in learnt if s.info.kind != "network"]
        used = [f"train {_listed(trained)}"] if trained else []
        used += [f"tune {_listed(tuned)}"] if tuned else []
        if used:
            parts.append(
                f"Of {name}, images were used to {' and to '.join(used)}: figures on it count only "
                "if the images here were kept out of that."
            )
    return " ".join(parts)


def _listed(labels: Sequence[str]) -> str:
    """A few names in words, many as a number."""
    if len(labels) > _NAMED:
        return f"{len(labels)} of the methods"
    return " and ".join(labels)


def _caution(results: Results) -> str:
    boxed = results.comparison.protocol.prompting is Prompting.BOX
    told = (
        "Every method was given the true lesion's box, so this says how well borders are drawn and "
        "nothing of how lesions are found. "
        if boxed
        else ""
    )
    return (
        f"{told}The figures hold for these data; on another scanner, another hospital or another "
        "choice of images the order may differ."
    )


def how(results: Results) -> tuple[str, ...]:
    """What was done, in sentences: a figure counts only beside them."""
    comparison = results.comparison
    group = results.best.groups[ALL]
    sources = sorted({row.source for row in results.rows})
    counts = ", ".join(f"{name} {sum(r.source == name for r in results.rows)}" for name in sources)
    lesions = sum(row.has_lesion for row in results.rows)
    normals = f"{group.images - lesions} without" if lesions < group.images else "none without"
    if results.patients_stated:
        known = "Intervals and tests keep the images of a patient together."
    else:
        known = (
            "The data do not say which images are of one patient, so each counts as a patient of "
            "its own; if some share a patient, the intervals are too narrow."
        )
    said = rules(comparison.protocol, results.resamples, results.seed, comparison.of_volumes)
    return (
        f"{images(group.images)}{_of_patients(results, group.patients)} ({counts}): {lesions} with "
        f"a lesion and {normals}. {said}",
        *unscored_lines(comparison.unscored),
        known,
        "Every method ran on the same images with the parameters listed below; the comparison "
        "itself fits nothing. What a method was trained or tuned on is said where it is described, "
        "and figures on images that it has learned from say nothing.",
        f"Methods are compared with the baseline, {comparison.baseline}, on the same images. The "
        "p-values are those of Wilcoxon's signed-rank test on the patients' mean differences, "
        "two-sided, corrected by Holm's method for the number of methods held against the "
        "baseline. The test asks whether most patients gain, the interval how much is gained on "
        "average: where the two disagree, a few images weigh heavily.",
    )


def images(count: int) -> str:
    """A number of images in words."""
    return f"{count} image{'' if count == 1 else 's'}"


def with_interval(figure: Figure) -> str:
    """A figure and its interval for a sentence."""
    return f"{figure.value:.3f} ({_between(f'{figure.low:.3f}', f'{figure.high:.3f}')})"


def _between(low: str, high: str) -> str:
    if low == "nan":
        return "of one patient, so without an interval"
    return f"95 % interval {low} to {high}"


def _of_patients(results: Results, patients: int) -> str:
    return f" of {patients} patients" if results.patients_stated else ""


def _bare(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "\N{MINUS SIGN}")  # no minus before a zero
