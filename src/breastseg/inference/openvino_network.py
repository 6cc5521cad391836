"""OpenVINO as the engine of a bundle's network, where it is installed.

The same ``model.onnx`` is compiled for this processor when it is loaded. By its own default it
would compute in bfloat16 where the processor can. Here that is asked for by name; float32 is the
rule.
"""

from __future__ import annotations

import threading
from functools import cache, partial
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.core.errors import BundleError, MissingExtraError
from breastseg.inference.network import Network
from breastseg.inference.onnx_graph import check_network
from breastseg.inference.session import INPUT, OUTPUT
from breastseg.inference.time_limit import within_limit


@cache
def openvino() -> ModuleType:
    """The library; `breastseg.offline` has put its telemetry out of reach before.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import openvino as library
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the engine OpenVINO is not installed ({error})",
            remedy="pip install 'breastseg[openvino]'",
        ) from error
    module: ModuleType = library
    return module


class OpenVinoNetwork(Network):
    """A network that OpenVINO runs; `Network` says how it is called.

    It is compiled for one image at a time, and a batch goes through it one by one: with a free
    batch size OpenVINO would compile it anew for each.

    Args:
        path: an ONNX file with one input ``image`` and one output ``probability``, float32.
        spec: the size and channels that the input must have.
        threads: cores a call uses, at least 1.
        outputs: maps that it must give.
        prompt_maps: channels of a prompt that it takes besides those of `spec`.
        precision: ``"f32"``, or ``"bf16"`` where the processor has it.

    Raises:
        BundleError: not a network that OpenVINO can run with these inputs and outputs.
        MissingExtraError: OpenVINO is not installed.
    """

    def __init__(
        self,
        path: Path,
        spec: InputSpec | VolumeSpec,
        threads: int,
        outputs: int = 1,
        prompt_maps: int = 0,
        precision: str = "f32",
    ) -> None:
        super().__init__(path, spec, outputs)
        self.engine = "openvino" if precision == "f32" else f"openvino-{precision}"
        library = openvino()
        check_network(path)
        channels = spec.channels + prompt_maps
        try:
            core = library.Core()
            model = core.read_model(str(path))
            _check_signature(model, path)
            model.reshape({INPUT: [1, channels, *spec.size]})
            self._compiled = core.compile_model(
                model,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": precision,
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": 1,
                    "ENABLE_CPU_PINNING": False,  # other calls share the cores
                },
            )
        except RuntimeError as error:  # OpenVINO's errors have no other base
            raise BundleError(
                f"{path}: not a network that OpenVINO {library.__version__} can run ({error})",
                remedy="run it with ONNX Runtime, or update openvino",
            ) from error
        self._requests = threading.local()

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What OpenVINO computes.

        Raises:
            BundleError: the network fails on it, or takes longer than the limit.
        """
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        images = np.ascontiguousarray(batch, np.float32)
        name = str(self._path)
        try:
            maps = [
                np.array(
                    within_limit(name, partial(request.infer, {INPUT: one[None]}), request.cancel)[
                        OUTPUT
                    ],
                    np.float32,
                )
                for one in images
            ]
        except RuntimeError as error:
            raise BundleError(f"{self._path}: the network failed ({error})") from error
        return np.concatenate(maps) if maps else np.zeros((0, *self._shape), np.float32)


def _check_signature(model: object, path: Path) -> None:
    """Refuse other inputs and outputs; their shapes are checked by reshaping and on each call."""
    names = [
        sorted(port.get_any_name() for port in ports)
        for ports in (getattr(model, "inputs"), getattr(model, "outputs"))  # noqa: B009
    ]
    if names != [[INPUT], [OUTPUT]]:
        raise BundleError(
            f"{path}: inputs and outputs {names}",
            f"{INPUT!r} and {OUTPUT!r} alone",
            "bundle.json and model.onnx do not belong together",
        )
