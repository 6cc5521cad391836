"""What a node owes, out of a folder whose queue cannot be used: of another version, or damaged."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from breastseg.dicom.node.folder import NodeFolder
from breastseg.io.write import replacing

_DONE = ("sent", "ignored")


def rescue(folder: NodeFolder, out: Path) -> tuple[int, bool]:
    """Copy the received instances of all items whose results are not known to be sent.

    The folder is left as it is. Of a queue that cannot be read, those of all items are copied.

    Args:
        folder: of a node that does not run.
        out: gets ITEM/NAME.dcm; made where it is missing.

    Returns:
        How many files were copied, and whether the queue said which are owed.

    Raises:
        InputError: a node runs on the folder, or a file cannot be copied.
    """
    with closing(folder.lock()):
        done = _done(folder.queue_file)
        copied = 0
        for item in folder.item_numbers():
            if item in (done or ()):
                continue
            for file in sorted(folder.source(item).glob("*.dcm")):
                with replacing(out / str(item) / file.name) as temporary:
                    shutil.copyfile(file, temporary)
                copied += 1
    return copied, done is not None


def _done(queue_file: Path) -> frozenset[int] | None:
    """The items that nothing is owed of; None where the queue does not tell."""
    try:
        with closing(sqlite3.connect(queue_file)) as db:
            rows = db.execute("SELECT id FROM items WHERE state IN (?, ?)", _DONE).fetchall()
            return frozenset(int(row[0]) for row in rows)
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return None
