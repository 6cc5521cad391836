import json
import math

import numpy as np
import pytest

from breastseg.core import Box, Grid, Lesion, Prediction, Provenance
from breastseg.core.errors import GeometryError
from breastseg.measure import measure


def lesions(region, spacing=None) -> tuple[tuple[Lesion, ...], Grid]:
    grid = Grid(region.shape, spacing)
    prediction = Prediction(region.astype(np.float32), grid, Provenance("drawn", "1"))
    return prediction.lesions(), grid


def rectangle() -> np.ndarray:
    region = np.zeros((20, 30), bool)
    region[5:8, 10:14] = True
    return region


def test_pixels_where_the_spacing_is_unknown() -> None:
    (lesion,), grid = lesions(rectangle())
    read = measure(lesion, grid)
    assert (read.unit, read.longest, read.area, read.area_px) == ("px", 5, 12, 12)
    assert read.longest_ends == ((4.5, 9.5), (7.5, 13.5))
    assert read.perpendicular == pytest.approx(3.75)
    assert read.equivalent_diameter == pytest.approx(2 * math.sqrt(12 / math.pi))


def test_millimetres_of_unequal_spacing() -> None:
    (lesion,), grid = lesions(rectangle(), (2.0, 0.5))
    read = measure(lesion, grid)
    assert read.unit == "mm"
    assert read.longest == pytest.approx(math.hypot(6, 2))
    assert read.area == pytest.approx(12)
    assert read.longest_ends == ((4.5, 9.5), (7.5, 13.5))
    assert read.perpendicular == pytest.approx(2 * math.hypot(6, 2) / 6)


def test_each_lesion_apart() -> None:
    region = rectangle()
    region[0, 0] = region[19, 29] = True
    found, grid = lesions(region)
    assert [measure(lesion, grid).area_px for lesion in found] == [12, 1, 1]
    assert [measure(lesion, grid).longest for lesion in found[1:]] == [math.sqrt(2)] * 2
    assert measure(found[1], grid).longest_ends == ((-0.5, -0.5), (0.5, 0.5))
    assert measure(found[2], grid).longest_ends == ((18.5, 28.5), (19.5, 29.5))


def test_a_disc_has_its_diameter() -> None:
    rows, columns = np.ogrid[:200, :200]
    (lesion,), grid = lesions((rows - 100) ** 2 + (columns - 90) ** 2 <= 60**2, (0.1, 0.1))
    read = measure(lesion, grid)
    for length in (read.longest, read.perpendicular, read.equivalent_diameter):
        assert length == pytest.approx(12, abs=0.15)
    assert read.area == pytest.approx(math.pi * 36, rel=0.005)


def test_as_dict_is_json() -> None:
    (lesion,), grid = lesions(rectangle())
    read = measure(lesion, grid)
    again = json.loads(json.dumps(read.as_dict()))
    assert again["longest"] == 5
    assert again["longest_ends"] == [[4.5, 9.5], [7.5, 13.5]]
    assert set(again) == set(read.__dataclass_fields__)


def test_refuses_another_grid_and_volumes() -> None:
    (lesion,), _ = lesions(rectangle())
    with pytest.raises(GeometryError, match="within a 2-D grid"):
        measure(lesion, Grid((20, 13)))
    volume = np.ones((3, 3, 3), bool)
    with pytest.raises(GeometryError, match="slice by slice"):
        measure(Lesion(volume, Box.whole(volume.shape), 1.0, 1.0), Grid((3, 3, 3)))
