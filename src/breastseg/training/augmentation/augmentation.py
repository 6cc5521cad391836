"""The whole of it: draw, then apply."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from breastseg.core.errors import GeometryError
from breastseg.training.augmentation import geometry, intensity, lesions, spectrum, stain
from breastseg.training.augmentation.marks import marks
from breastseg.training.augmentation.parameters import Parameters, draw
from breastseg.training.augmentation.recipe import AugmentationRecipe


@dataclass(frozen=True)
class Augmentation:
    """Changes a batch of images and their masks at random, on the tensors' own device.

    Drawing is apart from applying (as in TorchIO, doi:10.1016/j.cmpb.2021.106236), so what was
    done to an image is recorded and can be done again.

    Attributes:
        recipe: chances and ranges.
    """

    recipe: AugmentationRecipe

    def draw(
        self, n: int, generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> Parameters:
        """Draw the changes for n images.

        Args:
            n: number of images.
            generator: on the CPU, so that every device sees the same numbers; it is advanced.
            device: where the images are.

        Raises:
            InputError: the generator is not on the CPU.
        """
        return draw(self.recipe, n, generator, device)

    def apply(
        self, images: Tensor, masks: Tensor, parameters: Parameters, soft: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Make the drawn changes; the inputs are not changed.

        The order is that of a scan: the tissue moves (flip, then warp), looks as on another
        machine and is stained, the probe sees it (blur, speckle, shadow), the machine's knobs
        follow (gamma, contrast, brightness), and cut-out comes last.

        Args:
            images: (N, C, H, W) float32, 0 to 1.
            masks: (N, K, H, W) float32, 0 or 1: one a class; or
                `breastseg.losses.inputs.IGNORED` in all of a pixel of which nothing is known.
            parameters: N rows, on the same device.
            soft: so many of the last masks are probabilities, 0 to 1, and stay so.

        Returns:
            Images and masks of the same shapes, dtypes and ranges. They may share memory with the
            inputs where nothing was done.

        Raises:
            GeometryError: shapes that do not fit each other.
        """
        n, _, height, width = images.shape
        fits = masks.ndim == 4 and masks.shape[0] == n and masks.shape[2:] == (height, width)
        if not fits or len(parameters) != n or not 0 <= soft <= masks.shape[1]:
            raise GeometryError(
                f"images of shape {tuple(images.shape)}, masks of {tuple(masks.shape)} and "
                f"parameters for {len(parameters)}",
                "images (N, C, H, W), masks (N, K, H, W) and N rows of parameters",
            )
        images, masks = lesions.lesion_free(images, masks, parameters)
        images, masks = lesions.paste(images, masks, parameters, soft)
        images, masks = geometry.flip(images, parameters), geometry.flip(masks, parameters)
        images, masks = geometry.warp(images, masks, parameters, soft)
        images = spectrum.spectrum(images, parameters)
        images = stain.stain(images, parameters)
        images = intensity.blur(images, parameters)
        images = intensity.speckle(images, parameters)
        images = intensity.shadow(images, parameters)
        images = intensity.gamma(images, parameters)
        images = intensity.contrast_brightness(images, parameters)
        images = intensity.cutout(images, parameters)
        images = marks(images, masks, parameters)
        return images, masks
