"""One door to all methods: by name, by folder, as an object, alone and together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.classical.catalogue import METHODS
from breastseg.classical.ellipse import Ellipse
from breastseg.classical.otsu import Otsu
from breastseg.core import Box, Grid, Image, Segmenter
from breastseg.core.errors import BundleError, InputError
from breastseg.core.prompt import Prompt
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.ensemble import Ensemble
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.open import image_network, open_segmenter
from breastseg.inference.options import MethodOptions
from breastseg.inference.screen import WithinScan
from breastseg.inference.volume_ensemble import VolumeEnsemble
from breastseg.inference.volume_segmenter import VolumeSegmenter

BUNDLES = shipped_bundles()


@pytest.mark.parametrize("name", [*BUNDLES, *METHODS])
def test_every_method_opens_by_its_name_and_says_what_it_is_for(name: str) -> None:
    opened = open_segmenter(name, threads=1)
    assert isinstance(opened, Segmenter)
    assert opened.name == opened.on_one_core().name == name
    assert (opened.dimensions == 3) is (opened.phases > 0) is (name == "mri-phantom")


def test_a_bundle_is_opened_by_name_by_folder_and_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = BUNDLES["ultrasound"]
    for way in ("ultrasound", str(folder), folder):
        opened = open_segmenter(way, threads=1)
        assert isinstance(opened, OnnxSegmenter)
        assert (opened.folder, opened.threads) == (folder, 1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ultrasound").mkdir()
    assert open_segmenter("ultrasound").name == "ultrasound"
    for way in ("./ultrasound", Path("ultrasound")):
        with pytest.raises(BundleError, match="missing"):
            open_segmenter(way)


def test_names_joined_by_a_plus_are_one_ensemble() -> None:
    images = open_segmenter("ultrasound+ultrasound", threads=1)
    volumes = open_segmenter("mri-phantom+mri-phantom", threads=1)
    assert isinstance(images, Ensemble)
    assert isinstance(volumes, VolumeEnsemble)
    assert (images.dimensions, volumes.dimensions, volumes.phases) == (2, 3, 2)
    with pytest.raises(InputError, match="mri-phantom for volumes"):
        open_segmenter("ultrasound+mri-phantom")
    with pytest.raises(InputError, match=r"'ultrasound\+'"):
        open_segmenter("ultrasound+")


def test_a_classical_method_takes_its_preset_and_what_stands_after_the_colon() -> None:
    none = MethodOptions(preset="none")
    assert open_segmenter("ellipse:scale=0.75", none) == Ellipse(scale=0.75)
    assert open_segmenter("otsu", none) == Otsu() != open_segmenter("otsu")
    made = Otsu(shift=0.1)
    assert open_segmenter(made) is made


def test_a_threshold_is_taken_by_every_kind_of_method() -> None:
    options = MethodOptions(threshold=0.3)
    network = open_segmenter("ultrasound", options)
    volume = open_segmenter("mri-phantom", options)
    assert isinstance(network, OnnxSegmenter)
    assert isinstance(volume, VolumeSegmenter)
    assert network.output.threshold == volume.output.threshold == 0.3
    ramp = np.linspace(0, 255, 64 * 64).reshape(1, 64, 64).astype(np.uint8)
    image, box = Image(ramp, Grid((64, 64))), Prompt(box=Box.of(16, 16, 48, 48))
    for method in ("k-means", Otsu()):
        own = open_segmenter(method).segment(image, box)
        found = open_segmenter(method, options).on_one_core().segment(image, box)
        assert found.threshold == found.provenance.parameters["threshold"] == 0.3
        assert np.array_equal(found.probability, own.probability)
        assert np.array_equal(found.mask().labels, own.mask(0.3).labels)


def test_a_screenshot_is_looked_at_within_its_scan() -> None:
    opened = open_segmenter("otsu", screenshot=True)
    assert isinstance(opened, WithinScan)
    assert isinstance(opened.on_one_core().inner, Otsu)


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no method 'nosuch'"):
        open_segmenter("nosuch")
    with pytest.raises(InputError, match="only classical methods"):
        open_segmenter("ultrasound:shift=1")
    with pytest.raises(InputError, match="did you mean 'scale'"):
        open_segmenter("ellipse:scal=1")
    with pytest.raises(InputError, match="no preset 'nosuch'"):
        open_segmenter("otsu", MethodOptions(preset="nosuch"))
    (tmp_path / "otsu.json").write_text('{"method": "otsu"}')
    with pytest.raises(InputError, match="no preset"):
        open_segmenter("otsu", MethodOptions(preset=str(tmp_path / "otsu.json")))
    with pytest.raises(InputError, match="test-time augmentation for 'otsu'"):
        open_segmenter("otsu", MethodOptions(flip_average=True))
    with pytest.raises(InputError, match="uncertainty for 'otsu'"):
        open_segmenter("otsu", uncertainty=True)
    with pytest.raises(InputError, match="two or more"):
        open_segmenter("mri-phantom", uncertainty=True)
    with pytest.raises(InputError, match="threads = -1"):
        open_segmenter("ultrasound", threads=-1)


def test_a_slide_needs_one_network_for_images() -> None:
    network = open_segmenter("ultrasound", threads=1)
    assert image_network(network) is network
    for method in ("otsu", "mri-phantom", "ultrasound+ultrasound"):
        with pytest.raises(InputError, match="a single network for images"):
            image_network(open_segmenter(method, threads=1))
