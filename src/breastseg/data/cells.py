"""What stands in the cells of the tables that users write: modality, spacing, fold."""

from __future__ import annotations

from breastseg.core.errors import DataSetError
from breastseg.core.grid import STATED_MM
from breastseg.core.image import Modality

LABELS = ("benign", "malignant", "normal")


def modality_of(text: str, where: str) -> Modality:
    """The modality; unknown where the cell is blank.

    Args:
        text: of the cell.
        where: the row and the table, for messages.

    Raises:
        DataSetError: no modality.
    """
    word = text.strip().lower()
    try:
        return Modality(word) if word else Modality.UNKNOWN
    except ValueError as error:
        raise DataSetError(
            f"modality {text!r} of {where}", f"one of {', '.join(Modality)}, or none"
        ) from error


def label_of(text: str) -> str | None:
    """The label; None where the cell is blank. The usual three count in capitals too.

    Args:
        text: of the cell.
    """
    word = text.strip()
    return word.lower() if word.lower() in LABELS else word or None


def spacing_of(text: str, where: str) -> tuple[float, float] | None:
    """(row, column) spacing in millimetres; None where the cell is blank.

    Args:
        text: of the cell: one number, or two with a space between them.
        where: the row and the table, for messages.

    Raises:
        DataSetError: anything else, or a number that is not within `STATED_MM`.
    """
    words = text.split()
    if not words:
        return None
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(STATED_MM[0] <= v <= STATED_MM[1] for v in values):
        raise DataSetError(
            f"spacing_mm {text!r} of {where}",
            f"one number of {STATED_MM[0]:.5f} to {STATED_MM[1]:g}, or row and column spacing with "
            "a space between them",
            "give millimetres, not micrometres",
        )
    return values[0], values[-1]


def fold_of(text: str, where: str) -> int | None:
    """The fold; None where the cell is blank.

    Args:
        text: of the cell.
        where: the row and the table, for messages.

    Raises:
        DataSetError: no whole number of 0 or more.
    """
    word = text.strip()
    if not word:
        return None
    if not (word.isascii() and word.isdecimal()):
        raise DataSetError(f"fold {text!r} of {where}", "a whole number of 0 or more, or none")
    return int(word)
