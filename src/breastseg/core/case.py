"""A case: the images of one study, with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.image import Image
from breastseg.core.mask import Mask


@dataclass(frozen=True, eq=False)
class Case:
    """One examined view with its ground truth.

    Attributes:
        case_id: unique within the source.
        patient_id: cases of one patient share it; it never crosses a split.
        images: one or more images on one grid.
        mask: the ground truth; an empty mask says "no lesion", None says "not known".
        label: ``"benign"``, ``"malignant"``, ``"normal"`` or another class; None if unknown.
        source: the data set's name.
        scanner: the device, where it is stated.

    Raises:
        InputError: no image or no identifier.
        GeometryError: the mask lies on another grid than the first image.
    """

    case_id: str
    patient_id: str
    images: tuple[Image, ...] = field(repr=False)
    mask: Mask | None = field(default=None, repr=False)
    label: str | None = None
    source: str = ""
    scanner: str | None = None

    def __post_init__(self) -> None:
        if not self.images or not self.case_id or not self.patient_id:
            raise InputError(
                f"case {self.case_id!r} of patient {self.patient_id!r}, {len(self.images)} images",
                "an identifier for case and patient, and at least one image",
            )
        if self.mask is not None and self.mask.grid.shape != self.images[0].grid.shape:
            raise GeometryError(
                f"case {self.case_id}: a mask of {self.mask.grid.shape} "
                f"on an image of {self.images[0].grid.shape}",
                "one shape",
            )
