"""What goes into the queue and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["received", "ready", "segmenting", "sending", "sent", "failed", "ignored"]
Stored = Literal["new", "known", "other"]


@dataclass(frozen=True)
class Arrival:
    """An instance that has come.

    Attributes:
        uid: SOP Instance UID.
        study: Study Instance UID.
        digest: of the file, hex SHA-256.
        key: of its item; instances with one key make one volume.
        method: the name of the handler; empty where no rule takes it.
        quiet_s: seconds to wait for further instances.
        expected: how many instances its study has, where that is stated.
        problem: why no rule takes it.
    """

    uid: str
    study: str
    digest: str
    key: str
    method: str
    quiet_s: float = 0.0
    expected: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Item:
    """An item to be segmented.

    Attributes:
        id: its number, which names its folder.
        method: the name of its handler.
        revision: counts the instances that were added to it.
        attempts: how often it was begun, this time included.
    """

    id: int
    method: str
    revision: int
    attempts: int


@dataclass(frozen=True)
class Delivery:
    """A result to be sent to one destination.

    Attributes:
        uid: its SOP Instance UID.
        destination: the name.
        file: its name in the item's folder of results.
        item: the item's number.
        attempts: how often it was tried before.
    """

    uid: str
    destination: str
    file: str
    item: int
    attempts: int


@dataclass(frozen=True)
class Row:
    """An item as the status shows it.

    Attributes:
        id: its number.
        state: where it stands.
        method: the name of its handler.
        instances: the SOP Instance UIDs of its instances.
        problem: why it stands there, and what to know of its deliveries.
    """

    id: int
    state: State
    method: str
    instances: tuple[str, ...]
    problem: str
