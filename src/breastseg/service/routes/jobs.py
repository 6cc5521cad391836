"""``/api/jobs``: look at jobs, follow one, cancel one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from breastseg.service import tables
from breastseg.service.caller import AnnotatorOf, CallerOf
from breastseg.service.problem import NotFoundError
from breastseg.service.service import Service, ServiceOf
from breastseg.service.waiting import waits_for
from breastseg.service.wire import Id, JobInfo, State

router = APIRouter(tags=["jobs"])

_EVERY_S = 0.25
_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}
_OPEN = ("queued", "running")


@router.get("/jobs")
def list_jobs(
    service: ServiceOf,
    _caller: CallerOf,
    state: State | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[JobInfo]:
    """The jobs, the newest first."""
    newest = select(tables.Job).order_by(tables.Job.created_at.desc(), tables.Job.id).limit(limit)
    if state is not None:
        newest = newest.where(tables.Job.state == state)
    with service.store.session() as session:
        rows = session.scalars(newest).all()
        return [*map(_info, rows, waits_for(session, rows, service.jobs.trouble))]


@router.get("/jobs/{job}")
def get_job(job: Id, service: ServiceOf, _caller: CallerOf) -> JobInfo:
    """How far a job has come."""
    return _found(service, job)


@router.get(
    "/jobs/{job}/events",
    response_class=StreamingResponse,
    responses={200: {"content": _EVENTS, "description": "an event 'job' for each change"}},
)
async def follow_job(
    job: Id, request: Request, service: ServiceOf, _caller: CallerOf
) -> StreamingResponse:
    """Server-sent events: the job whenever it changes, until it is finished."""
    first = await to_thread.run_sync(_found, service, job)

    async def events() -> AsyncIterator[str]:
        last, now = None, first
        while not await request.is_disconnected():
            if now != last:
                yield f"event: job\ndata: {now.model_dump_json()}\n\n"
                last = now
            if now.state not in _OPEN:
                return
            await asyncio.sleep(_EVERY_S)
            now = await to_thread.run_sync(_found, service, job)

    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.post("/jobs/{job}/cancel")
def cancel_job(job: Id, service: ServiceOf, _caller: AnnotatorOf) -> JobInfo:
    """Cancel a job; one that is finished stays as it is."""
    _found(service, job)
    service.jobs.cancel(job)
    return _found(service, job)


def _found(service: Service, job: str) -> JobInfo:
    with service.store.session() as session:
        row = session.get(tables.Job, job)
        if row is None:
            raise NotFoundError("no such job", remedy="list the jobs")
        (waits,) = waits_for(session, [row], service.jobs.trouble)
        return _info(row, waits)


def _info(row: tables.Job, waits: str) -> JobInfo:
    return JobInfo.model_validate(
        {
            "id": row.id,
            "kind": row.kind,
            "state": row.state,
            "progress": row.progress,
            "message": row.message,
            "waits_for": waits,
            "segmentation": row.request.get("segmentation"),
            "step": row.step,
            "attempts": row.attempts,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "created_by": row.created_by,
        }
    )
