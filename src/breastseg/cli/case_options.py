"""The options that name data sets and choose cases of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import tyro

from breastseg.cli.console import complain
from breastseg.data.catalogue import OWN
from breastseg.data.dataset import Fault, Notice
from breastseg.data.sources import open_data_sets

Words = tuple[tuple[str, ...], ...]
"""The words after each occurrence of an option: ``--data A B --data C`` is ((A, B), (C,))."""

DataOption = Annotated[
    tyro.conf.UseAppendAction[Words],
    tyro.conf.arg(metavar="NAME=FOLDER ...", help_behavior_hint=""),
]
"""``--data BUSI=data/BUSI --data folder=scans`` or ``--data BUSI=data/BUSI folder=scans``."""


def tell_notices(data: Words) -> int:
    """Say on standard error what changes the meaning of a figure on these data sets.

    Returns:
        1 where something is wrong with them, such as masks without an image; else 0.
    """
    faults = 0
    for data_set in open_data_sets(flat(data)):
        for remark in data_set.remarks():
            if isinstance(remark, Notice):
                complain(f"{data_set.name}: {remark}")
                faults = faults or int(isinstance(remark, Fault))
    return faults


def flat(words: Words) -> tuple[str, ...]:
    """The words of all occurrences, in order."""
    return tuple(word for occurrence in words for word in occurrence)


def portable_words(sources: Sequence[str], selections: Sequence[str]) -> list[str]:
    """The options again, without folders of this machine: for the record of a run."""
    words = []
    for text in sources:
        name, _, place = text.partition("=")
        kind = place.partition(":")[0].strip()
        words.append(f"{name}={kind}:FOLDER" if kind.lower() in OWN else f"{name}=FOLDER")
    specs = [re.sub(r"(?<=:)[^#\s]*/", "", text) for text in selections]
    return ["--data", *words, *(("--split", *specs) if specs else ())]
