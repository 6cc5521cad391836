"""The one door to all methods: classical ones, bundles for images and volumes, and ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from breastseg.core.errors import InputError
from breastseg.core.segmenter import Segmenter
from breastseg.inference.methods import (
    bundle_folder,
    is_classical,
    method_and_parameters,
    network_names,
)
from breastseg.inference.opened import opened_bundle
from breastseg.inference.options import DEFAULT_METHOD, DEFAULT_OPTIONS, MethodOptions

if TYPE_CHECKING:
    from breastseg.core.bundle import Bundle
    from breastseg.core.calibrated import Conformal
    from breastseg.inference.onnx_segmenter import OnnxSegmenter
    from breastseg.inference.volume_segmenter import VolumeSegmenter

_KINDS = {2: "images", 3: "volumes"}


def open_segmenter(
    method: str | Path | Segmenter = DEFAULT_METHOD,
    options: MethodOptions = DEFAULT_OPTIONS,
    *,
    threads: int = 0,
    uncertainty: bool = False,
    screenshot: bool = False,
) -> Segmenter:
    """Open a method by its name, its folder or as it is.

    A bundle is hashed, and its network loaded, once a process, however often it is opened.

    Args:
        method: a name that `method_names` lists, a bundle's folder, several networks joined by
            ``+`` (their mean), or a method object. A classical method's name may have parameters
            after a colon: ``otsu:shift=0.1,opening=5``. A name wins over a folder of the same name
            in the working directory; ``./name`` or a `Path` means the folder.
        options: how it is opened. An object has its parameters already: its preset is not looked
            at.
        threads: CPU cores that one call of a network computes on; 0 takes all that the process may
            use.
        uncertainty: predictions shall carry a map of uncertainty: only for networks, of which
            those for volumes must be several. Networks joined always give one.
        screenshot: look at the scan on an ultrasound screen alone, see `WithinScan`.

    Raises:
        BundleError: there is no such method, or its bundle is damaged.
        InputError: a parameter or preset that there is not, networks joined that do not go
            together, or an option that the method does not have.
    """
    if isinstance(method, str | Path):
        opened = _opened(method, options, threads, uncertainty)
    else:
        opened = _as_given(method, options, uncertainty)
    if not screenshot:
        return opened
    from breastseg.inference.screen import WithinScan

    return WithinScan(opened)


def check_dimensions(segmenter: Segmenter, dimensions: int) -> None:
    """Refuse a method for images where volumes are to be segmented, and the other way round.

    Raises:
        InputError: it is of other dimensions than 2 (images) or 3 (volumes), as asked.
    """
    if segmenter.dimensions != dimensions:
        given, wanted = (_KINDS[number] for number in (segmenter.dimensions, dimensions))
        raise InputError(f"{segmenter.name!r} is a method for {given}", f"one for {wanted}")


def check_margin(segmenter: Segmenter, coverage: float) -> None:
    """Refuse a method whose masks have no calibrated margins of a coverage.

    Raises:
        InputError: it has none, or not at the operating point that is asked for.
    """
    from breastseg.inference.ensemble import Ensemble
    from breastseg.inference.onnx_segmenter import OnnxSegmenter
    from breastseg.measure.finding import margin_of

    kinds = (OnnxSegmenter, Ensemble)
    margin_of(segmenter.conformal if isinstance(segmenter, kinds) else None, coverage)


def image_network(segmenter: Segmenter) -> OnnxSegmenter:
    """The same segmenter, once it is known to be one network for images, as a slide needs it.

    Raises:
        InputError: it is a classical method, an ensemble, or one for volumes.
    """
    from breastseg.inference.onnx_segmenter import OnnxSegmenter

    if isinstance(segmenter, OnnxSegmenter):
        return segmenter
    raise InputError(f"method {segmenter.name!r}", "a single network for images")


def _opened(
    method: str | Path, options: MethodOptions, threads: int, uncertainty: bool
) -> Segmenter:
    if isinstance(method, Path):
        return _joined([_network(method, options, threads)], uncertainty)
    name, parameters = method_and_parameters(method)
    if is_classical(name):
        from breastseg.classical.preset import classical_method
        from breastseg.core.parameters import with_values

        made = with_values(classical_method(name, options.preset), parameters)
        return _as_given(made, options, uncertainty)
    if parameters:
        raise InputError(f"parameters for {name!r}", "none: only classical methods have them")
    folders = [bundle_folder(part) for part in network_names(name)]
    return _joined([_network(folder, options, threads) for folder in folders], uncertainty)


def _as_given(method: Segmenter, options: MethodOptions, uncertainty: bool) -> Segmenter:
    """A method object, at another threshold where one is asked for."""
    if options.flip_average or uncertainty or options.missed_area is not None:
        asked = "test-time augmentation" if options.flip_average else "uncertainty"
        asked = asked if options.missed_area is None else "a bound of the missed area"
        raise InputError(
            f"{asked} for {method.name!r}",
            "a network that is opened by its name or folder",
        )
    if options.threshold is None:
        return method
    from breastseg.inference.at_threshold import AtThreshold

    return AtThreshold(method, options.threshold)


def _network(folder: Path, options: MethodOptions, threads: int) -> OnnxSegmenter | VolumeSegmenter:
    """A bundle at its own operating point, but for what is asked for."""
    bundle = opened_bundle(folder).description
    own = bundle.output
    threshold = options.threshold
    if options.missed_area is not None:
        threshold = _conformal(bundle).threshold(options.missed_area)
    output = replace(
        own,
        threshold=own.threshold if threshold is None else threshold,
        flip_average=own.flip_average or options.flip_average,
    )
    if bundle.volume is None:
        from breastseg.inference.onnx_segmenter import OnnxSegmenter

        return OnnxSegmenter(folder, threads, output, options.force, options.engine)
    from breastseg.inference.volume_segmenter import VolumeSegmenter

    return VolumeSegmenter(folder, threads, output, options.force, options.engine)


def _conformal(bundle: Bundle) -> Conformal:
    if bundle.conformal is None:
        raise InputError(
            f"a bound of the missed area for {bundle.name!r}",
            "a network that was calibrated for it",
            "choose a threshold, or calibrate the bundle on cases with ground truth",
        )
    return bundle.conformal


def _joined(networks: Sequence[OnnxSegmenter | VolumeSegmenter], uncertainty: bool) -> Segmenter:
    """The one network itself, or the mean of several."""
    from breastseg.inference.onnx_segmenter import OnnxSegmenter

    if len(networks) == 1 and not uncertainty:
        return networks[0]
    for_images = [network for network in networks if isinstance(network, OnnxSegmenter)]
    if len(for_images) == len(networks):
        from breastseg.inference.ensemble import Ensemble

        return Ensemble(for_images)
    from breastseg.inference.volume_ensemble import VolumeEnsemble
    from breastseg.inference.volume_segmenter import VolumeSegmenter

    for_volumes = [network for network in networks if isinstance(network, VolumeSegmenter)]
    if for_images:
        told = ", ".join(f"{network.name} for {_KINDS[network.dimensions]}" for network in networks)
        raise InputError(f"networks joined by +: {told}", "all for images, or all for volumes")
    return VolumeEnsemble(for_volumes)
