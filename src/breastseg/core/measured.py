"""What was measured of a bundle's network: the contents of ``measured.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Figures = Mapping[str, int | float | str]
"""Of one protocol, by name: ``"protocol"`` is what was done, in sentences; see
`breastseg.export.results.read_results` for the rest."""


@dataclass(frozen=True)
class Measured:
    """The contents of ``measured.json``, which lies beside ``bundle.json``.

    Nothing in it is needed to run the network.

    Attributes:
        weights_sha256: hex digest of the ``model.onnx`` that was measured.
        results: measured figures with their protocol, by protocol name.
    """

    weights_sha256: str
    results: Mapping[str, Figures] = field(default_factory=dict)
