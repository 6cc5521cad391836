"""What is known of methods, and how they are named."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from breastseg.classical.ellipse import Ellipse
from breastseg.core.errors import InputError
from breastseg.core.image import Modality
from breastseg.inference.methods import (
    MethodSpec,
    list_methods,
    method_and_parameters,
    method_info,
    method_names,
)
from breastseg.inference.options import MethodOptions


def test_networks_and_classical_methods_stand_in_one_list() -> None:
    names = method_names()
    assert {"ultrasound", "otsu", "ellipse"} <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "method", "label"),
    [
        ("otsu", "otsu", "otsu"),
        ("otsu:shift=0.1,context=0.5", "otsu:shift=0.1,context=0.5", "otsu:shift=0.1,context=0.5"),
        ("wide=otsu:context=1", "otsu:context=1", "wide"),
        ("mine=some/bundle", "some/bundle", "mine"),
        ("some/bundle", "some/bundle", "bundle"),
        ("runs/fold1+runs/fold2", "runs/fold1+runs/fold2", "fold1+fold2"),
    ],
)
def test_a_word_names_a_method_and_its_label(text: str, method: str, label: str) -> None:
    options = MethodOptions(threshold=0.4)
    assert MethodSpec.parse(text, options) == MethodSpec(method, label, options)


@pytest.mark.parametrize("text", ["", "=otsu", "a=", "otsu:", "otsu:shift", "otsu:shift=", ":x=1"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="LABEL=NAME"):
        MethodSpec.parse(text)


def test_the_parameters_stand_after_a_colon_unless_a_folder_is_called_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert method_and_parameters("otsu:shift=0.1") == ("otsu", {"shift": "0.1"})
    Path("otsu:shift=0.1").mkdir()
    assert method_and_parameters("otsu:shift=0.1") == ("otsu:shift=0.1", {})


def test_a_method_is_opened_after_a_journey_to_another_process() -> None:
    spec = MethodSpec.parse("ellipse:scale=0.75", MethodOptions("none"))
    assert pickle.loads(pickle.dumps(spec)).open() == Ellipse(scale=0.75)


def test_all_that_is_installed_is_listed() -> None:
    infos = {info.name: info for info in list_methods()}
    assert {"ultrasound", "mri-phantom", "otsu"} <= set(infos)
    assert (infos["mri-phantom"].dimensions, infos["ultrasound"].dimensions) == (3, 2)


def test_what_is_known_of_a_method() -> None:
    otsu, network = method_info("otsu", "none"), method_info("ultrasound")
    assert (otsu.kind, otsu.takes_prompt, otsu.modality) == ("classical", True, Modality.UNKNOWN)
    assert "doi" in otsu.source
    assert {"context", "finder.min_score"} <= {parameter.name for parameter in otsu.parameters}
    assert (network.kind, network.takes_prompt) == ("network", False)
    assert network.modality is Modality.ULTRASOUND
    assert network.gives_probability
    assert "BUSI" in network.source
