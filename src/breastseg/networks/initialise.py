"""Fine-tune: start a network from a run's weights or a bundle's ONNX file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from breastseg.core.errors import BundleError, RecipeError
from breastseg.networks.onnx_storage import widen_weights
from breastseg.networks.weights import fit_stem

WRAPPER = "network."  # the exported graph holds the network under this name


@dataclass(frozen=True)
class Taken:
    """What a start gave.

    Attributes:
        taken: tensors that were copied.
        left: names of tensors that kept their own start: not there, or of another shape.
        folded: names of normalisations that the file has folded into the convolution before them.
            They shift alone, until `batch_statistics.measure_statistics` has seen images.
    """

    taken: int
    left: tuple[str, ...]
    folded: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line, by parts of the network."""
        parts = Counter(name.partition(".")[0] for name in self.left)
        left = ", ".join(f"{part} ({count})" for part, count in parts.items())
        return f"{self.taken} tensors taken" + (f"; at their own start: {left}" if left else "")


def initialise(network: nn.Module, path: Path) -> Taken:
    """Copy every tensor that fits by name and shape; the others keep their own start.

    So the head may have other classes and the first convolution other channels, but a file that
    fits nowhere is an error.

    Args:
        network: changed in place.
        path: a ``.safetensors`` file of a run, a run folder, a bundle folder, or an ``.onnx`` file.

    Raises:
        RecipeError: nothing there, or less than half of the network's tensors fit.
        BundleError: unreadable.
    """
    file = _file(path)
    folded: tuple[str, ...] = ()
    if file.suffix == ".onnx":
        tensors, folded = _from_onnx(file, network)
    else:
        tensors = _from_safetensors(file)
    state = network.state_dict()
    stem = next(k for k, v in state.items() if v.ndim == 4)
    if stem in tensors:
        tensors[stem] = fit_stem(tensors[stem], state[stem])
    fits = {k: v for k, v in tensors.items() if k in state and state[k].shape == v.shape}
    left = tuple(
        sorted(k for k in state if k not in fits and not k.endswith("num_batches_tracked"))
    )
    if len(fits) < len(left):
        raise RecipeError(
            f"{path}: {len(fits)} of {len(state)} tensors fit the network (first left: {left[0]})",
            "a network of the same architecture",
            "name the recipe's network as the run or bundle does",
        )
    network.load_state_dict(fits, strict=False)
    return Taken(len(fits), left, tuple(norm for norm in folded if f"{norm}.weight" in fits))


def _file(path: Path) -> Path:
    for candidate in (path, path / "weights" / "last.safetensors", path / "model.onnx"):
        if candidate.is_file():
            return candidate
    raise RecipeError(
        f"initial weights {str(path)!r}",
        "a .safetensors file, a run folder, or the folder of a bundle",
        "check the path",
    )


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise BundleError(f"weights {path}: {error}", "a safetensors file") from error
    return tensors


def _from_onnx(path: Path, network: nn.Module) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights of an exported network, and its folded normalisations.

    The export folds batch normalisation into the convolution before it. Here the convolution
    takes the folded weights and the normalisation becomes a shift by the folded bias, so that the
    network computes what the file computes.
    """
    import onnx
    from onnx import numpy_helper
    from onnx.external_data_helper import uses_external_data

    try:
        # a file beside it would be read from wherever the network points to
        graph = onnx.load(path, load_external_data=False).graph
        if any(map(uses_external_data, graph.initializer)):
            raise ValueError("weights lie in other files")
        widen_weights(graph)
    except Exception as error:
        raise BundleError(f"{path}: {error}", "an ONNX file that breastseg exported") from error
    stored = {
        tensor.name.removeprefix(WRAPPER): torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
    }
    tensors = dict(stored)
    for node in graph.node:
        weight = node.input[1].removeprefix(WRAPPER) if len(node.input) > 1 else ""
        if node.op_type not in ("Conv", "ConvTranspose") or weight not in stored:
            continue
        # equal tensors are stored once, under one name, and zeros not at all
        bias = stored.get(node.input[2].removeprefix(WRAPPER)) if len(node.input) > 2 else None
        channels = stored[weight].shape[0 if node.op_type == "Conv" else 1]
        found = torch.zeros(channels) if bias is None else bias
        tensors.setdefault(weight.removesuffix("weight") + "bias", found)
    folded = []
    for convolution, norm in _folded(network):
        bias = tensors.get(f"{convolution}.bias")
        if bias is None or f"{norm}.weight" in stored:
            continue
        module = network.get_submodule(norm)
        assert isinstance(module, nn.BatchNorm2d)
        ones = torch.ones_like(bias)
        tensors |= {
            f"{norm}.weight": ones,
            f"{norm}.bias": bias,
            f"{norm}.running_mean": torch.zeros_like(bias),
            f"{norm}.running_var": ones - module.eps,
        }
        folded.append(norm)
    return tensors, tuple(folded)


def _folded(network: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of each convolution without a bias and the normalisation that follows it."""
    last: tuple[str, int] | None = None
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            last = (name, module.out_channels) if module.bias is None else None
        elif isinstance(module, nn.BatchNorm2d):
            if last is not None and last[1] == module.num_features:
                yield last[0], name
            last = None
