"""What a job waits for, and which project waits for a job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select

from breastseg.service.kinds import PROPOSALS, SEGMENTATION, TRAINING
from breastseg.service.machine import DISK_FULL, Trouble
from breastseg.service.settings import Settings
from breastseg.service.store import Store, open_store
from breastseg.service.tables import Job
from breastseg.service.waiting import renewing, waits_for

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose jobs nobody does."""
    opened = open_store(Settings(tmp_path))
    yield opened
    opened.close()


def queued(store: Store, *kinds: str) -> list[str]:
    """Jobs of these kinds, a second apart."""
    with store.session() as session:
        for second, kind in enumerate(kinds):
            session.add(
                Job(
                    id=f"{second:032x}",
                    kind=kind,
                    request={"project": f"project {second}"},
                    state="queued",
                    created_by="eva",
                    created_at=BEGAN + timedelta(seconds=second),
                )
            )
    return [f"{second:032x}" for second in range(len(kinds))]


def reasons(store: Store, *names: str, trouble: Trouble | None = None) -> list[str]:
    with store.session() as session:
        return waits_for(session, [session.get_one(Job, name) for name in names], trouble)


def run(store: Store, name: str, progress: float) -> None:
    with store.session() as session:
        row = session.get_one(Job, name)
        row.state, row.progress = "running", progress


def test_a_job_waits_for_those_before_it_among_the_same_workers(store: Store) -> None:
    loop, training, masks, second, last = queued(
        store, SEGMENTATION, TRAINING, PROPOSALS, TRAINING, SEGMENTATION
    )
    assert reasons(store, loop, training) == ["a worker process starts"] * 2
    run(store, loop, 0.25)
    run(store, training, 0.5)
    assert reasons(store, loop, training, masks, second, last) == [
        "",
        "",
        "a loop or volume is segmented, 25% done",
        "a network is trained, 50% done",
        "a loop or volume is segmented, 25% done, and 1 more before it",
    ]


def test_the_store_is_asked_once_for_all_jobs_and_not_where_none_waits(store: Store) -> None:
    names = queued(store, *[SEGMENTATION, TRAINING] * 20)
    run(store, names[0], 0.25)
    with store.session() as session:
        jobs = session.scalars(select(Job).order_by(Job.created_at)).all()
        asked: list[str] = []
        event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        told = waits_for(session, jobs, None)
        assert len(asked) == 1
        assert told[1] == "a worker process starts"
        assert told[-2] == "a loop or volume is segmented, 25% done, and 18 more before it"
        assert waits_for(session, jobs[:1], None) == [""]
        assert len(asked) == 1


def test_a_job_that_began_since_it_was_read_waits_for_nothing(store: Store) -> None:
    (name,) = queued(store, SEGMENTATION)
    with store.session() as session:
        read = session.get_one(Job, name)
    run(store, name, 0.0)
    with store.session() as session:
        assert waits_for(session, [read], None) == [""]


def test_a_full_disk_is_what_all_jobs_wait_for(store: Store) -> None:
    done, waiting = queued(store, SEGMENTATION, SEGMENTATION)
    with store.session() as session:
        session.get_one(Job, done).state = "done"
    assert reasons(store, done, waiting, trouble=DISK_FULL) == ["", str(DISK_FULL)]


def test_a_project_names_the_job_that_renews_its_masks(store: Store) -> None:
    _, masks, _ = queued(store, TRAINING, PROPOSALS, SEGMENTATION)
    with store.session() as session:
        assert renewing(session) == {"project 1": masks}
        session.get_one(Job, masks).state = "done"
    with store.session() as session:
        assert renewing(session) == {}
