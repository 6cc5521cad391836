"""How a file stores a network's weights; the network computes in float32 whatever is chosen.

A stored tensor is followed by plain operators (Cast; for int8 also Mul and Reshape) that widen it
to float32. ONNX Runtime, in a browser too, runs them once, when it loads the file: a smaller file
costs no time and needs nothing that a runtime might lack. Activations are not touched: what makes a
network compute in whole numbers is `breastseg.export.quantise`.
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
"""Of the large weights."""
# Values. The few large tensors hold most of the bytes, the many small ones (a depthwise kernel, a
# bias) most of the rounding error: with 256 here a probability moved by .011, so by .0007.
SMALLEST_STORED = 100_000
LARGE_FRACTION = 50  # in a small network, a tensor of this part of all values is large already
LARGEST_FLOAT16 = 65504.0
LARGEST_INT8 = 127
BLOCK = 32
"""Consecutive weights of one scale: with one scale a channel, an image's probability moved
by up to .9 and a fifth of the false positives came or went."""
SMALLEST_BLOCK = 8


def store_weights(graph: GraphProto, precision: Precision) -> None:
    """Store the large float32 weights of a graph at a precision, in place.

    Args:
        graph: with float32 initialisers.
        precision: ``"float16"`` rounds them to 11 significant bits, ``"int8"`` to whole numbers
            with a scale for every `BLOCK` of them. ``"float32"`` changes nothing. What float16
            cannot hold, or cannot be cut into blocks, is left.
    """
    from onnx import numpy_helper

    if precision == "float32":
        return
    store = _halve if precision == "float16" else _round
    floats = {t.name: numpy_helper.to_array(t) for t in _floats(graph)}
    smallest = min(SMALLEST_STORED, sum(v.size for v in floats.values()) // LARGE_FRACTION)
    made: list[NodeProto] = []
    for tensor in list(_floats(graph)):
        values = floats[tensor.name]
        if values.size >= smallest and np.abs(values).max() <= LARGEST_FLOAT16:
            made += store(graph, tensor, values)
    _replace(graph.node, [*made, *graph.node])


def _halve(graph: GraphProto, tensor: TensorProto, values: NDArray[np.float32]) -> list[NodeProto]:
    """Half the bytes, and the node that widens them."""
    from onnx import TensorProto, helper, numpy_helper

    name = tensor.name
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_float16"))
    return [helper.make_node("Cast", [tensor.name], [name], f"{name}_cast", to=TensorProto.FLOAT)]


def _round(graph: GraphProto, tensor: TensorProto, values: NDArray[np.float32]) -> list[NodeProto]:
    """A quarter of the bytes and the scales, and the nodes that widen them."""
    from onnx import TensorProto, helper, numpy_helper

    name, block = tensor.name, _block(values.size)
    if block < SMALLEST_BLOCK:
        return []
    whole, scale = rounded(values.reshape(-1, block))
    shape = np.array(values.shape, np.int64)
    tensor.CopyFrom(numpy_helper.from_array(whole, f"{name}_int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
    graph.initializer.append(numpy_helper.from_array(shape, f"{name}_shape"))
    cast = helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=TensorProto.FLOAT)
    scaled = helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [f"{name}_flat"])
    shaped = helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name])
    return [cast, scaled, shaped]


def rounded(blocks: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers, and the scale that brings each row of them back.

    A row's scale is its largest absolute value over 127, so 0 stays 0 (T. Dettmers et al.: 8-bit
    Optimizers via Block-wise Quantization, ICLR 2022, https://arxiv.org/abs/2110.02861, for the
    blocks).

    Args:
        blocks: (n, block) float32, finite.

    Returns:
        (n, block) int8, -127 to 127; and (n, 1) float32, above 0. Their product differs from
        `blocks` by at most half a scale.
    """
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(LARGEST_INT8)
    scale = np.maximum(scale, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(blocks / scale).clip(-LARGEST_INT8, LARGEST_INT8).astype(np.int8), scale


def widen_weights(graph: GraphProto) -> None:
    """Undo `store_weights`, in place: every weight becomes a float32 initialiser."""
    from onnx import TensorProto, numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    wide: dict[str, NDArray[np.float32]] = {}
    used: set[str] = set()
    nodes = []
    for node in graph.node:
        first = node.input[0] if node.input else ""
        second = stored.get(node.input[1]) if len(node.input) == 2 else None
        small = first in stored and stored[first].data_type in (
            TensorProto.FLOAT16,
            TensorProto.INT8,
        )
        if node.op_type == "Cast" and small:
            wide[node.output[0]] = numpy_helper.to_array(stored[first]).astype(np.float32)
        elif node.op_type == "Mul" and first in wide and second is not None:
            wide[node.output[0]] = wide.pop(first) * numpy_helper.to_array(second)
        elif node.op_type == "Reshape" and first in wide and second is not None:
            wide[node.output[0]] = wide.pop(first).reshape(numpy_helper.to_array(second))
        else:
            nodes.append(node)
            continue
        used.update(node.input)
    kept = [tensor for tensor in graph.initializer if tensor.name not in used]
    widened = [numpy_helper.from_array(values, name) for name, values in wide.items()]
    _replace(graph.node, nodes)
    _replace(graph.initializer, [*widened, *kept])


def _block(size: int) -> int:
    """The largest number of values, up to `BLOCK`, into which so many can be cut evenly."""
    return next(block for block in range(BLOCK, 0, -1) if size % block == 0)


def _floats(graph: GraphProto) -> Iterator[TensorProto]:
    from onnx import TensorProto

    return (tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT)


def _replace(field: MutableSequence[Part], parts: Iterable[Part]) -> None:
    """Put other parts into a repeated field; copies, since clearing it frees those it held."""
    kept = [type(part).FromString(part.SerializeToString()) for part in parts]
    del field[:]
    field.extend(kept)
