"""What a job waits for, and which project waits for a job."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from breastseg.service.kinds import PROPOSALS, SEGMENTATION, TRAINING
from breastseg.service.machine import Trouble
from breastseg.service.tables import Job

_UNFINISHED = ("queued", "running")
_WORDS = {
    SEGMENTATION: "a loop or volume is segmented",
    PROPOSALS: "masks of a project are proposed anew",
    TRAINING: "a network is trained",
}


def in_lane_of(training: bool) -> ColumnElement[bool]:
    """The jobs that the same workers do: trainings have one of their own."""
    return Job.kind == TRAINING if training else Job.kind != TRAINING


def waits_for(session: Session, jobs: Sequence[Job], trouble: Trouble | None) -> list[str]:
    """What keeps each job from going on, in one phrase; empty where nothing does.

    The store is asked once, however many jobs there are.

    Args:
        session: of the store.
        jobs: of any state.
        trouble: what the machine lacks, where the jobs wait for it.
    """
    if trouble is not None:
        return [str(trouble) if job.state in _UNFINISHED else "" for job in jobs]
    if all(job.state != "queued" for job in jobs):
        return [""] * len(jobs)
    reasons = _reasons(session)
    # One that has begun since it was read waits no more.
    return [reasons.get(job.id, "") if job.state == "queued" else "" for job in jobs]


def _reasons(session: Session) -> dict[str, str]:
    """By queued job, what it waits for where the machine lacks nothing."""
    unfinished = session.execute(
        select(Job.id, Job.kind, Job.state, Job.progress)
        .where(Job.state.in_(_UNFINISHED))
        .order_by(Job.created_at, Job.id)
    ).all()
    reasons: dict[str, str] = {}
    for training in (False, True):
        lane = [one for one in unfinished if (one.kind == TRAINING) is training]
        queued = [one.id for one in lane if one.state == "queued"]
        running = [one for one in lane if one.state == "running"]
        if not running:
            reasons |= dict.fromkeys(queued, "a worker process starts")
            continue
        nearest = max(running, key=lambda one: one.progress)
        now = f"{_WORDS[nearest.kind]}, {nearest.progress:.0%} done"
        for others, name in enumerate(queued, len(running) - 1):
            reasons[name] = now + (f", and {others} more before it" if others else "")
    return reasons


def renewing(session: Session) -> dict[str, str]:
    """By project, the job in which another method proposes its masks anew."""
    mine = (Job.kind == PROPOSALS, Job.state.in_(_UNFINISHED))
    jobs = select(Job).where(*mine).order_by(Job.created_at)
    return {job.request["project"]: job.id for job in session.scalars(jobs)}
