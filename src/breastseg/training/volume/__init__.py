"""Training on volumes: recipe, patches, task, run."""

from breastseg.training.volume.fit import fit_volume
from breastseg.training.volume.recipe import VolumeRecipe, is_volume_recipe, read_volume_recipe

__all__ = ["VolumeRecipe", "fit_volume", "is_volume_recipe", "read_volume_recipe"]
