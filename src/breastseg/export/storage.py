"""How a file stores a network's weights; the network computes in float32 whatever is chosen.

A stored tensor is followed by plain operators (Cast, and Mul for int8) that widen it to float32.
ONNX Runtime, in a browser too, runs them once, when it loads the file: a smaller file costs no
time and needs nothing that a runtime might lack. Activations are not touched: what makes a network
compute in whole numbers is `breastseg.export.quantise`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

    Part = TypeVar("Part", NodeProto, TensorProto)

Precision = Literal["int8", "float16", "float32"]
"""int8: dense kernels as whole numbers with a scale for each output channel."""
# Values. The few large tensors hold most of the bytes, the many small ones (a depthwise kernel, a
# bias) most of the rounding error: with 256 here a probability moved by .011, so by .0007.
SMALLEST_HALVED = 100_000
LARGE_SHARE = 50  # in a small network, a tensor of this part of all values is large already
SMALLEST_INT8 = 1000
LARGEST_FLOAT16 = 65504.0
LARGEST_INT8 = 127
_OUTPUT_AXIS = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}


def store_weights(graph: GraphProto, precision: Precision) -> None:
    """Store the float32 weights of a graph at a precision, in place.

    Args:
        graph: with float32 initialisers.
        precision: ``"float16"`` halves the large tensors that float16 can hold. ``"int8"`` stores
            the dense kernels (of more than one input channel a group and at least `SMALLEST_INT8`
            values) in 8 bits and leaves all else: depthwise kernels and biases are few and carry
            most of the rounding error. ``"float32"`` changes nothing.
    """
    if precision == "float16":
        halve_weights(graph)
    elif precision == "int8":
        round_weights(graph)


def halve_weights(graph: GraphProto) -> None:
    """Store float32 initialisers as float16 and a Cast, in place.

    Small ones are left, and so are those that float16 cannot hold.
    """
    from onnx import TensorProto, helper, numpy_helper

    total = sum(numpy_helper.to_array(tensor).size for tensor in _floats(graph))
    smallest = min(SMALLEST_HALVED, total // LARGE_SHARE)
    casts = []
    for tensor in list(_floats(graph)):
        values = numpy_helper.to_array(tensor)
        if values.size < smallest or not np.abs(values).max() <= LARGEST_FLOAT16:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_float16"))
        casts.append(
            helper.make_node("Cast", [tensor.name], [name], f"{name}_cast", to=TensorProto.FLOAT)
        )
    _put_first(graph, casts)


def round_weights(graph: GraphProto) -> None:
    """Store dense float32 kernels as int8, with a Cast and a Mul by a scale a channel, in place.

    The scale of a channel is its largest absolute weight over 127 (R. Krishnamoorthi: Quantizing
    deep convolutional networks for efficient inference, 2018, https://arxiv.org/abs/1806.08342,
    section 3.1.1): 0 stays 0, and no weight moves by more than half a step.
    """
    from onnx import TensorProto, helper, numpy_helper

    axes = _dense_kernels(graph)
    made: list[NodeProto] = []
    scales: list[TensorProto] = []
    for tensor in _floats(graph):
        values = numpy_helper.to_array(tensor)
        axis = axes.get(tensor.name)
        if axis is None or values.size < SMALLEST_INT8 or not np.isfinite(values).all():
            continue
        name = tensor.name
        whole, scale = rounded(values, axis)
        tensor.CopyFrom(numpy_helper.from_array(whole, f"{name}_int8"))
        scales.append(numpy_helper.from_array(scale, f"{name}_scale"))
        made += [
            helper.make_node(
                "Cast", [tensor.name], [f"{name}_whole"], f"{name}_cast", to=TensorProto.FLOAT
            ),
            helper.make_node("Mul", [f"{name}_whole", scales[-1].name], [name], f"{name}_mul"),
        ]
    graph.initializer.extend(scales)
    _put_first(graph, made)


def rounded(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers and the scale that brings each channel of them back.

    Args:
        values: any shape, float32, finite.
        axis: of the channels.

    Returns:
        The same shape, int8, -127 to 127; and the scales, float32, above 0, of size 1 along every
        other axis. Their product differs from `values` by at most half a scale.
    """
    others = tuple(i for i in range(values.ndim) if i != axis % values.ndim)
    largest = np.abs(values).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / np.float32(LARGEST_INT8), np.float32(1))
    scale = np.maximum(scale, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(values / scale).clip(-LARGEST_INT8, LARGEST_INT8).astype(np.int8), scale


def widen_weights(graph: GraphProto) -> None:
    """Undo `store_weights`, in place: every weight becomes a float32 initialiser."""
    from onnx import TensorProto, numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    small = (TensorProto.FLOAT16, TensorProto.INT8)
    dropped: set[str] = set()
    nodes = []
    for node in graph.node:
        tensor = stored.get(node.input[0]) if node.input else None
        if node.op_type == "Cast" and tensor is not None and tensor.data_type in small:
            values = numpy_helper.to_array(tensor).astype(np.float32)
        elif node.op_type == "Mul" and tensor is not None and node.input[1] in stored:
            scale = stored[node.input[1]]
            values = numpy_helper.to_array(tensor) * numpy_helper.to_array(scale)
            dropped.add(scale.name)
        else:
            nodes.append(node)
            continue
        tensor.CopyFrom(numpy_helper.from_array(values, node.output[0]))
        stored[tensor.name] = tensor
    _replace(graph.node, nodes)
    _replace(graph.initializer, [t for t in graph.initializer if t.name not in dropped])


def _dense_kernels(graph: GraphProto) -> dict[str, int]:
    """The axis of the output channels of every kernel that mixes input channels, by its name."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    found: dict[str, int] = {}
    for node in graph.node:
        name = node.input[1] if len(node.input) > 1 else ""
        axis = _output_axis(node)
        if axis is None or len(shapes.get(name, ())) < 2:
            continue
        if node.op_type.startswith("Conv") and shapes[name][1 - axis] == 1:
            continue  # depthwise
        found[name] = axis
    return found


def _output_axis(node: NodeProto) -> int | None:
    if node.op_type == "Gemm":
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    if node.op_type == "ConvTranspose" and any(
        a.name == "group" and a.i > 1 for a in node.attribute
    ):
        return None  # its channels stand along both axes
    return _OUTPUT_AXIS.get(node.op_type)


def _floats(graph: GraphProto) -> Iterator[TensorProto]:
    from onnx import TensorProto

    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            yield tensor


def _put_first(graph: GraphProto, nodes: list[NodeProto]) -> None:
    _replace(graph.node, [*nodes, *graph.node])


def _replace(field: MutableSequence[Part], parts: Iterable[Part]) -> None:
    """Put other parts into a repeated field; copies, since clearing it frees those it held."""
    kept = [type(part).FromString(part.SerializeToString()) for part in parts]
    del field[:]
    field.extend(kept)
