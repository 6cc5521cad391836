"""Many files on many cores or machines: each segmented whole by a worker of a Ray cluster.

A worker segments one file with the code of `breastseg.results.segment`, into a folder of its own,
and hands over what it wrote. Only the process that asked writes into the folder of the run, so
that a worker that dies leaves nothing there.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breastseg.core.errors import BreastsegError, InputError, MissingExtraError
from breastseg.core.signals import answered, noticed
from breastseg.inference.session import usable_cores
from breastseg.inference.time_limit import max_seconds, set_max_seconds
from breastseg.io.memory import max_memory, set_max_memory
from breastseg.io.write import write_bytes
from breastseg.results.companion import Companion
from breastseg.results.entry import failure
from breastseg.results.run import Run, files_of
from breastseg.results.schema import Entry, SegmenterRecord
from breastseg.results.segment import Advance, segment_images
from breastseg.results.source import STANDARD_INPUT, Source

if TYPE_CHECKING:
    import psutil

    from breastseg.core.segmenter import Segmenter
    from breastseg.inference.options import SegmentOptions

LOCAL = "local"
"""In place of an address: a cluster on this machine that ends with the run."""

_ADDRESS = "HOST:PORT of a cluster that this machine is part of"
_STORE_BYTES = 2**28
"""Memory of a local cluster for results that wait to be written; what is more goes to the disk."""


@dataclass(frozen=True)
class Work:
    """What a worker does with each file.

    Attributes:
        opened: opens the method, on as many cores as it is given as ``threads``.
        options: how.
        companion: writes more for each file.
        keep_images: write each image as it was looked at, for a report.
        folder: that paths start from; the same on all machines.
        max_memory: bytes that one image may take.
        max_seconds: that a network may take for one image.
    """

    opened: Callable[..., Segmenter]
    options: SegmentOptions
    companion: Companion | None = None
    keep_images: bool = False
    folder: Path = field(default_factory=Path.cwd)
    max_memory: int = field(default_factory=max_memory)
    max_seconds: float = field(default_factory=max_seconds)


@dataclass(frozen=True)
class _Part:
    """What a worker has made of one file."""

    entries: tuple[Entry, ...]
    provenance: SegmenterRecord | None
    files: Mapping[str, bytes]


def segment_on_ray(
    address: str,
    work: Work,
    sources: Sequence[Source],
    run: Run,
    advance: Advance = lambda _count, _name: None,
) -> Generator[Entry]:
    """Segment files with images on the cores of a Ray cluster, a file at a time on each.

    The results are those of `breastseg.results.segment.segment_images`, byte for byte. When a
    worker dies, its file is done again once, by another; then it is recorded as failed. Closing
    the generator keeps what was done.

    Args:
        address: of a cluster that this machine is part of, as HOST:PORT; or ``local``.
        work: what is done with each file.
        sources: the files; those that the run has done already are left out.
        run: takes the entries and the files.
        advance: for a progress bar.

    Yields:
        An entry for each image or frame, the files in the order in which they are done.

    Raises:
        InputError: the cluster is not there, or the folder of the run cannot be written any more.
    """
    done = run.done
    advance(sum(source.name in done for source in sources), "")
    todo = [source for source in sources if source.name not in done]
    complete = False
    try:
        with _cluster(address, work.options.threads):
            for source, part in _parts(work, todo, run.root is not None):
                advance(1, source.name)
                yield from _take_over(source, part, run)
        complete = True
    finally:
        run.close(complete)


def check_cluster(address: str, sources: Sequence[Source], threads: int) -> None:
    """Refuse before any work what a cluster cannot do.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: its machines cannot read a source, or it is not used in this way.
    """
    if find_spec("ray") is None:
        raise MissingExtraError(
            "many workers need Ray, which is not installed",
            "the ray extra",
            "pip install 'breastseg[ray]'",
        )
    if any(source.path == STANDARD_INPUT for source in sources):
        raise InputError("standard input for the workers of a cluster", "files and folders")
    if address.startswith("ray://"):
        raise InputError(
            f"{address}: is the address for Ray's client",
            f"{_ADDRESS}, or local",
        )
    if address != LOCAL and threads:
        raise InputError("a number of threads for a cluster, which uses all its cores", "none")


def _take_over(source: Source, part: _Part | BreastsegError, run: Run) -> Iterator[Entry]:
    """Write what a worker has made of a file, whole or not at all."""
    refusal = part if isinstance(part, BreastsegError) else run.claim(*part.files)
    if refusal is not None:
        entry = failure(source.name, "image", refusal)
        run.add(entry)
        yield entry
        return
    assert isinstance(part, _Part)
    with run.writing(*part.files):
        for name, data in part.files.items():
            assert run.root is not None
            write_bytes(run.root / name, data)
    for entry in part.entries:
        yield run.add(entry, None if entry.failed else part.provenance)


@contextmanager
def _cluster(address: str, threads: int) -> Iterator[None]:
    """Be connected to a cluster, which ends here where it is a local one.

    Raises:
        InputError: it does not start, or does not answer.
    """
    with _own_surroundings() if address == LOCAL else nullcontext() as folder:
        import ray

        local: dict[str, Any] = {
            "num_cpus": threads or usable_cores(),
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
            "_temp_dir": str(folder),
        }
        others = _descendants()
        try:
            _connect(address, local if address == LOCAL else {})
            yield
        finally:
            # A second Ctrl-C would cut short the end of the processes.
            with answered((signal.SIGINT, signal.SIGTERM), signal.SIG_IGN):
                begun = _descendants() - others
                ray.shutdown()
                _end(begun)


def _descendants() -> set[psutil.Process]:
    """The processes that this one has started, and those that they have."""
    import psutil  # Ray brings its own

    return set(psutil.Process().children(recursive=True))


def _end(processes: set[psutil.Process]) -> None:
    """End what a cluster leaves: all of it where its start was interrupted, else its agents."""
    import psutil

    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def _connect(address: str, local: dict[str, Any]) -> None:
    """Start a cluster or reach one; a busy machine is given a second chance to start one."""
    import ray

    # what it cannot do comes as an exception; a dashboard that does not start is not missed
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    for last in (False, True) if local else (True,):
        try:
            # Ray sets a handler of its own, and its start may lose what a handler raises
            with noticed((signal.SIGINT, signal.SIGTERM)):
                ray.init(address, log_to_driver=False, configure_logging=False, **local)
            return
        except KeyboardInterrupt:
            if hasattr(signal, "alarm"):
                signal.alarm(0)  # Ray aborts the process 3 s after a SIGTERM, in order or not
            raise
        except Exception as error:  # which it raises as such, where it waited in vain
            ray.shutdown()
            if last:
                what = str(error).partition("\n")[0]
                expected = "a machine that is less busy" if local else _ADDRESS
                raise InputError(f"the Ray cluster cannot be used ({what})", expected) from error


@contextmanager
def _own_surroundings() -> Iterator[Path]:
    """A folder for a local cluster, and variables that keep it on this machine, to itself.

    Its processes have a home folder of their own. A file there describes a cluster without a
    provider: else Ray asks the network in which cloud it is, even with its reports off.
    """
    os.environ.update(_read_once())
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "ray_bootstrap_config.yaml").write_text("{}\n")
        before = {name: os.environ.get(name) for name in ("HOME", "USERPROFILE")}
        os.environ.update(dict.fromkeys(before, folder))
        try:
            yield Path(folder)
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


@cache
def _read_once() -> dict[str, str]:
    """Variables that Ray reads when it is loaded, and not again.

    Raises:
        InputError: it is loaded already, and would listen on the network.
    """
    if "ray" in sys.modules:
        raise InputError("Ray was loaded before, by other software", "a process that has not")
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on any system: all listen on the loopback
        "RAY_AUTH_MODE": "token",  # others on this machine cannot give it work
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_task_oom_retries": "1",  # as of a death of any other kind
        # a busy machine takes longer than Ray waits by default
        "RAY_worker_register_timeout_seconds": "600",
        "RAY_agent_register_timeout_ms": "600000",
    }


def _parts(
    work: Work, sources: Sequence[Source], writes: bool
) -> Iterator[tuple[Source, _Part | BreastsegError]]:
    """Have all files segmented, as many at a time as keeps all cores busy."""
    import ray

    # a worker that dies is replaced and its file done again by Ray itself
    segment = ray.remote(num_cpus=1, max_retries=1)(_segment)
    known = ray.put(work)
    waiting = iter(sources)
    running: dict[ray.ObjectRef[_Part], Source] = {}
    while True:
        ahead = 2 * max(1, int(ray.cluster_resources().get("CPU", 1))) - len(running)
        for source in islice(waiting, max(0, ahead)):
            running[segment.remote(known, source, writes)] = source
        if not running:
            return
        for reference in ray.wait(list(running))[0]:
            source = running.pop(reference)
            try:
                yield source, ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except ray.exceptions.RayError as error:
                what = f"{source.name}: the worker died over it, twice ({type(error).__name__})"
                yield source, InputError(what, remedy="leave it out, or give a worker more memory")


def _segment(work: Work, source: Source, writes: bool) -> _Part:
    """Segment one file, in a worker."""
    try:
        os.chdir(work.folder)
    except OSError as error:
        raise InputError(
            f"a machine of the cluster has no folder {work.folder}",
            "the same paths on all machines",
        ) from error
    set_max_memory(work.max_memory)
    set_max_seconds(work.max_seconds)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "part" if writes else None
        run = Run({}, root, {source.name: source.path})
        options = replace(work.options, threads=1)
        entries = tuple(
            segment_images(
                work.opened(threads=1),  # a network is loaded once a process
                [source],
                options,
                run,
                companion=work.companion,
                keep_images=work.keep_images,
            )
        )
        names = {name for entry in entries for name in files_of(entry)}
        files = {n: (root / n).read_bytes() for n in sorted(names) if root and (root / n).exists()}
    return _Part(entries, run.document().provenance, files)
