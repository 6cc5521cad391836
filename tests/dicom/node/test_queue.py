"""The state machine: what each event makes of an item, and what a killed process leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.core.errors import InputError
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.queued import Arrival


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def image(uid: str = "1.2", digest: str = "aa") -> Arrival:
    return Arrival(uid, "1", digest, f"image {uid}", "otsu")


def piece(uid: str, expected: int | None = None) -> Arrival:
    return Arrival(uid, "1", "aa", "volume 1", "mri", 30.0, expected)


def place(_item: int) -> None:
    """Nothing: these instances have no files."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Iterator[Queue]:
    one = Queue(tmp_path / "queue.sqlite", clock)
    yield one
    one.close()


def test_an_image_is_ready_at_once_and_sent_when_every_destination_has_it(queue: Queue) -> None:
    queue.add(image(), place)
    item = queue.claim()
    assert item is not None
    assert queue.claim() is None
    assert queue.segmented(item, [("9.1", "sr.dcm")], ["a", "b"])
    assert queue.counts() == {"sending": 1}
    (to_a,) = queue.due("a", 5)
    queue.sent(to_a)
    assert (queue.counts(), queue.due("a", 5)) == ({"sending": 1}, ())
    queue.sent(*queue.due("b", 5))
    assert queue.counts() == {"sent": 1}


def test_the_same_instance_again_is_no_work_and_other_content_is_told(queue: Queue) -> None:
    assert queue.add(image(), place) == "new"
    assert queue.add(image(), place) == "known"
    assert queue.add(image(digest="bb"), place) == "other"
    assert queue.counts() == {"ready": 1}


def test_an_instance_that_cannot_be_placed_is_not_in_the_queue(queue: Queue) -> None:
    def full(_item: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        queue.add(image(), full)
    assert queue.counts() == {}
    assert queue.add(image(), place) == "new"


def test_a_volume_waits_for_its_last_slice(queue: Queue, clock: Clock) -> None:
    queue.add(piece("1"), place)
    clock.now += 20
    queue.add(piece("2"), place)
    clock.now += 20
    assert queue.claim() is None
    clock.now += 10
    assert queue.claim() is not None


def test_a_volume_is_ready_when_as_many_are_here_as_its_study_states(queue: Queue) -> None:
    queue.add(piece("1", expected=2), place)
    assert queue.claim() is None
    queue.add(piece("2", expected=2), place)
    assert queue.claim() is not None


@pytest.mark.parametrize("when", ["segmenting", "sending", "sent"])
def test_a_late_slice_has_the_volume_made_again(queue: Queue, clock: Clock, when: str) -> None:
    queue.add(piece("1"), place)
    clock.now += 30
    item = queue.claim()
    assert item is not None
    if when != "segmenting":
        assert queue.segmented(item, [("9.1", "sr.dcm")], ["a"])
    if when == "sent":
        queue.sent(*queue.due("a", 5))
    queue.add(piece("2"), place)
    if when == "segmenting":
        assert not queue.segmented(item, [("9.1", "sr.dcm")], ["a"])
    assert queue.due("a", 5) == ()  # what lacks the slice is not sent any more
    clock.now += 30
    again = queue.claim()
    assert again is not None
    assert (again.id, again.revision) == (item.id, 2)
    assert queue.segmented(again, [("9.2", "sr.dcm")], ["a"])
    assert [one.uid for one in queue.due("a", 5)] == ["9.2"]


def test_what_a_killed_process_was_at_is_ready_again_unless_it_is_what_kills(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "queue.sqlite"
    for number in range(3):
        queue = Queue(path, clock)  # never closed: as after SIGKILL
        assert queue.recover(3) == min(number, 1)
        if number == 0:
            queue.add(image(), place)
        assert queue.claim() is not None
    last = Queue(path, clock)
    assert last.recover(3) == 0
    (row,) = last.rows("failed")
    assert "ended" in row.problem
    assert last.retry() == (1,)
    assert last.claim() is not None
    last.close()


def test_failures_wait_are_given_up_and_are_tried_again(queue: Queue, clock: Clock) -> None:
    queue.add(image(), place)
    item = queue.claim()
    assert item is not None
    queue.not_segmented(item, "no room", 60.0)
    assert queue.claim() is None
    clock.now += 60
    item = queue.claim()
    assert item is not None
    assert queue.segmented(item, [("9.1", "seg.dcm"), ("9.2", "sr.dcm")], ["a"])
    first, second = queue.due("a", 5)
    queue.not_sent(first, "busy", 60.0)
    queue.sent(second)
    assert (queue.due("a", 5), queue.counts()) == ((), {"sending": 1})
    clock.now += 60
    (first,) = queue.due("a", 5)
    assert first.attempts == 1
    queue.not_sent(first, "unknown class", None)
    (row,) = queue.rows("failed")
    assert row.problem == "a: unknown class"
    queue.retry([row.id])
    assert [one.uid for one in queue.due("a", 5)] == ["9.1"]  # not what was sent


def test_a_clock_that_is_set_back_delays_nothing_after_a_start(queue: Queue, clock: Clock) -> None:
    queue.add(image(), place)
    item = queue.claim()
    assert item is not None
    assert queue.segmented(item, [("9.1", "seg.dcm")], ["a"])
    queue.not_sent(queue.due("a", 5)[0], "busy", 60.0)
    queue.add(piece("2"), place)
    clock.now -= 10 * 365 * 86400
    assert (queue.due("a", 5), queue.claim()) == ((), None)
    queue.recover(3)
    assert [one.uid for one in queue.due("a", 5)] == ["9.1"]
    assert queue.claim() is None  # it waits for further slices as long as it would have
    clock.now += 30
    assert queue.claim() is not None


def test_dropping_spares_what_is_in_work(queue: Queue) -> None:
    queue.add(image("1"), place)
    item = queue.claim()
    assert item is not None
    queue.add(image("2"), place)
    assert queue.drop([item.id, item.id + 1, 99]) == (item.id + 1,)
    assert queue.uids(item.id + 1) == frozenset()
    assert queue.items() == {item.id}


def test_an_ignored_instance_is_looked_at_again_when_it_comes_again(queue: Queue) -> None:
    queue.add(Arrival("1.2", "1", "aa", "ignored 1.2", ""), place)
    assert (queue.counts(), queue.claim()) == ({"ignored": 1}, None)
    assert queue.add(image(), place) == "new"
    assert queue.counts() == {"ready": 1}


def test_another_content_takes_the_place_of_one_that_failed(queue: Queue) -> None:
    """Such as a file that was cut off when it was taken, and is whole now."""
    queue.add(image(digest="cut"), place)
    item = queue.claim()
    assert item is not None
    assert queue.add(image(digest="whole"), place) == "other"  # while it is segmented
    queue.not_segmented(item, "no pixels", None)
    assert queue.add(image(digest="cut"), place) == "known"
    placed: list[int] = []
    assert queue.add(image(digest="whole"), placed.append) == "new"
    assert placed == [item.id]
    assert queue.counts() == {"ready": 1}
    assert queue.add(image(digest="whole"), place) == "known"


def test_a_slice_takes_the_place_of_one_that_failed_its_volume(queue: Queue, clock: Clock) -> None:
    for uid in ("1.1", "1.2"):
        queue.add(piece(uid), place)
    clock.now += 30
    item = queue.claim()
    assert item is not None
    queue.not_segmented(item, "no pixels", None)
    assert queue.add(replace(piece("1.2"), digest="whole"), place) == "new"
    assert queue.uids(item.id) == {"1.1", "1.2"}
    assert queue.counts() == {"received": 1}


@pytest.mark.parametrize("ahead_s", [-3600.0, 3600.0])
def test_what_another_process_tries_again_is_due_at_once_though_its_clock_differs(
    queue: Queue, clock: Clock, tmp_path: Path, ahead_s: float
) -> None:
    queue.add(image("1"), place)
    item = queue.claim()
    assert item is not None
    queue.not_segmented(item, "no pixels", None)
    other = Queue(tmp_path / "queue.sqlite", Clock(clock.now + ahead_s))
    assert other.retry() == (item.id,)
    other.close()
    assert queue.claim() is not None


def test_only_what_was_sent_long_ago_is_outdated(queue: Queue, clock: Clock) -> None:
    queue.add(image("1"), place)
    queue.add(image("2"), place)
    item = queue.claim()
    assert item is not None
    queue.segmented(item, [], ["a"])
    assert queue.outdated(10) == ()
    clock.now += 11
    assert queue.outdated(10) == (item.id,)


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "queue.sqlite")
    queue.add(image(), place)
    queue._db.execute("PRAGMA max_page_count=1")  # the file may grow no more

    def fill() -> None:
        for number in range(1000):
            queue.add(image(f"3.{number}"), place)

    with pytest.raises(sqlite3.OperationalError, match="full"):
        fill()
    queue._db.execute("PRAGMA max_page_count=100000")
    assert queue.claim() is not None
    queue.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE items DROP COLUMN problem", "another version.*items.problem"),
        ("ALTER TABLE deliveries ADD COLUMN later TEXT", "another version.*deliveries.later"),
        ("DROP TABLE deliveries", "another version"),
    ],
)
def test_a_queue_of_another_version_is_told(tmp_path: Path, change: str, told: str) -> None:
    file = tmp_path / "queue.sqlite"
    Queue(file).close()
    with closing(sqlite3.connect(file)) as db:
        db.execute(change)
    before = file.read_bytes()
    with pytest.raises(InputError, match=told):
        Queue(file)
    assert file.read_bytes() == before


def test_a_damaged_queue_is_told(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").write_bytes(b"no database, but long enough to be read as one" * 99)
    with pytest.raises(InputError, match="damaged"):
        Queue(tmp_path / "queue.sqlite")
