import json
import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core.errors import BreastsegError, DataSetError, InputError, UnsupportedError
from breastseg.data.dataset import CaseRef
from breastseg.data.phantoms.ultrasound import make_phantom
from breastseg.evaluation import Prompting, Protocol, evaluate
from breastseg.evaluation.comparison.cell import Comparison
from breastseg.evaluation.comparison.run import compare
from breastseg.evaluation.comparison.store import mask_path
from breastseg.inference.methods import MethodSpec
from breastseg.io.write import write_png

from ..fakes import block, drawn
from .acting import ActingSpec, DeadlyRef, acting, calls, run_until_killed, some_cases

ROOT = Path(__file__).resolve().parents[3]
OWN = Protocol()


@pytest.fixture(autouse=True)
def importable(monkeypatch) -> None:
    """Processes started by a test find its made-up methods."""
    monkeypatch.syspath_prepend(str(ROOT))


def untimed(comparison: Comparison) -> str:
    cells = {
        label: [replace(cell, row=replace(cell.row, milliseconds=None)) for cell in cells]
        for label, cells in comparison.cells.items()
    }
    return repr((cells, comparison.traits, comparison.parameters))


def errors(comparison: Comparison, label: str) -> list[str | None]:
    return [cell.row.error for cell in comparison.cells[label]]


def test_one_process_and_several_give_the_same(tmp_path) -> None:
    cases = some_cases()
    specs = [acting("a", tmp_path / "log"), acting("b", tmp_path / "log", "raise", 3)]
    one = compare(specs, cases, OWN, tmp_path / "one", "a", workers=1)
    two = compare(specs, cases, OWN, tmp_path / "two", "a", workers=2)
    assert untimed(one) == untimed(two)
    assert list(one.cells) == ["a", "b"]
    assert [cell.row.key for cell in two.cells["b"]] == [case.key for case in cases]
    assert one.baseline == "a"
    assert one.parameters["b"] == {"act": "raise", "at": 3}
    assert one.methods["a"].summary == "acts up"
    assert multiprocessing.active_children() == []


def test_cells_hold_what_evaluate_says(tmp_path) -> None:
    cases = some_cases()
    spec = acting("a", tmp_path / "log")
    compared = compare([spec], cases, OWN, tmp_path, "a", workers=1)
    rows = evaluate(spec.open(), cases).rows
    found = [replace(cell.row, milliseconds=None) for cell in compared.cells["a"]]
    assert repr(found) == repr([replace(row, milliseconds=None) for row in rows])
    lesion, normal = compared.cells["a"][1], compared.cells["a"][-1]
    assert lesion.found == (1,) * 19
    assert lesion.false_positives == (0,) * 19
    assert (lesion.bin_pixels[0], lesion.bin_pixels[-1]) == (398, 2)
    assert normal.found == (0,) * 19
    assert compared.traits[cases[1].key].area_px == 2
    assert compared.traits[cases[-1].key].contrast is None


def test_outlines_are_written_at_one_bit_a_pixel(tmp_path) -> None:
    cases = [drawn("a b/c", block(3, 4))]
    compared = compare([acting("a", tmp_path / "log")], cases, OWN, tmp_path, "a", workers=1)
    with Pillow.open(mask_path(compared.masks, "a", cases[0].key)) as picture:
        assert picture.mode == "1"
        assert np.array_equal(np.array(picture), block(3, 4))


def test_finished_cells_are_not_computed_again(tmp_path) -> None:
    log, cases = tmp_path / "log", some_cases()
    specs = [acting("a", log), acting("b", log, "raise", 3)]
    told: list[tuple[int, int]] = []
    first = compare(specs, cases[:4], OWN, tmp_path, "a", 1, lambda *done: told.append(done))
    assert told == [(n, 8) for n in range(9)]
    log.unlink()
    told.clear()
    again = compare(specs, cases[:4], OWN, tmp_path, "a", 1, lambda *done: told.append(done))
    assert (told, calls(log)) == ([(8, 8)], [])
    assert repr(again) == repr(first)
    more = compare([*specs, acting("c", log)], cases, OWN, tmp_path, "c", workers=1)
    assert sorted(Counter(line.split()[0] for line in calls(log)).items()) == [
        ("a", 2),
        ("b", 2),
        ("c", 6),
    ]
    assert repr(more.cells["b"][:4]) == repr(first.cells["b"])


def test_what_has_changed_is_computed_again(tmp_path) -> None:
    log = tmp_path / "log"
    picture = tmp_path / "image.png"
    picture.write_bytes(b"x")
    cases = [replace(drawn("a", block(2, 2)), image_path=picture), drawn("b", block(3, 3))]

    def computed(specs: list[ActingSpec], protocol: Protocol = OWN) -> int:
        log.unlink(missing_ok=True)
        compare(specs, cases, protocol, tmp_path, specs[0].label, workers=1)
        return len(calls(log))

    plain = [acting("a", log)]
    assert [computed(plain), computed(plain)] == [2, 0]
    assert computed([acting("a", log, "none", 99)]) == 2  # its parameters
    assert computed(plain) == 2  # whose outlines have been replaced
    assert computed(plain, Protocol(size=(10, 10))) == 2
    assert computed(plain, Protocol(min_iou=0.5)) == 2
    assert [computed(plain), computed(plain)] == [2, 0]
    picture.write_bytes(b"xy")
    assert [computed(plain), computed(plain)] == [1, 0]
    mask_path(tmp_path / "masks", "a", "made/b").unlink()
    assert [computed(plain), computed(plain)] == [1, 0]
    cases[1] = replace(cases[1], label="malignant")
    assert [computed(plain), computed(plain)] == [1, 0]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_goes_on_where_it_was(tmp_path, workers) -> None:
    log, cases = tmp_path / "log", some_cases()
    specs = [acting("a", log), acting("b", log)]

    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(specs, cases, OWN, tmp_path / "out", "a", workers, interrupt)
    assert multiprocessing.active_children() == []
    log.unlink()
    told: list[tuple[int, int]] = []
    resumed = compare(specs, cases, OWN, tmp_path / "out", "a", 1, lambda *done: told.append(done))
    assert told == [(n, 12) for n in range(5, 13)]
    assert len(calls(log)) == 7
    whole = compare(specs, cases, OWN, tmp_path / "whole", "a", workers=1)
    assert untimed(resumed) == untimed(whole)


def test_a_killed_run_goes_on_and_leaves_no_process_behind(tmp_path) -> None:
    script = (
        "import sys; from pathlib import Path; "
        "from tests.evaluation.comparison.acting import run_until_killed; "
        "run_until_killed(Path(sys.argv[1]))"
    )
    assert run_until_killed.__module__ == "tests.evaluation.comparison.acting"
    # It returns only when the last process that holds its output has gone.
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        check=False,
        timeout=120,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
    )
    assert done.returncode == -9
    assert done.stderr == b""
    log, cases = tmp_path / "log", some_cases()
    assert "bad 3" in calls(log)
    written = (tmp_path / "out" / "cells.jsonl").read_bytes()
    kept = sum(b'"method"' in line for line in written.splitlines())
    assert 0 < kept < 12
    log.unlink()
    specs = [acting("good", log), acting("bad", log)]
    told: list[tuple[int, int]] = []
    compared = compare(
        specs, cases, OWN, tmp_path / "out", "good", 1, lambda *done: told.append(done)
    )
    assert told[-1] == (12, 12)
    assert len(calls(log)) < 12  # what was kept is not done again, whichever method it is of
    whole = compare(specs, cases, OWN, tmp_path / "whole", "good", workers=1)
    assert untimed(compared) == untimed(whole)
    assert not list((tmp_path / "out").rglob(".*.png"))


@pytest.mark.parametrize(("act", "says"), [("raise", "ValueError: no luck"), ("cv2", "error: ")])
def test_a_failing_method_is_a_cell_and_a_miss(tmp_path, act, says) -> None:
    log, cases = tmp_path / "log", some_cases()
    specs = [acting("good", log), acting("bad", log, act, 3)]
    compared = compare(specs, cases, OWN, tmp_path, "good", workers=1)
    assert errors(compared, "good") == [None] * 6
    failed = compared.cells["bad"][2]
    assert failed.row.error is not None
    assert failed.row.error.startswith(says)
    assert (failed.row.score.dice, failed.row.score.false_negative) == (0, 3)
    assert (failed.row.score.true_lesions, failed.row.milliseconds) == (1, None)
    assert failed.found == failed.false_positives == (0,) * 19
    assert sum(failed.bin_pixels) == 0
    assert not mask_path(compared.masks, "bad", cases[2].key).exists()
    assert mask_path(compared.masks, "bad", cases[1].key).exists()


def test_an_outline_of_another_time_does_not_stay_beside_a_failure(tmp_path) -> None:
    log, cases = tmp_path / "log", some_cases()
    compare([acting("a", log)], cases, OWN, tmp_path, "a", workers=1)
    path = mask_path(tmp_path / "masks", "a", cases[2].key)
    assert path.exists()
    compare([acting("a", log, "raise", 3)], cases, OWN, tmp_path, "a", workers=1)
    assert not path.exists()


def test_a_process_that_dies_costs_only_what_it_died_over(tmp_path) -> None:
    log, cases = tmp_path / "log", some_cases()
    known = {field.name: getattr(cases[3], field.name) for field in fields(cases[3])}
    cases[3] = DeadlyRef(**known)
    specs = [acting("a", log), acting("once", log, "exit once", 2), acting("bad", log, "kill", 3)]
    compared = compare(specs, cases, OWN, tmp_path, "a", workers=2)
    unread = "the process died over it, twice (exit code 3)"
    killed = "the process died over it, twice (SIGKILL, perhaps for want of memory)"
    assert errors(compared, "a") == errors(compared, "once") == [*[None] * 3, unread, None, None]
    assert errors(compared, "bad") == [None, None, killed, unread, None, None]
    row = compared.cells["bad"][2].row
    assert (row.score.false_negative, row.score.dice, row.lesion_fraction) == (3, 0, 3 / 400)
    row = compared.cells["bad"][3].row
    assert (row.has_lesion, row.score.true_lesions, row.lesion_fraction) == (True, 1, None)
    assert [compared.traits[case.key].area_px for case in cases] == [1, 2, 3, 0, 5, 0]
    # What had been done is not done again.
    assert Counter(calls(log)) == {
        **{f"{label} {n}": 1 for label in ("a", "once", "bad") for n in (0, 1, 2, 3, 5)},
        **{"once 2": 2, "bad 3": 2},
    }
    assert repr(compare(specs, cases, OWN, tmp_path, "a", workers=2)) == repr(compared)


def test_an_unreadable_case_fails_for_all_methods(tmp_path) -> None:
    cases = [drawn("a", block(2, 2)), drawn("b", None)]
    specs = [acting("x", tmp_path / "log"), acting("y", tmp_path / "log")]
    compared = compare(specs, cases, OWN, tmp_path, "x", workers=1)
    for label in "xy":
        assert errors(compared, label) == [None, "b: truncated. Expected: a whole file"]
    assert compared.traits["made/b"].irregularity is None


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_in_the_program_stops_the_run(tmp_path, workers) -> None:
    specs = [acting("a", tmp_path / "log", "mistake", 3)]
    with pytest.raises(KeyError, match="typing error"):
        compare(specs, some_cases()[2:3], OWN, tmp_path, "a", workers)
    assert multiprocessing.active_children() == []


def test_processes_that_do_not_start_are_said_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(ActingSpec, "__reduce__", lambda _: (os._exit, (7,)))
    with pytest.raises(BreastsegError, match=r"did not start \(exit code 7\)"):
        compare([acting("a", tmp_path / "log")], some_cases()[:1], OWN, tmp_path, "a", workers=2)


def test_a_method_may_fail_on_the_sample_that_it_is_warmed_with(tmp_path) -> None:
    spec = acting("a", tmp_path / "log", "unready")
    compared = compare([spec], some_cases(), OWN, tmp_path, "a", workers=1)
    assert errors(compared, "a") == [None] * 6
    assert compared.parameters == {"a": {}}


def test_one_process_keeps_the_threads_of_opencv(tmp_path) -> None:
    before = cv2.getNumThreads()
    compare([acting("a", tmp_path / "log")], some_cases(), OWN, tmp_path, "a", workers=1)
    assert cv2.getNumThreads() == before


def test_refuses_what_cannot_be_compared_before_anything_runs(tmp_path) -> None:
    log, cases = tmp_path / "log", some_cases()
    one, two = acting("one", log), acting("two", log)

    def refused(error: type[BreastsegError], words: str, specs, cases=cases, **given) -> None:
        options = {"protocol": OWN, "baseline": "one", "workers": 1, **given}
        with pytest.raises(error, match=words):
            compare(specs, cases, folder=tmp_path / "out", **options)

    refused(InputError, "no method", [])
    refused(InputError, "one label: ONE, one", [one, acting("ONE", log)])
    refused(InputError, "baseline 'three'. Expected: one of one, two", [one, two], baseline="three")
    refused(InputError, "without a letter", [one, acting(" ", log)])
    refused(InputError, "line break", [one, acting("a\nb", log)])
    refused(InputError, "workers = -1", [one], workers=-1)
    refused(DataSetError, "no case", [one], [])
    refused(DataSetError, "more than once", [one], [cases[0], cases[0]])
    refused(DataSetError, "without ground truth", [one], [replace(cases[0], mask_paths=None)])
    box = Protocol(prompting=Prompting.BOX)
    refused(DataSetError, "made/c5 has no lesion to draw a box", [one], protocol=box)
    blind = replace(two, prompts=False)
    refused(UnsupportedError, "boxes for two", [one, blind], cases[:2], protocol=box)
    refused(BreastsegError, "no method 'nonsense'", [one, MethodSpec("nonsense", "x")])
    refused(InputError, "no parameter", [one, MethodSpec("otsu:y=1", "x")])
    assert not (tmp_path / "out").exists()
    assert calls(log) == []


def phantoms(folder: Path) -> list[CaseRef]:
    cases = []
    for number, label in enumerate(("benign", "malignant", "normal")):
        phantom = make_phantom(np.random.default_rng(number), label, (128, 160))
        image, mask = folder / f"{number}.png", folder / f"{number}_mask.png"
        write_png(image, phantom.image)
        write_png(mask, phantom.mask)
        masks = () if label == "normal" else (mask,)
        cases.append(CaseRef(str(number), str(number), label, "phantoms", image, masks))
    return cases


def test_real_methods_on_phantoms(tmp_path) -> None:
    cases = phantoms(tmp_path)
    specs = [MethodSpec.parse("otsu"), MethodSpec.parse("otsu:shift=0.1,context=0.5")]
    one = compare(specs, cases, OWN, tmp_path / "one", "otsu", workers=1)
    two = compare(specs, cases, OWN, tmp_path / "two", "otsu", workers=2)
    assert untimed(one) == untimed(two)
    assert one.parameters["otsu:shift=0.1,context=0.5"]["shift"] == 0.1
    assert all(cell.row.error is None for cells in one.cells.values() for cell in cells)
    boxed = compare(
        specs, cases[:2], Protocol(prompting=Prompting.BOX), tmp_path / "box", "otsu", workers=1
    )
    assert all(cell.row.score.dice > 0.7 for cell in boxed.cells["otsu"])
    with (tmp_path / "one" / "cells.jsonl").open() as lines:
        assert [len(json.loads(line)) for line in lines] == [3] * 9


@pytest.mark.data
def test_a_network_and_a_classical_method_on_busi(tmp_path, data_root) -> None:
    from breastseg.data.catalogue import open_data_set

    cases = open_data_set("BUSI", data_root / "ultrasound" / "BUSI").cases()[:780:260]
    specs = [MethodSpec.parse("ultrasound"), MethodSpec.parse("otsu")]
    compared = compare(specs, cases, OWN, tmp_path, "ultrasound", workers=2)
    assert errors(compared, "ultrasound") == errors(compared, "otsu") == [None] * 3
    for one, two in zip(*compared.cells.values(), strict=True):
        assert sum(one.bin_pixels) == sum(two.bin_pixels)
        assert sum(one.bin_lesion) == sum(two.bin_lesion) == compared.traits[one.row.key].area_px
