"""A project with several readers: what is kept, who sees what next, and what comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.annotation.consensus import consensus
from breastseg.annotation.labels import effort, write_labels
from breastseg.annotation.parts import labelled_parts
from breastseg.annotation.priority import describe, image_uncertainty, order_by_gain
from breastseg.annotation.progress import Status, next_case, status_of
from breastseg.annotation.project import (
    Project,
    ProjectCase,
    ProjectSettings,
    create_project,
    open_project,
)
from breastseg.annotation.reading import Decision, Reading
from breastseg.core.errors import GeometryError, InputError, UnreadableError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.data.sets.folder import Folder
from breastseg.io.write import replacing

SHAPE = (12, 16)


def disc(row: int, column: int, radius: int = 3) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)


def reading(
    case: str,
    reader: str,
    mask: NDArray[np.bool_] | None,
    decision: Decision = Decision.CORRECTED,
    seconds: float = 10.0,
) -> Reading:
    return Reading(case, reader, decision, "2026-01-01T10:00:00+00:00", seconds, mask, 4)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = create_project(tmp_path / "p", ProjectSettings("two readers", readers_per_case=2))
    for name in ("a", "b", "c"):
        made.add(ProjectCase(name, f"patient-{name}", SHAPE, (0.1, 0.2)), disc(6, 6))
    return made


def test_a_project_comes_back_as_it_was_written(project: Project) -> None:
    project.record(reading("a", "eva.m", disc(5, 5)))
    again = open_project(project.folder)
    assert again == project
    assert [case.spacing_mm for case in again.cases()] == [(0.1, 0.2)] * 3
    assert np.array_equal(again.proposed("a"), disc(6, 6))
    (kept,) = again.readings("a")
    assert np.array_equal(kept.mask, disc(5, 5))
    assert (kept.reader, kept.decision, kept.edited_px) == ("eva.m", Decision.CORRECTED, 4)


def test_an_image_that_is_being_added_is_none_yet(project: Project) -> None:
    with replacing(project.folder / "cases" / "d.json") as temporary:
        temporary.write_text("{")
        assert [case.name for case in project.cases()] == ["a", "b", "c"]
        temporary.write_text((project.folder / "cases" / "a.json").read_text())


def test_a_second_reading_is_the_latest_and_the_first_stays_on_disk(project: Project) -> None:
    for row in range(1, 12):  # past nine: numbers are not compared as text
        project.record(reading("a", "eva", disc(row, 5)))
    (latest,) = project.readings("a")
    assert np.array_equal(latest.mask, disc(11, 5))
    assert len(list((project.folder / "readings" / "a").glob("eva.*.json"))) == 11


def test_a_reading_whose_mask_alone_was_written_does_not_count(project: Project) -> None:
    folder = project.folder / "readings" / "a"
    project.record(reading("a", "eva", disc(5, 5)))
    (folder / "eva.1.json").unlink()  # killed between the two files
    assert project.readings("a") == ()


def test_readers_get_begun_images_first_and_never_one_twice(project: Project) -> None:
    project.record(reading("b", "eva", disc(5, 5)))
    assert next_case(project, "eva") is not None
    assert next_case(project, "eva").name != "b"  # type: ignore[union-attr]
    assert next_case(project, "tom").name == "b"  # type: ignore[union-attr]
    # a third reader is not needed while the second has it open
    assert next_case(project, "ida", {"b": 1}).name != "b"  # type: ignore[union-attr]
    for name in ("a", "c"):
        project.record(reading(name, "eva", disc(5, 5)))
    assert next_case(project, "eva") is None


def test_nobody_is_given_the_near_duplicate_of_what_is_being_labelled(project: Project) -> None:
    twins = {"a": (5.0, (0.0,)), "b": (4.9, (0.1,)), "c": (1.0, (9.0,))}
    for name, (unsure, place) in twins.items():
        project.add(ProjectCase(name, name, SHAPE, None, unsure, place))
    project.record(reading("a", "eva", disc(6, 6)))
    assert next_case(project, "eva").name == "c"  # type: ignore[union-attr]
    assert next_case(project, "tom", {"a": 1}).name == "c"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("decisions", "status"),
    [
        ((), Status.OPEN),
        ((Decision.ACCEPTED,), Status.OPEN),
        ((Decision.ACCEPTED, Decision.HANDED_ON), Status.OPEN),
        ((Decision.ACCEPTED, Decision.HANDED_ON, Decision.CORRECTED), Status.LABELLED),
        ((Decision.ACCEPTED, Decision.REJECTED), Status.LABELLED),
        ((Decision.REJECTED, Decision.REJECTED), Status.REJECTED),
    ],
)
def test_how_far_an_image_is(decisions: tuple[Decision, ...], status: Status) -> None:
    given = [
        reading("a", f"r{n}", disc(5, 5) if d in ("accepted", "corrected") else None, d)
        for n, d in enumerate(decisions)
    ]
    assert status_of(given, 2) is status


def test_what_cannot_be_kept_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image of the project"):
        project.record(reading("z", "eva", disc(5, 5)))
    with pytest.raises(InputError, match="mask of"):
        project.record(reading("a", "eva", np.zeros((3, 3), bool)))
    with pytest.raises(InputError, match="reader named"):
        reading("a", "../eva", disc(5, 5))
    with pytest.raises(InputError, match="without a mask"):
        reading("a", "eva", None, Decision.ACCEPTED)
    with pytest.raises(InputError, match="with a mask"):
        reading("a", "eva", disc(5, 5), Decision.REJECTED)
    with pytest.raises(InputError, match="not empty"):
        create_project(project.folder, project.settings)
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "project.json").write_text('{"format": 1, "colour": "red"}')
    with pytest.raises(UnreadableError, match="colour"):
        open_project(tmp_path / "q")


def test_the_consensus_of_three_readers_is_what_most_say() -> None:
    one, two, three = disc(5, 5), disc(5, 6), disc(5, 5, 2)
    together = consensus([one, two, three])
    assert together.rule == "STAPLE"
    votes = one.astype(int) + two + three
    assert together.mask[votes == 3].all()
    assert not together.mask[votes == 0].any()
    assert together.agreement is not None
    assert 0 < together.agreement < 1


def test_readers_who_say_the_same_agree_and_keep_their_mask() -> None:
    assert np.array_equal(consensus([disc(5, 5), disc(5, 6)]).mask, disc(5, 5) & disc(5, 6))
    same = consensus([disc(5, 5), disc(5, 5)])
    assert same.agreement == 1
    assert np.array_equal(same.mask, disc(5, 5))


def test_an_image_is_empty_where_most_readers_see_no_lesion() -> None:
    empty = np.zeros(SHAPE, bool)
    assert not consensus([empty, empty, disc(5, 5)]).mask.any()
    assert consensus([empty, disc(5, 5), disc(5, 6)]).mask.any()
    assert np.array_equal(consensus([empty, disc(5, 5)]).mask, disc(5, 5))
    assert consensus([empty, empty]).agreement == 1
    with pytest.raises(GeometryError):
        consensus([empty, np.zeros((2, 2), bool)])


def test_a_sure_map_teaches_nothing_and_a_torn_one_does() -> None:
    sure = disc(6, 6).astype(np.float32)
    assert image_uncertainty(sure) == 0
    assert image_uncertainty(np.abs(sure - 0.4)) > image_uncertainty(np.abs(sure - 0.1)) > 0


def test_the_first_choice_is_the_least_sure_and_the_second_is_unlike_it() -> None:
    rng = np.random.default_rng(0)
    views = [rng.random(SHAPE), rng.random(SHAPE)]
    flat = np.zeros(SHAPE, np.float32)
    cases = [
        ProjectCase("first", "p", SHAPE, None, 1.0, describe(views[0], flat)),
        ProjectCase("twin", "p", SHAPE, None, 0.9, describe(views[0] * 100 + 7, flat)),
        ProjectCase("other", "p", SHAPE, None, 0.5, describe(views[1], flat)),
        ProjectCase("unknown", "p", SHAPE),
    ]
    assert [c.name for c in order_by_gain(cases)] == ["first", "other", "twin", "unknown"]
    assert order_by_gain(cases[1:], cases[:1])[0].name == "other"


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (8, 8), (37, 23)])
def test_a_descriptor_has_one_length_for_every_shape(shape: tuple[int, int]) -> None:
    assert len(describe(np.ones(shape, np.uint8), np.zeros(shape, np.float32))) == 128


def test_labels_are_a_data_set_to_train_on(project: Project, tmp_path: Path) -> None:
    for reader in ("eva", "tom"):
        project.record(reading("a", reader, disc(5, 5)))
        project.record(reading("b", reader, np.zeros(SHAPE, bool)))
        project.record(reading("c", reader, None, Decision.REJECTED))
    pixels = np.arange(np.prod(SHAPE), dtype=np.uint8).reshape(1, *SHAPE)
    assert write_labels(project, lambda _: Image(pixels, Grid(SHAPE)), tmp_path / "out") == (
        "a",
        "b",
    )
    first, second = Folder(tmp_path / "out").cases()
    assert (first.patient_id, first.spacing_mm) == ("patient-a", (0.1, 0.2))
    assert second.is_normal
    loaded = first.load()
    assert np.array_equal(loaded.images[0].array, pixels)
    assert loaded.mask is not None
    assert np.array_equal(loaded.mask.foreground, disc(5, 5))
    with pytest.raises(InputError, match="there already"):
        write_labels(project, lambda _: Image(pixels, Grid(SHAPE)), tmp_path / "out")


def test_grey_levels_that_a_png_cannot_hold_are_refused(project: Project, tmp_path: Path) -> None:
    for reader in ("eva", "tom"):
        project.record(reading("a", reader, disc(5, 5)))
    signed = Image(np.full((1, *SHAPE), -5, np.int16), Grid(SHAPE))
    with pytest.raises(InputError, match="grey levels from -5"):
        write_labels(project, lambda _: signed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_labelling_took_is_told_by_reader(project: Project) -> None:
    project.record(reading("a", "eva", disc(6, 6), Decision.ACCEPTED, seconds=2))
    project.record(reading("b", "eva", disc(5, 5), seconds=8))
    project.record(reading("c", "eva", None, Decision.HANDED_ON, seconds=3))
    (eva,) = effort(project)
    assert (eva.readings, eva.accepted, eva.corrected, eva.handed_on) == (3, 1, 1, 1)
    assert eva.median_seconds == 3


def test_colours_and_modality_go_into_the_data_set(project: Project, tmp_path: Path) -> None:
    for reader in ("eva", "tom"):
        project.record(reading("a", reader, disc(5, 5)))
    colours = np.arange(3 * np.prod(SHAPE)).astype(np.uint8).reshape(3, *SHAPE)
    image = Image(colours, Grid(SHAPE), Modality.HISTOPATHOLOGY)
    write_labels(project, lambda _: image, tmp_path / "out", ["a", "b"])
    (case,) = Folder(tmp_path / "out").cases()
    assert case.modality is Modality.HISTOPATHOLOGY
    assert np.array_equal(case.load().images[0].array, colours)


def labelled(project: Project, *patients: str) -> None:
    for patient in patients:
        case = f"case-{patient}"
        project.add(ProjectCase(case, patient, SHAPE))
        for reader in ("eva", "tom"):
            project.record(reading(case, reader, disc(5, 5)))


def test_a_patient_stays_on_one_side_however_often_is_retrained(project: Project) -> None:
    with pytest.raises(InputError, match="more patients"):
        labelled_parts(project)
    labelled(project, "p1", "p2", "p3", "p4")
    first = labelled_parts(project)
    assert first.patients == (2, 2)
    labelled(project, *(f"p{number}" for number in range(5, 25)))
    later = labelled_parts(open_project(project.folder))
    assert set(first.train) <= set(later.train)
    assert set(first.held_out) <= set(later.held_out)
    assert not set(later.train) & set(later.held_out)
    assert later.patients == (18, 6)


def test_a_method_that_was_chosen_proposes_from_then_on(project: Project) -> None:
    project.proposing("otsu")
    assert open_project(project.folder).settings == replace(project.settings, method="otsu")
