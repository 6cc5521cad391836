"""Several networks for volumes as one: the mean of their maps, and where they are unsure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core import OutputSpec, Prompt, Segmenter
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.inference.bundle_folder import read_bundle, write_bundle_json
from breastseg.inference.methods import MethodSpec
from breastseg.inference.uncertainty import entropy
from breastseg.inference.volume_ensemble import VolumeEnsemble
from breastseg.inference.volume_segmenter import VolumeSegmenter

from .test_volume_segmenter import SPEC, exam, make_bundle

COARSE = replace(SPEC, spacing_mm=(4.0, 2.0, 2.0))


@pytest.fixture
def networks(tmp_path: Path) -> list[VolumeSegmenter]:
    """The same network at two spacings; the first drops outlines of few voxels."""
    least = OutputSpec(min_area_fraction=0.003)
    folders = [
        make_bundle(tmp_path / "fine", SPEC, least),
        make_bundle(tmp_path / "coarse", COARSE),
    ]
    return [VolumeSegmenter(folder, threads=1) for folder in folders]


def test_maps_are_averaged_before_the_operating_point(networks: list[VolumeSegmenter]) -> None:
    image, gain = exam()
    ensemble = VolumeEnsemble(networks)
    assert isinstance(ensemble, Segmenter)
    found = ensemble.segment(image)
    maps = [network.map_of(image)[0] for network in networks]
    mean = (maps[0] + maps[1]) / 2
    kept = found.probability >= 0.5
    np.testing.assert_array_equal(found.probability[kept], mean[kept])
    # the single voxel that enhances is dropped from the outline, and not from the uncertainty
    assert mean[8, 17, 19] >= 0.5
    assert found.probability[8, 17, 19] < 0.5
    assert len(found.lesions()) == 1
    assert found.uncertainty is not None
    np.testing.assert_allclose(found.uncertainty, entropy(mean), atol=1e-6)
    assert found.uncertainty[8, 17, 19] > 0
    assert found.mask().foreground[4:6, 6:10, 8:12].all()
    assert gain[4:6, 6:10, 8:12].all()


def test_provenance_names_all(networks: list[VolumeSegmenter]) -> None:
    provenance = VolumeEnsemble(networks).segment(exam()[0]).provenance
    assert (provenance.segmenter, provenance.version) == ("gain+gain", "1.0+1.0")
    assert provenance.steps[0] == "mean of 2 networks: gain 1.0, gain 1.0"
    assert provenance.weights_sha256 not in {n.bundle.weights_sha256 for n in networks}
    assert provenance.parameters["networks"] == 2


def test_one_network_is_itself(networks: list[VolumeSegmenter]) -> None:
    assert VolumeEnsemble(networks).on_one_core().name == "gain+gain"
    with pytest.raises(UnsupportedError, match="prompt"):
        VolumeEnsemble(networks).segment(exam()[0], Prompt(inside=((1, 1),)))


def test_networks_that_differ_are_refused(networks: list[VolumeSegmenter], tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "other")
    write_bundle_json(folder, replace(read_bundle(folder), labels={1: "vessel"}))
    with pytest.raises(
        InputError, match=r"\(lesion\) and mri in 2 phases \(vessel\). Expected: two or more"
    ):
        VolumeEnsemble([networks[0], VolumeSegmenter(folder)])
    with pytest.raises(InputError, match="an ensemble of 1 networks"):
        VolumeEnsemble(networks[:1])


def test_they_are_named_with_a_plus(networks: list[VolumeSegmenter]) -> None:
    method = "+".join(str(network.folder) for network in networks)
    spec = MethodSpec.parse(method)
    assert (spec.label, spec.info().phases) == ("fine+coarse", 2)
    assert isinstance(spec.open(), VolumeEnsemble)
    both = "mri-phantom for 2 phases of volumes, ultrasound for images"
    with pytest.raises(InputError, match=both):
        MethodSpec.parse("mri-phantom+ultrasound").info()
