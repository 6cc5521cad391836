"""Code of a person's own, named by ``module:Name``: found, loaded, and told by its digest.

To load a module is to run it. The rooms above therefore load nothing that a file names before the
person has said that its code may run.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from breastseg.core.errors import OwnCodeError, RecipeError
from breastseg.io.real_path import real_path
from breastseg.io.write import write_text

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True)
class OwnCode:
    """The files that a run took code of a person's own from.

    Attributes:
        base: the folder in which modules are looked for before Python's own path.
        sha256: by ``module:Name``, the digest of the file that defines it. What that file imports
            is not covered.
    """

    base: Path
    sha256: Mapping[str, str]

    @classmethod
    def load(cls, names: Iterable[str], base: Path) -> OwnCode:
        """Load modules, which runs them, and digest their files.

        Args:
            names: as ``module:Name``.
            base: looked in first.

        Raises:
            RecipeError: one cannot be loaded, or has no file.
        """
        base = real_path(base)
        return cls(base, {name: _digest(name, _loaded_from(name, base)) for name in names})

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = {"base": str(self.base), "sha256": dict(self.sha256)}
        write_text(path, json.dumps(content, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> OwnCode:
        """Read what `write` wrote; nothing is loaded.

        Raises:
            RecipeError: it is missing or damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(Path(content["base"]), dict(content["sha256"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RecipeError(
                f"{path}: no record of a run's own code ({error})",
                "the file that training wrote",
                "restore the run folder",
            ) from error

    def load_again(self, base: Path | None = None) -> None:
        """Load the same code as before.

        Args:
            base: where it lies now; where it lay by default.

        Raises:
            RecipeError: it cannot be loaded, or a file has changed.
        """
        now = OwnCode.load(self.sha256, base or self.base)
        changed = [name for name, digest in self.sha256.items() if now.sha256[name] != digest]
        if changed:
            raise RecipeError(
                f"the file of {', '.join(changed)} has changed since the run began",
                "the code that the run began with",
                "restore the file, or start another run in a new folder",
            )


def is_own(name: str) -> bool:
    """Whether a name is that of one's own code: ``module:Name``."""
    return ":" in name


def check_own_name(name: str) -> None:
    """Refuse what is no ``module:Name``; nothing is loaded.

    Raises:
        RecipeError: it is not.
    """
    if not _NAME.fullmatch(name):
        raise RecipeError(
            f"{name!r}", "module:Name, such as my_networks:Tiny or package.losses:Hinge"
        )


def refuse_own_code(names: Iterable[str], where: str) -> None:
    """Refuse a file that names code to be run.

    Raises:
        OwnCodeError: it names some.
    """
    found = ", ".join(names)
    if found:
        raise OwnCodeError(
            f"{where} runs code that is not this program's: {found}",
            "a person's word that it may run",
            "read that code first",
        )


def own_object(name: str) -> Callable[..., object]:
    """The class or function that a name stands for.

    Args:
        name: ``module:Name``, of a module that `OwnCode.load` has loaded or Python finds itself.

    Raises:
        RecipeError: there is none.
    """
    check_own_name(name)
    module, _, inside = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), inside)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise RecipeError(
            f"{name}: {error}",
            "a class in a module beside the recipe, or in one that Python finds",
        ) from error
    if not callable(found):
        raise RecipeError(f"{name} is {found!r}"[:200], "a class or a function")
    made: Callable[..., object] = found
    return made


def _loaded_from(name: str, base: Path) -> Callable[..., object]:
    """Load with a folder first on Python's path; it stays there for what the code loads later."""
    check_own_name(name)
    if str(base) not in sys.path:
        sys.path.insert(0, str(base))
    importlib.invalidate_caches()
    module = name.partition(":")[0]
    wanted = base.joinpath(*module.split(".")).with_suffix(".py")
    found = own_object(name)
    loaded = getattr(sys.modules[module], "__file__", None)
    if wanted.is_file() and (loaded is None or real_path(Path(loaded)) != wanted):
        raise RecipeError(
            f"{module} was loaded from {loaded} and not from {wanted}",
            "a module whose name no other has",
            "give the file another name",
        )
    return found


def _digest(name: str, found: Callable[..., object]) -> str:
    try:
        file = inspect.getsourcefile(found)
        return sha256(Path(file or "").read_bytes()).hexdigest()
    except (OSError, TypeError) as error:
        raise RecipeError(
            f"{name}: no source file ({error})", "code in a file of Python"
        ) from error
