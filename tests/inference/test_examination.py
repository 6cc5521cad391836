"""The steps around a network for volumes."""

import numpy as np
from numpy.typing import NDArray

from breastseg.core import Grid, Image, Modality, Prediction, Provenance
from breastseg.core.prompt import Prompt
from breastseg.data.phantoms.volume import volume_phantom
from breastseg.inference.examination import segment_examination
from breastseg.preprocess.bias_field import bias_corrected
from breastseg.preprocess.breast_volume import breast_region_of_volume


class Everywhere:
    """Calls every voxel lesion, and remembers what it was shown."""

    name = "everywhere"
    seen: NDArray[np.generic]

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        self.seen = image.array
        probability = np.ones(image.grid.shape, np.float32)
        return Prediction(probability, image.grid, Provenance("everywhere", "1", steps=("all",)))


def test_the_network_alone() -> None:
    image = Image(np.zeros((2, 4, 5, 6), np.int16), Grid((4, 5, 6)), Modality.MRI)
    inner = Everywhere()
    found = segment_examination(inner, image)
    assert found.probability.all()
    assert np.shares_memory(inner.seen, image.array)
    assert found.provenance.steps == ("all",)


def test_both_steps_are_taken_and_named() -> None:
    scan = volume_phantom(3, shape=(16, 64, 64), phases=2).images[0]
    inner = Everywhere()
    found = segment_examination(inner, scan, correct_bias=True, within_breast=True)
    np.testing.assert_array_equal(inner.seen, bias_corrected(scan).array)
    np.testing.assert_array_equal(found.mask().foreground, breast_region_of_volume(scan))
    first, middle, last = found.provenance.steps
    assert "N4" in first
    assert middle == "all"
    assert "outside the breasts" in last
