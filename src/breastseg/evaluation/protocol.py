"""Under which rules cases are segmented and scored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from breastseg.core.errors import InputError
from breastseg.metrics.lesionwise import DEFAULT_MIN_IOU


class Prompting(StrEnum):
    """What a method is told about a case."""

    NONE = "none"  # nothing: the method finds the lesion itself
    BOX = "box"  # a box around each true lesion: the method only draws its border


@dataclass(frozen=True)
class Protocol:
    """How cases are segmented and scored.

    Attributes:
        size: (rows, columns) to score at, to compare with work that reports at that size; None
            scores each image at its own.
        min_iou: from which a region hits a true lesion, above 0 to 1; when a lesion is found
            stands in `breastseg.metrics.lesionwise`.
        prompting: what the methods are told.
    """

    size: tuple[int, int] | None = None
    min_iou: float = DEFAULT_MIN_IOU
    prompting: Prompting = Prompting.NONE

    def __post_init__(self) -> None:
        if self.size is not None and not all(1 <= n <= 16384 for n in self.size):
            raise InputError(f"size {self.size} to score at", "1 to 16384 rows and columns")
        if not 0 < self.min_iou <= 1:
            raise InputError(f"min_iou {self.min_iou}", "above 0 to 1")


DEFAULT_PROTOCOL = Protocol()
"""Each image at its own size, and nothing told."""
