"""What training minimises, one loss a file."""

from breastseg.losses.bce import BCELoss
from breastseg.losses.boundary import BoundaryLoss
from breastseg.losses.deep import DeepSupervision
from breastseg.losses.dice import DiceLoss
from breastseg.losses.focal import FocalLoss
from breastseg.losses.tversky import TverskyLoss
from breastseg.losses.weighted import LOSSES, LossRecipe, WeightedLoss, build_loss

__all__ = [
    "LOSSES",
    "BCELoss",
    "BoundaryLoss",
    "DeepSupervision",
    "DiceLoss",
    "FocalLoss",
    "LossRecipe",
    "TverskyLoss",
    "WeightedLoss",
    "build_loss",
]
