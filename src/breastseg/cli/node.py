"""``breastseg node``: a DICOM node beside a PACS, and what it has to tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.console import complain, say
from breastseg.cli.entries import exit_code
from breastseg.core.errors import InputError

if TYPE_CHECKING:
    from breastseg.core.segmenter import Segmenter
    from breastseg.dicom.node.config import Rule
    from breastseg.dicom.node.folder import NodeFolder
    from breastseg.dicom.node.queue import Queue
    from breastseg.dicom.node.queued import Row

_Folder = Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")]


@dataclass(frozen=True)
class RunNode:
    """Receive DICOM studies, segment them, and send segmentations and reports to a PACS.

    Runs until it is stopped. A node that was stopped or killed goes on where it was: what it has
    said that it has is never lost. 'breastseg node status', 'retry' and 'drop' look after its
    queue, while it runs or not. docs/reference/node.md describes the configuration.

    Exit codes: 2 it could not start, 130 stopped.

    Attributes:
        config: a TOML file.
    """

    config: Path

    def run(self) -> int:
        """Run the node; returns the exit code."""
        from breastseg.dicom.node.config import read_config
        from breastseg.dicom.node.log import logged
        from breastseg.dicom.node.node import Node

        config = read_config(self.config)
        with logged(config.log), Node(config, open_for_rule) as node:
            node.wait()
        return 0


@dataclass(frozen=True)
class NodeStatus:
    """Say how many items are in each state, which have failed, and what is ignored and why.

    Exit codes: 0 none has failed, 1 some have.

    Attributes:
        config: the node's TOML file.
        folder: in its place, the node's folder, or the queue of a watched folder.
        all: list all items.
        json: print the items as JSON.
    """

    config: Path = Path("node.toml")
    folder: _Folder = None
    all: bool = False
    json: bool = False

    def run(self) -> int:
        """Print the status; returns the exit code."""
        with _queue(self.config, self.folder) as (queue, _):
            counts = queue.counts()
            rows = queue.rows()
        if self.json:
            said = {"counts": counts, "items": [asdict(row) for row in rows]}
            say(json.dumps(said, indent=2, ensure_ascii=False))
        else:
            say(", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing yet")
            ignored = Counter(row.problem for row in rows if row.state == "ignored")
            for row in rows:
                if self.all or (row.problem and row.state != "ignored"):
                    say(_described(row))
            for problem, count in ignored.items() if not self.all else ():
                say(f"{count} ignored: {problem}")
        return 1 if counts.get("failed") else 0


def _described(row: Row) -> str:
    method = f", {row.method}" if row.method else ""
    problem = f": {row.problem}" if row.problem else ""
    return "\n    ".join((f"item {row.id}, {row.state}{method}{problem}", *row.instances))


@dataclass(frozen=True)
class NodeRetry:
    """Try what has failed again: segment it, or send its results.

    Exit codes: 0 all, 1 some of the items, 2 none of those that were named.

    Attributes:
        items: their numbers, as the status lists them; all that have failed by default.
        config: the node's TOML file.
        folder: in its place, the node's folder, or the queue of a watched folder.
    """

    items: tyro.conf.Positional[tuple[int, ...]] = ()
    config: Path = Path("node.toml")
    folder: _Folder = None

    def run(self) -> int:
        """Note it in the queue; returns the exit code."""
        with _queue(self.config, self.folder) as (queue, _):
            again = queue.retry(self.items)
        say(f"{len(again)} tried again")
        return _without(self.items, again, "not tried again, since they have not failed")


@dataclass(frozen=True)
class NodeDrop:
    """Forget items, and remove what was received and made of them; not one that is in work.

    Exit codes: 0 all, 1 some of the items, 2 none.

    Attributes:
        items: their numbers, as the status lists them.
        config: the node's TOML file.
        folder: in its place, the node's folder, or the queue of a watched folder.
    """

    items: tyro.conf.Positional[tuple[int, ...]]
    config: Path = Path("node.toml")
    folder: _Folder = None

    def run(self) -> int:
        """Remove them; returns the exit code."""
        if not self.items:
            raise InputError("no item", "numbers that 'breastseg node status' lists")
        with _queue(self.config, self.folder) as (queue, folder):
            dropped = queue.drop(self.items)
            for item in dropped:
                folder.remove(item)
        say(f"{len(dropped)} dropped")
        return _without(self.items, dropped, "not dropped, since they are not there or in work")


@dataclass(frozen=True)
class NodeRescue:
    """Copy what was received and is not known to be sent out of a node's folder.

    For a queue that is of another version or damaged, which the node refuses: give a new folder
    in the configuration, start the node, and send the copies to it. The node must not run on the
    old folder, which is left as it is.

    Exit codes: 0 done, also where nothing was left.

    Attributes:
        folder: the node's folder.
        out: the folder to write into.
    """

    folder: tyro.conf.Positional[Path]
    out: Path

    def run(self) -> int:
        """Copy them; returns the exit code."""
        from breastseg.dicom.node.folder import NodeFolder
        from breastseg.dicom.node.rescue import rescue

        if not (self.folder / "queue.sqlite").is_file():
            raise InputError(f"{self.folder}: no node has run here", "the folder of one that has")
        copied, told = rescue(NodeFolder(self.folder), self.out)
        if not told:
            complain("the queue cannot be read: all instances are taken, also what was sent")
        say(f"{copied} instances are in {self.out}/" if copied else "nothing was left to be sent")
        return 0


def _without(asked: Iterable[int], done: Sequence[int], why: str) -> int:
    """Say which of the items were left as they are; returns the exit code."""
    left = sorted(set(asked) - set(done))
    if left:
        complain(f"{why}: {', '.join(map(str, left))}")
    return exit_code(len(done), len(left))


def open_for_rule(rule: Rule) -> Segmenter:
    """The method of a rule, on one core: the node works on several items side by side."""
    from breastseg.inference.open import open_segmenter
    from breastseg.inference.options import MethodOptions

    return open_segmenter(rule.method, MethodOptions(preset=rule.preset), threads=1).on_one_core()


@contextmanager
def _queue(config: Path, folder: Path | None) -> Iterator[tuple[Queue, NodeFolder]]:
    from breastseg.dicom.node.config import read_config
    from breastseg.dicom.node.folder import NodeFolder
    from breastseg.dicom.node.queue import Queue

    root = folder or read_config(config).folder
    if not (root / "queue.sqlite").is_file():
        raise InputError(f"{root}: no node has run here", "the folder of one that has")
    held = NodeFolder(root)
    queue = Queue(held.queue_file)
    try:
        yield queue, held
    finally:
        queue.close()
