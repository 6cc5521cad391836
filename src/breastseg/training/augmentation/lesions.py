"""Images with fewer and with more lesions: parts without one, and lesions set into others."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from numpy.typing import NDArray
from torch import Tensor

from breastseg.core.box import Box
from breastseg.core.regions import connected_regions
from breastseg.training.augmentation.parameters import Parameters

_MARGIN = 0.05
"""What is kept away from a lesion, as a fraction of the axis: its rim and halo count as lesion."""
_LEAST_SIDE = 0.3
"""A part's side as a fraction of the image's: in less there is no anatomy."""
_MOST_STRETCH = 1.7
_FEATHER = 0.12
"""Width of the seam of a lesion that is set in, as a fraction of its own size."""


def lesion_free(images: Tensor, masks: Tensor, parameters: Parameters) -> tuple[Tensor, Tensor]:
    """Enlarge a part that holds no lesion to the whole; rows without such a part are left.

    Where nothing is known there may be one.

    Args:
        images: (N, C, H, W) float32, 0 to 1.
        masks: (N, K, H, W) float32.
        parameters: N rows; `lesion_free_seed` chooses the part.
    """
    rows = (parameters.lesion_free_seed != 0).nonzero().squeeze(1).tolist()
    if not rows:
        return images, masks
    images, masks = images.clone(), masks.clone()
    size = images.shape[2:]
    for row in rows:
        generator = np.random.default_rng(int(parameters.lesion_free_seed[row]))
        # a teacher's map is never 0
        lesion = ((masks[row] >= 0.5) | (masks[row] < 0)).any(dim=0)
        part = free_part(lesion.cpu().numpy(), generator)
        if part is None:
            continue
        rows_there, columns_there = part.slices
        cut = images[row : row + 1, :, rows_there, columns_there]
        images[row] = F.interpolate(cut, size=size, mode="bilinear", align_corners=False)[0]
        masks[row] = 0
    return images, masks


def free_part(lesion: NDArray[np.bool_], generator: np.random.Generator) -> Box | None:
    """A random box beside the lesion's.

    None where there is no lesion, or no room of `_LEAST_SIDE` beside it.
    """
    around = Box.around(lesion)
    if around is None:
        return None
    height, width = lesion.shape
    row0, column0, row1, column1 = around
    top, bottom = row0 - _MARGIN * height, row1 + _MARGIN * height
    left, right = column0 - _MARGIN * width, column1 + _MARGIN * width
    rooms = [
        (0.0, 0.0, top, width),
        (bottom, 0.0, height, width),
        (0.0, 0.0, height, left),
        (0.0, right, height, width),
    ]
    wide = [
        room
        for room in rooms
        if room[2] - room[0] >= _LEAST_SIDE * height and room[3] - room[1] >= _LEAST_SIDE * width
    ]
    if not wide:
        return None
    room = wide[generator.integers(len(wide))]
    rows_there, columns_there = room[2] - room[0], room[3] - room[1]
    tall = generator.uniform(_LEAST_SIDE, rows_there / height)
    low, high = tall / _MOST_STRETCH, tall * _MOST_STRETCH
    broad = generator.uniform(
        min(max(low, _LEAST_SIDE), columns_there / width), min(high, columns_there / width)
    )
    row = room[0] + generator.uniform() * (rows_there - tall * height)
    column = room[1] + generator.uniform() * (columns_there - broad * width)
    first_row, first_column = int(np.ceil(row)), int(np.ceil(column))
    return Box.of(
        first_row,
        first_column,
        int(min(room[2], first_row + tall * height)),
        int(min(room[3], first_column + broad * width)),
    )


def paste(
    images: Tensor, masks: Tensor, parameters: Parameters, soft: int = 0
) -> tuple[Tensor, Tensor]:
    """Set the lesion of another image of the batch into this one, with a soft seam.

    The lesion is brought to the brightness of the place where it comes to lie. Nothing happens
    where the other image has no lesion, or several classes or a teacher's map are trained on, nor
    where pixels of which nothing is known would be pasted with it or be covered.

    Args:
        images: (N, C, H, W) float32, 0 to 1.
        masks: (N, K, H, W) float32.
        parameters: N rows; `paste_seed` chooses the other image, the place and the size.
        soft: as for `Augmentation.apply`.
    """
    rows = (parameters.paste_seed != 0).nonzero().squeeze(1).tolist()
    if not rows or masks.shape[1] != 1 or soft or images.shape[1] != 1:
        return images, masks
    before, lesions = images, masks
    images, masks = images.clone(), masks.clone()
    for row in rows:
        generator = np.random.default_rng(int(parameters.paste_seed[row]))
        donor = int(generator.integers(len(before)))
        lesion = lesions[donor, 0].cpu().numpy()
        if donor == row or not (lesion >= 0.5).any():
            continue
        seam = _set_in(
            images[row, 0].cpu().numpy(),
            masks[row, 0].cpu().numpy(),
            before[donor, 0].cpu().numpy(),
            lesion,
            generator,
        )
        if seam is not None:
            images[row, 0] = torch.from_numpy(seam[0]).to(images)
            masks[row, 0] = torch.from_numpy(seam[1]).to(masks)
    return images, masks


def _set_in(
    image: NDArray[np.float32],
    mask: NDArray[np.float32],
    donor: NDArray[np.float32],
    lesion: NDArray[np.float32],
    generator: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """The image and the mask with the lesion in it; None where it finds no place."""
    largest = connected_regions(lesion >= 0.5).largest()
    around = Box.around(largest)
    if around is None:
        return None
    wide = around.padded(*(round(0.3 * side) + 2 for side in around.shape)).within(lesion.shape)
    part = wide or around
    if (lesion[part.slices] < 0).any():
        return None
    scale = float(np.exp(generator.uniform(np.log(0.4), np.log(1.1))))
    size = (max(8, round(part.shape[1] * scale)), max(8, round(part.shape[0] * scale)))
    if size[0] >= image.shape[1] or size[1] >= image.shape[0]:
        return None
    cut = cv2.resize(donor[part.slices], size, interpolation=cv2.INTER_AREA)
    own = largest[part.slices].astype(np.float32)
    shape = cv2.resize(own, size, interpolation=cv2.INTER_AREA)
    if generator.random() < 0.5:
        cut, shape = cut[:, ::-1], shape[:, ::-1]
    at_row = int(generator.integers(image.shape[0] - size[1]))
    at_column = int(generator.integers(image.shape[1] - size[0]))
    place = (slice(at_row, at_row + size[1]), slice(at_column, at_column + size[0]))
    if mask[place].any():
        return None
    inner = (shape >= 0.5).astype(np.uint8)
    sigma = max(1.0, _FEATHER * min(size))
    reach = 2 * round(sigma) + 1
    alpha = cv2.GaussianBlur(
        cv2.dilate(inner, np.ones((reach, reach), np.uint8)).astype(np.float32), (0, 0), sigma
    )
    alpha = np.maximum(alpha, inner.astype(np.float32) * 0.95)
    border = np.ones(alpha.shape, np.float32)
    border[0], border[-1], border[:, 0], border[:, -1] = 0, 0, 0, 0
    alpha = alpha * cv2.GaussianBlur(border, (0, 0), 1.0)
    around = inner == 0
    if not around.any():  # a lesion that fills its image: nothing tells how bright it is there
        return None
    gain = np.clip((image[place][around].mean() + 0.02) / (cut[around].mean() + 0.02), 0.4, 2.5)
    result, label = image.copy(), mask.copy()
    result[place] = (1 - alpha) * image[place] + alpha * np.clip(cut * gain, 0, 1)
    label[place] = np.maximum(label[place], inner)
    return result, label
