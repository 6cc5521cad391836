"""Boxes and masks of a fixed number of detections an image, in steps that ONNX knows.

A library's suppression of overlapping boxes returns as many as are left, image by image. Here an
image always has the same number of slots, some of them empty: whole batches are computed at once,
and a graph of it takes batches of any size. Boxes are (x0, y0, x1, y1) in pixels, where x0 = 0 is
the left edge of the first pixel and x1 = W the right edge of the last.
"""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 16
THINNEST_PX = 1e-2


def overlaps(boxes: Tensor) -> Tensor:
    """Intersection over union of every two boxes of an image.

    Args:
        boxes: (N, M, 4) float.

    Returns:
        (N, M, M) float, 0 to 1; 0 for boxes without an area.
    """
    low = torch.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
    high = torch.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
    shared = (high - low).clamp_min(0).prod(dim=-1)
    area = (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(dim=-1)
    union = area[:, :, None] + area[:, None, :] - shared
    return shared / union.clamp_min(torch.finfo(boxes.dtype).tiny)


def unsuppressed(boxes: Tensor, valid: Tensor, largest: float) -> Tensor:
    """Non-maximum suppression: which boxes overlap no better one that is itself kept.

    "Kept" is the one solution of kept[i] = valid[i] and no j < i with kept[j] overlaps i. Starting
    from all valid boxes, each round of that equation settles every box one step further down a
    chain of boxes that suppress one another, so `ROUNDS` rounds give what the greedy procedure
    gives wherever no such chain is longer; among hundreds of boxes chains have a handful.

    Args:
        boxes: (N, M, 4), the best first.
        valid: (N, M) bool, False for boxes that neither stay nor suppress.
        largest: intersection over union up to which both boxes stay.

    Returns:
        (N, M) bool.
    """
    clash = overlaps(boxes) > largest
    better = torch.ones(clash.shape[1:], dtype=torch.bool, device=boxes.device).tril(-1)
    suppresses = (clash & better).to(boxes.dtype)
    start = valid.to(boxes.dtype)[..., None]
    kept = start
    for _ in range(ROUNDS):
        kept = torch.relu(start - suppresses @ kept)  # 1 where none that is kept suppresses it
    return kept[..., 0] > 0.5


def clipped(boxes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Boxes cut at the image's border.

    Args:
        boxes: (..., 4).
        size: (rows, columns) of the image.

    Returns:
        The boxes, and (...) bool: those at least `THINNEST_PX` wide and high.
    """
    rows, columns = size
    x = boxes[..., 0::2].clamp(0, columns)
    y = boxes[..., 1::2].clamp(0, rows)
    inside = torch.stack((x[..., 0], y[..., 0], x[..., 1], y[..., 1]), dim=-1)
    sides = inside[..., 2:] - inside[..., :2]
    return inside, (sides >= THINNEST_PX).all(dim=-1)


def chosen(values: Tensor, index: Tensor) -> Tensor:
    """Rows of each image's table.

    Args:
        values: (N, M) or (N, M, D).
        index: (N, K) int64.

    Returns:
        (N, K) or (N, K, D).
    """
    if values.ndim == 2:
        return values.gather(1, index)
    return values.gather(1, index[..., None].expand(-1, -1, values.shape[2]))


def pasted(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Stretch masks over their boxes, on the image's pixels.

    Bilinear on the centres of cells and pixels, 0 outside the box: what
    ``torch.nn.functional.grid_sample`` computes with half-pixel centres and a zero border, as two
    matrix products.

    Args:
        masks: (N, K, cells, cells) float.
        boxes: (N, K, 4).
        size: (rows, columns) of the image.

    Returns:
        (N, K, rows, columns) float.
    """
    down = _hat_weights(boxes[..., 1], boxes[..., 3], masks.shape[2], size[0])
    across = _hat_weights(boxes[..., 0], boxes[..., 2], masks.shape[3], size[1])
    return down @ masks @ across.transpose(-1, -2)


def _hat_weights(start: Tensor, stop: Tensor, cells: int, length: int) -> Tensor:
    """How much each cell counts for each pixel along one axis, (N, K, length, cells)."""
    pixels = torch.arange(length, dtype=start.dtype, device=start.device) + 0.5
    steps = torch.arange(cells, dtype=start.dtype, device=start.device) + 0.5
    extent = (stop - start).clamp_min(THINNEST_PX)[..., None]
    position = (pixels - start[..., None]) / extent * cells
    return (1 - (position[..., None] - steps).abs()).clamp_min(0)
