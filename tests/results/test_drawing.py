"""What is shown of an image."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.core.box import Box
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.results.drawing import shown


@pytest.mark.parametrize(("channels", "dtype"), [(1, "u1"), (3, "u1"), (1, "u2"), (1, "f4")])
def test_what_was_not_looked_at_is_black(channels: int, dtype: str) -> None:
    array = np.full((channels, 4, 5), 90, dtype)
    array[:, 1:3, 1:3] = 200
    grid = Grid((4, 5))
    seen = Prediction(
        np.zeros((4, 5), np.float32), grid, Provenance("m", "1"), seen=Box.of(1, 1, 4, 4)
    )
    picture = shown(Image(array, grid), seen)
    assert not picture[0].any()
    assert picture[1:3, 1:3].all()
