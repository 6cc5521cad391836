import json

import pytest

from breastseg.core import (
    Bundle,
    Confidence,
    Conformal,
    InputSpec,
    Margin,
    MissedArea,
    Modality,
    OutputSpec,
)
from breastseg.core.errors import BundleError
from breastseg.core.measured import Measured
from breastseg.export.card import model_card
from breastseg.export.results import read_results


def figure(value, low=0.8, high=0.9):
    return {"value": value, "low": low, "high": high, "median": value, "images": 7}


SUMMARY = {
    "protocol": "tiny on 7 images.",
    "groups": {
        "lesion images": {
            "images": 5,
            "figures": {
                "dice": figure(0.87654321),
                "hd95_px": figure(12.3456, 10.01, None),
                "milliseconds": figure(33.0),
            },
        },
        "normal images": {"images": 2, "figures": {"fraction_outlined": figure(0.5, 0.0, 1.0)}},
    },
}


@pytest.fixture
def summary(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(SUMMARY))
    return path


def bundle(**fields):
    common = {
        "name": "tiny",
        "version": "2.0",
        "modality": Modality.ULTRASOUND,
        "summary": "Outlines lesions.",
        "network": "a|b",
        "weights_sha256": "0" * 64,
    }
    return Bundle(**{**common, **fields})


def card_of(measured=None, **fields):
    described = bundle(**fields)
    return model_card(described, Measured(described.weights_sha256, measured or {}))


def test_results_are_flat_and_rounded(summary):
    assert read_results(summary) == {
        "protocol": "tiny on 7 images.",
        "lesion images/images": 5,
        "lesion images/dice": 0.876543,
        "lesion images/dice/low": 0.8,
        "lesion images/dice/high": 0.9,
        "lesion images/hd95_px": 12.3456,
        "lesion images/hd95_px/low": 10.01,
        "normal images/images": 2,
        "normal images/fraction_outlined": 0.5,
        "normal images/fraction_outlined/low": 0.0,
        "normal images/fraction_outlined/high": 1.0,
    }


def test_a_card_says_of_kinds_what_the_network_does():
    plain = "A mask does not say benign or malignant."
    assert plain in card_of()
    kinds = card_of(labels={1: "benign", 2: "malignant"})
    assert plain not in kinds
    assert "probability of benign, malignant for every pixel" in kinds
    assert "no diagnosis" in kinds


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"protocol": "x", "groups": {"a": 3}}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "summary.json"
    path.write_text(text)
    with pytest.raises(BundleError, match="no summary of an evaluation"):
        read_results(path)
    with pytest.raises(BundleError, match="absent"):
        read_results(tmp_path / "absent.json")


def test_the_card_has_a_table_with_intervals(summary):
    card = card_of({"Fold 5": read_results(summary), "export": {"difference": 0.001}})
    assert "### Fold 5\n\ntiny on 7 images.\n\n| | Images | Dice | HD95 (px) | Images out" in card
    assert "| lesion images | 5 | 0.877 [0.800, 0.900] | 12.3 |  |" in card
    assert "| normal images | 2 |  |  | 0.500 [0.000, 1.000] |" in card
    assert "### export\n\n- difference: 0.001" in card
    assert "milliseconds" not in card


def test_the_card_says_what_must_be_said():
    output = OutputSpec(0.4, 0.9, 0.002, True, True)
    card = card_of(output=output, input=InputSpec((128, 64)), training_data=("X, 3 images, CC0",))
    for said in (
        "# tiny 2.0\n",
        "Not a medical device",
        "- X, 3 images, CC0",
        "128x64",
        "at least 0.4",
        "below 0.9",
        "0.20%",
        "largest",
        "flipped",
        "a\\|b",
        "0" * 64,
        "Not measured yet",
    ):
        assert said in card
    assert "Not stated." in card_of()
    assert "| Licence of the weights | not stated |" in card_of()
    assert "\n\n\n" not in card


def test_the_card_never_denies_what_was_calibrated():
    plain = card_of()
    assert "scores that were not calibrated." in plain
    assert "## How sure it is" not in plain
    margin = Margin(0.9, 0.25, 0.125, 0.1, 0.8)
    card = card_of(
        confidence=Confidence(1.5, -0.5, "50 images"),
        conformal=Conformal("60 images", 40, 0.05, (margin,), (MissedArea(0.1, 0.3),)),
    )
    assert "scores that were not calibrated." not in card
    assert "The probabilities of pixels are scores that were not calibrated;" in card
    assert "| 90% | 0.1, 0.250 d | 0.8, 0.125 d |" in card
    assert "5.0% of the\nlesions were missed" in card
    assert "at most 0.1: threshold 0.3" in card


def test_every_table_row_has_as_many_cells_as_its_head(summary):
    card = card_of({"p": read_results(summary)}, network="plain")
    for block in card.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_remarks_stand_in_the_card():
    card = card_of(remarks=("It misses what is tiny.",))
    assert "## Known failures and remarks\n\n- It misses what is tiny.\n" in card
    assert "Known failures" not in card_of()
