"""An ONNX Runtime session on CPU cores, opened and checked."""

from __future__ import annotations

import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.core.errors import BundleError
from breastseg.inference.network import Network
from breastseg.inference.onnx_graph import check_network
from breastseg.inference.time_limit import within_limit

if TYPE_CHECKING:
    from types import ModuleType

    import onnxruntime

INPUT = "image"
OUTPUT = "probability"
Shape = tuple[int, ...]


def usable_cores() -> int:
    """The CPU cores that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def onnx_runtime() -> ModuleType:
    """The library, with its telemetry off; nothing else imports it.

    `breastseg.offline` has told it so before it was loaded, unless the caller had loaded it
    earlier; then this at least ends its reports.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    library: ModuleType = onnxruntime
    return library


class OnnxNetwork(Network):
    """A network from (N, channels, *size) to (N, outputs, *size) probabilities.

    May be called from several threads at once; each call computes on `threads` cores.

    Args:
        path: an ONNX file with one input ``image`` and one output ``probability``, float32.
        spec: the size and channels that the input must have, of an image or of a patch.
        threads: cores a call uses, at least 1.
        outputs: maps that it must give: 1, the probability of lesion, or those of the background
            and of several classes.
        prompt_maps: channels of a prompt that it takes besides those of `spec`.

    Raises:
        BundleError: not an ONNX network, one with other inputs and outputs, with control flow, or
            with weights in other files.
    """

    engine = "onnxruntime"

    def __init__(
        self,
        path: Path,
        spec: InputSpec | VolumeSpec,
        threads: int,
        outputs: int = 1,
        prompt_maps: int = 0,
    ) -> None:
        onnxruntime = onnx_runtime()
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        # ONNX Runtime's errors have no base of their own
        self._errors: tuple[type[Exception], ...] = (
            state.EPFail,
            state.Fail,
            state.InvalidArgument,
            state.InvalidGraph,
            state.InvalidProtobuf,
            state.NoModel,
            state.NoSuchFile,
            state.NotImplemented,
            state.RuntimeException,
        )
        check_network(path)
        super().__init__(path, spec, outputs)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what matters comes as an exception
        # a waiting thread sleeps, so that reading and other processes get its core
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        opened = partial(
            onnxruntime.InferenceSession, str(path), options, providers=["CPUExecutionProvider"]
        )
        try:
            # it rewrites the graph, computes what is constant, and cannot be stopped at that
            self._session = within_limit(str(path), opened, lambda: None)
        except self._errors as error:
            raise BundleError(
                f"{path}: not a network that ONNX Runtime {onnxruntime.__version__} can run "
                f"({error})",
                remedy="copy the whole bundle again, or update onnxruntime",
            ) from error
        _check_signature(
            self._session, path, (spec.channels + prompt_maps, *spec.size), (outputs, *spec.size)
        )

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What ONNX Runtime computes.

        Raises:
            BundleError: the network fails on it, or takes longer than the limit.
        """
        options = onnx_runtime().RunOptions()
        compute = partial(self._session.run, [OUTPUT], {INPUT: batch}, options)
        try:
            (result,) = within_limit(
                str(self._path), compute, lambda: setattr(options, "terminate", True)
            )
        except self._errors as error:
            raise BundleError(f"{self._path}: the network failed ({error})") from error
        return np.asarray(result, np.float32)


def _check_signature(
    session: onnxruntime.InferenceSession, path: Path, wanted: Shape, given: Shape
) -> None:
    found = {
        value.name: (value.type, value.shape)
        for value in [*session.get_inputs(), *session.get_outputs()]
    }
    for name, fixed in ((INPUT, wanted), (OUTPUT, given)):
        kind, shape = found.get(name, ("nothing", []))
        # a dynamic axis has a name or None instead of a number
        fits = len(shape) == 1 + len(fixed) and not isinstance(shape[0], int)
        fits = fits and all(
            s == f or not isinstance(s, int) for s, f in zip(shape[1:], fixed, strict=True)
        )
        if kind != "tensor(float)" or not fits or len(found) != 2:
            raise BundleError(
                f"{path}: {name!r} is {kind} {shape}",
                f"float32 (any N, {', '.join(map(str, fixed))}), and no input or output but "
                f"{INPUT!r} and {OUTPUT!r}",
                "copy the whole bundle again: bundle.json and model.onnx do not belong together",
            )
