"""Training a network that takes a click or a box.

The network sees the image and three maps of the prompt (`breastseg.preprocess.prompt_maps`). Some
samples show the frame around one lesion with a box or clicks, some the whole image with them, and
some the whole image without a prompt, where all lesions are wanted. A part of the batches gets the
click of a reader who corrects the network's own mask, after Sofiiuk et al. 2022 (RITM),
doi:10.1109/ICIP46576.2022.9897365.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from breastseg.losses.inputs import IGNORED
from breastseg.preprocess.prompt_maps import CHANNELS
from breastseg.training.augmentation.geometry import fractions, masks_of
from breastseg.training.averaging import Batch, mixed
from breastseg.training.sampler import IGNORED_LABEL, lesion_map
from breastseg.training.simulated_prompts import (
    Frame,
    SimulatedPrompt,
    choose_lesion,
    correct,
    frame_around,
    simulate,
)
from breastseg.training.task import SegmentationTask

_WHOLE: Frame = (0.0, 0.0, 1.0, 1.0)


class PromptTask(SegmentationTask):
    """Trains with simulated prompts; validates without one, as the automatic network."""

    def ready(self, batch: Batch, batch_index: int) -> Batch:
        """Choose lesions and frames, augment, and draw the prompts.

        Args:
            batch: images (N, 1, rows, columns) and labels, both uint8, at the stored size.
            batch_index: within the epoch.

        Returns:
            (N, 1 + 3, rows, columns) and targets (N, 1, rows, columns), 0 or 1 or `IGNORED`, at the
            network's size.
        """
        recipe = self.recipe.prompting
        assert recipe is not None
        generator = np.random.default_rng(
            mixed(self.recipe.seed, self.current_epoch, self.global_rank, batch_index, 7)
        )
        small = self.current_epoch < self.recipe.small_epochs
        size = self.recipe.small_size if small else self.recipe.input.size
        unit, wanted, meant = self._framed(batch, size, generator)
        drawn = self.augmentation.draw(len(unit), self.batch_generator(batch_index), unit.device)
        with torch.autocast(unit.device.type, enabled=False):
            unit, wanted = self.augmentation.apply(unit, wanted, drawn)
        prompts: list[SimulatedPrompt] = []
        targets = wanted[:, 1:].clone()
        # prompts are drawn on the CPU, wherever the images are
        for row, (one, every) in enumerate(wanted.cpu().numpy()):
            lesion = one >= 0.5
            if not meant[row] or lesion.sum() < 12:
                prompts.append(SimulatedPrompt())
                continue
            chances = recipe.box_fraction, recipe.tight_fraction
            prompts.append(simulate(lesion, every, generator, *chances))
            targets[row] = wanted[row, :1]
        inputs = self._with_prompts(unit, prompts)
        if generator.random() < recipe.corrected_fraction:
            inputs = self._corrected(unit, inputs, targets, prompts, int(generator.integers(1, 4)))
        return inputs, targets

    def _framed(
        self, batch: Batch, size: tuple[int, int], generator: np.random.Generator
    ) -> tuple[Tensor, Tensor, list[bool]]:
        """Images at the network's size, masks of the lesion meant and of all, and who is meant."""
        recipe = self.recipe.prompting
        assert recipe is not None
        units, masks, meant = [], [], []
        for image, label in zip(batch[0], batch[1].cpu(), strict=True):
            stored = label[0].numpy()
            lesions = lesion_map(stored)
            frame, lesion = _WHOLE, lesions
            asked = bool(lesions.any()) and generator.random() >= recipe.automatic_fraction
            if asked:
                lesion = choose_lesion(lesions, generator)
                if generator.random() < recipe.frame_fraction:
                    frame = frame_around(lesion, generator, recipe.frame)
            pair = np.stack((lesion, lesions)).astype(np.float32)
            pair[:, stored == IGNORED_LABEL] = IGNORED
            units.append(_cut(image.float() / 255, frame, size))
            parts = fractions(torch.from_numpy(pair)[None])[0]
            masks.append(masks_of(_cut(parts, frame, size)[None], 2)[0])
            meant.append(asked)
        return torch.stack(units), torch.stack(masks).to(batch[0].device), meant

    def _with_prompts(self, unit: Tensor, prompts: list[SimulatedPrompt]) -> Tensor:
        size = (unit.shape[2], unit.shape[3])
        maps = torch.from_numpy(np.stack([prompt.maps(size) for prompt in prompts]))
        joined = torch.cat((super().inputs(unit), maps.to(unit)), dim=1)
        return joined.contiguous(memory_format=torch.channels_last)

    def _corrected(
        self,
        unit: Tensor,
        inputs: Tensor,
        targets: Tensor,
        prompts: list[SimulatedPrompt],
        clicks: int,
    ) -> Tensor:
        truth = targets[:, 0].cpu().numpy() >= 0.5
        for _ in range(clicks):
            with torch.no_grad():
                # where nothing is known no reader corrects
                found = (self.average(inputs).float() >= 0) & (targets >= 0)
            predicted = found.cpu().numpy()
            for row, prompt in enumerate(prompts):
                if prompt.box is not None or prompt.inside:
                    correct(prompt, truth[row], predicted[row, 0])
            inputs = self._with_prompts(unit, prompts)
        return inputs

    def inputs(self, unit: Tensor) -> Tensor:
        """Images in [0, 1] without a prompt, as the network wants them."""
        blank = unit.new_zeros(len(unit), CHANNELS, *unit.shape[2:])
        joined = torch.cat((super().inputs(unit), blank), dim=1)
        return joined.contiguous(memory_format=torch.channels_last)


def _cut(channels: Tensor, frame: Frame, size: tuple[int, int]) -> Tensor:
    """The frame of (C, rows, columns), brought to a size with a filter against aliasing."""
    rows, columns = channels.shape[1:]
    top, bottom = round(frame[0] * rows), max(round(frame[2] * rows), round(frame[0] * rows) + 1)
    left = round(frame[1] * columns)
    right = max(round(frame[3] * columns), left + 1)
    part = channels[None, :, top:bottom, left:right]
    return functional.interpolate(part, size, mode="bilinear", antialias=True)[0]
