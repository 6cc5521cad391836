"""What the bundles that are trained here are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from itertools import count

from breastseg.service.tables import Training

_MAX_LETTERS = 40
"""Of a project's name: with the rest a name stays within what a bundle's may have."""


def new_name(project: str, day: date, taken: Collection[str]) -> str:
    """A name that tells a team which project a bundle was trained for, and when.

    Args:
        project: as people call it; letters that a bundle's name cannot have become hyphens.
        day: on which it is begun.
        taken: names that it must not have.

    Returns:
        Such as ``"trained-clinic-a-2026-11-30"``; ``-2`` and so on follow where that is taken.
    """
    plain = unicodedata.normalize("NFKD", project).encode("ascii", "ignore").decode().lower()
    slug = re.sub("[^a-z0-9]+", "-", plain)[:_MAX_LETTERS].strip("-") or "project"
    name = f"trained-{slug}-{day:%Y-%m-%d}"
    if name not in taken:
        return name
    return next(one for n in count(2) if (one := f"{name}-{n}") not in taken)


def trained_name(training: Training) -> str:
    """What the bundle of a training is called; before names were kept, it was by its identity."""
    name: str = training.request.get("bundle", f"trained-{training.id[:12]}")
    return name
