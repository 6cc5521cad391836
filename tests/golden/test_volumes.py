"""The golden vectors of volumes, against the package; the browser reads the same files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from breastseg.inference.methods import bundle_folder
from breastseg.inference.volume_segmenter import VolumeSegmenter

from . import make_volume_vectors as maker

INDEX = json.loads(maker.STEM.with_suffix(".json").read_text())
BYTES = maker.STEM.with_suffix(".bin").read_bytes()
FILES = {
    name: BYTES[at["offset"] : at["offset"] + at["length"]] for name, at in INDEX["files"].items()
}
FINAL = 5e-3  # processors differ in the last bits of a product


def array(stored):
    kind, shape = np.dtype(stored["dtype"]).newbyteorder("<"), stored["shape"]
    return np.frombuffer(BYTES, kind, int(np.prod(shape)), stored["offset"]).reshape(shape)


@pytest.mark.parametrize("name", INDEX["volumes"])
def test_the_package_reads_the_vectors(name):
    wanted = INDEX["volumes"][name]
    found = maker.read(maker.groups(FILES)[name], FILES)
    if wanted is None:
        assert found is None
        return
    assert list(found.grid.shape) == wanted["shape"]
    # the last bit depends on the processor, whose sums of products round once or twice
    assert list(found.grid.spacing_mm or []) == pytest.approx(wanted["spacing_mm"] or [], rel=1e-12)
    assert (found.modality, list(found.remarks)) == (wanted["modality"], wanted["remarks"])
    for phase, stored in zip(found.array, wanted["phases"], strict=True):
        assert phase.dtype.name == stored["dtype"]
        assert np.array_equal(phase, array(stored))


def test_the_package_outlines_the_vectors():
    segmenter = VolumeSegmenter(bundle_folder(maker.BUNDLE), threads=1)
    for name, image in maker.studies():
        found = segmenter.segment(image).probability
        wanted = array(INDEX["segmented"][name]["probability"]) / 65535
        assert np.abs(found - wanted).max() < FINAL, name
