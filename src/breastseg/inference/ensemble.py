"""Several predictions of one image as one segmenter: several networks, several views, or both.

The mean over members is a better probability than that of each, and their spread says how far it
may be trusted: B. Lakshminarayanan et al.: Simple and Scalable Predictive Uncertainty Estimation
using Deep Ensembles, NeurIPS 2017, https://arxiv.org/abs/1612.01474.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import OutputSpec
from breastseg.core.calibrated import Conformal
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance, Scalar
from breastseg.core.segmenter import Segmenter
from breastseg.inference.onnx_segmenter import OnnxSegmenter, any_lesion
from breastseg.inference.uncertainty import Measure, uncertainty_map
from breastseg.inference.views import FLIPS, PLAIN, View
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.intensity import rescale
from breastseg.preprocess.prepare import prepare_unit


class Ensemble(Segmenter):
    """The mean of networks and views, with a map of uncertainty.

    A member is one network on one view. All members count the same. Their maps are averaged at the
    input size of the largest network, after each one's own temperature and before the rules of the
    operating point. With one network and its own views the probability is that of the network
    alone.

    May be used from several threads at once.

    Args:
        segmenters: at least one, all of one modality.
        views: what every network sees; None for what its bundle says: the image, and with
            ``flip_average`` the flipped one.
        measure: what the map of uncertainty holds.
        output: operating point; that of the first segmenter by default. Its ``flip_average`` and
            ``temperature`` are left to the members.

    Raises:
        InputError: no segmenter, no view, or different modalities or classes.
    """

    def __init__(
        self,
        segmenters: Sequence[OnnxSegmenter],
        views: Sequence[View] | None = None,
        measure: Measure = Measure.ENTROPY,
        output: OutputSpec | None = None,
    ) -> None:
        modalities = sorted({segmenter.bundle.modality.value for segmenter in segmenters})
        if len(modalities) != 1:
            raise InputError(
                f"an ensemble of {len(segmenters)} networks for {', '.join(modalities) or 'none'}",
                "one network or more, all for one modality",
            )
        classes = {segmenter.class_names for segmenter in segmenters}
        if len(classes) != 1:
            listed = " and ".join(", ".join(names) or "one class" for names in sorted(classes))
            raise InputError(f"an ensemble for {listed}", "networks with the same classes")
        if views is not None and not views:
            raise InputError("an ensemble without a view", "at least one view")
        self.segmenters = tuple(segmenters)
        self.views = None if views is None else tuple(views)
        self.measure = Measure(measure)
        self.output = output or self.segmenters[0].output
        self._members = tuple(
            (_without_flip(segmenter), _views_of(segmenter, self.views))
            for segmenter in self.segmenters
        )
        self._lead = self.segmenters[0].with_output(self.output)

    @property
    def name(self) -> str:
        """The names of the bundles, joined by a plus."""
        return "+".join(segmenter.name for segmenter in self.segmenters)

    @property
    def conformal(self) -> Conformal | None:
        """That of the one network; None for several, or for views of the caller's choice."""
        return self._lead.conformal if self._alone else None

    @property
    def _alone(self) -> bool:
        """Whether the mean is that of one network, as it was calibrated."""
        return len(self.segmenters) == 1 and self.views is None

    @property
    def threads(self) -> int:
        """CPU cores that one call computes on."""
        return self.segmenters[0].threads

    def on_one_core(self) -> Ensemble:
        """The same ensemble with one core a call, to be called from several threads at once."""
        single = [segmenter.on_one_core() for segmenter in self.segmenters]
        return Ensemble(single, self.views, self.measure, self.output)

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one 2-D image.

        Returns:
            The mean with the operating point applied, and `uncertainty` between the members.

        Raises:
            InputError: the image is of another modality or scale than the networks'.
            UnsupportedError: a volume, or a prompt: the networks take none.
            BundleError: a network cannot be run.
        """
        if prompt is not None:
            raise UnsupportedError(
                f"a prompt for {self.name!r}", "none: these networks look at the whole image"
            )
        maps, placement = self.class_members(image)
        mean = maps.mean(axis=0, dtype=np.float32)
        found = self._lead.prediction_of(image, mean, placement)
        if self._alone:
            found = self._lead.calibrated(found, mean, placement)
        uncertain = placement.backward(uncertainty_map(any_lesion(maps), self.measure))
        return replace(found, provenance=self._provenance(), uncertainty=np.clip(uncertain, 0, 1))

    def members(self, image: Image) -> tuple[NDArray[np.float32], Placement]:
        """The map of every member, before any post-processing.

        Returns:
            (M, rows, columns) float32, 0 to 1, of any lesion, at the input size of the largest
            network; and the placement that brings such a map to the image's own grid.

        Raises:
            As `segment`.
        """
        maps, placement = self.class_members(image)
        return any_lesion(maps), placement

    def class_members(self, image: Image) -> tuple[NDArray[np.float32], Placement]:
        """As `members`, with the classes of `OnnxSegmenter.class_probabilities`.

        Returns:
            (M, K + 1 or 1, rows, columns) float32, 0 to 1; and the placement.
        """
        found: list[tuple[NDArray[np.float32], Placement]] = []
        for network, views in self._members:
            network.check(image)
            spec = network.bundle.input
            unit, placement = prepare_unit(image, spec)
            seen = np.stack([rescale(view.of(unit), spec.intensity) for view in views])
            batch = seen if spec.colour else np.repeat(seen[:, None], spec.channels, axis=1)
            maps = network.class_probabilities(batch)
            undone = [
                [view.undo(values) for values in classes]
                for view, classes in zip(views, maps, strict=True)
            ]
            found.append((np.array(undone, np.float32), placement))
        frame = max((placement for _, placement in found), key=lambda p: prod(p.size))
        return np.concatenate([_framed(maps, own, frame) for maps, own in found]), frame

    def _provenance(self) -> Provenance:
        bundles = [segmenter.bundle for segmenter in self.segmenters]
        digests = [bundle.weights_sha256 for bundle in bundles]
        whole = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        rules = asdict(self.output)
        del rules["flip_average"], rules["temperature"]
        parameters: dict[str, Scalar] = {
            "networks": "; ".join(f"{b.name} {b.version} {b.weights_sha256}" for b in bundles),
            "temperatures": "; ".join(f"{s.output.temperature:g}" for s in self.segmenters),
            "views": "; ".join(map(str, self.views)) if self.views else "of each bundle",
            "uncertainty": self.measure.value,
            **rules,
        }
        return Provenance(
            segmenter=self.name,
            version="+".join(bundle.version for bundle in bundles),
            parameters=parameters,
            weights_sha256=digests[0] if len(digests) == 1 else whole,
            steps=(
                *(f"network: {bundle.network}" for bundle in bundles),
                f"mean of {sum(len(views) for _, views in self._members)} predictions",
                f"outlined at {self.output.threshold:g}",
            ),
        )


def _without_flip(segmenter: OnnxSegmenter) -> OnnxSegmenter:
    """The same network, its maps one view each."""
    if not segmenter.output.flip_average:
        return segmenter
    return segmenter.with_output(replace(segmenter.output, flip_average=False))


def _views_of(segmenter: OnnxSegmenter, views: tuple[View, ...] | None) -> tuple[View, ...]:
    if views is not None:
        return views
    return FLIPS if segmenter.output.flip_average else (PLAIN,)


def _framed(maps: NDArray[np.float32], own: Placement, frame: Placement) -> NDArray[np.float32]:
    """Maps of one network in the frame of another, through the image's own grid."""
    if own == frame:
        return maps
    brought = [[frame.forward(own.backward(values)) for values in classes] for classes in maps]
    return np.clip(np.array(brought, np.float32), 0, 1)
