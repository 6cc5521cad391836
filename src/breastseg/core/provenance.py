"""How a result came about; travels into every file written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

Scalar = str | int | float | bool | None


BY_HAND = "by-hand"
"""What stands for the segmenter of a mask that a person has drawn, corrected or kept."""


@dataclass(frozen=True)
class Provenance:
    """What produced a prediction.

    Attributes:
        segmenter: the method's or bundle's name.
        version: its version.
        parameters: the parameters in force, as plain scalars.
        weights_sha256: hex digest of the weights, where there are any.
        steps: what was done, in order, in words.
    """

    segmenter: str
    version: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    weights_sha256: str | None = None
    steps: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The same as plain containers, ready for JSON."""
        return asdict(self)
