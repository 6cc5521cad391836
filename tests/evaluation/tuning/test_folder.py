"""The files of a search are always up to date, and a search that was stopped goes on from them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.classical.finder import Finder
from breastseg.classical.otsu import Otsu
from breastseg.classical.preset import classical_method, read_preset
from breastseg.core.errors import InputError
from breastseg.core.parameters import with_values
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.tuning.folder import WORDS, preset_of, read_trials, trials_csv, tune
from breastseg.evaluation.tuning.search import Trial, best_of

from .made import BOX, REFS, ScoredBy, near_the_middle, otsu_search, ref, trial

optuna = pytest.importorskip("optuna")


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not(
    scored_by: ScoredBy, tmp_path: Path
) -> None:
    scored_by(
        lambda method, case: near_the_middle(method, case) * (0.9 + 0.1 * (case.case_id > "c050"))
    )
    search = otsu_search()
    *_, whole = tune(search, tmp_path / "whole", 24)
    *_, part = tune(search, tmp_path / "parts", 9)
    found, *_, rest = tune(search, tmp_path / "parts", 24)
    assert found == part
    assert rest == whole
    assert any(not one.finished for one in whole)
    for name in ("otsu.json", "otsu.trials.csv"):
        texts = [(tmp_path / part / name).read_text() for part in ("whole", "parts")]
        assert texts[0] == texts[1]
    assert list(tune(search, tmp_path / "whole", 10)) == [whole]
    assert len(list((tmp_path / "whole").iterdir())) == 2


def test_files_are_up_to_date_after_every_trial(scored_by: ScoredBy, tmp_path: Path) -> None:
    scored_by(near_the_middle)
    search = otsu_search()
    for trials in tune(search, tmp_path, 13):
        assert read_trials(tmp_path / "otsu.trials.csv", search) == trials
        assert classical_method("otsu", str(tmp_path / "otsu.json")) == with_values(
            search.start, best_of(trials).values
        )


def test_the_preset_holds_what_differs_from_the_defaults_and_how_it_was_found(
    scored_by: ScoredBy,
) -> None:
    scored_by(near_the_middle)
    cases = (*REFS[:30], replace(ref("n", "normal"), source="other"))
    search = replace(otsu_search(cases, seed=5), start=Otsu(lesion="bright"), names=("shift",))
    trials = [
        replace(trial(0.5), values={"shift": 0.0}, dice=(0.4, 0.6), images=31),
        replace(trial(0.7), values={"shift": 0.1}, dice=(0.6, 0.8), images=31),
        replace(trial(0.9), values={"shift": 0.2}, dice=(0.9, 0.9), images=8, finished=False),
    ]
    preset = preset_of(search, trials, {"split": "fold:1"})
    assert preset.parameters == {"lesion": "bright", "shift": 0.1}
    record = preset.record
    assert record["data"] == "made 30 (0 normal), other 1 (1 normal)"
    assert (record["images"], record["normals"], record["seed"]) == (31, 1, 5)
    assert (record["trials"], record["trials_given_up"]) == (3, 1)
    assert (record["dice_start"], record["dice_best"]) == (0.5, 0.7)
    assert (record["dice_start_automatic"], record["dice_best_box"]) == (0.4, 0.8)
    assert record["split"] == "fold:1"
    assert record["optuna"] == optuna.__version__


def test_the_table_of_trials_is_read_back_exactly(tmp_path: Path) -> None:
    search = replace(otsu_search(), names=("lesion", "opening", "shift"))
    values = {"lesion": "bright", "opening": 3, "shift": -0.123}
    first = Trial(values, (1 / 3, 2 / 3, 0.1 + 0.2), (0.1, 0.7), 100, 2, True)
    second = replace(first, stages=(1 / 7,), images=25, finished=False)
    path = tmp_path / "trials.csv"
    path.write_text(trials_csv(search, [first, second]))
    assert read_trials(path, search) == (first, second)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["state"] for row in rows] == ["finished", "given up"]


@pytest.mark.parametrize("text", ["", "trial\n0\n", "\x00", "trial,stages\n0,x\n"])
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trials.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"no table of trials .* remove it and its preset"):
        read_trials(path, otsu_search())


@pytest.mark.parametrize(
    ("change", "needle"),
    [
        ({"seed": 1}, "seed"),
        ({"cases": REFS[1:]}, "cases_sha256"),
        ({"cases": REFS[:-1]}, "images"),
        ({"promptings": (BOX,)}, "prompting"),
        ({"names": ("shift",)}, "searched"),
        ({"start": Otsu(finder=Finder(max_lesions=2))}, "starting parameters"),
    ],
)
def test_another_search_is_not_continued(
    scored_by: ScoredBy,
    tmp_path: Path,
    change: dict[str, object],
    needle: str,
) -> None:
    scored_by(near_the_middle)
    search = otsu_search()
    list(tune(search, tmp_path, 2))
    before = (tmp_path / "otsu.json").read_text()
    other = replace(search, **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"another search \(other .*{needle}.*another folder"):
        list(tune(other, tmp_path, 3))
    assert (tmp_path / "otsu.json").read_text() == before


def test_no_trial_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 trials"):
        list(tune(otsu_search(), tmp_path, 0))


def test_the_number_of_processes_changes_nothing(
    cases: tuple[CaseRef, ...], tmp_path: Path
) -> None:
    search = otsu_search(cases)
    for workers in (1, 2):
        list(tune(search, tmp_path / str(workers), 3, workers))
    for name in ("otsu.json", "otsu.trials.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert read_preset(tmp_path / "2" / "otsu.json").record["failed_images"] == 0


def test_words_are_there_for_every_prompting() -> None:
    assert set(WORDS) == set(Prompting)
