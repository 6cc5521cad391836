"""Whether cases that are scored are among those that a network was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from breastseg.core.trained_on import TrainedOn
from breastseg.data.dataset import CaseRef, some
from breastseg.data.fingerprint import fingerprint_of
from breastseg.inference.bundle_folder import read_trained_on
from breastseg.inference.methods import (
    bundle_folder,
    is_classical,
    method_and_parameters,
    network_names,
)

_PARTS = {"train": "trained on", "val": "validated in training on"}


def seen_in_training(methods: Mapping[str, str], cases: Sequence[CaseRef]) -> tuple[str, ...]:
    """A warning for each method that has seen some of the cases.

    Only a bundle that carries digests of its data can tell. An image counts as the same where its
    files are, byte for byte.

    Args:
        methods: as `open_segmenter` takes them by name, by the label that warnings use.
        cases: those to be scored.

    Returns:
        Sentences; none where nothing is known against the cases.

    Raises:
        BundleError: a bundle's ``trained_on.json`` is damaged.
        DataSetError: a case's file cannot be read.
    """
    known = {label: _trained_on(method) for label, method in methods.items()}
    if not any(one.images for many in known.values() for one in many):
        return ()
    digests = {case.key: fingerprint_of(case).image for case in cases}
    warnings = []
    for label, bundles in known.items():
        for part, done in _PARTS.items():
            seen = {digest for one in bundles for digest in one.images.get(part, ())}
            met = [key for key, digest in digests.items() if digest in seen]
            if met:
                warnings.append(
                    f"{label} was {done} {len(met)} of the {len(cases)} cases ({some(met)}): "
                    "its figures on them say nothing of other patients"
                )
    return tuple(warnings)


def _trained_on(method: str) -> list[TrainedOn]:
    if is_classical(method_and_parameters(method)[0]):
        return []
    return [read_trained_on(bundle_folder(name)) for name in network_names(method)]
