"""What may befall a job: cancelled half-way, its worker killed, more memory than it may have."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.service.conftest import Json

from breastseg.service.jobs import MOST_ATTEMPTS, _Hand
from breastseg.service.kinds import TRAINING, Kinds
from breastseg.service.service import Service
from breastseg.service.settings import Settings
from breastseg.service.tables import Job
from breastseg.service.worker import Task


@pytest.fixture
def cine(client: TestClient) -> str:
    """A cine loop, whose segmentation is a job."""
    scan: str = client.post("/api/examples/ultrasound-cine").json()["id"]
    return scan


def run_to_the_end(client: TestClient, scan: str, **more: object) -> Json:
    """Queue a job and wait for its end; returns the job."""
    body = {"scan": scan, "method": "otsu", **more}
    made = client.post("/api/segmentations", json=body).json()
    with client.stream("GET", f"/api/jobs/{made['job']}/events") as stream:
        list(stream.iter_lines())
    job: Json = client.get(f"/api/jobs/{made['job']}").json()
    return job


def test_a_killed_worker_is_the_failure_of_its_job_alone(
    client: TestClient, cine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = _Hand.begin

    def killed(hand: _Hand, task: Task) -> Any:  # noqa: ANN401
        answer = begin(hand, task)
        assert hand._process is not None
        assert hand._process.pid is not None
        os.kill(hand._process.pid, signal.SIGKILL)
        return answer

    monkeypatch.setattr(_Hand, "begin", killed)
    job = run_to_the_end(client, cine)
    assert job["state"] == "failed"
    assert "ended with code -9" in job["message"]
    monkeypatch.undo()
    again = run_to_the_end(client, cine)
    assert (again["state"], again["id"] != job["id"]) == ("done", True)


def test_a_worker_that_cannot_be_started_is_the_failure_of_its_job_alone(
    client: TestClient, cine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: SpawnProcess) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", full)
    job = run_to_the_end(client, cine)
    assert job["state"] == "failed"
    assert "temporarily unavailable" in job["message"]
    monkeypatch.undo()
    assert run_to_the_end(client, cine)["state"] == "done"


def test_a_job_is_cancelled_half_way_and_nothing_of_it_is_kept(
    client: TestClient, cine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    begun: list[str] = []
    tidied: list[str] = []
    task, tidy, answer = Kinds.task, Kinds.tidy, _Hand.answer

    def noted(kinds: Kinds, job: Job) -> Task:
        begun.append(job.id)
        return task(kinds, job)

    def told(kinds: Kinds, job: Job) -> None:
        tidied.append(job.id)
        tidy(kinds, job)

    def heard(_hand: _Hand, _patience_s: float) -> None:
        service.jobs.cancel(begun[-1])  # while its worker is at it

    monkeypatch.setattr(Kinds, "task", noted)
    monkeypatch.setattr(Kinds, "tidy", told)
    monkeypatch.setattr(_Hand, "answer", heard)
    job = run_to_the_end(client, cine)
    assert job["state"] == "cancelled"
    monkeypatch.setattr(_Hand, "answer", answer)
    again = run_to_the_end(client, cine)
    assert again["state"] == "done"
    assert tidied[0] == job["id"]


def test_a_worker_takes_no_more_memory_than_it_may() -> None:
    script = textwrap.dedent("""
        from breastseg.core.errors import as_breastseg_error
        from breastseg.service.worker import _bound_memory
        _bound_memory(2**29)
        try:
            bytearray(2**30)
        except MemoryError as error:
            print(as_breastseg_error(error, "this job"))
    """)
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "memory" in ran.stdout


def test_a_training_that_is_given_up_leaves_no_images(tmp_path: Path) -> None:
    service = Service(Settings(tmp_path))
    try:
        with service.store.session() as session:
            given_up, waiting = (
                service.jobs.add(session, TRAINING, {}, "eva").id for _ in range(2)
            )
            row = session.get_one(Job, given_up)
            row.state, row.attempts = "running", MOST_ATTEMPTS
        for job in (given_up, waiting):
            (service.files.training / job / "labels").mkdir(parents=True)
        service.jobs.cancel(waiting)
        service.jobs.start()
        with service.store.session() as session:
            states = [session.get_one(Job, job).state for job in (given_up, waiting)]
        assert states == ["failed", "cancelled"]
        assert not list(service.files.training.iterdir())
    finally:
        service.close()
