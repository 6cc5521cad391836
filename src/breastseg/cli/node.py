"""``breastseg node``: a DICOM node beside a PACS, and what it has to tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from breastseg.cli.console import say
from breastseg.core.errors import InputError

if TYPE_CHECKING:
    from breastseg.core.segmenter import Segmenter
    from breastseg.dicom.node.config import Rule
    from breastseg.dicom.node.folder import NodeFolder
    from breastseg.dicom.node.queue import Queue


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
    """Say how many items are in each state, and list those that have failed.

    Exit codes: 0 none has failed, 1 some have.

    Attributes:
        config: the node's TOML file.
        all: list all items.
        json: print the items as JSON.
    """

    config: Path
    all: bool = False
    json: bool = False

    def run(self) -> int:
        """Print the status; returns the exit code."""
        with _queue(self.config) as (queue, _):
            counts = queue.counts()
            rows = queue.rows()
        if not (self.all or self.json):
            rows = tuple(row for row in rows if row.problem or row.state in ("failed", "ignored"))
        if self.json:
            said = {"counts": counts, "items": [asdict(row) for row in rows]}
            say(json.dumps(said, indent=2, ensure_ascii=False))
        else:
            say(", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing yet")
            for row in rows:
                method = f", {row.method}" if row.method else ""
                why = row.problem or ("no rule takes it" if row.state == "ignored" else "")
                problem = f": {why}" if why else ""
                instances = "\n    ".join(row.instances)
                say(f"item {row.id}, {row.state}{method}{problem}\n    {instances}")
        return 1 if counts.get("failed") else 0


@dataclass(frozen=True)
class NodeRetry:
    """Try what has failed again: segment it, or send its results.

    Attributes:
        items: their numbers, as the status lists them; all that have failed by default.
        config: the node's TOML file.
    """

    items: tyro.conf.Positional[tuple[int, ...]] = ()
    config: Path = Path("node.toml")

    def run(self) -> int:
        """Note it in the queue; returns the exit code."""
        with _queue(self.config) as (queue, _):
            say(f"{queue.retry(self.items)} to be tried again")
        return 0


@dataclass(frozen=True)
class NodeDrop:
    """Forget items, and remove what was received and made of them; not one that is in work.

    Attributes:
        items: their numbers, as the status lists them.
        config: the node's TOML file.
    """

    items: tyro.conf.Positional[tuple[int, ...]]
    config: Path = Path("node.toml")

    def run(self) -> int:
        """Remove them; returns the exit code."""
        if not self.items:
            raise InputError("no item", "numbers that 'breastseg node status' lists")
        with _queue(self.config) as (queue, folder):
            dropped = queue.drop(self.items)
            for item in dropped:
                folder.remove(item)
        say(f"{len(dropped)} of {len(self.items)} dropped")
        return 0 if len(dropped) == len(self.items) else 1


def open_for_rule(rule: Rule) -> Segmenter:
    """The method of a rule, on one core: the node works on several items side by side."""
    from breastseg.inference.open import open_segmenter
    from breastseg.inference.options import MethodOptions

    return open_segmenter(rule.method, MethodOptions(preset=rule.preset), threads=1).on_one_core()


@contextmanager
def _queue(config: Path) -> Iterator[tuple[Queue, NodeFolder]]:
    from breastseg.dicom.node.config import read_config
    from breastseg.dicom.node.folder import NodeFolder
    from breastseg.dicom.node.queue import Queue

    root = read_config(config).folder
    if not (root / "queue.sqlite").is_file():
        raise InputError(f"{root}: no node has run here", "the configuration of one that has")
    folder = NodeFolder(root)
    queue = Queue(folder.queue_file)
    try:
        yield queue, folder
    finally:
        queue.close()
