import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from breastseg.core import Grid, Mask
from breastseg.core.errors import InputError
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.comparison.cell import Cell, Traits
from breastseg.evaluation.comparison.curves import Counts
from breastseg.evaluation.comparison.store import (
    Store,
    fingerprint,
    mask_path,
    read_mask_array,
    state_of,
    state_of_code,
    write_mask,
)
from breastseg.evaluation.run import Row
from breastseg.evaluation.score import ImageScore, VolumeScore
from breastseg.io.volume import grid_difference, read_volume


def cell(label: str = "a", key: str = "s/c", error: str | None = "no", **score: object) -> Cell:
    row = Row(key, "s/p", "s", None, "GE", True, 1 / 3, ImageScore(**score), 0.1 + 0.2, error)
    counts = Counts(found=tuple(range(19)), bin_probability=tuple(n / 7 for n in range(10)))
    return Cell(label, row, *(getattr(counts, name) for name in Counts.__dataclass_fields__))


TRAITS = Traits("s/c", 12, 0.1, None, 1 / 3, 2)


def test_what_is_kept_comes_back_as_it_was(tmp_path) -> None:
    undefined = cell(hd95_px=math.nan, hd95_mm=math.nan, assd_mm=None, dice=2 / 3)
    with Store(tmp_path) as store:
        assert store.cell("a", "s/c", "f") is None
        store.add(undefined, "f")
        store.add(TRAITS, "g")
    with Store(tmp_path) as store:
        assert repr(store.cell("a", "s/c", "f")) == repr(undefined)
        assert store.traits("s/c", "g") == TRAITS
        assert store.cell("a", "s/c", "another") is None
        assert store.traits("s/c", "another") is None
        assert store.cell("b", "s/c", "f") is None


def test_the_last_line_of_a_cell_counts(tmp_path) -> None:
    with Store(tmp_path) as store:
        for mark, dice in (("old", 0.1), ("new", 0.2)):
            store.add(cell(dice=dice), mark)
    with Store(tmp_path) as store:
        # The outline on disk is that of the last run.
        assert store.cell("a", "s/c", "old") is None
        found = store.cell("a", "s/c", "new")
        assert found is not None
        assert found.row.score.dice == 0.2


def test_a_line_that_was_cut_off_is_passed_over(tmp_path) -> None:
    with Store(tmp_path) as store:
        store.add(cell(key="s/1"), "f")
        store.add(cell(key="s/2"), "f")
    path = tmp_path / "cells.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    with Store(tmp_path) as store:
        assert store.cell("a", "s/1", "f") is not None
        assert store.cell("a", "s/2", "f") is None
        store.add(cell(key="s/2"), "f")
    with Store(tmp_path) as store:
        assert store.cell("a", "s/1", "f") is not None
        assert store.cell("a", "s/2", "f") is not None


def test_foreign_lines_are_passed_over(tmp_path) -> None:
    with Store(tmp_path) as store:
        store.add(cell(), "f")
    path = tmp_path / "cells.jsonl"
    line = path.read_bytes()
    odd = line.replace(b'"found":[', b'"found":["x",')
    path.write_bytes(b'\n{}\n[1]\n\xff\xfe\nnull\n{"fingerprint": "f"}\n' + line + odd)
    with Store(tmp_path) as store:
        assert store.cell("a", "s/c", "f") is not None


def test_a_cell_without_its_outline_is_not_finished(tmp_path) -> None:
    with Store(tmp_path) as store:
        store.add(cell(error=None), "f")
        store.add(cell("failed"), "f")
    with Store(tmp_path) as store:
        assert store.cell("a", "s/c", "f") is None
        assert store.cell("failed", "s/c", "f") is not None
        mask = Mask(np.eye(3, dtype=bool), Grid((3, 3)))
        write_mask(mask_path(store.masks, "a", "s/c"), mask)
        assert store.cell("a", "s/c", "f") is not None


def test_an_outline_has_one_bit_a_pixel(tmp_path) -> None:
    mask = np.random.default_rng(0).random((5, 13)) > 0.5
    path = mask_path(tmp_path, "a", "s/c")
    write_mask(path, Mask(mask, Grid(mask.shape)))
    with Pillow.open(path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "1")
        assert np.array_equal(np.array(picture), mask)
    assert np.array_equal(read_mask_array(path), mask)
    assert [file.name for file in path.parent.iterdir()] == ["s~2Fc.png"]


def test_an_outline_of_a_volume_is_a_volume(tmp_path) -> None:
    grid = Grid((3, 4, 5), (2.0, 1.0, 1.5), (1.0, 2.0, 3.0))
    mask = np.random.default_rng(0).random(grid.shape) > 0.5
    path = mask_path(tmp_path, "a", "s/c", of_volume=True)
    write_mask(path, Mask(mask, grid))
    assert np.array_equal(read_mask_array(path), mask)
    assert not grid_difference(read_volume(path).grid, grid)
    assert [file.name for file in path.parent.iterdir()] == ["s~2Fc.nii.gz"]


def test_the_scores_of_a_volume_come_back_as_such(tmp_path) -> None:
    score = VolumeScore(dice=0.5, volume_cm3=1.5, true_volume_cm3=None)
    kept = replace(cell(), row=replace(cell().row, score=score))
    with Store(tmp_path) as store:
        store.add(kept, "f")
        store.add(cell("b"), "f")
    with Store(tmp_path) as store:
        assert repr(store.cell("a", "s/c", "f")) == repr(kept)
        assert type(store.cell("b", "s/c", "f").row.score) is ImageScore


@pytest.mark.parametrize("suffix", ["png", "nii.gz"])
def test_leftovers_of_a_killed_run_are_removed(suffix, tmp_path) -> None:
    leftover = tmp_path / "masks" / "a" / f".s.0011.{suffix}"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"x")
    kept = leftover.with_name(f"s.{suffix}")
    kept.write_bytes(b"x")
    Store(tmp_path).__exit__(None, None, None)
    assert (leftover.exists(), kept.exists()) == (False, True)


def test_names_of_files_are_readable_and_safe() -> None:
    folder = Path("masks")
    assert mask_path(folder, "otsu", "BUSI/benign (1)") == Path("masks/otsu/BUSI~2Fbenign (1).png")
    for label in ("..", ".", "a:b=1,c=2", "C:\\x", "a/../b", "con?*", "a.", " ", "\u00e9\u00fc"):
        path = mask_path(folder, label, label)
        assert path.parent.parent == folder
        assert not set(path.name + path.parent.name) & set('/\\:*?"<>|%#')
        assert not path.name.startswith(".")
    assert len(mask_path(folder, "x" * 500, "\u4e2d" * 300).name.encode()) < 200


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(min_size=1), st.text(min_size=1))
def test_another_key_is_another_file(one, two) -> None:
    paths = [mask_path(Path("o"), "a", key) for key in (one, two)]
    assert (paths[0] == paths[1]) == (one == two)


def test_a_fingerprint_is_that_of_its_values() -> None:
    assert fingerprint({"a": 1, "b": [2.0]}, "x") == fingerprint({"b": [2.0], "a": 1}, "x")
    different = [{"a": 1}, {"a": 2}, {"a": "1"}, {"a": 1.5}, {"b": 1}, {"a": None}, {"a": True}]
    assert len({fingerprint(one) for one in different}) == len(different)
    assert len(state_of_code()) == 64


def test_a_case_changes_with_its_files_and_its_record(tmp_path) -> None:
    image, mask = tmp_path / "i.png", tmp_path / "m.png"
    image.write_bytes(b"1")
    ref = CaseRef("c", "p", "benign", "s", image, (mask,))
    states = [state_of(ref)]
    mask.write_bytes(b"1")
    states.append(state_of(ref))
    mask.write_bytes(b"12")
    states.append(state_of(ref))
    os.utime(mask, ns=(1, 1))
    states.append(state_of(ref))
    states += [state_of(replace(ref, label="malignant")), state_of(replace(ref, patient_id="q"))]
    states += [state_of(replace(ref, spacing_mm=(0.1, 0.1))), state_of(replace(ref, source="t"))]
    assert len({fingerprint(state) for state in states}) == len(states)
    assert state_of(ref) == state_of(replace(ref))


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        Store(blocked / "out")
