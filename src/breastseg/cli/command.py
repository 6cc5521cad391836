"""What a command is, and where it lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Runnable(Protocol):
    """A command with its options filled in."""

    def run(self) -> int:
        """Do it; returns the exit code."""


@dataclass(frozen=True)
class Command:
    """Where a command lives.

    Attributes:
        module: the file in this package.
        name: the dataclass in it, whose fields are the options.
        summary: one line for the list of commands.
    """

    module: str
    name: str
    summary: str
