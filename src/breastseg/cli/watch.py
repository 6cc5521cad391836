"""``breastseg watch``: what the node does, for a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.node import open_for_rule
from breastseg.core.errors import InputError


@dataclass(frozen=True)
class Watch:
    """Segment the DICOM files that appear in a folder, until it is stopped.

    The files are left as they are. A queue in a folder of its own remembers what is done: a run
    that was stopped or killed goes on where it was. 'breastseg node status --folder QUEUE' looks
    into it.

    Exit codes: 2 it could not start, 130 stopped.

    Attributes:
        folder: the folder that is watched, with those below it.
        out: the folder for the results, STUDY UID/INSTANCE UID.dcm.
        queue: the folder of the queue; by default the configuration's, or without one
            .breastseg-queue in the folder for the results.
        method: takes every image; by default the node's default rules say which takes which.
        config: a node's TOML file, for rules and destinations besides.
        rest: seconds after which a file that does not change is taken to be complete; by default
            the configuration's quiet_s, or without one 10.
    """

    folder: tyro.conf.Positional[Path]
    out: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    queue: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    method: str = ""
    config: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    rest: Annotated[float | None, tyro.conf.arg(help_behavior_hint="")] = None

    def run(self) -> int:
        """Watch; returns the exit code."""
        from breastseg.dicom.node.config import (
            FolderDestination,
            NodeConfig,
            Rule,
            read_config,
        )
        from breastseg.dicom.node.log import logged
        from breastseg.dicom.node.node import Node

        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder", "an existing folder to watch")
        if self.config is None and self.out is None:
            raise InputError(
                "nowhere to put results", "--out FOLDER, or --config with destinations"
            )
        if self.config is not None:
            config = replace(read_config(self.config), listen=None)
            config = replace(config, folder=self.queue or config.folder)
        else:
            assert self.out is not None
            config = NodeConfig(self.queue or self.out / ".breastseg-queue", quiet_s=10.0)
        if self.rest is not None:
            config = replace(config, quiet_s=self.rest)
        if self.out is not None:
            results = FolderDestination("results", self.out)
            config = replace(config, folders=(*config.folders, results))
        if self.method:
            config = replace(config, rules=(Rule(self.method), *config.rules))
        with logged(config.log), Node(config, open_for_rule, self.folder) as node:
            node.wait()
        return 0
