"""Callipers, crosses, dotted lines, boxes and letters, as a machine burns them into a scan.

Drawn on images with and without a lesion alike, so that they mean nothing to the network.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from breastseg.training.augmentation.parameters import Parameters

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX)
_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789.:+x- "


def marks(images: Tensor, masks: Tensor, parameters: Parameters) -> Tensor:
    """Draw marks into the rows that are to have some; masks stay as they are.

    Args:
        images: (N, C, H, W) float32, 0 to 1.
        masks: (N, K, H, W) float32, 0 or 1; a fifth of all pairs of callipers stand at the ends
            of a lesion where there is one.
        parameters: N rows; `marks_seed` decides every stroke.

    Returns:
        The same shape, 0 to 1; a row without marks comes back bit for bit.
    """
    rows = (parameters.marks_seed != 0).nonzero().squeeze(1).tolist()
    if not rows:
        return images
    drawn = images.clone()
    for row in rows:
        generator = np.random.default_rng(int(parameters.marks_seed[row]))
        lesion = masks[row].amax(dim=0).cpu().numpy() >= 0.5
        ink, light = _strokes(lesion, generator)
        ink_here = torch.from_numpy(ink).to(images.device)
        drawn[row] = images[row] * (1 - ink_here) + light * ink_here
    return drawn


def _strokes(
    lesion: NDArray[np.bool_], generator: np.random.Generator
) -> tuple[NDArray[np.float32], float]:
    """How much ink each pixel gets, (H, W) 0 to 1, and how bright the ink is."""
    ink = np.zeros(lesion.shape, np.uint8)
    unit = max(lesion.shape) / 256
    for _ in range(generator.integers(1, 4)):
        kind = generator.random()
        if kind < 0.6:
            _callipers(ink, lesion, unit, generator)
        elif kind < 0.8:
            _text(ink, unit, generator)
        elif kind < 0.9:
            _box(ink, generator)
        else:
            _cross(ink, _anywhere(lesion.shape, generator), unit, generator)
    softened = cv2.GaussianBlur(ink, (3, 3), 0.5) if generator.random() < 0.5 else ink
    fraction = np.asarray(softened, np.float32) / np.float32(255)
    return fraction, float(generator.uniform(0.65, 1.0))


def _anywhere(shape: tuple[int, ...], generator: np.random.Generator) -> tuple[float, float]:
    return generator.uniform(0, shape[0]), generator.uniform(0, shape[1])


def _callipers(
    ink: NDArray[np.uint8],
    lesion: NDArray[np.bool_],
    unit: float,
    generator: np.random.Generator,
) -> None:
    """Two marks, often with a dotted line between them."""
    rows, columns = np.nonzero(lesion)
    if rows.size and generator.random() < 0.2:
        pick = generator.integers(rows.size, size=12)
        points = np.stack((rows[pick], columns[pick]), axis=1).astype(float)
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        first, second = np.unravel_index(int(apart.argmax()), apart.shape)
        start, end = tuple(points[first]), tuple(points[second])
    else:
        start = _anywhere(ink.shape, generator)
        angle, length = generator.uniform(0, np.pi), generator.uniform(0.08, 0.5) * max(ink.shape)
        end = (start[0] + length * np.sin(angle), start[1] + length * np.cos(angle))
    state = generator.bit_generator.state
    for point in (start, end):
        generator.bit_generator.state = state  # both marks look the same
        _cross(ink, point, unit, generator)
    if generator.random() < 0.6:
        steps = max(2, int(np.hypot(end[0] - start[0], end[1] - start[1]) / (4 * unit)))
        for fraction in np.linspace(0, 1, steps):
            row = start[0] + fraction * (end[0] - start[0])
            column = start[1] + fraction * (end[1] - start[1])
            cv2.circle(ink, (round(column), round(row)), 0, 255, -1)


def _cross(
    ink: NDArray[np.uint8],
    point: tuple[float, float],
    unit: float,
    generator: np.random.Generator,
) -> None:
    row, column = round(point[0]), round(point[1])
    arm = max(2, round(generator.uniform(2, 6) * unit))
    thickness = 1 if generator.random() < 0.7 else 2
    shape = (cv2.MARKER_CROSS, cv2.MARKER_TILTED_CROSS, cv2.MARKER_SQUARE)[
        generator.choice(3, p=(0.6, 0.3, 0.1))
    ]
    cv2.drawMarker(ink, (column, row), 255, shape, 2 * arm, thickness)


def _text(ink: NDArray[np.uint8], unit: float, generator: np.random.Generator) -> None:
    words = "".join(generator.choice(list(_LETTERS), size=generator.integers(1, 14)))
    row, column = _anywhere(ink.shape, generator)
    font = _FONTS[generator.integers(len(_FONTS))]
    size = float(generator.uniform(0.25, 0.6) * unit)
    cv2.putText(ink, words, (round(column), round(row)), font, size, 255, 1)


def _box(ink: NDArray[np.uint8], generator: np.random.Generator) -> None:
    row, column = _anywhere(ink.shape, generator)
    height, width = generator.uniform(0.1, 0.5, size=2) * ink.shape
    far = (round(column + width), round(row + height))
    cv2.rectangle(ink, (round(column), round(row)), far, 255, 1)
