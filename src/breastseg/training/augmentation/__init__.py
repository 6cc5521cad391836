"""Random changes to training images: drawn first, recorded, then applied to a batch of tensors."""

from breastseg.training.augmentation.augmentation import Augmentation
from breastseg.training.augmentation.parameters import Parameters
from breastseg.training.augmentation.recipe import AugmentationRecipe

__all__ = ["Augmentation", "AugmentationRecipe", "Parameters"]
