import json
import math

import numpy as np
import pytest

from breastseg.core import Box, Grid, Lesion, Prediction, Provenance
from breastseg.core.errors import GeometryError
from breastseg.core.grid import Region
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


def spot(row: int, column: int, size: int = 4) -> np.ndarray:
    region = np.zeros((40, 60), bool)
    region[row : row + size, column : column + size] = True
    return region


def two_scales() -> Grid:
    left, right = (
        Region(Box.of(0, 0, 40, 20), (0.1, 0.1)),
        Region(Box.of(0, 20, 40, 40), (0.2, 0.2)),
    )
    return Grid((40, 60), None, regions=(left, right, Region(Box.of(0, 40, 40, 60))))


@pytest.mark.parametrize(
    ("column", "unit", "area"), [(5, "mm", 0.16), (30, "mm", 0.64), (50, "px", 16), (18, "px", 16)]
)
def test_the_region_in_which_a_lesion_lies_gives_its_scale(
    column: int, unit: str, area: float
) -> None:
    (lesion,), _ = lesions(spot(10, column))
    read = measure(lesion, two_scales())
    assert (read.unit, read.area) == (unit, pytest.approx(area))


def test_a_lesion_outside_every_region_is_in_pixels() -> None:
    grid = Grid((40, 60), (0.1, 0.1), regions=(Region(Box.of(0, 0, 40, 20), (0.1, 0.1)),))
    (lesion,), _ = lesions(spot(10, 30))
    assert measure(lesion, grid).unit == "px"


def test_a_lesion_across_two_regions_of_one_scale_has_it() -> None:
    halves = (Box.of(0, 0, 40, 20), Box.of(0, 20, 40, 40))
    grid = Grid((40, 60), None, regions=tuple(Region(half, (0.1, 0.1)) for half in halves))
    (lesion,), _ = lesions(spot(10, 18))
    assert measure(lesion, grid).area == pytest.approx(0.16)


def test_the_smaller_of_two_regions_one_in_the_other_counts() -> None:
    outer, inner = (
        Region(Box.of(0, 0, 40, 60), (0.1, 0.1)),
        Region(Box.of(5, 5, 20, 20), (0.3, 0.3)),
    )
    grid = Grid((40, 60), None, regions=(outer, inner))
    (lesion,), _ = lesions(spot(10, 10))
    assert measure(lesion, grid).area == pytest.approx(16 * 0.09)


def test_a_region_lies_in_its_grid() -> None:
    with pytest.raises(GeometryError, match="regions"):
        Grid((10, 10), regions=(Region(Box.of(0, 0, 11, 5)),))
