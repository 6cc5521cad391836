"""What is wrong with a collection of cases: images that stand twice, and broken masks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import BreastsegError, DataSetError
from breastseg.core.image import Image
from breastseg.core.signals import heed_interruption
from breastseg.data.border import within_border
from breastseg.data.dataset import CaseRef, require_images, some
from breastseg.data.grouping import components
from breastseg.data.mask_audit import MaskFindings, look_at_masks

MIN_CORRELATION = 0.98
"""From here on two images are near duplicates: the same frame, or one a moment later."""

SAFE_CORRELATION = 0.95
"""From here on two images are kept together in a split. It is lower than `MIN_CORRELATION`,
for a group too large costs little and a missed one leaks: in BUSI pairs of one scan go down to
it, while in BUS-BRA no two patients reach 0.93."""

_SIDE = 32
_ROWS = 2048  # of the correlation matrix at a time: 64 MB for 8,000 images


@dataclass(frozen=True)
class Pair:
    """Two images that are alike.

    Attributes:
        first: key of the one.
        second: key of the other; later in order than `first`.
        correlation: of the reduced images, up to 1.
        exact: every pixel is the same.
        across_labels: they have two labels.
        across_sources: they come from two data sets.
        across_patients: they are listed under two patients.
    """

    first: str
    second: str
    correlation: float
    exact: bool
    across_labels: bool
    across_sources: bool
    across_patients: bool


@dataclass(frozen=True)
class AuditReport:
    """What `audit` found; cases go by their keys.

    Attributes:
        cases: how many were looked at.
        patients: of how many patients they are.
        lesion_cases: with at least one outlined pixel.
        pairs: near duplicates, exact ones among them, in the order of their keys.
        groups: the sets of cases that pairs connect, the largest first.
        turned_pairs: images of which one is the other mirrored or turned, as data sets that were
            augmented before they were published hold them; none of `pairs`, and in no group.
        bordered_pairs: images that are alike but for a border of one colour, such as the bars of a
            letterbox; none of `pairs`, and in no group.
        no_mask: cases with no mask file, though not stated to be normal.
        empty_masks: cases labelled as a lesion with nothing outlined.
        outlined_normals: cases labelled normal with something outlined.
        non_binary_masks: mask files with more than two values, such as soft borders.
        lesion_values: in how many cases each value of a mask is lesion.
        merged_masks: mask files of several classes, which count as one lesion, with the classes.
        unusable_masks: mask files in which it cannot be told what is lesion, with the reason.
        full_masks: mask files that outline more than half of the image.
        wrong_size_masks: mask files of another size than the image.
        unreadable: files that cannot be read, each with the reason.
    """

    cases: int
    patients: int
    lesion_cases: int
    pairs: tuple[Pair, ...]
    groups: tuple[tuple[str, ...], ...]
    turned_pairs: tuple[Pair, ...]
    bordered_pairs: tuple[Pair, ...]
    no_mask: tuple[str, ...]
    empty_masks: tuple[str, ...]
    outlined_normals: tuple[str, ...]
    non_binary_masks: tuple[str, ...]
    lesion_values: Mapping[str, int]
    merged_masks: tuple[str, ...]
    unusable_masks: tuple[str, ...]
    full_masks: tuple[str, ...]
    wrong_size_masks: tuple[str, ...]
    unreadable: tuple[str, ...]

    @property
    def has_faults(self) -> bool:
        """Whether some file cannot be used."""
        return bool(self.unusable_masks or self.wrong_size_masks or self.unreadable)

    @property
    def exact_pairs(self) -> tuple[Pair, ...]:
        """The pairs with every pixel the same."""
        return tuple(pair for pair in self.pairs if pair.exact)

    def counts(self) -> dict[str, int]:
        """Every figure of the report by name."""
        return {
            "cases": self.cases,
            "patients": self.patients,
            "lesion_cases": self.lesion_cases,
            "exact_pairs": len(self.exact_pairs),
            "near_pairs": len(self.pairs),
            "images_in_groups": sum(len(group) for group in self.groups),
            "groups": len(self.groups),
            "pairs_across_labels": sum(pair.across_labels for pair in self.pairs),
            "pairs_across_sources": sum(pair.across_sources for pair in self.pairs),
            "pairs_across_patients": sum(pair.across_patients for pair in self.pairs),
            "turned_pairs": len(self.turned_pairs),
            "bordered_pairs": len(self.bordered_pairs),
            "no_mask": len(self.no_mask),
            "empty_masks": len(self.empty_masks),
            "outlined_normals": len(self.outlined_normals),
            "non_binary_masks": len(self.non_binary_masks),
            "merged_masks": len(self.merged_masks),
            "unusable_masks": len(self.unusable_masks),
            "full_masks": len(self.full_masks),
            "wrong_size_masks": len(self.wrong_size_masks),
            "unreadable": len(self.unreadable),
        }

    def as_dict(self) -> dict[str, object]:
        """Counts and lists as plain containers, ready for JSON."""
        return {"counts": self.counts(), **asdict(self)}

    def text(self) -> str:
        """A summary to read, a line a finding, with examples."""
        count = self.counts()
        lines = [
            f"{self.cases} cases of {self.patients} patients, {self.lesion_cases} with an outlined "
            "lesion",
            "values that are lesion: "
            + ", ".join(f"{value} in {n} cases" for value, n in self.lesion_values.items()),
            f"near duplicates: {count['near_pairs']} pairs of {count['images_in_groups']} images"
            f" in {count['groups']} groups; exact pairs: {count['exact_pairs']}",
            f"pairs across labels: {count['pairs_across_labels']}; across data sets: "
            f"{count['pairs_across_sources']}; across patients: {count['pairs_across_patients']}",
        ]
        lines += [
            f"  {pair.first} = {pair.second} ({pair.correlation:.3f}"
            f"{', exact' if pair.exact else ''})"
            for pair in self.pairs
            if pair.exact or pair.across_labels or pair.across_sources
        ]
        findings = (
            ("mirrored or turned copies", _named(self.turned_pairs)),
            ("copies with a border, or without one", _named(self.bordered_pairs)),
            ("no mask file", self.no_mask),
            ("labelled as a lesion, nothing outlined", self.empty_masks),
            ("labelled normal, something outlined", self.outlined_normals),
            ("mask files with more than two values", self.non_binary_masks),
            ("mask files of several classes, taken as one lesion", self.merged_masks),
            ("mask files that cannot be used", self.unusable_masks),
            ("mask files that outline more than half of the image", self.full_masks),
            ("mask files of another size than the image", self.wrong_size_masks),
            ("unreadable", self.unreadable),
        )
        lines += [
            f"{what}: {len(names)}" + (f" ({some(names)})" if names else "")
            for what, names in findings
        ]
        return "\n".join(lines)


def audit(cases: Sequence[CaseRef], min_correlation: float = MIN_CORRELATION) -> AuditReport:
    """Look at every image and mask of a collection.

    Images are near duplicates where their grey levels, reduced to 32 x 32 pixels and freed of
    mean and contrast, correlate with at least `min_correlation`; the same image at another
    size, brightness or compression is found, one that is cropped is not. Mirrored or turned ones,
    and those that differ by a border of one colour, are listed on their own. Files that cannot be
    read are listed, and the rest goes on.

    Args:
        cases: distinct cases, of one data set or several.
        min_correlation: above 0, up to 1.

    Raises:
        DataSetError: `min_correlation` is out of range, or a case is a volume.
    """
    require_images(cases)
    ordered = sorted(cases, key=lambda case: case.key)
    looks = [_look(case) for case in ordered]
    pairs = _pairs(ordered, looks, min_correlation)
    turned = _turned_pairs(ordered, looks, min_correlation)
    bordered = _bordered_pairs(ordered, looks, min_correlation)
    known = {(pair.first, pair.second) for pair in pairs}
    lesions = [look.masks.outlined for look in looks]
    return AuditReport(
        cases=len(ordered),
        patients=len({case.patient_key for case in ordered}),
        lesion_cases=sum(lesions),
        pairs=pairs,
        groups=_groups(pairs),
        turned_pairs=tuple(pair for pair in turned if (pair.first, pair.second) not in known),
        bordered_pairs=tuple(pair for pair in bordered if (pair.first, pair.second) not in known),
        no_mask=tuple(case.key for case in ordered if case.mask_paths is None),
        empty_masks=tuple(
            case.key
            for case, look in zip(ordered, looks, strict=True)
            if case.label is not None and not case.is_normal and look.masks.empty
        ),
        outlined_normals=tuple(
            case.key
            for case, lesion in zip(ordered, lesions, strict=True)
            if case.is_normal and lesion
        ),
        non_binary_masks=tuple(name for look in looks for name in look.masks.non_binary),
        lesion_values=dict(sorted(Counter(v for k in looks for v in k.masks.values).items())),
        merged_masks=tuple(name for look in looks for name in look.masks.merged),
        unusable_masks=tuple(name for look in looks for name in look.masks.unusable),
        full_masks=tuple(name for look in looks for name in look.masks.full),
        wrong_size_masks=tuple(name for look in looks for name in look.masks.wrong_size),
        unreadable=tuple(
            reason for look in looks for reason in (*look.unreadable, *look.masks.unreadable)
        ),
    )


def near_duplicate_groups(
    cases: Sequence[CaseRef], min_correlation: float = SAFE_CORRELATION
) -> dict[str, int]:
    """The group of every case that has a near duplicate, for `breastseg.data.split.split`.

    Only images are read, and no masks; volumes, and what cannot be read, stand alone.

    Args:
        cases: distinct cases.
        min_correlation: above 0, up to 1.

    Returns:
        A group number from 0, by case key; cases that stand alone are not in it.

    Raises:
        DataSetError: `min_correlation` is out of range.
    """
    ordered = sorted((case for case in cases if not case.is_volume), key=lambda case: case.key)
    looks = [_look(case, masks=False) for case in ordered]
    others = (
        *_turned_pairs(ordered, looks, MIN_CORRELATION),
        *_bordered_pairs(ordered, looks, MIN_CORRELATION),
    )
    groups = _groups((*_pairs(ordered, looks, min_correlation), *others))
    return {key: number for number, group in enumerate(groups) for key in group}


@dataclass(frozen=True, eq=False)
class _Look:
    """What is kept of one case once its files are closed."""

    digest: str
    small: NDArray[np.float32]  # (32 * 32,), mean 0, length 1; zeros where constant or unreadable
    inner: NDArray[np.float32]  # the same of what a border of one colour encloses
    masks: MaskFindings
    unreadable: tuple[str, ...]


def _look(case: CaseRef, masks: bool = True) -> _Look:
    from breastseg.preprocess.geometry import resize

    digest, small, shape = "", np.zeros(_SIDE * _SIDE, np.float32), None
    inner = small
    unreadable = []
    try:
        image = case.read_image()
        digest, shape = _digest(image), image.grid.shape
        grey = image.grey()
        small = _standard(resize(grey, (_SIDE, _SIDE)))
        inner = _standard(resize(within_border(grey), (_SIDE, _SIDE)))
    except BreastsegError as error:
        unreadable.append(str(error))
    found = look_at_masks(case, shape) if masks else MaskFindings()
    heed_interruption()
    return _Look(digest, small, inner, found, tuple(unreadable))


def _digest(image: Image) -> str:
    """Of the decoded pixels, so that compression and file dates play no part."""
    array = np.ascontiguousarray(image.array)
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(head + array.tobytes()).hexdigest()


def _standard(small: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = small.astype(np.float64).ravel()
    flat -= flat.mean()
    length = float(np.linalg.norm(flat))
    # Below a thousandth of a grey level it is rounding, not contrast.
    return (flat / length if length > 1e-3 * _SIDE else flat * 0).astype(np.float32)


def _pairs(
    cases: Sequence[CaseRef], looks: Sequence[_Look], min_correlation: float
) -> tuple[Pair, ...]:
    if not 0 < min_correlation <= 1:
        raise DataSetError(f"min_correlation {min_correlation}", "above 0, up to 1")
    if not looks:
        return ()
    small = np.stack([look.small for look in looks])
    found = _correlated(small, small, min_correlation)
    # Copies without contrast correlate with nothing; their digests still agree.
    first: dict[str, list[int]] = {}
    for number, look in enumerate(looks):
        if look.digest:
            same = first.setdefault(look.digest, [])
            found.update({(other, number): 1.0 for other in same})
            same.append(number)
    return tuple(
        _pair(cases[a], cases[b], found[a, b], looks[a].digest == looks[b].digest)
        for a, b in sorted(found)
    )


def _correlated(
    small: NDArray[np.float32], other: NDArray[np.float32], min_correlation: float
) -> dict[tuple[int, int], float]:
    """By two indices, the lower first, where the one of `small` and the other of `other` agree."""
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(small), _ROWS):
        block = small[start : start + _ROWS] @ other.T
        # Rounding may leave a copy a hair short of 1.
        rows, columns = np.nonzero(block >= min_correlation - 1e-6)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if start + row < column:
                found[start + row, column] = min(float(block[row, column]), 1.0)
    return found


def _turned_pairs(
    cases: Sequence[CaseRef], looks: Sequence[_Look], min_correlation: float
) -> tuple[Pair, ...]:
    """The pairs of which one image is the other mirrored or turned by a right angle or two."""
    if not looks:
        return ()
    small = np.stack([look.small for look in looks])
    square = small.reshape(-1, _SIDE, _SIDE)
    found: dict[tuple[int, int], float] = {}
    for mirrored in (square, square[:, :, ::-1]):
        for quarters in range(4):
            if mirrored is square and not quarters:
                continue
            turned = np.rot90(mirrored, quarters, (1, 2)).reshape(len(small), -1)
            for at, value in _correlated(small, turned, min_correlation).items():
                found[at] = max(value, found.get(at, 0.0))
    return tuple(_pair(cases[a], cases[b], found[a, b], False) for a, b in sorted(found))


def _bordered_pairs(
    cases: Sequence[CaseRef], looks: Sequence[_Look], min_correlation: float
) -> tuple[Pair, ...]:
    """The pairs of which what their borders enclose is alike."""
    if not looks:
        return ()
    inner = np.stack([look.inner for look in looks])
    found = _correlated(inner, inner, min_correlation)
    return tuple(_pair(cases[a], cases[b], found[a, b], False) for a, b in sorted(found))


def _named(pairs: Sequence[Pair]) -> list[str]:
    return [f"{pair.first} = {pair.second}" for pair in pairs]


def _pair(a: CaseRef, b: CaseRef, correlation: float, exact: bool) -> Pair:
    return Pair(
        first=a.key,
        second=b.key,
        correlation=correlation,
        exact=exact,
        across_labels=a.label != b.label,
        across_sources=a.source != b.source,
        across_patients=a.patient_key != b.patient_key,
    )


def _groups(pairs: Sequence[Pair]) -> tuple[tuple[str, ...], ...]:
    keys = sorted({key for pair in pairs for key in (pair.first, pair.second)})
    place = {key: number for number, key in enumerate(keys)}
    numbers = components(len(keys), [(place[pair.first], place[pair.second]) for pair in pairs])
    groups: dict[int, list[str]] = {}
    for key, number in zip(keys, numbers, strict=True):
        groups.setdefault(number, []).append(key)
    return tuple(sorted((tuple(group) for group in groups.values()), key=lambda g: (-len(g), g)))
