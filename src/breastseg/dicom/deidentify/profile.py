"""The basic application level confidentiality profile, DICOM PS3.15 table E.1-1.

``profile.csv`` holds its tags and the actions of the column "Basic Prof.", of edition 2026c, as
Kitware's dicom-anonymizer 2.1.0 lists them.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

EDITION = "2026c"

KEPT, REMOVED, EMPTIED, REPLACED, MAPPED, CLEANED = (
    *("kept", "removed", "emptied", "replaced", "mapped"),
    "cleaned",
)
"""What is done with an attribute; ``cleaned`` is a sequence whose items are de-identified."""

_DONE = {
    "X": REMOVED,
    "Z": EMPTIED,
    "D": REPLACED,
    "U": MAPPED,
    "X/Z": EMPTIED,
    "Z/D": REPLACED,
    "X/D": REPLACED,
    "X/Z/D": REPLACED,
    "X/Z/U*": CLEANED,
}
"""Of several actions the one that keeps an object valid, whatever type its attribute has."""


@cache
def table() -> dict[str, str]:
    """The actions of the table by tag, eight hexadecimal digits of which some may be ``x``."""
    text = (files(__package__) / "profile.csv").read_text(encoding="utf-8")
    return {row["tag"]: row["action"] for row in csv.DictReader(text.splitlines())}


def action(tag: int, vr: str) -> str | None:
    """What the profile does with an attribute; None for one that is not in the table.

    Args:
        tag: group and element.
        vr: its value representation.
    """
    if 0x5000 <= tag >> 16 <= 0x50FF or 0x6000 <= tag >> 16 <= 0x60FF:
        return REMOVED  # an overlay is removed whole: its frame is of no use without its data
    listed = table().get(f"{tag:08x}")
    if listed is None:
        return None
    if vr == "SQ" and listed in ("X/D", "X/Z/D"):
        return REMOVED  # rather than an item with nothing in it
    return _DONE[listed]
