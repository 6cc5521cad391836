"""What the audit finds, and what it leaves alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from breastseg.core.errors import DataSetError
from breastseg.data.audit import audit, near_duplicate_groups
from breastseg.data.dataset import CaseRef
from breastseg.data.grouping import components
from breastseg.data.sets.bus_bra import BusBra
from breastseg.data.sets.busi import Busi

from .conftest import outline, picture

Make = Callable[..., CaseRef]


def smooth(seed: int, shape: tuple[int, int] = (96, 128)) -> np.ndarray:
    """A smooth image, whose reduction does not depend much on its size."""
    coarse = Image.fromarray(picture(seed, (6, 8)))
    return np.array(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))


def test_copies_and_near_copies_across_everything(make_case: Make) -> None:
    base = smooth(1)
    cases = [
        make_case("a", base, label="benign"),
        make_case("b", base, label="malignant"),
        make_case("c", smooth(1, (150, 180)), label="benign", source="T"),
        make_case("d", (base // 2 + 40).astype(np.uint8), label="benign", patient="a"),
        make_case("e", smooth(2), label="benign"),
    ]
    report = audit(cases[::-1])
    assert report.groups == (("S/a", "S/b", "S/d", "T/c"),)
    assert [(pair.first, pair.second) for pair in report.exact_pairs] == [("S/a", "S/b")]
    found = {(pair.first, pair.second): pair for pair in report.pairs}
    assert len(found) == 6
    assert found["S/a", "S/b"].across_labels
    assert not found["S/a", "S/d"].across_patients
    assert found["S/a", "T/c"].across_sources
    counts = report.counts()
    assert counts["near_pairs"] == 6
    assert counts["pairs_across_labels"] == 3
    assert counts["pairs_across_sources"] == 3
    assert counts["pairs_across_patients"] == 5
    assert near_duplicate_groups(cases) == {"S/a": 0, "S/b": 0, "S/d": 0, "T/c": 0}


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90, lambda a: np.rot90(a, -1).T])
def test_mirrored_and_turned_copies(
    make_case: Make, turn: Callable[[np.ndarray], np.ndarray]
) -> None:
    """As in data sets that were augmented before they were published: their parts would leak."""
    cases = [
        make_case("a", smooth(1)),
        make_case("b", np.ascontiguousarray(turn(smooth(1)))),
        make_case("c", smooth(2)),
    ]
    report = audit(cases)
    assert report.pairs == ()
    assert [(pair.first, pair.second) for pair in report.turned_pairs] == [("S/a", "S/b")]
    assert "mirrored or turned copies: 1 (S/a = S/b)" in report.text()
    assert near_duplicate_groups(cases) == {"S/a": 0, "S/b": 0}


@pytest.mark.parametrize(
    "pad",
    [((30, 30), (0, 0)), ((0, 0), (9, 40)), ((0, 25), (0, 0)), ((12, 20), (30, 7))],
)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_copies_with_a_border(
    make_case: Make, pad: tuple[tuple[int, int], ...], level: int
) -> None:
    """As where one data set fits images into squares and another does not."""
    framed = np.pad(smooth(1), pad, constant_values=level)
    edges = np.ones(framed.shape, bool)
    edges[tuple(slice(a, framed.shape[n] - b) for n, (a, b) in enumerate(pad))] = False
    noise = np.random.default_rng(3).integers(-3, 4, framed.shape)  # of a compression
    framed = np.where(edges, np.clip(framed + noise, 0, 255), framed).astype(np.uint8)
    cases = [make_case("a", smooth(1)), make_case("b", framed), make_case("c", smooth(2))]
    report = audit(cases)
    assert [(pair.first, pair.second) for pair in report.bordered_pairs] == [("S/a", "S/b")]
    assert "copies with a border, or without one: 1 (S/a = S/b)" in report.text()
    assert near_duplicate_groups(cases) == {"S/a": 0, "S/b": 0}


def test_correlation_agrees_with_numpy(make_case: Make) -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(50, 200, (32, 32))
    other = np.clip(base + rng.integers(-5, 6, base.shape), 0, 255)
    cases = [make_case(n, p.astype(np.uint8)) for n, p in (("a", base), ("b", other))]
    (pair,) = audit(cases).pairs
    assert pair.correlation == pytest.approx(np.corrcoef(base.ravel(), other.ravel())[0, 1], 1e-5)
    assert not pair.exact
    assert audit(cases, min_correlation=1.0).pairs == ()


def test_pictures_without_contrast_are_alike_only_where_equal(make_case: Make) -> None:
    flat = np.full((20, 20), 7, np.uint8)
    cases = [make_case(n, flat + i) for n, i in (("a", 0), ("b", 0), ("c", 1))]
    (pair,) = audit(cases).pairs
    assert (pair.first, pair.second, pair.exact) == ("S/a", "S/b", True)


def test_masks_are_looked_at(make_case: Make) -> None:
    good = outline(3, 3)
    empty = np.zeros_like(good)
    grey = good.astype(np.uint8) * 255
    grey[0, 0] = 9
    cases = [
        make_case("a", picture(1), (good,), "benign"),
        make_case("b", picture(2), (empty,), "benign"),
        make_case("c", picture(3), (good, grey), "benign"),
        make_case("d", picture(4), (np.ones((3, 3), bool),), "benign"),
        make_case("e", picture(5), None, "benign"),
        make_case("f", picture(6), (good,), "normal"),
        make_case("g", picture(7), (), "normal"),
        make_case("h", picture(8), (empty,), None),
    ]
    report = audit(cases)
    assert report.cases == 8
    assert report.lesion_cases == 4
    assert report.empty_masks == ("S/b",)
    assert report.non_binary_masks == ("S/c_1.png",)
    assert report.wrong_size_masks == ("S/d_0.png",)
    assert report.no_mask == ("S/e",)
    assert report.outlined_normals == ("S/f",)
    assert report.unreadable == ()
    assert report.pairs == ()


def test_unreadable_files_are_listed_and_the_rest_goes_on(make_case: Make, tmp_path: Path) -> None:
    cases = [make_case(n, picture(i), (outline(1, 1),), "benign") for i, n in enumerate("abc")]
    cases[0].image_path.write_bytes(b"no image")
    (cases[1].mask_paths or ())[0].unlink()
    cases.append(replace(cases[2], case_id="d", image_path=tmp_path / "absent.png"))
    report = audit(cases)
    assert report.cases == 4
    assert len(report.unreadable) == 3
    assert report.unreadable[0].startswith("S/a:")
    assert report.lesion_cases == 3
    assert near_duplicate_groups(cases) == {}


def test_report_as_text_and_as_json(make_case: Make) -> None:
    cases = [
        make_case("a", smooth(1), (outline(1, 1, (96, 128)),), "benign"),
        make_case("b", smooth(1), None, "malignant"),
    ]
    report = audit(cases)
    text = report.text()
    assert "near duplicates: 1 pairs of 2 images in 1 groups; exact pairs: 1" in text
    assert "S/a = S/b (1.000, exact)" in text
    assert "no mask file: 1 (S/b)" in text
    content = json.loads(json.dumps(report.as_dict()))
    assert content["counts"] == report.counts()
    assert content["pairs"][0]["second"] == "S/b"


def test_nothing_to_look_at() -> None:
    assert audit([]).counts()["cases"] == 0
    assert near_duplicate_groups([]) == {}


@pytest.mark.parametrize("value", [0.0, -1.0, 1.1, float("nan")])
def test_bad_correlation(value: float) -> None:
    with pytest.raises(DataSetError, match="above 0, up to 1"):
        audit([], min_correlation=value)


def test_components_by_hand() -> None:
    assert components(6, [(4, 1), (0, 3), (3, 5)]) == [0, 1, 2, 0, 1, 0]
    assert components(0, []) == []


@pytest.mark.data
def test_known_duplicates_of_busi(data_root: Path) -> None:
    names = {f"benign ({n})" for n in (433, 131, 42, 269, 437, 1)}
    names |= {"malignant (145)", "malignant (51)", "normal (1)", "normal (34)", "malignant (1)"}
    report = audit([case for case in Busi(data_root).cases() if case.case_id in names])
    (exact,) = report.exact_pairs
    assert (exact.first, exact.second) == ("BUSI/benign (433)", "BUSI/malignant (145)")
    assert exact.across_labels
    assert {frozenset(group) for group in report.groups} == {
        frozenset({"BUSI/benign (433)", "BUSI/malignant (145)"}),
        frozenset({"BUSI/benign (131)", "BUSI/benign (42)", "BUSI/malignant (51)"}),
        frozenset({"BUSI/benign (269)", "BUSI/normal (1)"}),
        frozenset({"BUSI/benign (437)", "BUSI/normal (34)"}),
    }


@pytest.mark.data
def test_no_duplicates_in_a_sample_of_bus_bra(data_root: Path) -> None:
    report = audit(BusBra(data_root).cases()[:30])
    assert report.pairs == ()
    assert report.unreadable == ()
    assert report.lesion_cases == 30
