"""Masks in the format of COCO's annotations, https://cocodataset.org/#format-data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.measure.polygons import polygons
from breastseg.results.schema import NOTICE


@dataclass(frozen=True, eq=False)
class CocoImage:
    """An image and its lesions.

    Attributes:
        name: of its file.
        shape: (rows, columns).
        regions: one a lesion, bool of that shape.
    """

    name: str
    shape: tuple[int, int]
    regions: Sequence[NDArray[np.bool_]] = field(repr=False)


def coco_json(images: Iterable[CocoImage], target: str) -> bytes:
    """Images and their lesions, numbered from 1.

    Args:
        images: in the order of their numbers.
        target: what is outlined.
    """
    listed: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, one in enumerate(images, start=1):
        rows, columns = one.shape
        listed.append({"id": number, "file_name": one.name, "height": rows, "width": columns})
        for region in one.regions:
            annotations.append(_annotation(len(annotations) + 1, number, region))
    content = {
        "info": {"description": NOTICE, "version": __version__},
        "images": listed,
        "categories": [{"id": 1, "name": target}],
        "annotations": annotations,
    }
    return json.dumps(content).encode()


def _annotation(number: int, image: int, region: NDArray[np.bool_]) -> dict[str, object]:
    """One lesion: polygons of (x, y), or run lengths where polygons would be another mask.

    That is where it has holes, and where pixels touch by a corner alone, which polygons would join.
    """
    traced = polygons(region)
    rows, columns = np.nonzero(region)
    row, column = int(rows.min()), int(columns.min())
    segmentation: object
    area = int(region.sum())
    if any(one.holes for one in traced) or sum(one.area_px for one in traced) != area:
        segmentation = {"size": list(region.shape), "counts": _run_lengths(region)}
    else:
        segmentation = [one.outer[:, ::-1].ravel().tolist() for one in traced]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "area": area,
        "bbox": [column, row, int(columns.max()) + 1 - column, int(rows.max()) + 1 - row],
        "segmentation": segmentation,
    }


def _run_lengths(region: NDArray[np.bool_]) -> list[int]:
    """Lengths of runs down the columns, background first."""
    flat = region.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    lengths: list[int] = np.diff([0, *ends.tolist(), flat.size]).tolist()
    return [0, *lengths] if flat[0] else lengths
