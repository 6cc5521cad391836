"""A second reader of bundles for images, written from `docs/reference/bundle.md` alone.

It uses NumPy and ONNX Runtime and nothing of breastseg. Its use is to hold the page against the
golden vectors, and to show how little a reader in another language needs.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Box = tuple[int, int, int, int]
DEFAULTS = {
    "input": {"size": [256, 256], "intensity": "symmetric", "fit": "stretch", "channels": 1}
    | {"colour": False, "um_per_px": None, "region": "whole"},
    "output": {"threshold": 0.5, "min_score": 0.0, "min_area_fraction": 0.0, "largest_only": False}
    | {"flip_average": False, "temperature": 1.0},
}
KNOWN = {"format", "name", "version", "modality", "summary", "network", "weights_sha256", "labels"}
KNOWN |= {"training_data", "licence", "remarks", "volume", "malignancy", "prompt"}
KNOWN |= {"confidence", "conformal", "extensions"}
KNOWN |= {*DEFAULTS}
DISC = ("     #     ", "  #######  ", " ######### ", *["###########"] * 5)
DISC += (" ######### ", "  #######  ", "     #     ")


def read(folder: Path) -> dict:
    """The description with its defaults; see "bundle.json"."""
    given = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    assert given["format"] == 1
    assert set(given) <= KNOWN
    for part, defaults in DEFAULTS.items():
        assert set(given.get(part, {})) <= set(defaults)
        given[part] = {**defaults, **given.get(part, {})}
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert digest == given["weights_sha256"]
    given.setdefault("labels", {"1": "lesion"})
    return given


def resize(image: Array, rows: int, columns: int) -> Array:
    """See "Resizing"."""
    return along(along(image.T, columns).T, rows)


def along(image: Array, wanted: int) -> Array:
    """The filter along the first axis."""
    given = len(image)
    if given == wanted:
        return image
    step = given / wanted
    reach = max(step, 1.0)
    result = np.empty((wanted, *image.shape[1:]), np.float32)
    for i in range(wanted):
        centre = (i + 0.5) * step
        first = max(0, math.floor(centre - reach + 0.5))
        last = min(given, math.floor(centre + reach + 0.5))
        weights = 1 - np.abs(np.arange(first, last) + 0.5 - centre) / reach
        weights = np.maximum(weights, 0)
        result[i] = weights @ image[first:last] / weights.sum()
    return result


def unit_of(image: NDArray, colour: bool) -> Array:
    """(1 or 3, rows, columns), 0 to 1; see "Grey levels"."""
    if colour:
        whole = image.dtype.kind in "ui"
        unit = image / np.iinfo(image.dtype).max if whole else stretched(image)
        return np.repeat(unit, 3 // len(unit), axis=0).astype(np.float32)
    values = image.astype(np.float64)
    if len(values) == 3:
        values = (0.299 * values[0] + 0.587 * values[1] + 0.114 * values[2])[None]
    return stretched(values)


def stretched(values: NDArray) -> Array:
    finite = np.isfinite(values)
    low, high = (float(f(values[finite])) for f in (np.min, np.max)) if finite.any() else (0.0, 0.0)
    if high == low:
        return np.zeros(values.shape, np.float32)
    inside = np.where(finite, values, low)
    return np.clip((inside - low) / (high - low), 0, 1).astype(np.float32)


def prepare(image: NDArray, spec: dict) -> tuple[Array, Box, Box, bool]:
    """The network's input; the box in the image, the inner part, and whether it is flipped."""
    unit = unit_of(image, spec["colour"])
    whole = (0, 0, *unit.shape[1:])
    box, flipped = breast_box(unit[0]) if spec["region"] == "breast" else (whole, False)
    top, left, height, width = box
    rows, columns = spec["size"]
    h, w = rows, columns
    if spec["fit"] == "pad":
        scale = min(rows / height, columns / width)
        h = min(rows, max(1, round(height * scale)))
        w = min(columns, max(1, round(width * scale)))
    row, column = (rows - h) // 2, (columns - w) // 2
    prepared = np.full((len(unit), rows, columns), float(spec["colour"]), np.float32)
    for channel, into in zip(unit, prepared, strict=True):
        seen = channel[top : top + height, left : left + width]
        seen = seen[:, ::-1] if flipped else seen
        into[row : row + h, column : column + w] = resize(seen, h, w)
    if spec["intensity"] == "symmetric":
        prepared = 2 * prepared - 1
    elif spec["intensity"] == "zscore":
        deviation = prepared.std(dtype=np.float64)
        prepared = (prepared - prepared.mean(dtype=np.float64)) / max(deviation, 1e-6)
        prepared = prepared * (deviation >= 1e-6)
    if not spec["colour"]:
        prepared = np.repeat(prepared, spec["channels"], axis=0)
    return prepared.astype(np.float32), box, (row, column, h, w), flipped


def breast_box(unit: Array) -> tuple[Box, bool]:
    """See "The box around the breast"."""
    height, width = unit.shape
    nothing = (0, 0, height, width), False
    scale = 256 / max(height, width)
    small = resize(unit, max(1, round(height * scale)), max(1, round(width * scale)))
    region = breast(np.sqrt(small))
    if region is None:
        return nothing
    near = [
        np.floor((np.arange(n) + 0.5) * m / n).astype(int)
        for n, m in zip(unit.shape, region.shape, strict=True)
    ]
    region = region[near[0]][:, near[1]]
    if region.all() or not region.any() or np.median(unit[~region]) > 0.25:
        return nothing
    margin = round(0.01 * max(height, width))
    ends = []
    for places, side in ((region.any(axis=1), height), (region.any(axis=0), width)):
        (found,) = np.nonzero(places)
        ends.append((max(0, found[0] - margin), min(side, found[-1] + 1 + margin)))
    (top, bottom), (left, right) = ends
    inside = region[:, left:right]
    half = (right - left) // 2
    flipped = inside[:, half:].sum() > inside[:, :half].sum()
    return (int(top), int(left), int(bottom - top), int(right - left)), bool(flipped)


def breast(root: Array) -> NDArray[np.bool_] | None:
    """The region on the copy; None where there is no breast to tell."""
    if root.max() - root.min() < 0.001:
        return None
    over = root > otsu(root)
    middle = (root[over].mean() + root[~over].mean()) / 2
    high, wide = (max(1, round(0.04 * side)) for side in root.shape)
    strips = (root[:high], root[-high:], root[:, :wide], root[:, -wide:])
    level, upper, lower = min(tuple(np.quantile(s, (0.5, 0.75, 0.25))) for s in strips)
    if upper - lower > 0.25 * (middle - level):
        return None
    bright = root > level + 0.35 * (middle - level)
    parts = list(components(dilated(~dilated(~bright, beyond=True), beyond=False)))
    if not parts:
        return None
    largest = max(parts, key=lambda part: part.sum())
    whole = dilated(largest, beyond=False) & bright
    return to_the_wall(filled(whole))


def otsu(values: Array) -> float:
    counts, edges = np.histogram(values, 256, (values.min(), values.max()))
    centres = (edges[1:] + edges[:-1]) / 2
    best, found = -1.0, centres[0]
    for split in range(1, 256):
        one, two = counts[:split].sum(), counts[split:].sum()
        if one and two:
            means = (
                (counts[:split] @ centres[:split]) / one,
                (counts[split:] @ centres[split:]) / two,
            )
            variance = float(one) * float(two) * (means[0] - means[1]) ** 2
            if variance > best:
                best, found = variance, centres[split - 1]
    return float(found)


def dilated(mask: NDArray[np.bool_], beyond: bool) -> NDArray[np.bool_]:
    """By the disc; `beyond` is what lies outside."""
    rows, columns = mask.shape
    wide = np.pad(mask, 5, constant_values=beyond)
    result = np.zeros_like(mask)
    for i, line in enumerate(DISC):
        for j, sign in enumerate(line):
            if sign == "#":
                result |= wide[i : i + rows, j : j + columns]
    return result


def components(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Parts that touch by a side or a corner, by their first pixel row by row."""
    left = mask.copy()
    for row, column in np.argwhere(mask):
        if left[row, column]:
            part = np.zeros_like(mask)
            waiting = [(row, column)]
            left[row, column] = False
            while waiting:
                y, x = waiting.pop()
                part[y, x] = True
                for near in np.ndindex(3, 3):
                    at = y + near[0] - 1, x + near[1] - 1
                    if 0 <= at[0] < len(mask) and 0 <= at[1] < mask.shape[1] and left[at]:
                        left[at] = False
                        waiting.append(at)
            yield part


def filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without dark parts that do not reach the border by sides."""
    free = np.pad(~mask, 1, constant_values=True)
    outside = np.zeros_like(free)
    outside[0] = outside[-1] = True
    outside[:, 0] = outside[:, -1] = True
    while True:
        grown = outside.copy()
        grown[1:] |= outside[:-1]
        grown[:-1] |= outside[1:]
        grown[:, 1:] |= outside[:, :-1]
        grown[:, :-1] |= outside[:, 1:]
        grown &= free
        if np.array_equal(grown, outside):
            return ~outside[1:-1, 1:-1]
        outside = grown


def to_the_wall(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows = region[region.any(axis=1)]
    if not len(rows):
        return region
    gaps = rows.argmax(axis=1), rows[:, ::-1].argmax(axis=1)
    spread = [np.quantile(gap, 0.75) - np.quantile(gap, 0.25) for gap in gaps]
    if 2 * min(spread) >= max(spread):
        return region
    on_right = bool(spread[1] < spread[0])
    distance = int(np.quantile(gaps[on_right], 0.05))
    result = region[:, ::-1].copy() if on_right else region.copy()
    for line in result:
        (found,) = np.nonzero(line)
        if len(found):
            line[distance : found[-1] + 1] = True
    return result[:, ::-1] if on_right else result


def tempered(maps: Array, temperature: float) -> Array:
    """(1 or K + 1, rows, columns); see "The map"."""
    if temperature == 1:
        return maps
    if len(maps) == 1:
        p = np.clip(maps.astype(np.float64), 1e-7, 1 - 1e-7)
        return (1 / (1 + np.exp(-(np.log(p) - np.log(1 - p)) / temperature))).astype(np.float32)
    powers = np.exp(np.log(np.maximum(maps, 1e-7)) / temperature)
    return (powers / powers.sum(axis=0)).astype(np.float32)


def network_maps(session: object, prepared: Array, output: dict) -> Array:
    """What the network says, with the average of both views."""

    def ask(array: Array) -> Array:
        (found,) = session.run(["probability"], {"image": np.ascontiguousarray(array[None])})
        assert found.min() >= -0.001
        assert found.max() <= 1.001
        return tempered(np.clip(found[0], 0, 1), output["temperature"])

    if (prepared == prepared[:, :1, :1]).all():
        maps = np.zeros_like(ask(prepared))
        maps[0] = len(maps) > 1
        return maps
    maps = ask(prepared)
    if output["flip_average"]:
        maps = (maps + ask(prepared[..., ::-1])[..., ::-1]) / 2
    return maps


def to_image(
    maps: Array, shape: tuple[int, int], box: Box, inner: Box, flipped: bool, output: dict
) -> tuple[Array, Array | None]:
    """The probability of the image, and those of several labels."""
    top, left, height, width = box
    row, column, h, w = inner

    def back(values: Array) -> Array:
        seen = np.clip(resize(values, height, width), 0, 1)
        result = np.zeros(shape, np.float32)
        result[top : top + height, left : left + width] = seen[:, ::-1] if flipped else seen
        return result

    cut = maps[:, row : row + h, column : column + w].astype(np.float32)
    lesion = cut[0].copy() if len(cut) == 1 else 1 - cut[0]
    threshold = np.float32(output["threshold"])
    parts = list(components(lesion >= threshold))
    kept = [
        lesion[part].max() >= np.float32(output["min_score"])
        and part.sum() >= output["min_area_fraction"] * lesion.size
        for part in parts
    ]
    if output["largest_only"] and any(kept):
        areas = [part.sum() if keep else -1 for part, keep in zip(parts, kept, strict=True)]
        kept = [i == areas.index(max(areas)) for i in range(len(parts))]
    peaks = []
    for part, keep in zip(parts, kept, strict=True):
        peak = lesion[part].max()
        if keep:
            r, c = np.argwhere(part & (lesion == peak))[0]
            across = (c + 0.5) * width / w
            across = width - across if flipped else across
            place = top + math.floor((r + 0.5) * height / h), left + math.floor(across)
            peaks.append((place, peak))
        else:
            lesion[part] *= np.float32(0.5) * threshold / peak
    probability = back(lesion)
    for place, peak in peaks:
        if probability[place] < threshold:
            probability[place] = peak
    if len(cut) == 1:
        return probability, None
    each = np.stack([back(values) for values in cut[1:]])
    total = each.sum(axis=0)
    fraction = np.where(total > 0, each / np.where(total > 0, total, 1), 1 / len(each))
    return probability, (fraction * probability).astype(np.float32)


def mask_of(probability: Array, each: Array | None, threshold: float) -> NDArray[np.int64]:
    labels = 1 if each is None else each.argmax(axis=0) + 1
    return np.where(probability >= np.float32(threshold), labels, 0)


def malignancy(
    probability: Array, benign: Array, malignant: Array, threshold: float, scaling: dict | None
) -> float | None:
    """See "Malignancy"."""
    where = (probability >= np.float32(threshold)) & (benign + malignant > 0)
    if not where.any():
        return None
    b, m, weight = (v[where].astype(np.float64) for v in (benign, malignant, probability))
    s = float((weight * m / (b + m)).sum() / weight.sum())
    if scaling is None:
        return s
    s = min(max(s, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-(scaling["slope"] * math.log(s / (1 - s)) + scaling["intercept"])))
