"""How often and how strongly each change is made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Strict, Within, check_bounds

Range = tuple[float, float]

Chance = Annotated[float, Within(0, 1)]


@dataclass(frozen=True)
class AugmentationRecipe(Strict):
    """Chances and ranges of the changes; the defaults suit breast ultrasound.

    A field that ends in ``_p`` is the chance, 0 to 1, that one image gets the change. A range is
    (lowest, highest), drawn uniformly; `scale`, `gamma` and `stain` uniformly in their
    logarithm.

    Attributes:
        horizontal_flip_p: mirror left and right.
        vertical_flip_p: mirror top and bottom; 0, since the skin is always at the top.
        rotation_p: turn about the centre.
        rotation_deg: angle in degrees, anticlockwise as displayed; -180 to 180.
        scale_p: enlarge or shrink about the centre.
        scale: factor, above 1 enlarges; 0.1 to 10.
        shift_p: move along both axes.
        shift: distance as a fraction of the axis's length, drawn for each axis; -1 to 1.
        elastic_p: bend smoothly.
        elastic_amplitude: standard deviation of the displacement at the nodes of a coarse
            lattice, as a fraction of the axis's length; 0 to 0.1.
        blur_p: blur by a Gaussian, as a lower-frequency probe would.
        blur_sigma_px: its standard deviation in pixels of the batch; 0.1 to 2.
        speckle_p: multiply by spatially correlated noise.
        speckle_strength: the standard deviation of the grains, relative to the local brightness;
            smoothed over the image's pixels about two thirds of it are left; 0 to 1.
        shadow_p: darken a band with smooth edges below a random depth, as an acoustic shadow.
        shadow_depth: the part of the brightness that is lost at its middle; 0 to 1.
        shadow_width: its width as a fraction of the image's; 0.01 to 1.
        gamma_p: raise the brightness to a power.
        gamma: the power, above 1 darkens; 0.1 to 10.
        contrast_p: stretch about the image's mean.
        contrast: factor, above 1 stretches; 0 to 10.
        brightness_p: add a constant.
        brightness: the constant, as a fraction of full brightness; -1 to 1.
        cutout_p: fill rectangles of the image, not of the mask, with the image's mean.
        cutout_side: length of each side as a fraction of the axis's; 0 to 1.
        cutout_count: rectangles in an image that gets them; 1 to 16.
        stain_p: multiply the amounts of haematoxylin and eosin; 0, since it is for colour alone.
        stain: factor, drawn for each dye, above 1 stains more; 0.1 to 10.
        margin_p: what comes in from outside when an image is moved or shrunk is black, as around a
            scan; otherwise it is the mirror image.
        lesion_free_p: enlarge a part beside the lesion to the whole, so that none is left.
        paste_p: set the lesion of another image of the batch into this one; of one kind of lesion
            on grey images alone, without a teacher or prompts.
        spectrum_p: mix the amplitudes of its frequencies with those of another image of the batch,
            so that it looks as if another scanner had made it; the phases keep edges in place.
        spectrum: the fraction that the other image has in them; 0 to 1.
        marks_p: draw callipers, crosses, dotted lines, boxes and letters.
        unmarked_p: paint out those that the scan came with, as far as they are found.

    Raises:
        RecipeError: a chance outside 0 to 1, or a range that is reversed, not finite or outside
            the limits above.
    """

    horizontal_flip_p: Chance = 0.5
    vertical_flip_p: Chance = 0.0
    rotation_p: Chance = 0.5
    rotation_deg: Annotated[Range, Within(-180, 180)] = (-20.0, 20.0)
    scale_p: Chance = 0.5
    scale: Annotated[Range, Within(0.1, 10)] = (0.75, 1.3)
    shift_p: Chance = 0.5
    shift: Annotated[Range, Within(-1, 1)] = (-0.1, 0.1)
    elastic_p: Chance = 0.2
    elastic_amplitude: Annotated[Range, Within(0, 0.1)] = (0.005, 0.02)
    blur_p: Chance = 0.1
    blur_sigma_px: Annotated[Range, Within(0.1, 2)] = (0.5, 1.5)
    speckle_p: Chance = 0.3
    speckle_strength: Annotated[Range, Within(0, 1)] = (0.05, 0.3)
    shadow_p: Chance = 0.15
    shadow_depth: Annotated[Range, Within(0, 1)] = (0.3, 0.8)
    shadow_width: Annotated[Range, Within(0.01, 1)] = (0.05, 0.25)
    gamma_p: Chance = 0.5
    gamma: Annotated[Range, Within(0.1, 10)] = (0.7, 1.5)
    contrast_p: Chance = 0.5
    contrast: Annotated[Range, Within(0, 10)] = (0.8, 1.2)
    brightness_p: Chance = 0.5
    brightness: Annotated[Range, Within(-1, 1)] = (-0.2, 0.2)
    cutout_p: Chance = 0.1
    cutout_side: Annotated[Range, Within(0, 1)] = (0.05, 0.2)
    cutout_count: Annotated[int, Within(1, 16)] = 3
    stain_p: Chance = 0.0
    stain: Annotated[Range, Within(0.1, 10)] = (0.7, 1.4)
    margin_p: Chance = 0.0
    lesion_free_p: Chance = 0.0
    paste_p: Chance = 0.0
    spectrum_p: Chance = 0.0
    spectrum: Annotated[Range, Within(0, 1)] = (0.0, 1.0)
    marks_p: Chance = 0.0
    unmarked_p: Chance = 0.0

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, tuple) and (len(value) != 2 or value[0] > value[1]):
                raise RecipeError(f"{one.name} = {value}", "(lowest, highest)")

    @classmethod
    def none(cls) -> AugmentationRecipe:
        """No change at all: every chance is 0, and images pass through bit for bit."""
        return cls(
            horizontal_flip_p=0.0,
            vertical_flip_p=0.0,
            rotation_p=0.0,
            scale_p=0.0,
            shift_p=0.0,
            elastic_p=0.0,
            blur_p=0.0,
            speckle_p=0.0,
            shadow_p=0.0,
            gamma_p=0.0,
            contrast_p=0.0,
            brightness_p=0.0,
            cutout_p=0.0,
        )
