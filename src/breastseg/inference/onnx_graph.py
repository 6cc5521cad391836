"""What stands in an ONNX file: its operators, and whether weights lie in other files.

Read from the file's own bytes, without the ``onnx`` package, before a runtime opens it. Source: the
field numbers of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) and the
encoding of protocol buffers (https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import BundleError

CONTROL_FLOW = ("If", "Loop", "Scan")
"""They run a graph within the graph, as often as a number says: no network needs that, and one may
never end."""
MOST_DEPTH = 20
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Of each message, the fields that are walked into: number -> the message there.
_PARTS = {
    "Model": {7: "Graph", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {
        **{5: "Tensor", 10: "Tensor", 6: "Graph", 11: "Graph"},
        **{22: "SparseTensor", 23: "SparseTensor"},
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_OPERATOR, _DOMAIN = 4, 7  # of a node
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor


@dataclass(frozen=True)
class Contents:
    """What was found in a file.

    Attributes:
        operators: in the file's graphs, in alphabetical order; ``domain:Operator`` where the domain
            is not ONNX's own.
        external: the values of some tensor lie in another file.
        functions: it defines operators of its own.
    """

    operators: tuple[str, ...]
    external: bool
    functions: bool


def check_network(path: Path) -> None:
    """Refuse a file that its digest does not cover whole, or that may never end.

    Raises:
        BundleError: tensors lie in other files, the network has control flow or functions, or it is
            no ONNX.
    """
    found = contents(path)
    if found.external:
        raise BundleError(
            f"{path}: weights lie in other files, which no digest covers",
            "all weights in the file",
            "save the network again as one file",
        )
    if found.functions:  # of which each may call another twice: 1 kB becomes a million operators
        raise BundleError(
            f"{path}: the network defines functions of its own",
            "operators of ONNX alone",
            "export the network with its functions inlined",
        )
    loops = [name for name in found.operators if name in CONTROL_FLOW]
    if loops:
        raise BundleError(
            f"{path}: the network has control flow ({', '.join(loops)})",
            f"none of {', '.join(CONTROL_FLOW)}",
            "export the network traced, without loops",
        )


def contents(path: Path) -> Contents:
    """Read which operators a network has and whether it is whole.

    Raises:
        BundleError: the file cannot be read, or its bytes are no ONNX model.
    """
    try:
        data = memoryview(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}", "a readable file") from error
    operators: set[str] = set()
    external = functions = False
    try:
        for message, fields in _messages("Model", data, 0):
            if message == "Node":
                operators.add(_operator(fields))
            elif message == "Function":
                functions = True
            elif message == "Tensor":
                external = external or any(
                    number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)
                    for number, value in fields
                )
    except (ValueError, IndexError) as error:
        raise BundleError(
            f"{path}: not a network in ONNX ({error})", remedy="copy the whole bundle again"
        ) from error
    return Contents(tuple(sorted(operators)), external, functions)


Field = tuple[int, int | memoryview]


def _messages(message: str, data: memoryview, depth: int) -> Iterator[tuple[str, list[Field]]]:
    """A message with its fields, and every message below it."""
    if depth > MOST_DEPTH:
        raise ValueError("graphs nested too deeply")
    fields = list(_fields(data))
    yield message, fields
    for number, value in fields:
        below = _PARTS[message].get(number)
        if below is not None and isinstance(value, memoryview):
            yield from _messages(below, value, depth + 1)


def _fields(data: memoryview) -> Iterator[Field]:
    """The number and value of each field; the value of a string or message is its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of kind {kind}")
        if number == 0 or length > len(data) - at:
            raise ValueError("it ends within a field")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the lowest first, and where the next field begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _operator(fields: list[Field]) -> str:
    texts = {
        number: bytes(value).decode("utf-8", "replace")
        for number, value in fields
        if number in (_OPERATOR, _DOMAIN) and isinstance(value, memoryview)
    }
    domain, operator = texts.get(_DOMAIN, ""), texts.get(_OPERATOR, "")
    return operator if domain in ("", "ai.onnx") else f"{domain}:{operator}"
