"""The parameters of a classical method as options of a command: ``--method otsu --shift 0.1``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, field, fields, make_dataclass
from typing import Annotated, Protocol

import tyro

from breastseg.cli.command import Runnable
from breastseg.core.segmenter import Segmenter
from breastseg.inference.methods import is_classical
from breastseg.inference.options import DEFAULT_PRESET


class _RunsWith(Protocol):
    def run_with(self, segmenter: Segmenter) -> int: ...


class _Joined:
    """A command and a method, each filled in from its own options."""

    command: _RunsWith
    parameters: Segmenter

    def run(self) -> int:
        """Run the command with the method; returns the exit code."""
        return self.command.run_with(self.parameters)


def with_own_parameters(kind: type[Runnable], words: Sequence[str]) -> type[Runnable]:
    """The command with the fields of the method named in the words as options of their own.

    Args:
        kind: a command with ``run_with``, whose words name a method and a preset.
        words: what the user typed; looked through for ``--method`` and ``--preset``, and where the
            command has the method as its first word, for that.

    Returns:
        `kind` itself where the method is none of the classical ones.

    Raises:
        InputError: there is no such preset.
    """
    first = words[0] if words else None
    name = _word_after(words, "--method") if _has_option(kind) else first
    if name is None or not is_classical(name):
        return kind
    from breastseg.classical.preset import classical_method

    method = classical_method(name, _word_after(words, "--preset") or DEFAULT_PRESET)
    flat = tyro.conf.arg(name="")
    return make_dataclass(
        "Joined",
        [
            ("command", Annotated[kind, flat]),
            ("parameters", Annotated[type(method), flat], field(default=method)),
        ],
        bases=(_Joined,),
        namespace={"__doc__": kind.__doc__},
    )


def _has_option(kind: type[Runnable]) -> bool:
    """True where the method is an option and not a word on its own, which has no default."""
    return not any(f.name == "method" and f.default is MISSING for f in fields(kind))  # type: ignore[arg-type]


def _word_after(words: Sequence[str], option: str) -> str | None:
    """The last value given to an option, as ``--option value`` or ``--option=value``."""
    found = None
    for number, word in enumerate(words):
        if word == option and number + 1 < len(words):
            found = words[number + 1]
        elif word.startswith(f"{option}="):
            found = word.partition("=")[2]
    return found
