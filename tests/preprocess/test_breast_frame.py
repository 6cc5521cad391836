"""The box around a drawn breast, and what becomes of it on the way to a network and back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Box, Fit, Grid, Image, InputSpec, Modality
from breastseg.core.bundle import Region
from breastseg.core.errors import BundleError
from breastseg.preprocess.breast_frame import breast_frame
from breastseg.preprocess.prepare import prepare_unit


def drawn() -> NDArray[np.float32]:
    """A breast on the left of 240 x 200 pixels, 100 wide, 20 rows free above and below."""
    rows, columns = np.mgrid[:240, :200]
    breast = ((rows - 119.5) / 100) ** 2 + (columns / 100) ** 2 < 1
    texture = np.random.default_rng(0).normal(0, 0.02, breast.shape)
    image = np.where(breast, 0.4 + texture, 0.01).astype(np.float32)
    image[100:120, 30:45] = 1.0  # a lesion
    return image


@pytest.mark.parametrize("on_right", [False, True])
def test_the_box_is_around_the_breast(on_right: bool) -> None:
    image = drawn()[:, ::-1] if on_right else drawn()
    box, right = breast_frame(image)
    row0, column0, row1, _ = box
    columns = box.shape[1]
    assert right is on_right
    assert row0 in range(12, 20)
    assert row1 in range(221, 229)
    assert columns in range(100, 108)
    assert column0 == (200 - columns if on_right else 0)


def test_a_part_of_a_mammogram_is_seen_whole() -> None:
    part = drawn()[90:150, 10:60]
    assert breast_frame(part) == (Box.whole((60, 50)), False)
    assert breast_frame(np.zeros((30, 20), np.float32)) == (Box.whole((30, 20)), False)


def test_both_sides_look_the_same_and_come_back_to_their_own_places() -> None:
    spec = InputSpec(size=(256, 160), fit=Fit.PAD, region=Region.BREAST)
    seen = {}
    for step in (1, -1):
        array = drawn()[:, ::step]
        image = Image(array[None], Grid((240, 200)), Modality.MAMMOGRAPHY)
        seen[step], placement = prepare_unit(image, spec)
        back = placement.backward((seen[step] > 0.9).astype(np.float32)) >= 0.5
        # a line more or less along its border
        assert np.logical_xor(back, array > 0.9).sum() <= 70
        assert not back[array < 0.3].any()
    np.testing.assert_array_equal(seen[1], seen[-1])


def test_colour_has_no_breast() -> None:
    with pytest.raises(BundleError, match="colour"):
        InputSpec(channels=3, colour=True, region=Region.BREAST)
