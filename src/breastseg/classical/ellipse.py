"""The ellipse in the box: the control that looks at no pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within


@dataclass(frozen=True)
class Ellipse(ClassicalMethod):
    """The ellipse inscribed in the box that was drawn or found.

    Lesions are roundish, so this alone comes close to many of them. What another method gains with
    a box is what it gains over this one.

    Attributes:
        scale: of the ellipse's axes; 1 touches the four sides of the box.
    """

    name: ClassVar[str] = "ellipse"
    summary: ClassVar[str] = "the ellipse in the box, without a look at the image: a control"
    source: ClassVar[str] = "no paper: the control that says what the box alone is worth"
    weakness: ClassVar[str] = "lobulated, spiculated and oblique lesions"

    scale: Annotated[float, Within(0.5, 1.5)] = 1.0

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Fill the ellipse."""
        return np.asarray(view.radius <= self.scale)
