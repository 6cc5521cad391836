"""What a bundle's network was trained on, as digests: the contents of ``trained_on.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrainedOn:
    """The contents of ``trained_on.json``, which lies beside ``bundle.json``.

    A digest names no patient and shows no image: it only tells whether that image is at hand.

    Attributes:
        images: by part, ``"train"`` and ``"val"``, the SHA-256 of the image files of each case.
    """

    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
