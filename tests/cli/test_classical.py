"""Classical methods on the command line."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.classical.catalogue import METHODS
from breastseg.classical.ellipse import Ellipse
from breastseg.cli.main import main
from breastseg.cli.segment import Segment
from breastseg.core import Box, Prompt
from breastseg.inference.options import SegmentOptions
from breastseg.io.open import open_images

Capture = pytest.CaptureFixture[str]


def entry(text: str) -> dict:
    (found,) = json.loads(text)["entries"]
    return found


def test_its_parameters_are_options(pictures: Path, capsys: Capture) -> None:
    given = [str(pictures / "one.png"), "--json", "--method", "ellipse", "--scale", "0.8"]
    assert main(["segment", *given, "--finder.min-score", "0.05"]) == 0
    made_by = json.loads(capsys.readouterr().out)["provenance"]
    assert made_by["segmenter"] == "ellipse"
    assert made_by["parameters"]["scale"] == 0.8
    assert made_by["parameters"]["finder.min_score"] == 0.05


def test_help_shows_them_with_the_commands_own(capsys: Capture) -> None:
    assert main(["segment", "--method", "ellipse", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"--{name}" in text for name in ("scale", "finder.max-lesions", "box", "overwrite"))


@pytest.mark.parametrize("method", METHODS)
def test_no_parameter_hides_an_option_of_the_command(method: str) -> None:
    own = {f.name for kind in (Segment, SegmentOptions) for f in fields(kind)}
    assert not {f.name for f in fields(METHODS[method])} & own


def test_the_same_four_numbers_mean_the_same_box_everywhere(
    pictures: Path, tmp_path: Path, capsys: Capture
) -> None:
    """The ellipse touches the four sides of the box that it is drawn in."""
    box = Box.of(20, 30, 50, 70)
    words = ["--method", "ellipse", "--out", str(tmp_path / "out"), "--json"]
    words += ["--box", *map(str, box)]
    assert main(["segment", str(pictures / "two.png"), *words]) == 0
    (told,) = entry(capsys.readouterr().out)["lesions"]
    assert told["box"] == list(box)
    mask = np.array(Pillow.open(tmp_path / "out" / "two_mask.png")) > 0
    assert Box.around(mask) == box
    (image,) = open_images(pictures / "two.png")
    (lesion,) = Ellipse().segment(image, Prompt(box=box)).lesions()
    assert lesion.box == box


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (["--shift", "5"], "shift = 5"),
        (["--preset", "nosuch"], "no preset 'nosuch'"),
        (["--box", "30", "30", "20", "40"], "box"),
        (["--threads", "-1"], "-1"),
    ],
)
def test_usage_that_cannot_work_is_one_line(
    pictures: Path, capsys: Capture, extra: list[str], word: str
) -> None:
    words = ["segment", str(pictures / "one.png"), "--method", "otsu", "--json", *extra]
    assert main(words) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert word in said.err


def test_a_point_outside_of_one_image_fails_that_image_alone(
    pictures: Path, capsys: Capture
) -> None:
    names = [str(pictures / name) for name in ("one.png", "two.png")]
    words = ["--method", "otsu", "--json", "--inside", "95", "60"]
    assert main(["segment", *names, *words]) == 1
    states = [e["status"] for e in json.loads(capsys.readouterr().out)["entries"]]
    assert sorted(states) == ["error", "ok"]


def test_what_only_networks_have_is_refused(pictures: Path, capsys: Capture) -> None:
    given = [str(pictures / "one.png"), "--method", "otsu", "--flip-average", "--json"]
    assert main(["segment", *given]) == 2
    assert "a network" in capsys.readouterr().err


def test_a_threshold_is_taken_beside_its_own_parameters(pictures: Path, capsys: Capture) -> None:
    given = [str(pictures / "one.png"), "--method", "otsu", "--shift", "0.1", "--threshold", "0.4"]
    assert main(["segment", *given, "--json"]) == 0
    parameters = json.loads(capsys.readouterr().out)["provenance"]["parameters"]
    assert (parameters["shift"], parameters["threshold"]) == (0.1, 0.4)


def test_evaluate_takes_its_parameters_and_a_box(tmp_path: Path, capsys: Capture) -> None:
    scans, out = tmp_path / "scans", tmp_path / "scores"
    assert main(["data", "phantom", str(scans), "--count", "2", "--seed", "3"]) == 0
    given = ["--data", f"folder={scans}", "--split", "lesions", "--out", str(out), "--json"]
    given += ["--threshold", "0.4"]
    capsys.readouterr()
    assert main(["evaluate", "ellipse", "--scale", "0.9", "--prompt", "box", *given]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["provenance"]["parameters"]["scale"] == 0.9
    assert summary["provenance"]["parameters"]["threshold"] == 0.4
    assert summary["groups"]["lesion images"]["figures"]["dice"]["value"] > 0.7


def test_evaluate_draws_no_box_for_a_network(tmp_path: Path, capsys: Capture) -> None:
    given = ["--data", f"folder={tmp_path}", "--out", str(tmp_path / "o")]
    assert main(["evaluate", "ultrasound", "--prompt", "box", *given]) == 2
    assert "takes a prompt" in capsys.readouterr().err


def test_the_list_and_each_description(capsys: Capture) -> None:
    assert main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    for name, method in METHODS.items():
        assert f"  {name} " in listed
        assert main(["models", "show", name]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert all(" ".join(part.split()) in text for part in (method.source, method.weakness))
        assert "--finder.min-score" in text
        assert main(["models", "show", name, "--preset", "none", "--json"]) == 0
        described = json.loads(capsys.readouterr().out)
        assert all(parameter["help"] for parameter in described["parameters"])
