"""The option for the millimetres of a pixel, which may be one number."""

from __future__ import annotations

from typing import Annotated

import tyro


def _spacing_of(words: list[str]) -> tuple[float, float]:
    """One number for both axes, or that of rows and that of columns."""
    row, column = (float(word) for word in (words * 2 if len(words) == 1 else words))
    return row, column


SpacingMm = Annotated[
    tuple[float, float] | None,
    tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar="MM [MM]",
        instance_from_str=_spacing_of,
        is_instance=lambda value: value is None or isinstance(value, tuple),
        str_from_instance=lambda value: [] if value is None else [str(mm) for mm in value],
    ),
    tyro.conf.arg(name="spacing", help_behavior_hint=""),
]
