"""The golden vectors of decoding, against the package; the browser reads the same files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from .make_image_vectors import FOLDER, read

INDEX = json.loads((FOLDER / "images.json").read_text())
BYTES = (FOLDER / "images.bin").read_bytes()


@pytest.mark.parametrize("name", INDEX)
def test_the_package_gives_the_vectors(name):
    place = INDEX[name]
    found = read(name, BYTES[place["offset"] : place["offset"] + place["length"]])
    if place["images"] is None:
        assert found is None
        return
    assert len(found) == len(place["images"])
    for image, wanted in zip(found, place["images"], strict=True):
        dtype = np.dtype(wanted["dtype"]).newbyteorder("<")
        flat = np.frombuffer(BYTES, dtype, int(np.prod(wanted["shape"])), wanted["offset"])
        assert image.array.dtype.name == wanted["dtype"]
        assert np.array_equal(image.array, flat.reshape(wanted["shape"]))
        said = wanted["spacing_mm"]
        assert image.grid.spacing_mm == (None if said is None else tuple(said))
        assert (image.modality, image.frame) == (wanted["modality"], wanted["frame"])
