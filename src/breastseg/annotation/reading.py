"""One reader's decision on one image of a project; a reading never changes once it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Decision(StrEnum):
    """What a reader says of an image."""

    ACCEPTED = "accepted"  # the proposed mask is right as it is
    CORRECTED = "corrected"  # the mask is the reader's own, or the proposed one with changes
    REJECTED = "rejected"  # the image cannot be labelled
    HANDED_ON = "handed on"  # another reader shall decide


HAS_MASK = (Decision.ACCEPTED, Decision.CORRECTED)


@dataclass(frozen=True, eq=False)
class Reading:
    """One reader's decision on one image.

    Attributes:
        case: the image's name in the project.
        reader: the reader's name.
        decision: what was decided.
        when: the time of the decision, ISO 8601 with its zone.
        seconds: time from the image's appearance to the decision, 0 or more.
        mask: (rows, columns) bool, True on lesions; none True says that there is no lesion. None
            where the decision leaves no mask.
        edited_px: how many pixels differ from the proposed mask; None where none was shown.
        note: free text.

    Raises:
        InputError: a name that cannot be a file's, a mask that is missing, needless or not a
            two-dimensional bool array, or a number below 0.
    """

    case: str
    reader: str
    decision: Decision
    when: str
    seconds: float
    mask: NDArray[np.bool_] | None = None
    edited_px: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for what, name in (("case", self.case), ("reader", self.reader)):
            check_name(name, what)
        if (self.mask is not None) != (self.decision in HAS_MASK):
            raise InputError(
                f"a reading that was {self.decision} "
                f"{'without' if self.mask is None else 'with'} a mask",
                "a mask where it was accepted or corrected, and none otherwise",
            )
        if self.mask is not None:
            if self.mask.ndim != 2 or self.mask.dtype != np.bool_:
                raise InputError(
                    f"a mask of shape {self.mask.shape} and dtype {self.mask.dtype}",
                    "(rows, columns) of bool",
                )
            mask = self.mask.copy()
            mask.flags.writeable = False
            object.__setattr__(self, "mask", mask)
        if not 0 <= self.seconds < float("inf") or (self.edited_px or 0) < 0:
            raise InputError(
                f"a reading of {self.seconds} s with {self.edited_px} edited pixels",
                "finite numbers of at least 0",
            )


def check_name(name: str, what: str) -> None:
    """Check that a name is safe as a file's.

    Raises:
        InputError: it is not.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"a {what} named {name[:100]!r}",
            "up to 100 of the letters A to Z, digits, '-', '_' and '.', "
            "the first a letter or digit",
        )
