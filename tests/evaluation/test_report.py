import csv
import json
import math

import numpy as np
import pytest

from breastseg.evaluation import Protocol, evaluate, summarise, write_report
from breastseg.metrics import EMPTY_RULE

from .fakes import EVERYTHING, NOTHING, PERFECT, Method, block, drawn


def upper_left(grey):
    """Right on lesions of up to 100 pixels, nothing on the larger, an alarm on normals."""
    if grey.sum() > 100:
        return np.zeros_like(grey)
    return grey if grey.any() else np.pad(np.ones((1, 1), np.float32), ((0, 19), (0, 19)))


def some_cases():
    return [
        drawn("a", block(2, 2), "benign", "p1", "one"),  # 1 %: small
        drawn("b", block(5, 4), "malignant", "p1", "one"),  # 5 %: medium
        drawn("c", block(10, 20), "malignant", "p2", "one"),  # 50 %: large, missed
        drawn("d", block(2, 6), "benign", "p1", "two"),  # 3 %: medium
        drawn("e", block(0, 0), "normal", "p2", "two"),  # an alarm
        drawn("f", None, "benign", "p3", "two"),  # damaged
    ]


def test_groups_by_hand() -> None:
    groups = summarise(evaluate(Method(upper_left), some_cases()), resamples=50).groups
    assert {name: group.images for name, group in groups.items()} == {
        "all images": 6,
        "lesion images": 5,
        "normal images": 1,
        "benign": 3,
        "malignant": 2,
        "small": 1,
        "medium": 2,
        "large": 1,
        "one, lesion images": 3,
        "two, lesion images": 2,
        "two, normal images": 1,
    }
    dice = {name: group.figures["dice"].value for name, group in groups.items()}
    assert dice["all images"] == pytest.approx(3 / 6)
    assert dice["lesion images"] == pytest.approx(3 / 5)
    assert dice["benign"] == pytest.approx(2 / 3)
    assert (dice["malignant"], dice["small"], dice["medium"], dice["large"]) == (0.5, 1, 1, 0)
    assert (dice["one, lesion images"], dice["two, lesion images"]) == (pytest.approx(2 / 3), 0.5)
    lesions = groups["lesion images"]
    # One patient name in two sources is two patients.
    assert (lesions.patients, lesions.failures, lesions.undefined_surface) == (4, 1, 2)
    assert lesions.figures["lesions_found"].value == pytest.approx(3 / 5)
    assert lesions.figures["dice"].median == 1
    assert lesions.figures["hd95_px"].images == 3
    assert lesions.figures["pooled_dice"].value == pytest.approx(2 * 36 / (2 * 36 + 200))
    assert "hd95_mm" not in lesions.figures
    assert groups["normal images"].figures["fraction_outlined"].value == 1
    assert groups["normal images"].figures["false_positives_per_image"].value == 1
    assert groups["normal images"].failures == 0


def test_both_empty_counts_as_one_and_intervals_repeat() -> None:
    evaluation = evaluate(NOTHING, some_cases()[:5])
    groups = summarise(evaluation).groups
    assert groups["all images"].figures["dice"].value == pytest.approx(1 / 5)
    assert groups["normal images"].figures["fraction_outlined"].value == 0
    assert summarise(evaluation) == summarise(evaluation)
    changed = summarise(evaluation, seed=1).groups["all images"].figures["dice"]
    assert changed.value == groups["all images"].figures["dice"].value


def test_files(tmp_path) -> None:
    evaluation = evaluate(Method(upper_left, name="corner"), some_cases())
    summary = write_report(evaluation, tmp_path / "new" / "report", resamples=50)
    folder = tmp_path / "new" / "report"
    assert {path.name for path in folder.iterdir()} == {
        "per_image.csv",
        "summary.json",
        "summary.md",
    }
    with (folder / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == ["one/a", "one/b", "one/c", "two/d", "two/e", "two/f"]
    assert [float(row["dice"]) for row in rows] == [1, 1, 0, 1, 0, 0]
    assert rows[0]["hd95_mm"] == ""
    assert math.isnan(float(rows[2]["hd95_px"]))
    assert rows[5]["error"] == "f: truncated. Expected: a whole file"
    assert (rows[0]["lesion_fraction"], rows[5]["lesion_fraction"]) == ("0.01", "")
    content = json.loads((folder / "summary.json").read_text())
    assert content["segmenter"] == "corner"
    assert content["provenance"]["parameters"] == {"steady": True}
    assert content["failures"] == {"two/f": "f: truncated. Expected: a whole file"}
    stored = content["groups"]["lesion images"]["figures"]["dice"]
    assert stored["value"] == summary.groups["lesion images"].figures["dice"].value
    assert stored["images"] == 5


def test_the_protocol_says_how_it_was_measured(tmp_path) -> None:
    write_report(evaluate(Method(upper_left, name="corner"), some_cases()), tmp_path, 50)
    text = (tmp_path / "summary.md").read_text()
    for words in (
        "corner on 6 images of 5 patients (one 3, two 3): 5 with a lesion and 1 normal ones",
        "Scored at each image's own size",
        "per image and averaged over images",
        "50 resamples",
        EMPTY_RULE,
        "intersection over union of 0.1",
        "| lesion images | 5 | 4 | 0.600 [",
        "| normal images | 1 | 1 | 1.000 |",
        "## Failures (1)",
        "- two/f: f: truncated",
    ):
        assert words in text
    write_report(evaluate(PERFECT, some_cases()[:2], Protocol((256, 128))), tmp_path, 50)
    text = (tmp_path / "summary.md").read_text()
    assert "Scored at 256x128 pixels" in text
    assert "no normal ones" in text
    assert "Normal images" not in text
    assert "Failures" not in text


def test_only_normals_and_millimetres(tmp_path) -> None:
    normals = [drawn("a", block(0, 0), "normal"), drawn("b", block(0, 0), "normal")]
    write_report(evaluate(EVERYTHING, normals), tmp_path, 50)
    text = (tmp_path / "summary.md").read_text()
    assert "Images with a lesion" not in text
    assert (
        json.loads((tmp_path / "summary.json").read_text())["groups"]["all images"]["images"] == 2
    )
    write_report(evaluate(PERFECT, [drawn("a", block(3, 3), spacing_mm=(1, 1))]), tmp_path, 50)
    assert "HD95 mm" in (tmp_path / "summary.md").read_text()
