"""What the audit finds in the masks of one case, by the rule that the readers follow."""

from __future__ import annotations

from dataclasses import dataclass, field

from breastseg.core.errors import BreastsegError, DataSetError, InputError
from breastseg.data.dataset import CaseRef
from breastseg.data.lesion_pixels import distinct, lesion_pixels, read_mask_values


@dataclass
class MaskFindings:
    """The findings of one case; files go by ``"source/name"``.

    Attributes:
        outlined: something is lesion.
        empty: all masks could be used, and nothing is lesion.
        non_binary: files with more than two values.
        values: what was taken as lesion.
        merged: files of several classes, with these.
        unusable: files in which it cannot be told what is lesion, with the reason.
        full: files that outline more than half of the image.
        wrong_size: files of another size than the image.
        unreadable: files that cannot be read, with the reason.
    """

    outlined: bool = False
    empty: bool = False
    non_binary: list[str] = field(default_factory=list)
    values: set[str] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    wrong_size: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def look_at_masks(case: CaseRef, shape: tuple[int, ...] | None) -> MaskFindings:
    """Read the masks of a case.

    Args:
        case: an image.
        shape: of the image; None where it cannot be read.
    """
    found = MaskFindings()
    if case.masks_are_images:
        _look_at_images(case, shape, found)
    elif shape is not None:
        try:
            found.outlined = bool(case.read_mask_array(shape).any())
        except InputError as error:
            found.unreadable.append(str(error))
        except BreastsegError as error:
            found.unusable.append(str(error))
    bad = found.unreadable or found.unusable
    found.empty = bool(case.mask_paths) and not bad and not found.outlined
    return found


def _look_at_images(case: CaseRef, shape: tuple[int, ...] | None, found: MaskFindings) -> None:
    for path in case.mask_paths or ():
        name = f"{case.source}/{path.name}"
        try:
            values = read_mask_values(path, name)
            if len(distinct(values)) > 2:
                found.non_binary.append(name)
            if shape is not None and values.shape[1:] != shape:
                found.wrong_size.append(name)
            pixels = lesion_pixels(values, name)
        except DataSetError as error:
            found.unusable.append(str(error))
            continue
        except BreastsegError as error:
            found.unreadable.append(str(error))
            continue
        found.outlined = found.outlined or bool(pixels.lesion.any())
        found.values |= set(pixels.values)
        if len(pixels.values) > 1:
            found.merged.append(f"{name}: {', '.join(pixels.values)}")
        if pixels.lesion.mean() > 0.5:
            found.full.append(name)
