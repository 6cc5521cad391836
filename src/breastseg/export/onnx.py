"""A trained network to an ONNX file, its large weights in half the bytes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.core.errors import BundleError
from breastseg.inference.session import INPUT, OUTPUT
from breastseg.io.write import write_bytes

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

OPSET = 18
Precision = Literal["float16", "float32"]
"""How a file stores the large weights; the network computes in float32 either way."""
# Values. The few large tensors hold most of the bytes, the many small ones (a depthwise kernel, a
# bias) most of the rounding error: with 256 here a probability moved by .011, so by .0007.
SMALLEST_HALVED = 100_000
LARGE_SHARE = 50  # in a small network, a tensor of this part of all values is large already
LARGEST_FLOAT16 = 65504.0


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
        precision: float16 stores the larger weights so, each followed by a Cast to float32. ONNX
            Runtime undoes that once, when it loads the file, and computes in float32: the file
            is smaller, and the result that of weights rounded to 11 significant bits.

    Raises:
        BundleError: the network's output is not of that shape.
    """
    import onnx

    model = _graph(network, spec)
    _strip(model)
    if precision == "float16":
        halve_weights(model.graph)
    onnx.helper.set_model_props(model, dict(metadata or {}))
    model.producer_name, model.producer_version = "breastseg", ""
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString())


def _graph(network: nn.Module, spec: InputSpec | VolumeSpec) -> ModelProto:
    # two images: an export traced with one would fix the batch at one
    example = torch.zeros(2, spec.channels, *spec.size)
    modes = {module: module.training for module in network.modules()}
    wrapped = WithProbability(network).eval()
    try:
        with torch.no_grad():
            shape = tuple(wrapped(example).shape)
        if shape[:1] + shape[2:] != (2, *spec.size):
            raise BundleError(
                f"a network from {tuple(example.shape)} to {shape}",
                f"to (2, 1, *{spec.size}), or more channels for several classes",
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


def halve_weights(graph: GraphProto) -> None:
    """Store float32 initialisers as float16 and a Cast, in place.

    Small ones are left, and so are those that float16 cannot hold.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    floats = [t for t in graph.initializer if t.data_type == TensorProto.FLOAT]
    total = sum(numpy_helper.to_array(tensor).size for tensor in floats)
    smallest = min(SMALLEST_HALVED, total // LARGE_SHARE)
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < smallest or not np.abs(values).max() <= LARGEST_FLOAT16:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_float16"))
        casts.append(
            helper.make_node("Cast", [tensor.name], [name], f"{name}_cast", to=TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
