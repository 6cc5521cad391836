import base64
import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.evaluation.comparison.examples import SIDE, chosen, scenes, with_error_maps
from breastseg.evaluation.comparison.results import summarise_comparison
from breastseg.io.overlay import PREDICTION_RGB, TRUTH_RGB

from .made import SHAPE, disc, made_cases, made_comparison
from .tabled import tabled


def picture(address: str) -> NDArray[np.uint8]:
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Pillow.open(io.BytesIO(base64.b64decode(data))))


def test_cases_are_chosen_by_the_figures() -> None:
    # By the baseline 0 is best and 5 worst; the methods differ most on 4, then on 3.
    dice = {
        "base": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
        "other": [0.9, 0.8, 0.7, 0.1, 0.95, 0.4],
    }
    results = summarise_comparison(tabled(dice), resamples=20)
    found = chosen(results, each=1)
    assert list(found) == ["s/0", "s/2", "s/5", "s/3"]
    assert list(found.values()) == [
        "among the best of base",
        "in the middle of base",
        "among the worst of base",
        "the methods differ most",
    ]
    assert len(chosen(results, each=10)) == 6
    alone = summarise_comparison(tabled({"base": dice["base"]}), resamples=20)
    assert "differ" not in " ".join(chosen(alone).values())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory):
    cases = made_cases(6, 1)
    folder = tmp_path_factory.mktemp("masks")
    return made_comparison(cases, folder=folder, draw=True), cases


def test_a_scene_has_a_panel_for_each_method(drawn) -> None:
    comparison, cases = drawn
    results = summarise_comparison(comparison, resamples=20)
    made = {scene.key: scene for scene in scenes(results, cases, each=2)}
    assert len(made) == 6
    for key, scene in made.items():
        assert scene.size == SHAPE[::-1]
        assert picture(scene.scan).shape == SHAPE
        assert scene.plain.caption in ("benign", "malignant")
        assert [panel.title for panel in scene.panels] == [s.label for s in results.scored_methods]
        for panel in scene.panels:
            row = next(r for r in results.scored(panel.title).lesion_rows if r.key == key)
            assert panel.caption == ("failed" if row.error else f"Dice {row.score.dice:.3f}")
            assert panel.caption in panel.alt
    failed = [p for scene in made.values() for p in scene.panels if p.caption == "failed"]
    assert len(failed) == 1


def test_lines_lie_on_the_border_and_tints_on_the_errors(drawn) -> None:
    comparison, cases = drawn
    results = summarise_comparison(comparison, resamples=20)
    scene = next(s for s in scenes(results, cases, each=2) if s.key == "made/c004")
    truth = disc(cases[4].radius)
    layer = picture(scene.plain.layer)
    coloured = layer[..., 3] > 0
    assert (layer[coloured][:, :3] == TRUTH_RGB).all()
    assert (coloured & ~truth).sum() == 0
    assert not coloured[SHAPE[0] // 2, SHAPE[1] // 2]
    # Otsu's disc is too large and lies too far right: all kinds of errors.
    assert with_error_maps(results)[0] == "net"
    mapped = [s.label for s in results.scored_methods if s.label in with_error_maps(results)]
    assert [panel.title for panel in scene.errors] == [f"Errors of {label}" for label in mapped]
    for panel, label in zip(scene.errors, mapped, strict=True):
        row = next(r for r in results.scored(label).lesion_rows if r.key == scene.key)
        layer = picture(panel.layer)
        tinted = layer[..., 3] > 0
        excess = tinted & (layer[..., :3] == PREDICTION_RGB).all(axis=2)
        assert excess.sum() == row.score.false_positive
        assert (tinted & ~excess).sum() == row.score.false_negative


def test_large_pictures_are_made_small(drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison, cases = drawn
    monkeypatch.setattr("breastseg.evaluation.comparison.examples.SIDE", 32)
    results = summarise_comparison(comparison, resamples=20)
    scene = scenes(results, cases, each=1)[0]
    assert scene.size == (32, 24)
    assert picture(scene.plain.layer).shape == (24, 32, 4)
    assert SIDE == 320


def test_a_case_that_cannot_be_read_is_passed_over(drawn) -> None:
    comparison, cases = drawn
    results = summarise_comparison(comparison, resamples=20)
    assert scenes(results, cases[:1], each=10)[0].key == "made/c000"
    assert scenes(results, ()) == ()
