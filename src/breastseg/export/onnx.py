"""A trained network to an ONNX file, its large weights in half the bytes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.core.errors import BundleError
from breastseg.inference.session import INPUT, OUTPUT
from breastseg.io.write import write_bytes
from breastseg.networks.onnx_storage import Precision, store_weights

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18


class WithProbability(nn.Module):
    """A network whose output is a probability."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, *size) float32 to `as_probability` of the network's output."""
        return as_probability(self.network(image))


def as_probability(logits: Tensor) -> Tensor:
    """The maps that an exported network gives.

    Args:
        logits: (N, 1, *size) of lesion, or (N, K + 1, *size) with the background first.

    Returns:
        The sigmoid (N, 1, *size); or the softmax: (N, K + 1, *size) for several classes, and for a
        single one its map alone, (N, 1, *size).
    """
    if logits.shape[1] == 1:
        return torch.sigmoid(logits)
    maps = torch.softmax(logits, dim=1)
    return maps[:, 1:] if logits.shape[1] == 2 else maps


def export_onnx(
    network: nn.Module,
    spec: InputSpec | VolumeSpec,
    path: Path,
    metadata: Mapping[str, str] | None = None,
    precision: Precision = "float16",
    prompt_maps: int = 0,
) -> None:
    """Write a network as ONNX, whole or not at all.

    The graph has one input ``image`` (N, C, *size) float32 with any N, and one output
    ``probability``, see `as_probability`: the sigmoid or softmax is inside, and batch normalisation
    is folded into the convolutions. The network itself is left as it is.

    Args:
        network: to logits (N, 1, *size), or (N, K + 1, *size) with the background first.
        spec: the input's size and channels, of an image or of a patch of a volume.
        path: the file to write.
        metadata: kept in the file, e.g. its name and version.
        precision: of the large weights in the file; see `breastseg.networks.onnx_storage`.
        prompt_maps: channels of a prompt that the network takes besides those of `spec`.

    Raises:
        BundleError: the network's output is not of that shape.
    """
    import onnx

    model = _graph(network, (spec.channels + prompt_maps, *spec.size))
    _strip(model)
    store_weights(model.graph, precision)
    onnx.helper.set_model_props(model, dict(metadata or {}))
    model.producer_name, model.producer_version = "breastseg", ""
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString())


def _graph(network: nn.Module, shape: tuple[int, ...]) -> ModelProto:
    # two images: an export traced with one would fix the batch at one
    example = torch.zeros(2, *shape)
    modes = {module: module.training for module in network.modules()}
    wrapped = WithProbability(network).eval()
    try:
        with torch.no_grad():
            given = tuple(wrapped(example).shape)
        if given[:1] + given[2:] != (2, *shape[1:]):
            raise BundleError(
                f"a network from {tuple(example.shape)} to {given}",
                f"to (2, 1, *{shape[1:]}), or more channels for several classes",
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, about its parts
            program = torch.onnx.export(
                wrapped,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes={"image": {0: torch.export.Dim("N")}},
                verbose=False,
            )
    finally:
        for module, training in modes.items():
            module.training = training
    if program is None:
        raise BundleError("torch.onnx.export gave no program")
    return program.model_proto


def _strip(model: ModelProto) -> None:
    """Remove what says where the code lay when it was traced, and intermediate shapes."""
    model.doc_string = ""
    for holder in (model, model.graph):
        del holder.metadata_props[:]
    del model.graph.value_info[:]
    values = (*model.graph.node, *model.graph.input, *model.graph.output)
    for part in (*values, *model.graph.initializer):
        part.doc_string = ""
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
