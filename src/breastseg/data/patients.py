"""Patients that tables name in two ways, which would put one on both sides of a split."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from breastseg.data.dataset import CaseRef, Fault, some


def look_alikes(cases: Iterable[CaseRef]) -> tuple[str, ...]:
    """The remark on patients whose names differ in what people write now so, now so; often none.

    That is capitals, blanks, accents in one character or two, zeros before a number, and the
    ``.0`` that spreadsheets put behind one.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        names[_plain(case.patient_id)].add(case.patient_id)
    alike = [" and ".join(sorted(ways)) for ways in names.values() if len(ways) > 1]
    if not alike:
        return ()
    return (Fault(f"patients that differ only in how they are written: {some(alike)}"),)


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Zs"))
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"(?<=\d)\.0$", "", text))
