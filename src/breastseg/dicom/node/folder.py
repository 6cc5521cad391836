"""The node's folder: what was received, what was made of it, and who may use it.

incoming/                 what is being received
items/NUMBER/source/      the instances of an item, as they came
items/NUMBER/results/     the objects that were made of it
queue.sqlite              the queue
lock.sqlite               held by the node that runs
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

from breastseg.core.errors import NO_ROOM, InputError
from breastseg.dicom.node.queue import Queue
from breastseg.io.private import private_file, private_folder


class NodeFolder:
    """Where everything lies.

    Args:
        root: made, for its owner alone, if it is missing; what is in it is its owner's alone.

    Raises:
        InputError: it cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self._items = root / "items"
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for one in (self.incoming, self._items):
                private_folder(one)
            for file in (self.queue_file, root / "lock.sqlite"):
                private_file(file)
        except OSError as error:
            raise InputError(
                f"folder {root}: {error.strerror or error}", "a folder that may be written to"
            ) from error

    @property
    def queue_file(self) -> Path:
        """The queue's SQLite file."""
        return self.root / "queue.sqlite"

    def source(self, item: int) -> Path:
        """The folder with the instances of an item."""
        return self._items / str(item) / "source"

    def results(self, item: int) -> Path:
        """The folder with the results of an item."""
        return self._items / str(item) / "results"

    def item_numbers(self) -> tuple[int, ...]:
        """The items that have a folder, in the order in which they came."""
        names = [one.name for one in self._items.iterdir()]
        return tuple(sorted(int(name) for name in names if name.isdecimal()))

    def free_mib(self) -> int:
        """Free space in MiB."""
        return shutil.disk_usage(self.root).free >> 20

    def check_room(self, needed_mib: int) -> None:
        """Refuse a disk on which there can never be so much free.

        Raises:
            InputError: it is smaller than that.
        """
        size = shutil.disk_usage(self.root).total >> 20
        if size <= needed_mib:
            raise InputError(
                f"min_free_mib = {needed_mib}, and the disk of {self.root} has {size}",
                "less than the disk has, or nothing would ever be taken",
            )

    def place(self, file: Path, uid: str, item: int) -> None:
        """Move a received file to its item, safe from a loss of power."""
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        folder = self.source(item)
        folder.mkdir(parents=True, exist_ok=True)
        file.replace(folder / source_name(uid))
        for one in (folder, folder.parent, self._items):
            sync_folder(one)

    def remove(self, item: int) -> None:
        """Remove the files of an item."""
        shutil.rmtree(self._items / str(item), ignore_errors=True)

    def clean(self, queue: Queue) -> None:
        """Remove what a process that ended has left: what was not answered for.

        Only while no other process receives.
        """
        for left in self.incoming.iterdir():
            left.unlink()
        known = queue.items()
        for folder in self._items.iterdir():
            if not folder.name.isdecimal() or int(folder.name) not in known:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            names = {source_name(uid) for uid in queue.uids(int(folder.name))}
            source = self.source(int(folder.name))
            for file in source.iterdir() if source.is_dir() else ():
                if file.name not in names:
                    file.unlink()

    def lock(self) -> sqlite3.Connection:
        """Hold the folder for this process; it is free again when the process ends in any way.

        Raises:
            InputError: another process holds it.
        """
        held = sqlite3.connect(self.root / "lock.sqlite", 0.0, check_same_thread=False)
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            held.close()
            raise InputError(
                f"folder {self.root}: a node runs on it already ({error})", "a folder of its own"
            ) from error
        return held


def source_name(uid: str) -> str:
    """The file name of an instance: a UID may come from anybody, so it names no file itself."""
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:32]}.dcm"


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system knows how."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def out_of_room(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, is that the disk is full."""
    seen: set[int] = set()  # what led to an error may lead back to it
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return True
        if isinstance(error, sqlite3.OperationalError):
            return True  # full, or an error of the disk: nothing that an item could be blamed for
        error = error.__cause__ or error.__context__
    return False
