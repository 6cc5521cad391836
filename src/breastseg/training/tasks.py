"""Which task a recipe asks for."""

from __future__ import annotations

from torch import nn

from breastseg.training.adversarial import AdversarialTask
from breastseg.training.distillation import DistillationTask
from breastseg.training.instances import InstanceTask
from breastseg.training.masking import MaskingTask
from breastseg.training.prompting import PromptTask
from breastseg.training.recipe import Recipe
from breastseg.training.task import SegmentationTask


def build_task(recipe: Recipe, network: nn.Module, steps_per_epoch: int) -> SegmentationTask:
    """The task of a recipe.

    Args:
        recipe: the run.
        network: to train.
        steps_per_epoch: optimiser steps an epoch.
    """
    kind = SegmentationTask
    if recipe.masking is not None:
        kind = MaskingTask
    elif recipe.prompting is not None:
        kind = PromptTask
    elif recipe.network.name == "mask-rcnn":
        kind = InstanceTask
    elif recipe.adversarial is not None:
        kind = AdversarialTask
    elif recipe.distillation is not None:
        kind = DistillationTask
    return kind(recipe, network, steps_per_epoch)
