"""The durable queue: one SQLite file, one state machine.

An item is a stored instance, or the volume that several instances of a study make. Its states:

    received ─> ready ─> segmenting ─> sending ─> sent
                  ^          │            │
                  └ retry    └> failed <──┘          ignored: no rule takes it

An image is ready at once. A volume is ready when as many instances of its study are here as its
instances state (0020,1208), else once a quiet time has passed since the last; an instance that
comes later takes it back to received. What a killed process left in segmenting is ready again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from breastseg.dicom.node.queue_file import open_queue
from breastseg.dicom.node.queued import Arrival, Delivery, Item, Row, State, Stored


class Queue:
    """The queue in one file; may be used from several threads and processes at once.

    Args:
        path: the SQLite file; made if it is missing.
        clock: seconds since the epoch; by default those that only ever run on, whatever the
            system's clock is set to meanwhile.

    Raises:
        InputError: the file is damaged, or of another version.

    Every method raises ``sqlite3.OperationalError`` where the disk is full; nothing has changed
    then.
    """

    def __init__(self, path: Path, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or _running_on()
        self._lock = threading.RLock()
        self._db = open_queue(path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed to the disk on success, else without effect."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _all(self, words: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(words, values).fetchall()

    # --- what comes in --------------------------------------------------------------------

    def add(self, one: Arrival, place: Callable[[int], None]) -> Stored:
        """Take an instance.

        Args:
            one: the instance.
            place: puts its file into the folder of the item with this number; called before the
                instance is committed.

        Returns:
            ``"known"`` for one that is here with the same content, and ``"other"``, with nothing
            changed, for one that is here with another; where that has failed, this takes its place.
        """
        now = self._clock()
        with self._changing() as db:
            known = db.execute(
                "SELECT digest, state, item FROM instances JOIN items ON item=id WHERE uid=?",
                (one.uid,),
            ).fetchone()
            if known is not None and known["state"] != "ignored":
                if known["digest"] == one.digest:
                    return "known"
                if known["state"] != "failed":
                    return "other"
                db.execute("DELETE FROM instances WHERE uid=?", (one.uid,))
            elif known is not None:
                db.execute("DELETE FROM items WHERE id=?", (known["item"],))
            item = self._item_for(db, one, now)
            if one.method:
                place(item)
            db.execute(
                "INSERT INTO instances VALUES(?,?,?,?)", (one.uid, one.study, one.digest, item)
            )
        return "new"

    def _item_for(self, db: sqlite3.Connection, one: Arrival, now: float) -> int:
        found = db.execute("SELECT id, state FROM items WHERE key=?", (one.key,)).fetchone()
        complete = False
        if one.expected is not None:
            here = db.execute("SELECT count(*) FROM instances WHERE study=?", (one.study,))
            complete = here.fetchone()[0] + 1 >= one.expected
        state: State = "ready" if complete or not one.quiet_s else "received"
        until = now if state == "ready" else now + one.quiet_s
        if not one.method:
            state = "ignored"
        if found is None:
            made = db.execute(
                "INSERT INTO items(key, method, state, not_before, changed, problem)"
                " VALUES(?,?,?,?,?,?)",
                (one.key, one.method, state, until, now, one.problem),
            )
            assert made.lastrowid is not None
            return made.lastrowid
        if found["state"] == "segmenting":  # whoever is at it finds the revision changed
            state = "segmenting"
        db.execute(
            "UPDATE items SET state=?, revision=revision+1, attempts=0, not_before=?, changed=?,"
            " problem='' WHERE id=?",
            (state, until, now, found["id"]),
        )
        db.execute("DELETE FROM deliveries WHERE item=? AND state!='sent'", (found["id"],))
        return int(found["id"])

    # --- what is segmented ----------------------------------------------------------------

    def claim(self) -> Item | None:
        """The item that has waited longest, now segmenting; None where none is ready."""
        now = self._clock()
        with self._changing() as db:
            db.execute(
                "UPDATE items SET state='ready' WHERE state='received' AND not_before<=?", (now,)
            )
            row = db.execute(
                "UPDATE items SET state='segmenting', attempts=attempts+1, changed=? WHERE id=("
                " SELECT id FROM items WHERE state='ready' AND not_before<=?"
                " ORDER BY not_before, id LIMIT 1) RETURNING id, method, revision, attempts",
                (now, now),
            ).fetchone()
        return None if row is None else Item(*row)

    def segmented(self, item: Item, results: Sequence[tuple[str, str]], to: Sequence[str]) -> bool:
        """Note the results of an item, each to be sent to each destination.

        Args:
            item: as it was claimed.
            results: UID and file of each.
            to: names of destinations.

        Returns:
            False where instances came meanwhile: then it is to be segmented again.
        """
        now = self._clock()
        with self._changing() as db:
            if not self._still(db, item):
                db.execute(
                    "UPDATE items SET state='received', attempts=0 WHERE id=?"
                    " AND state='segmenting'",
                    (item.id,),
                )
                return False
            db.executemany(
                "INSERT OR IGNORE INTO deliveries(uid, destination, file, item, state)"
                " VALUES(?,?,?,?,'waiting')",
                [(uid, name, file, item.id) for uid, file in results for name in to],
            )
            db.execute(
                "UPDATE items SET state='sending', attempts=0, problem='', changed=? WHERE id=?",
                (now, item.id),
            )
            self._settle(db, item.id, now)
        return True

    def not_segmented(self, item: Item, problem: str, again_in_s: float | None) -> None:
        """Note that an item could not be segmented: for now, or, with None, at all."""
        now = self._clock()
        state: State = "failed" if again_in_s is None else "ready"
        with self._changing() as db:
            if self._still(db, item):
                db.execute(
                    "UPDATE items SET state=?, problem=?, not_before=?, changed=? WHERE id=?",
                    (state, problem, now + (again_in_s or 0), now, item.id),
                )
            else:
                db.execute(
                    "UPDATE items SET state='received', attempts=0 WHERE id=?"
                    " AND state='segmenting'",
                    (item.id,),
                )

    def _still(self, db: sqlite3.Connection, item: Item) -> bool:
        row = db.execute("SELECT state, revision FROM items WHERE id=?", (item.id,)).fetchone()
        return row is not None and tuple(row) == ("segmenting", item.revision)

    # --- what is sent ---------------------------------------------------------------------

    def due(self, destination: str, limit: int) -> tuple[Delivery, ...]:
        """Results that are to be sent to a destination now, those that waited longest first."""
        return tuple(
            Delivery(*row)
            for row in self._all(
                "SELECT uid, destination, file, item, attempts FROM deliveries WHERE destination=?"
                " AND state='waiting' AND not_before<=? ORDER BY not_before, item LIMIT ?",
                *(destination, self._clock(), limit),
            )
        )

    def sent(self, one: Delivery, remark: str = "") -> None:
        """Note that the destination has said that it has a result."""
        self._delivered(one, "sent", remark, 0)

    def not_sent(self, one: Delivery, problem: str, again_in_s: float | None) -> None:
        """Note that a result was not sent: for now, or, with None, at all."""
        state = "failed" if again_in_s is None else "waiting"
        self._delivered(one, state, problem, again_in_s or 0)

    def _delivered(self, one: Delivery, state: str, problem: str, wait_s: float) -> None:
        now = self._clock()
        with self._changing() as db:
            db.execute(
                "UPDATE deliveries SET state=?, problem=?, attempts=attempts+1, not_before=?"
                " WHERE uid=? AND destination=?",
                (state, problem, now + wait_s, one.uid, one.destination),
            )
            self._settle(db, one.item, now)

    def _settle(self, db: sqlite3.Connection, item: int, now: float) -> None:
        """An item whose deliveries are all done is done itself."""
        db.execute(
            "UPDATE items SET changed=?, state=CASE WHEN EXISTS(SELECT 1 FROM deliveries WHERE"
            " item=items.id AND state='failed') THEN 'failed' ELSE 'sent' END"
            " WHERE id=? AND state='sending' AND NOT EXISTS("
            "SELECT 1 FROM deliveries WHERE item=items.id AND state='waiting')",
            (now, item),
        )

    # --- what is looked after -------------------------------------------------------------

    def recover(self, attempts: int) -> int:
        """Take back what a process that ended was segmenting, and what waits for a clock set back.

        Args:
            attempts: an item that was begun so often has failed: it may be what ended the process.

        Returns:
            How many were taken back.
        """
        now = self._clock()
        with self._changing() as db:
            # nothing was changed in the future: such a time was told by a clock that ran ahead
            db.execute(
                "UPDATE items SET not_before=?+not_before-changed, changed=? WHERE changed>?",
                (now, now, now),
            )
            db.execute("UPDATE deliveries SET not_before=min(not_before,?)", (now,))
            db.execute(
                "UPDATE items SET state='failed', problem='the node ended each time while this was"
                " segmented' WHERE state='segmenting' AND attempts>=?",
                (attempts,),
            )
            return db.execute("UPDATE items SET state='ready' WHERE state='segmenting'").rowcount

    def retry(self, items: Sequence[int] = ()) -> tuple[int, ...]:
        """Try what has failed again, all of it by default; returns the items' numbers."""
        with self._changing() as db:
            ids = self._ids(db, "failed", items)
            for one in ids:  # due since then: another process may have another clock
                again = db.execute(
                    "UPDATE deliveries SET state='waiting', attempts=0, not_before=0 WHERE item=?"
                    " AND state='failed'",
                    (one,),
                ).rowcount
                db.execute(
                    "UPDATE items SET state=?, attempts=0, problem='' WHERE id=?",
                    ("sending" if again else "ready", one),
                )
        return ids

    def drop(self, items: Sequence[int]) -> tuple[int, ...]:
        """Forget items that nothing is at work on; returns their numbers."""
        with self._changing() as db:
            ids = self._ids(db, "", items)
            db.executemany("DELETE FROM items WHERE id=?", [(one,) for one in ids])
        return ids

    def _ids(self, db: sqlite3.Connection, state: str, items: Sequence[int]) -> tuple[int, ...]:
        rows = db.execute(
            "SELECT id FROM items WHERE (state=? OR ?='') AND state!='segmenting'", (state, state)
        )
        asked = set(items)
        return tuple(row[0] for row in rows if not asked or row[0] in asked)

    def outdated(self, age_s: float) -> tuple[int, ...]:
        """Items that were sent, or ignored, at least so long ago, the oldest first."""
        rows = self._all(
            "SELECT id FROM items WHERE state IN ('sent', 'ignored') AND changed<=?"
            " ORDER BY changed",
            self._clock() - age_s,
        )
        return tuple(row[0] for row in rows)

    def counts(self) -> dict[str, int]:
        """How many items are in each state that has any."""
        return dict(map(tuple, self._all("SELECT state, count(*) FROM items GROUP BY state")))

    def delivery_counts(self) -> dict[tuple[str, str], int]:
        """How many results are in each state at each destination."""
        words = "SELECT destination, state, count(*) FROM deliveries GROUP BY destination, state"
        return {(where, state): count for where, state, count in self._all(words)}

    def rows(self, *states: State) -> tuple[Row, ...]:
        """The items in these states, in any by default, the oldest first."""
        found = []
        for row in self._all("SELECT id, state, method, problem FROM items ORDER BY id"):
            if states and row["state"] not in states:
                continue
            uids = self._all("SELECT uid FROM instances WHERE item=? ORDER BY rowid", row["id"])
            notes = self._all(
                "SELECT destination || ': ' || problem FROM deliveries WHERE item=? AND problem!=''"
                " ORDER BY destination, uid",
                row["id"],
            )
            problems = dict.fromkeys(filter(None, (row["problem"], *(note[0] for note in notes))))
            found.append(
                Row(
                    row["id"],
                    row["state"],
                    row["method"],
                    tuple(uid[0] for uid in uids),
                    "; ".join(problems),
                )
            )
        return tuple(found)

    def uids(self, item: int) -> frozenset[str]:
        """The SOP Instance UIDs of an item; none where there is no such item."""
        return frozenset(r[0] for r in self._all("SELECT uid FROM instances WHERE item=?", item))

    def items(self) -> frozenset[int]:
        """The numbers of all items."""
        return frozenset(row[0] for row in self._all("SELECT id FROM items"))


def _running_on() -> Callable[[], float]:
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()
