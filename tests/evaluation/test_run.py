import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core import Grid, Mask, Prediction, Provenance
from breastseg.core.errors import DataSetError
from breastseg.data.sets.folder import Folder
from breastseg.evaluation import Protocol, evaluate
from breastseg.evaluation.run import unscored_lines, unusable_truths
from breastseg.evaluation.score import nearest, score_image
from breastseg.io.write import write_png

from .fakes import EVERYTHING, NOTHING, PERFECT, Method, block, drawn


def left_half(grey):
    out = grey.copy()
    out[:, grey.shape[1] // 2 :] = 0
    return out


def test_a_perfect_method() -> None:
    cases = [drawn("a", block(4, 5)), drawn("b", block(0, 0), "normal")]
    result = evaluate(PERFECT, cases)
    assert [row.key for row in result.rows] == ["made/a", "made/b"]
    assert [row.score.dice for row in result.rows] == [1, 1]
    assert [row.has_lesion for row in result.rows] == [True, False]
    assert [row.outlined for row in result.rows] == [True, False]
    assert [row.score.hd95_px for row in result.rows] == [0, 0]
    assert result.rows[0].lesion_fraction == 20 / 400
    assert all(row.error is None and row.milliseconds >= 0 for row in result.rows)
    assert result.failures == ()
    assert result.provenance is not None
    assert result.provenance.parameters == {"steady": True}


def test_one_row_by_hand() -> None:
    (row,) = evaluate(Method(left_half), [drawn("a", block(10, 20))]).rows
    score = row.score
    assert (score.true_positive, score.false_positive) == (100, 0)
    assert (score.false_negative, score.true_negative) == (100, 200)
    assert score.dice == pytest.approx(2 / 3)
    assert (score.iou, score.precision, score.recall, score.specificity) == (0.5, 1, 0.5, 1)
    # The boundary of the truth reaches ten columns beyond that of the outline.
    assert 9 <= score.hd95_px <= 10
    assert (score.true_lesions, score.found, score.regions, score.false_positives) == (1, 1, 1, 0)
    assert score.hd95_mm is None


def test_millimetres_where_the_spacing_is_known() -> None:
    (row,) = evaluate(Method(left_half), [drawn("a", block(10, 20), spacing_mm=(0.5, 0.5))]).rows
    assert row.score.hd95_mm == pytest.approx(row.score.hd95_px / 2)
    assert row.score.assd_mm == pytest.approx(row.score.assd_px / 2)


def test_missed_and_false() -> None:
    cases = [drawn("a", block(4, 5)), drawn("b", block(0, 0), "normal")]
    missed, clean = evaluate(NOTHING, cases).rows
    assert (missed.score.dice, missed.score.found, missed.outlined) == (0, 0, False)
    assert math.isnan(missed.score.hd95_px)
    assert clean.score.dice == 1
    flooded, alarm = evaluate(EVERYTHING, cases).rows
    assert (flooded.score.found, flooded.score.false_positives) == (0, 1)
    assert (alarm.score.dice, alarm.outlined) == (0, True)
    assert math.isnan(alarm.score.hd95_px)


@pytest.mark.parametrize("error", [ValueError, RuntimeError, MemoryError, OSError])
def test_a_failing_method_is_a_row_and_a_miss(error) -> None:
    def fail(grey):
        if grey.sum() == 20:
            raise error("no\nluck")
        return grey

    cases = [drawn("a", block(2, 3)), drawn("b", block(4, 5)), drawn("c", block(1, 1))]
    result = evaluate(Method(fail), cases)
    assert [row.score.dice for row in result.rows] == [1, 0, 1]
    (row,) = result.failures
    assert row.error == f"{error.__name__}: no luck"
    assert (row.score.false_negative, row.score.true_lesions, row.score.found) == (20, 1, 0)
    assert row.lesion_fraction == 20 / 400
    assert row.milliseconds is None


def test_an_unreadable_case_is_a_row_and_a_miss() -> None:
    lesion, normal = evaluate(PERFECT, [drawn("a", None), drawn("b", None, "normal")]).rows
    assert lesion.error == "a: truncated. Expected: a whole file"
    assert (lesion.has_lesion, lesion.score.true_lesions, lesion.score.dice) == (True, 1, 0)
    assert (normal.has_lesion, normal.score.true_lesions, normal.score.dice) == (False, 0, 0)
    assert normal.outlined
    assert lesion.lesion_fraction is None


def test_a_prediction_on_another_grid_is_a_failure() -> None:
    (row,) = evaluate(
        Method(lambda grey: grey[1:]), [drawn("a", block(4, 5))], Protocol((10, 10))
    ).rows
    assert row.score.dice == 0
    assert row.error is not None
    assert "grid" in row.error


def test_a_mistake_in_the_program_stops_the_run() -> None:
    def mistaken(grey):
        raise KeyError("typing error")

    with pytest.raises(KeyError):
        evaluate(Method(mistaken), [drawn("a", block(4, 5))])


def test_at_another_size() -> None:
    case = drawn("a", block(8, 12, (40, 60)), spacing_mm=(1, 1))
    (row,) = evaluate(PERFECT, [case], Protocol((20, 30))).rows
    score = row.score
    counts = [score.true_positive, score.false_positive, score.false_negative]
    assert [*counts, score.true_negative] == [4 * 6, 0, 0, 20 * 30 - 24]
    assert score.hd95_mm is None
    assert row.lesion_fraction == 96 / 2400
    (same,) = evaluate(PERFECT, [case], Protocol((40, 60))).rows
    assert same.score == evaluate(PERFECT, [case]).rows[0].score


def test_nearest_takes_the_pixel_under_the_centre() -> None:
    mask = np.random.default_rng(0).random((6, 9)) > 0.5
    assert np.array_equal(nearest(mask, (6, 9)), mask)
    assert np.array_equal(nearest(mask, (2, 3)), mask[1::3, 1::3])
    assert np.array_equal(nearest(mask, (12, 27)), mask.repeat(2, axis=0).repeat(3, axis=1))


def test_progress_is_told_of_every_case() -> None:
    told: list[tuple[int, int]] = []
    cases = [drawn(name, block(2, 2)) for name in "abc"]
    evaluate(PERFECT, cases, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_refuses_what_cannot_be_evaluated() -> None:
    case = drawn("a", block(2, 2))
    with pytest.raises(DataSetError, match="no case"):
        evaluate(PERFECT, [])
    with pytest.raises(DataSetError, match="more than once: made/a"):
        evaluate(PERFECT, [case, case])
    with pytest.raises(DataSetError, match="without ground truth: made/a"):
        evaluate(PERFECT, [replace(case, mask_paths=None)])


def test_a_ground_truth_that_is_missing_or_of_no_use_enters_no_figure(tmp_path: Path) -> None:
    for name in ("good", "bad", "bare"):
        write_png(tmp_path / "images" / f"{name}.png", 200 * block(5, 5).astype(np.uint8))
    write_png(tmp_path / "masks" / "good.png", block(5, 5))
    write_png(tmp_path / "masks" / "bad.png", block(5, 5, (20, 21)))
    cases = Folder(tmp_path).cases()
    evaluation = evaluate(PERFECT, cases)
    assert [row.key for row in evaluation.rows] == [f"{tmp_path.name}/good"]
    assert evaluation.failures == ()
    bare, bad = unscored_lines(evaluation.unscored)
    assert bare == f"1 cases without ground truth are not scored: {tmp_path.name}/bare"
    assert bad.startswith("not scored, for its ground truth cannot be used: ")
    assert "bad.png has (20, 21) pixels, the image (20, 20)" in bad
    assert unusable_truths(evaluation.unscored).keys() == {f"{tmp_path.name}/bad"}
    with pytest.raises(DataSetError, match=r"of 1 ground truths none can be used: .*bad\.png"):
        evaluate(PERFECT, cases[:1])


def test_what_is_to_be_ignored_counts_as_nothing() -> None:
    lesion = block(5, 5)
    grid = Grid(lesion.shape)
    labels = lesion.astype(np.uint8)
    labels[10:, 10:] = 2
    truth = Mask(labels, grid, {1: "lesion", 2: "ignore"})
    outlined = (labels > 0).astype(np.float32)
    prediction = Prediction(outlined, grid, Provenance("m", "1", {}))
    assert score_image(prediction, truth, None, 0.1).dice == 1
    assert score_image(prediction, Mask(lesion, grid), None, 0.1).dice < 0.5
    # nor is it background that was left alone: of the 300 known pixels all but one are right
    outlined[0, -1] = 1
    kept = 300 - int(lesion.sum()) - 1
    for size in (None, (20, 20)):
        score = score_image(Prediction(outlined, grid, Provenance("m", "1", {})), truth, size, 0.1)
        assert (score.true_negative, score.false_positive) == (kept, 1)
        assert score.specificity == kept / (kept + 1)
