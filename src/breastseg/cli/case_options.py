"""The options that name data sets and choose cases of them."""

from __future__ import annotations

from typing import Annotated

import tyro

Words = tuple[tuple[str, ...], ...]
"""The words after each occurrence of an option: ``--data A B --data C`` is ((A, B), (C,))."""

DataOption = Annotated[
    tyro.conf.UseAppendAction[Words],
    tyro.conf.arg(metavar="NAME=FOLDER ...", help_behavior_hint=""),
]
"""``--data BUSI=data/BUSI --data folder=scans`` or ``--data BUSI=data/BUSI folder=scans``."""


def flat(words: Words) -> tuple[str, ...]:
    """The words of all occurrences, in order."""
    return tuple(word for occurrence in words for word in occurrence)
