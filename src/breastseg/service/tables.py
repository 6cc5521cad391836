"""The tables of the store. Rows of results are written once and never changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

Json = dict[str, Any]


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets the time zone, so that it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        """The moment with its time zone."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC)


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {Json: JSON, list[Json]: JSON, datetime: Moment()}  # noqa: RUF012


class Scan(Base):
    """Uploaded files and the images in them."""

    __tablename__ = "scan"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    images: Mapped[list[Json]]
    problems: Mapped[list[Json]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(64))


class Spacing(Base):
    """The spacing that a person has stated for an image without one; the last one holds."""

    __tablename__ = "spacing"

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id"), index=True)
    image: Mapped[int]
    row_mm: Mapped[float]
    column_mm: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(64))


class Segmentation(Base):
    """A request to segment an image and what came of it."""

    __tablename__ = "segmentation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id"), index=True)
    image: Mapped[int]
    request: Mapped[Json]
    document: Mapped[Json | None]
    job_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(64))


class Version(Base):
    """A mask that a person has drawn or corrected."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("scan_id", "image", "frame", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scan.id"))
    image: Mapped[int]
    frame: Mapped[int]
    number: Mapped[int]
    mask: Mapped[str] = mapped_column(String(64))
    base: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float | None]
    document: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(64))


class Job(Base):
    """Work that outlasts a request."""

    __tablename__ = "job"
    __table_args__ = (Index("job_queue", "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    request: Mapped[Json]
    state: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(default=0.0)
    step: Mapped[Json | None]
    message: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(64))


class Account(Base):
    """A person, or a program, that may use the service."""

    __tablename__ = "account"
    __table_args__ = (Index("account_subject", "subject", unique=True),)

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Login(Base):
    """A session in a browser, or an API token; only the hash of its secret is kept."""

    __tablename__ = "login"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.name", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    is_token: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class Audit(Base):
    """What an account has changed or taken out, and when."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    account: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(Text)
    status: Mapped[int]


class Training(Base):
    """A retraining from a project's labelled cases, and what a person chose of it.

    Its name is that of its job.
    """

    __tablename__ = "training"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project: Mapped[str] = mapped_column(String(32), index=True)
    method: Mapped[str] = mapped_column(String(100))
    request: Mapped[Json]
    parts: Mapped[Json]
    outcome: Mapped[Json | None]
    choice: Mapped[str | None] = mapped_column(String(16))
    chosen_at: Mapped[datetime | None]
    chosen_by: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(64))
