"""Methods that act up on one image, in whatever process they run."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from breastseg.core import Case, Image, Modality, Prediction, Prompt, Provenance
from breastseg.evaluation.comparison.run import compare
from breastseg.evaluation.protocol import Protocol
from breastseg.inference.methods import MethodInfo, MethodSpec

from ..fakes import DrawnRef, block, drawn

SHAPE = (20, 20)


@dataclass(frozen=True)
class Actor:
    """Finds every lesion of a drawn case, and acts up where it has `at` pixels.

    Every call on a drawn case is a line in `log`.
    """

    name: str
    act: str
    at: int
    log: Path

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        grey = image.grey() / 255
        made_by = Provenance(self.name, "1", {"act": self.act, "at": self.at})
        prediction = Prediction(grey, image.grid, made_by)
        if image.grid.shape != SHAPE:  # not a drawn case
            if self.act == "unready":
                raise ValueError("no such image")
            return prediction
        pixels = int(grey.sum())
        with self.log.open("a") as file:
            file.write(f"{self.name} {pixels}\n")
        if pixels == self.at:
            self._misbehave()
        return prediction

    def _misbehave(self) -> None:
        once = self.log.with_name(f"{self.name}.once")
        if self.act == "raise":
            raise ValueError("no luck")
        if self.act == "cv2":
            raise cv2.error("assertion failed")
        if self.act == "mistake":
            raise KeyError("typing error")
        if self.act == "exit" or (self.act == "exit once" and not once.exists()):
            once.touch()
            os._exit(3)
        if self.act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "orphan":
            os.kill(os.getppid(), signal.SIGKILL)


@dataclass(frozen=True)
class ActingSpec(MethodSpec):
    """Opens an `Actor`."""

    act: str = ""
    at: int = 0
    log: Path = Path()
    prompts: bool = True

    def open(self, threads: int = 1) -> Actor:
        assert threads == 1
        return Actor(self.method, self.act, self.at, self.log)

    def info(self) -> MethodInfo:
        words = ("classical", "acts up", "made up", "acts up")
        return MethodInfo(self.method, *words, Modality.UNKNOWN, self.prompts, True)


@dataclass(frozen=True)
class DeadlyRef(DrawnRef):
    """A case that kills who reads it."""

    manner: int = field(default=3)

    def load(self) -> Case:
        os._exit(self.manner)


def acting(label: str, log: Path, act: str = "", at: int = 0) -> ActingSpec:
    return ActingSpec(method=label, label=label, act=act, at=at, log=log)


def some_cases(count: int = 6) -> list[DrawnRef]:
    """Case n has n + 1 pixels of lesion; the last is normal."""
    cases = [drawn(f"c{n}", block(1, n + 1), patient=f"p{n // 2}") for n in range(count - 1)]
    return [*cases, drawn(f"c{count - 1}", block(0, 0), "normal")]


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def run_until_killed(folder: Path) -> None:
    """In a process of its own: the third case kills the process that asked for it."""
    log = folder / "log"
    specs = [acting("good", log), acting("bad", log, "orphan", 3)]
    compare(specs, some_cases(), Protocol(), folder / "out", "good", workers=2)
