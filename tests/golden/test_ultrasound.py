"""The shipped ultrasound bundle on phantoms: what it drew when it was shipped, it draws today.

`ultrasound.json` holds the outlines' areas and boxes. After a new bundle or new phantoms, look at
`breastseg demo`, and renew it with

    python tests/golden/test_ultrasound.py
"""

import json
from pathlib import Path

import pytest

from breastseg.core import Grid, Image, Modality
from breastseg.data.phantoms.ultrasound import make_phantoms
from breastseg.inference.open import open_segmenter
from breastseg.metrics import dice

GOLDEN = Path(__file__).with_name("ultrasound.json")
COUNT, SEED = 6, 2024
AREA_TOLERANCE, BOX_TOLERANCE_PX = 0.02, 2  # processors differ in the last bits of a product


def outlines() -> dict[str, dict[str, object]]:
    """Label, Dice with the truth, and each outline's area and box, by phantom."""
    segmenter = open_segmenter("ultrasound", threads=1)
    found: dict[str, dict[str, object]] = {}
    for phantom in make_phantoms(COUNT, SEED):
        grid = Grid(phantom.image.shape, phantom.spacing_mm)
        prediction = segmenter.segment(Image(phantom.image[None], grid, Modality.ULTRASOUND))
        found[phantom.case_id] = {
            "label": phantom.label,
            "dice": round(dice(prediction.mask().foreground, phantom.mask), 3),
            "lesions": [
                {"area_px": lesion.area_px, "box": list(lesion.box)}
                for lesion in prediction.lesions()
            ],
        }
    return found


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, object]]:
    return outlines()


def test_outlines_are_where_they_were(drawn: dict[str, dict[str, object]]) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert drawn.keys() == golden.keys()
    for name, expected in golden.items():
        lesions = drawn[name]["lesions"]
        assert isinstance(lesions, list)
        assert len(lesions) == len(expected["lesions"]), name
        for lesion, then in zip(lesions, expected["lesions"], strict=True):
            assert lesion["area_px"] == pytest.approx(then["area_px"], rel=AREA_TOLERANCE), name
            assert lesion["box"] == pytest.approx(then["box"], abs=BOX_TOLERANCE_PX), name


def test_lesions_of_phantoms_are_outlined_well(drawn: dict[str, dict[str, object]]) -> None:
    for name, found in drawn.items():
        if found["label"] != "normal":
            assert isinstance(found["dice"], float)
            assert found["dice"] > 0.8, name


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(outlines(), indent=1) + "\n")
