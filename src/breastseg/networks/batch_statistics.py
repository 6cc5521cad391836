"""Batch statistics for a network that begins from an exported file, which has folded them away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn


class _Flow:
    """What flows into one normalisation: count, sum and sum of squares of each channel."""

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.sums = torch.zeros(2, channels, dtype=torch.float64)

    def add(self, values: Tensor) -> None:
        wide = values.double()
        self.count += values.numel() // values.shape[1]
        self.sums += torch.stack((wide.sum(dim=(0, 2, 3)), wide.square().sum(dim=(0, 2, 3))))

    @property
    def statistics(self) -> tuple[Tensor, Tensor]:
        mean, square = self.sums / max(1, self.count)
        return mean, (square - mean.square()).clamp_min(0)


def measure_statistics(
    network: nn.Module, folded: Sequence[str], batches: Iterable[Tensor]
) -> None:
    """Normalise by what flows into each folded normalisation; scale and shift undo it.

    In evaluation the network computes what it did. In training a batch is normalised by its own
    statistics, and without this the first step would already be that of another network: every
    layer would lose the scale and the mean that the next one was trained on.

    Args:
        network: changed in place; its mode stays.
        folded: names of its normalisations (`BatchNorm2d`) that shift alone, as
            `initialise.Taken.folded` has them.
        batches: images as the network takes them, (N, C, rows, columns).
    """
    norms = {name: network.get_submodule(name) for name in folded}
    flows: dict[str, _Flow] = {}
    hooks = []
    for name, norm in norms.items():
        assert isinstance(norm, nn.BatchNorm2d)
        flows[name] = _Flow(norm.num_features)
        hooks.append(norm.register_forward_pre_hook(partial(_seen, flows[name])))
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            for images in batches:
                network(images)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(training)
    for name, norm in norms.items():
        assert isinstance(norm, nn.BatchNorm2d)
        _take(norm, *flows[name].statistics)


def _seen(flow: _Flow, _norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    flow.add(inputs[0])


def _take(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean.to(norm.bias))
