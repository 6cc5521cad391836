import numpy as np
import pytest

from breastseg.core import Box, Grid, Lesion, Prediction, Provenance
from breastseg.measure.uncertainty import region_uncertainty


def predicted(uncertainty, probability=((0.9, 0.1), (0.7, 0.2))) -> Prediction:
    values = np.array(probability, np.float32)
    by = Provenance("made", "1")
    return Prediction(values, Grid(values.shape), by, uncertainty=uncertainty)


def test_it_is_the_mean_over_the_mask_or_over_one_lesion() -> None:
    unsure = np.array([[0.2, 1], [0.4, 1]], np.float32)
    prediction = predicted(unsure)
    assert region_uncertainty(prediction) == pytest.approx(0.3)
    upper = Lesion(np.ones((1, 2), bool), Box.of(0, 0, 1, 2), 0.5, 0.9)
    assert region_uncertainty(prediction, upper) == pytest.approx(0.6)
    (lesion,) = prediction.lesions()
    assert region_uncertainty(prediction, lesion) == pytest.approx(0.3)


def test_there_is_none_without_a_map_or_a_mask() -> None:
    assert region_uncertainty(predicted(None)) is None
    assert region_uncertainty(predicted(np.ones((1, 1), np.float32), ((0.1,),))) is None
