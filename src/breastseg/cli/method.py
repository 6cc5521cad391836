"""From the word after ``--method`` to something that segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breastseg.core.errors import InputError

if TYPE_CHECKING:
    from breastseg.core.segmenter import Segmenter
    from breastseg.inference.onnx_segmenter import OnnxSegmenter

DEFAULT_METHOD = "ultrasound"
DEFAULT_PRESET = "ultrasound"


def is_classical(method: str) -> bool:
    """True for the name of a classical method; a bundle of that name would win."""
    from breastseg.inference.catalogue import shipped_bundles

    if method in shipped_bundles():  # spares a network's cold start the import of the others
        return False
    from breastseg.classical.catalogue import METHODS

    return method in METHODS


def open_method(
    method: str,
    threads: int = 0,
    threshold: float | None = None,
    flip_average: bool = False,
    force: bool = False,
    preset: str = DEFAULT_PRESET,
    uncertainty: bool = False,
) -> Segmenter:
    """Open a classical method, or a bundle at its own operating point unless another is given.

    Args:
        method: a name of ``breastseg models list``, a bundle's folder, or several networks joined
            by ``+``.
        threads: CPU cores; 0 for all.
        threshold: pixels at or above it are lesion, between 0 and 1; None for the bundle's own.
        flip_average: average with the mirrored image even if the bundle does not.
        force: take images that are known to be of another modality.
        preset: of a classical method's parameters.
        uncertainty: predictions shall carry a map of uncertainty; only for networks.

    Raises:
        BundleError: there is no such method, or it is damaged, or the threshold is no threshold.
        InputError: `threads` is negative, there is no such preset, or a network's option is given
            for a classical method.
    """
    from breastseg.inference.methods import MethodSpec, network_names

    if not is_classical(method):
        networks = [
            open_network(name, threads, threshold, flip_average, force)
            for name in network_names(method)
        ]
        if len(networks) == 1 and not uncertainty:
            return networks[0]
        from breastseg.inference.ensemble import Ensemble

        return Ensemble(networks)
    if threshold is not None or flip_average or uncertainty:
        raise InputError(
            f"--threshold, --flip-average or --uncertainty for {method!r}",
            "a network",
            f"'breastseg models show {method}' lists the parameters that it has",
        )
    return MethodSpec(method, method, preset).open(threads)


def open_network(
    method: str,
    threads: int = 0,
    threshold: float | None = None,
    flip_average: bool = False,
    force: bool = False,
) -> OnnxSegmenter:
    """Open a bundle; arguments and errors as `open_method`."""
    from dataclasses import replace

    from breastseg.inference.bundle_folder import read_bundle
    from breastseg.inference.methods import bundle_folder
    from breastseg.inference.onnx_segmenter import OnnxSegmenter

    folder = bundle_folder(method)
    if threshold is None and not flip_average:
        return OnnxSegmenter(folder, threads, force=force)
    own = read_bundle(folder, verify=False).output
    output = replace(
        own,
        threshold=own.threshold if threshold is None else threshold,
        flip_average=own.flip_average or flip_average,
    )
    return OnnxSegmenter(folder, threads, output, force)
