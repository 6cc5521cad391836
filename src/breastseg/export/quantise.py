"""A bundle's network in 8-bit whole numbers: a quarter of float32's bytes, and quicker.

B. Jacob et al.: Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference, CVPR 2018, https://doi.org/10.1109/CVPR.2018.00286. Weights get one scale for each output
channel and activations one for each tensor (R. Krishnamoorthi, 2018,
https://arxiv.org/abs/1806.08342), found by running images through the network: the calibration.
ONNX Runtime does it; what is here chooses how, and says in the bundle what it cost.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import Bundle
from breastseg.core.case import Case
from breastseg.core.errors import BundleError
from breastseg.core.measured import Measured
from breastseg.export.card import model_card
from breastseg.export.quantise_cost import Figures, measured_cost
from breastseg.inference.bundle_folder import (
    CARD,
    MODEL,
    TRAINED_ON,
    read_bundle,
    read_measured,
    sha256_of,
    write_bundle_json,
    write_measured,
)
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.session import INPUT, OnnxNetwork, onnx_runtime
from breastseg.io.write import appearing, write_bytes, write_text
from breastseg.networks.onnx_storage import widen_weights
from breastseg.preprocess.prepare import prepare

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

COPIED = (TRAINED_ON, "recipe.toml", "metrics.csv")
LOOKED_AT = 8
TOLERANCE = 0.03
"""Mean absolute difference of a probability over the first `LOOKED_AT` calibration images. The
shipped network shows 0.008; one whose depthwise convolutions alone stayed float, 0.06 and no
mask."""
RESULT = "int8"
"""The name under which a bundle's results hold what quantising cost."""


class Range(StrEnum):
    """How the range of an activation is read off the calibration images.

    The last two keep the activations of all images in memory.
    """

    MINMAX = "minmax"  # all values
    ENTROPY = "entropy"  # least Kullback-Leibler divergence from the float distribution
    PERCENTILE = "percentile"  # all but the outermost 0.001 %


class Activations(StrEnum):
    """The type of the activations; weights are always int8."""

    UINT8 = "uint8"  # quicker on x86
    INT8 = "int8"


@dataclass(frozen=True)
class Quantisation:
    """How a network is quantised. The defaults are the best of those measured.

    Attributes:
        range: how the range of an activation is found.
        activations: their type.
        float_last: leave the last convolution and all behind it in float, so that the probability
            keeps its fine steps.
        float_first: leave the first convolution in float, and the depthwise one and the projection
            behind it where such follow, as in MobileNet: most of the error comes from there.
        seven_bits: weights of 7 bits, which cannot overflow on processors without VNNI.
    """

    range: Range = Range.MINMAX
    activations: Activations = Activations.UINT8
    float_last: bool = True
    float_first: bool = True
    seven_bits: bool = False


@dataclass(frozen=True)
class Sample:
    """Cases to calibrate or to check with, and what they are.

    Attributes:
        words: where they come from, how many there are and how they were drawn.
        cases: gone through once; only the first image of each is used.
    """

    words: str
    cases: Iterable[Case]


def quantise_bundle(
    folder: Path,
    out: Path,
    calibration: Sample,
    check: Sample | None = None,
    plan: Quantisation | None = None,
    name: str | None = None,
) -> Bundle:
    """Write a bundle whose network computes in 8-bit whole numbers.

    The folder appears complete or not at all. The results of the float network are kept under names
    that say so; what the quantised one scores is under ``int8``.

    Args:
        folder: a bundle with a convolutional network.
        out: the new bundle's folder, which must not exist yet.
        calibration: 50 to 200 images of the training data; no ground truth is needed.
        check: cases with a ground truth, not those of `calibration`, on which both are scored.
        plan: how; the defaults of `Quantisation`.
        name: of the new bundle; that of the old one and ``-int8`` by default.

    Raises:
        BundleError: `folder` is damaged or its network cannot be quantised, `out` exists, there is
            no calibration image, or the quantised network computes something else.
        DataSetError: a case to check on has no ground truth.
    """
    if out.exists():
        raise BundleError(f"{out} exists", "a new folder", "choose another, or remove it first")
    plan = plan or Quantisation()
    before = OnnxSegmenter(folder, threads=1)
    if before.bundle.prompt is not None:
        raise BundleError(
            f"{before.name!r} takes prompts",
            "a network that takes images alone: calibration images show no prompt",
        )
    spec = before.bundle.input
    inputs = (prepare(case.images[0], spec)[0][None] for case in calibration.cases)
    first = list(itertools.islice(inputs, LOOKED_AT))
    with appearing(out) as made:
        quantise_network(folder / MODEL, made / MODEL, itertools.chain(first, inputs), plan)
        _refuse_broken(folder / MODEL, made / MODEL, before.bundle, first)
        bundle = _described(before.bundle, made, name, plan)
        write_bundle_json(made, bundle)
        figures = _sizes(folder, made, calibration, check)
        if check is not None:
            figures |= measured_cost(before, OnnxSegmenter(made, threads=1), check.cases)
        earlier = read_measured(folder, before.bundle).results.items()
        others = {f"{key}, float network": value for key, value in earlier}
        measured = Measured(bundle.weights_sha256, {RESULT: figures, **others})
        write_measured(made, measured)
        write_text(made / CARD, model_card(bundle, measured))
        for extra in COPIED:
            if (folder / extra).is_file():
                shutil.copyfile(folder / extra, made / extra)
        return read_bundle(made)


def _refuse_broken(
    before: Path, after: Path, bundle: Bundle, inputs: Sequence[NDArray[np.float32]]
) -> None:
    """Compare both networks on a few images: some graphs are quantised wrongly without a word."""
    batch, kinds = np.concatenate(inputs), len(bundle.labels)
    maps = kinds + 1 if kinds > 1 else 1
    wanted, found = (OnnxNetwork(path, bundle.input, 1, maps)(batch) for path in (before, after))
    difference = float(np.abs(found - wanted).mean(dtype=np.float64))
    if not difference <= TOLERANCE:  # "not" also catches a difference that is not a number
        raise BundleError(
            f"{before}: quantised, its probabilities differ by {difference:.2g} on average",
            f"at most {TOLERANCE:g}",
            "try without the options, or keep the float network",
        )


def quantise_network(
    source: Path, target: Path, inputs: Iterable[NDArray[np.float32]], plan: Quantisation
) -> None:
    """Quantise an ONNX file (static, QDQ format), whole or not at all.

    Args:
        source: a network with one input ``image``; stored weights are widened first.
        target: the file to write.
        inputs: prepared images, (1, channels, rows, columns) float32 each.
        plan: how.

    Raises:
        BundleError: there is no convolution or no input, or ONNX Runtime cannot do it.
    """
    import onnx

    onnx_runtime()
    from onnxruntime import quantization as ort

    model = onnx.load(source)
    widen_weights(model.graph)
    types = {Activations.UINT8: ort.QuantType.QUInt8, Activations.INT8: ort.QuantType.QInt8}
    ranges = {
        Range.MINMAX: ort.CalibrationMethod.MinMax,
        Range.ENTROPY: ort.CalibrationMethod.Entropy,
        Range.PERCENTILE: ort.CalibrationMethod.Percentile,
    }
    kept = _kept_in_float(model.graph, plan, source)
    with tempfile.TemporaryDirectory() as temporary, _silence():
        raw = Path(temporary) / MODEL
        try:
            ort.quantize_static(
                model,
                raw,
                _reader(inputs),
                quant_format=ort.QuantFormat.QDQ,
                per_channel=True,
                reduce_range=plan.seven_bits,
                activation_type=types[plan.activations],
                weight_type=ort.QuantType.QInt8,
                nodes_to_exclude=kept,
                calibrate_method=ranges[plan.range],
            )
        except (ValueError, RuntimeError, KeyError) as error:
            raise BundleError(f"{source}: cannot be quantised ({error})") from error
        quantised = onnx.load(raw)
    _tidy(quantised, model)
    onnx.checker.check_model(quantised, full_check=True)
    write_bytes(target, quantised.SerializeToString())


def _kept_in_float(graph: GraphProto, plan: Quantisation, source: Path) -> list[str]:
    """The names of the nodes that are not quantised; nodes without a name are given one."""
    for number, node in enumerate(graph.node):
        node.name = node.name or f"node_{number}"
    places = [i for i, node in enumerate(graph.node) if "Conv" in node.op_type]
    if not places:
        raise BundleError(f"{source}: no convolution in it", "a convolutional network")
    names = [node.name for node in graph.node]
    kept = names[places[-1] :] if plan.float_last else []
    if not plan.float_first:
        return kept
    first = 2 if [_is_depthwise(graph.node[i]) for i in places[:3]] == [False, True, False] else 0
    return [*kept, *names[: places[first] + 1]]


def _is_depthwise(node: NodeProto) -> bool:
    return any(part.name == "group" and part.i > 1 for part in node.attribute)


def _reader(inputs: Iterable[NDArray[np.float32]]) -> object:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # the package has no types
        def __init__(self) -> None:
            self._inputs = iter(inputs)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            batch = next(self._inputs, None)
            return None if batch is None else {INPUT: batch}

    return Reader()


def _tidy(quantised: ModelProto, original: ModelProto) -> None:
    """Leave no trace of the tools, and the metadata of the network."""
    from onnx import helper

    quantised.producer_name, quantised.producer_version = "breastseg", ""
    quantised.doc_string = ""
    del quantised.graph.value_info[:]
    helper.set_model_props(quantised, {p.key: p.value for p in original.metadata_props})


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what ONNX Runtime's tools print and log on the way to themselves."""
    before = logging.root.manager.disable
    # a root logger without a handler would be given one by the first message, for good
    quiet = logging.NullHandler()
    logging.root.addHandler(quiet)
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(quiet)


def _described(bundle: Bundle, made: Path, name: str | None, plan: Quantisation) -> Bundle:
    remark = (
        f"The network is {bundle.name} {bundle.version} (SHA-256 {bundle.weights_sha256}), "
        f"quantised without further training; results under other names than {RESULT!r} are those "
        "of that float network."
    )
    return replace(
        bundle,
        name=name or f"{bundle.name}-int8",
        summary=f"{bundle.summary}; int8",
        network=f"{bundle.network}; {_in_words(plan)}",
        weights_sha256=sha256_of(made / MODEL),
        confidence=None,  # calibrated with the float network
        conformal=None,
        remarks=(remark, *bundle.remarks),
    )


def _in_words(plan: Quantisation) -> str:
    bits = "7-bit" if plan.seven_bits else "int8"
    ends = [word for word, kept in (("first", plan.float_first), ("last", plan.float_last)) if kept]
    left = f", the {' and '.join(ends)} convolutions in float" if ends else ""
    return f"{bits} weights by channel, {plan.activations} activations by {plan.range}{left}"


def _sizes(folder: Path, made: Path, calibration: Sample, check: Sample | None) -> Figures:
    checked = "not scored on any" if check is None else f"scored on {check.words}"
    return {
        "protocol": (
            f"Calibrated on {calibration.words}; {checked}, at each image's own size, with the "
            "bundle's operating point. Dice is the mean over images with a lesion."
        ),
        "float megabytes": round((folder / MODEL).stat().st_size / 1e6, 2),
        "int8 megabytes": round((made / MODEL).stat().st_size / 1e6, 2),
    }
