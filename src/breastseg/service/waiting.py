"""What a job waits for, and which project waits for a job."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from breastseg.service.kinds import PROPOSALS, SEGMENTATION, TRAINING
from breastseg.service.machine import Trouble
from breastseg.service.tables import Job

_WORDS = {
    SEGMENTATION: "a loop or volume is segmented",
    PROPOSALS: "masks of a project are proposed anew",
    TRAINING: "a network is trained",
}


def in_lane_of(training: bool) -> ColumnElement[bool]:
    """The jobs that the same workers do: trainings have one of their own."""
    return Job.kind == TRAINING if training else Job.kind != TRAINING


def waits_for(session: Session, job: Job, trouble: Trouble | None) -> str:
    """What keeps a job from going on, in one phrase; empty where nothing does.

    Args:
        session: of the store.
        job: of any state.
        trouble: what the machine lacks, where the jobs wait for it.
    """
    if job.state not in ("queued", "running"):
        return ""
    if trouble is not None:
        return str(trouble)
    if job.state == "running":
        return ""
    lane = in_lane_of(job.kind == TRAINING)
    running = session.scalars(select(Job).where(lane, Job.state == "running")).all()
    if not running:
        return "a worker process starts"
    earlier = (Job.created_at < job.created_at) | (
        (Job.created_at == job.created_at) & (Job.id < job.id)
    )
    before = session.scalar(
        select(func.count()).select_from(Job).where(lane, Job.state == "queued", earlier)
    )
    nearest = max(running, key=lambda one: one.progress)
    now = f"{_WORDS[nearest.kind]}, {nearest.progress:.0%} done"
    others = len(running) - 1 + (before or 0)
    return now + (f", and {others} more before it" if others else "")


def renewing(session: Session) -> dict[str, str]:
    """By project, the job in which another method proposes its masks anew."""
    unfinished = Job.state.in_(("queued", "running"))
    jobs = select(Job).where(Job.kind == PROPOSALS, unfinished).order_by(Job.created_at)
    return {job.request["project"]: job.id for job in session.scalars(jobs)}
