"""One door to all methods: by name, with parameters, in another process."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from breastseg.classical.ellipse import Ellipse
from breastseg.classical.otsu import Otsu
from breastseg.core.errors import BundleError, InputError
from breastseg.core.image import Modality
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.methods import MethodSpec, method_names
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.volume_segmenter import VolumeSegmenter


def test_networks_and_classical_methods_stand_in_one_list() -> None:
    names = method_names()
    assert {"ultrasound", "otsu", "ellipse"} <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "method", "label", "parameters"),
    [
        ("otsu", "otsu", "otsu", {}),
        ("otsu:shift=0.1,margin=0.5", "otsu", "otsu:shift=0.1,margin=0.5", None),
        ("wide=otsu:margin=1", "otsu", "wide", {"margin": "1"}),
        ("mine=some/bundle", "some/bundle", "mine", {}),
        ("some/bundle", "some/bundle", "bundle", {}),
    ],
)
def test_a_word_names_a_method_and_what_to_change(
    text: str, method: str, label: str, parameters: dict[str, str] | None
) -> None:
    spec = MethodSpec.parse(text, "none")
    assert (spec.method, spec.label, spec.preset) == (method, label, "none")
    assert spec.parameters == (
        {"shift": "0.1", "margin": "0.5"} if parameters is None else parameters
    )


@pytest.mark.parametrize("text", ["", "=otsu", "a=", "otsu:", "otsu:shift", "otsu:shift=", ":x=1"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="LABEL=NAME"):
        MethodSpec.parse(text)


def test_a_classical_method_is_opened_with_its_parameters_after_a_journey() -> None:
    spec = pickle.loads(pickle.dumps(MethodSpec.parse("ellipse:scale=0.75", "none")))
    assert spec.open() == Ellipse(scale=0.75)
    assert MethodSpec("otsu", "x", "none").open() == Otsu()


def test_a_network_is_opened_by_name_and_by_folder() -> None:
    folder = str(shipped_bundles()["ultrasound"])
    for name in ("ultrasound", folder):
        opened = MethodSpec(name, "net").open(threads=1)
        assert isinstance(opened, OnnxSegmenter)
        assert (opened.name, opened.threads) == ("ultrasound", 1)


def test_a_network_for_volumes_is_opened_as_one() -> None:
    spec = MethodSpec("mri-phantom", "net")
    opened = spec.open(threads=1)
    assert isinstance(opened, VolumeSegmenter)
    assert spec.info().phases == opened.spec.channels == 2
    assert MethodSpec("ultrasound", "x").info().phases == 0
    assert "mri-phantom" not in method_names()


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nosuch"):
        MethodSpec("nosuch", "x").open()
    with pytest.raises(BundleError, match="models list"):
        MethodSpec("nosuch", "x").info()
    with pytest.raises(InputError, match="only classical methods"):
        MethodSpec("ultrasound", "x", parameters={"shift": 1}).open()
    with pytest.raises(InputError, match="did you mean 'scale'"):
        MethodSpec("ellipse", "x", "none", {"scal": 1}).open()
    with pytest.raises(InputError, match="no preset 'nosuch'"):
        MethodSpec("otsu", "x", "nosuch").open()
    (tmp_path / "otsu.json").write_text('{"method": "otsu"}')
    with pytest.raises(InputError, match="no preset"):
        MethodSpec("otsu", "x", str(tmp_path / "otsu.json")).open()


def test_what_is_known_of_a_method() -> None:
    otsu, network = MethodSpec("otsu", "x", "none").info(), MethodSpec("ultrasound", "x").info()
    assert (otsu.kind, otsu.takes_prompt, otsu.modality) == ("classical", True, Modality.UNKNOWN)
    assert "doi" in otsu.source
    assert {"margin", "finder.min_score"} <= {parameter.name for parameter in otsu.parameters}
    assert (network.kind, network.takes_prompt) == ("network", False)
    assert network.modality is Modality.ULTRASOUND
    assert network.gives_probability
    assert "BUSI" in network.source
