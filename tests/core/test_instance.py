"""An instance is valid once built, and a prediction carries it."""

import numpy as np
import pytest

from breastseg.core import Grid, Prediction, Provenance
from breastseg.core.errors import GeometryError, InputError
from breastseg.core.instance import Instance


def region() -> np.ndarray:
    values = np.zeros((4, 6), bool)
    values[1:3, 2:5] = True
    return values


def test_an_instance_keeps_a_copy() -> None:
    given = region()
    one = Instance(given, (1, 2, 3, 5), 0.75)
    given[:] = False
    assert one.region.sum() == 6
    assert one.box == (1.0, 2.0, 3.0, 5.0)
    assert one.label == 1
    with pytest.raises(ValueError, match="read-only"):
        one.region[0, 0] = True


@pytest.mark.parametrize(
    ("box", "score", "label"),
    [
        ((1, 2, 3), 0.5, 1),
        ((3, 2, 1, 5), 0.5, 1),
        ((1, 2, float("nan"), 5), 0.5, 1),
        ((1, 2, 3, 5), 1.5, 1),
        ((1, 2, 3, 5), float("nan"), 1),
        ((1, 2, 3, 5), 0.5, 0),
    ],
)
def test_an_instance_that_cannot_be(box: tuple[float, ...], score: float, label: int) -> None:
    with pytest.raises(InputError):
        Instance(region(), box, score, label)


def test_a_region_is_bool() -> None:
    with pytest.raises(InputError, match="uint8"):
        Instance(region().astype(np.uint8), (1, 2, 3, 5), 0.5)  # type: ignore[arg-type]


def test_a_prediction_carries_instances_beside_its_map() -> None:
    grid, provenance = Grid((4, 6)), Provenance("test", "1")
    empty = np.zeros((4, 6), np.float32)
    one = Instance(region(), (1, 2, 3, 5), 0.75)
    prediction = Prediction(empty, grid, provenance, instances=[one])  # type: ignore[arg-type]
    assert prediction.instances == (one,)
    assert prediction.lesions() == ()  # these go by the map alone
    assert Prediction(empty, grid, provenance).instances == ()
    with pytest.raises(GeometryError, match="instance"):
        Prediction(empty[:3], Grid((3, 6)), provenance, instances=(one,))
