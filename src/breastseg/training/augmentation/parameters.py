"""What was drawn for a batch: enough to make exactly the same changes again."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from breastseg.core.errors import InputError
from breastseg.training.augmentation.recipe import AugmentationRecipe, Range

# Nodes of the elastic lattice along each axis: bends about a sixth of the image long.
ELASTIC_NODES = 7
# Samples of the speckle field (rows, columns). Stretched over 256 x 256 pixels, a grain is some
# 1.6 px tall and 2.7 px wide: real speckle is wider across the beam than along it.
SPECKLE_SAMPLES = (160, 96)


@dataclass(frozen=True, eq=False)
class Parameters:
    """The drawn values, one row an image; a row that gets no change holds the neutral value.

    All lengths are fractions of the image's, so the same parameters fit any size. Tensors are
    float32 unless stated.

    Attributes:
        horizontal_flip: (n,) bool.
        vertical_flip: (n,) bool.
        rotation_deg: (n,), anticlockwise; 0 is neutral.
        scale: (n,); 1 is neutral.
        shift: (n, 2), down and right; 0 is neutral.
        elastic: (n, 2, nodes, nodes), displacement right and down at each node; 0 is neutral.
        blur_sigma_px: (n,); 0 is neutral.
        speckle_strength: (n,); 0 is neutral.
        speckle_field: (n, 1, rows, columns), standard normal.
        shadow_depth: (n,); 0 is neutral.
        shadow_band: (n, 4): column of the middle at the top, width, slope (columns a row),
            row at which it begins.
        gamma: (n,); 1 is neutral.
        contrast: (n,); 1 is neutral.
        brightness: (n,); 0 is neutral.
        cutout: (n,) bool.
        cutout_boxes: (n, count, 4): first row and column, one-past-last row and column.
        stain: (n, 2), of haematoxylin and of eosin; 1 is neutral.
        margin: (n,) bool; False is neutral.
        lesion_free_seed: (n,) int64, chooses the part without a lesion; 0 is neutral.
        paste_seed: (n,) int64, chooses the lesion that is set in and its place; 0 is neutral.
        marks_seed: (n,) int64, decides what is drawn; 0 is neutral.
        spectrum: (n,), the other image's fraction of the amplitudes; 0 is neutral.
        spectrum_from: (n,), 0 to 1: chooses the other image.
    """

    horizontal_flip: Tensor
    vertical_flip: Tensor
    rotation_deg: Tensor
    scale: Tensor
    shift: Tensor
    elastic: Tensor
    blur_sigma_px: Tensor
    speckle_strength: Tensor
    speckle_field: Tensor
    shadow_depth: Tensor
    shadow_band: Tensor
    gamma: Tensor
    contrast: Tensor
    brightness: Tensor
    cutout: Tensor
    cutout_boxes: Tensor
    stain: Tensor
    margin: Tensor
    lesion_free_seed: Tensor
    paste_seed: Tensor
    marks_seed: Tensor
    spectrum: Tensor
    spectrum_from: Tensor

    def __len__(self) -> int:
        return self.rotation_deg.shape[0]

    def to(self, device: torch.device | str) -> Parameters:
        """The same values on another device."""
        return Parameters(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def row(self, index: int) -> Parameters:
        """The values of one image, as a batch of one."""
        return Parameters(**{f.name: getattr(self, f.name)[index, None] for f in fields(self)})


class _Dice:
    """Draws for n images; a chance of 0 uses as many random numbers as any other."""

    def __init__(self, n: int, generator: torch.Generator) -> None:
        self.n = n
        self.generator = generator

    def uniform(self, span: Range, *shape: int) -> Tensor:
        unit = torch.rand((self.n, *shape), generator=self.generator)
        return span[0] + (span[1] - span[0]) * unit

    def log_uniform(self, span: Range, *shape: int) -> Tensor:
        low, high = torch.tensor(span).log().tolist()
        return self.uniform((low, high), *shape).exp()

    def normal(self, *shape: int) -> Tensor:
        return torch.randn((self.n, *shape), generator=self.generator)

    def chance(self, p: float) -> Tensor:
        return torch.rand(self.n, generator=self.generator) < p

    def seed(self, p: float) -> Tensor:
        """With chance p a seed from 1 on, else 0."""
        seeds = torch.randint(1, 2**62, (self.n,), generator=self.generator)
        return torch.where(self.chance(p), seeds, torch.zeros_like(seeds))

    def gated(self, p: float, value: Tensor, neutral: float) -> Tensor:
        """The value with chance p, else the neutral value."""
        happens = self.chance(p).view(-1, *(1,) * (value.ndim - 1))
        return torch.where(happens, value, torch.tensor(neutral))


def draw(
    recipe: AugmentationRecipe, n: int, generator: torch.Generator, device: torch.device | str
) -> Parameters:
    """Draw the changes for n images.

    Args:
        recipe: chances and ranges.
        n: number of images.
        generator: on the CPU, so that every device sees the same numbers; it is advanced.
        device: where the parameters are put.

    Raises:
        InputError: the generator is not on the CPU.
    """
    if generator.device.type != "cpu":
        raise InputError(f"a generator on {generator.device}", "a generator on the CPU")
    dice = _Dice(n, generator)
    nodes = (2, ELASTIC_NODES, ELASTIC_NODES)
    amplitude = dice.uniform(recipe.elastic_amplitude, 1, 1, 1)
    return Parameters(
        horizontal_flip=dice.chance(recipe.horizontal_flip_p),
        vertical_flip=dice.chance(recipe.vertical_flip_p),
        rotation_deg=dice.gated(recipe.rotation_p, dice.uniform(recipe.rotation_deg), 0.0),
        scale=dice.gated(recipe.scale_p, dice.log_uniform(recipe.scale), 1.0),
        shift=dice.gated(recipe.shift_p, dice.uniform(recipe.shift, 2), 0.0),
        elastic=dice.gated(recipe.elastic_p, amplitude * dice.normal(*nodes), 0.0),
        blur_sigma_px=dice.gated(recipe.blur_p, dice.uniform(recipe.blur_sigma_px), 0.0),
        speckle_strength=dice.gated(recipe.speckle_p, dice.uniform(recipe.speckle_strength), 0.0),
        speckle_field=dice.normal(1, *SPECKLE_SAMPLES),
        shadow_depth=dice.gated(recipe.shadow_p, dice.uniform(recipe.shadow_depth), 0.0),
        shadow_band=_shadow_bands(dice, recipe),
        gamma=dice.gated(recipe.gamma_p, dice.log_uniform(recipe.gamma), 1.0),
        contrast=dice.gated(recipe.contrast_p, dice.uniform(recipe.contrast), 1.0),
        brightness=dice.gated(recipe.brightness_p, dice.uniform(recipe.brightness), 0.0),
        cutout=dice.chance(recipe.cutout_p),
        cutout_boxes=_cutout_boxes(dice, recipe),
        # drawn last, so that recipes without it see the numbers that they always saw
        stain=dice.gated(recipe.stain_p, dice.log_uniform(recipe.stain, 2), 1.0),
        margin=dice.chance(recipe.margin_p),
        lesion_free_seed=dice.seed(recipe.lesion_free_p),
        paste_seed=dice.seed(recipe.paste_p),
        marks_seed=dice.seed(recipe.marks_p),
        spectrum=dice.gated(recipe.spectrum_p, dice.uniform(recipe.spectrum), 0.0),
        spectrum_from=dice.uniform((0.0, 1.0)),
    ).to(device)


def _shadow_bands(dice: _Dice, recipe: AugmentationRecipe) -> Tensor:
    middle = dice.uniform((0.0, 1.0))
    width = dice.uniform(recipe.shadow_width)
    slope = dice.uniform((-0.3, 0.3))  # a curved probe's outer beams run some 17 degrees oblique
    start = dice.uniform((0.0, 0.6))
    return torch.stack((middle, width, slope, start), dim=1)


def _cutout_boxes(dice: _Dice, recipe: AugmentationRecipe) -> Tensor:
    centres = dice.uniform((0.0, 1.0), recipe.cutout_count, 2)
    halves = dice.uniform(recipe.cutout_side, recipe.cutout_count, 2) / 2
    return torch.cat((centres - halves, centres + halves), dim=2)
