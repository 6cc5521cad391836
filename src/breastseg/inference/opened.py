"""Bundles that this process has opened: each is hashed, and its network loaded, once.

A file is known again by its path, size and time of change. What was opened longest ago is let go
once there is more than a service would alternate between.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from breastseg.core.bundle import Bundle
from breastseg.core.errors import BundleError
from breastseg.inference.bundle_folder import DESCRIPTION, MODEL, read_bundle
from breastseg.inference.engine import Engine, load_network
from breastseg.inference.network import Network
from breastseg.io.real_path import real_path
from breastseg.preprocess.prompt_maps import CHANNELS as PROMPT_MAPS

T = TypeVar("T")
MAX_BUNDLES = 64
MAX_NETWORKS = 16


class FileState(NamedTuple):
    """What tells that a file is still the one that was read."""

    path: Path
    size: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """The state now; None where there is no such file."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(real_path(path), found.st_size, found.st_mtime_ns, found.st_ino)


class Kept(Generic[T]):
    """Values that are made once each; may be used from several threads at once.

    Args:
        most: how many are kept; the one that was not asked for longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made now where there is none; an error of `make` keeps nothing."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            return self._values[key]


_bundles: Kept[OpenedBundle] = Kept(MAX_BUNDLES)
_networks: Kept[Network] = Kept(MAX_NETWORKS)


@dataclass(frozen=True)
class OpenedBundle:
    """A bundle whose network is the one that its description was written for.

    Attributes:
        description: what ``bundle.json`` says.
        model: ``model.onnx`` as it was hashed.
    """

    description: Bundle
    model: FileState

    def network(self, threads: int, engine: Engine = "onnxruntime") -> Network:
        """The network on so many cores, loaded when it is first asked for.

        Raises:
            BundleError: it cannot be run, or was changed since it was hashed.
        """
        path, bundle = self.model.path, self.description
        if FileState.of(path) != self.model:
            raise BundleError(f"{path} has changed since it was opened", remedy="open it again")
        labels = len(bundle.labels)
        outputs = labels + 1 if labels > 1 else 1
        spec = bundle.volume or bundle.input
        maps = 0 if bundle.prompt is None else PROMPT_MAPS
        key = (engine, self.model, spec, threads, outputs, maps)
        return _networks.get(key, lambda: load_network(engine, path, spec, threads, outputs, maps))


def opened_bundle(folder: Path) -> OpenedBundle:
    """A bundle, read and hashed unless this process did so since its files were last changed.

    Raises:
        BundleError: as `read_bundle`.
    """
    description, model = FileState.of(folder / DESCRIPTION), FileState.of(folder / MODEL)
    if description is None or model is None:
        read_bundle(folder)  # says what is missing
        return opened_bundle(folder)  # it was there after all
    return _bundles.get((description, model), lambda: OpenedBundle(read_bundle(folder), model))
