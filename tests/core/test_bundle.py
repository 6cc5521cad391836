import itertools

import pytest

from breastseg.core.bundle import VolumeSpec
from breastseg.core.errors import BundleError


@pytest.mark.parametrize("ends", list(itertools.product("LR", "AP", "SI")))
def test_an_orientation_is_any_order_of_the_three_axes_of_the_body(ends):
    for letters in itertools.permutations(ends):
        assert VolumeSpec(orientation="".join(letters)).orientation == "".join(letters)


@pytest.mark.parametrize("wrong", ["", "SP", "SPLA", "SPP", "SPA", "spl", "XYZ"])
def test_an_orientation_names_each_axis_once(wrong):
    with pytest.raises(BundleError, match=f"orientation '{wrong}'"):
        VolumeSpec(orientation=wrong)
