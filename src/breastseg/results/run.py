"""One run: its entries as they come, and the folder that it writes into, with what guards it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.core.provenance import Provenance
from breastseg.core.signals import heed_interruption
from breastseg.io.real_path import real_path
from breastseg.io.write import remove_leftovers
from breastseg.results.document import (
    CSV_NAME,
    JSON_NAME,
    REPORT_NAME,
    read_document,
    write_document,
)
from breastseg.results.journal import JOURNAL_NAME, Journal, Progress, read_journal
from breastseg.results.schema import Document, Entry, OptionValue, SegmenterRecord, plain

_OWN = (JSON_NAME, CSV_NAME, JOURNAL_NAME, REPORT_NAME)


class OccupiedError(InputError):
    """A folder with the results of an earlier run: replaced or resumed only if asked for."""


class Run:
    """Collects entries and, in a folder, keeps each as it comes.

    While the run lasts its entries stand in ``results.partial.jsonl``; `close` writes
    ``results.json`` and ``results.csv``, and a complete run leaves no journal.

    Args:
        options: what was asked for.
        root: the folder to write into; made if it is missing. None keeps nothing.
        inputs: what will be read, by the name that entries give it; never written over.
        overwrite: replace what an earlier run has written.
        resume: keep what an earlier run with the same options and inputs has done.

    Raises:
        OccupiedError: the folder holds the results of an earlier run.
        InputError: the folder cannot be written, or, to resume, holds those of another run.
    """

    def __init__(
        self,
        options: Mapping[str, OptionValue],
        root: Path | None = None,
        inputs: Mapping[str, Path] | None = None,
        *,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        self.root = root
        self._order = {name: number for number, name in enumerate(inputs or {})}
        self._inputs = {real_path(path) for path in (inputs or {}).values()}
        self._now = Progress(options, overwrite=overwrite)
        self._uids: dict[str, str] = {}  # the input in which each was first seen
        self._replaceable = set(_OWN) if resume else set()
        self._journal: Journal | None = None
        if root is None:
            return
        earlier = _earlier(root, resume)
        if earlier is not None and all(entry.failed for entry in earlier.entries):
            self._replaceable |= set(_OWN)  # nothing was done: there is nothing to be kept
        for name in _OWN:
            refusal = self._refusal(name)
            if refusal is not None:
                raise OccupiedError(refusal.given, refusal.allowed, refusal.remedy)
            remove_leftovers(root / name)
        if earlier is not None:
            self._take_over(root, earlier, resume)
        self._remove([REPORT_NAME])  # of an earlier run: it would not tell of this one
        # An empty result, so that a folder that cannot be written is known before the work.
        write_document(root, self.document(complete=False))
        self._journal = Journal(root / JOURNAL_NAME, self._now)

    @property
    def done(self) -> frozenset[str]:
        """The inputs that need no more work, as the run that is resumed has done them."""
        return frozenset(entry.input for entry in self._now.entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, in the order of the inputs."""
        last = len(self._order)
        return tuple(sorted(self._now.entries, key=lambda one: self._order.get(one.input, last)))

    def claim(self, *names: str) -> InputError | None:
        """Ask for files of the folder before they are written.

        Returns:
            Why one of them must not be replaced, or None.

        Raises:
            InputError: the folder cannot be written any more.
        """
        for name in names:
            refusal = self._refusal(name)
            if refusal is not None:
                return refusal
        if self._journal is not None:
            self._journal.add("writing", names)
        return None

    @contextmanager
    def writing(self, *names: str) -> Iterator[None]:
        """Leave none of these files behind where one of them cannot be written."""
        try:
            yield
        except BaseException:
            self._remove(names)
            raise

    def add(self, entry: Entry, provenance: Provenance | SegmenterRecord | None = None) -> Entry:
        """Keep an entry.

        Args:
            entry: what came of one image, frame, volume or slide.
            provenance: what produced it; None where nothing came of it.

        Returns:
            The entry as it is kept: with a remark where an earlier one came from another file that
            states the same SOP Instance UID.

        Raises:
            InputError: the folder cannot be written any more, or the entry was produced otherwise
                than the earlier ones of the run.
            KeyboardInterrupt: a signal came, of which the entry may be the mark.
        """
        heed_interruption()
        if isinstance(provenance, Provenance):
            provenance = SegmenterRecord.of(provenance)
        if provenance is not None:
            self._agree(provenance)
        entry = self._told_from(entry)
        if self._journal is not None:
            self._journal.add("entry", entry)
        self._now.entries.append(entry)
        return entry

    def _told_from(self, entry: Entry) -> Entry:
        """Say where an archive would take two files for one."""
        if entry.reference is None:
            return entry
        uids = {frame.instance_uid for frame in entry.reference.frames} - {""}
        others = {self._uids.setdefault(uid, entry.input) for uid in uids} - {entry.input}
        if not others:
            return entry
        said = f"{min(others)} states the same SOP Instance UID: to an archive they are one object"
        return replace(entry, remarks=(*entry.remarks, said))

    def document(self, complete: bool = True) -> Document:
        """The results as they are now."""
        return Document(
            complete=complete,
            options=self._now.options,
            provenance=self._now.provenance,
            entries=self.entries,
        )

    def close(self, complete: bool) -> None:
        """Write the results; after a complete run what an earlier one has left goes.

        Raises:
            InputError: the folder cannot be written. The journal then holds the entries.
        """
        if self.root is None or self._journal is None:
            return
        self._journal.release()
        write_document(self.root, self.document(complete))
        if complete:
            written = {name for entry in self._now.entries for name in files_of(entry)}
            self._remove(set(self._now.stale) - written)
            self._remove([JOURNAL_NAME])

    def _agree(self, record: SegmenterRecord) -> None:
        if self._now.provenance is None:
            self._now.provenance = record
            if self._journal is not None:
                self._journal.add("provenance", record)
        elif plain(record) != plain(self._now.provenance):
            raise InputError(
                f"results of {record.segmenter} {record.version} beside earlier ones of another "
                f"method or other parameters",
                "one method a run",
                "start a new run in another folder",
            )

    def _refusal(self, name: str) -> InputError | None:
        if self.root is None:
            return None
        path = self.root / name
        if real_path(path) in self._inputs:
            return InputError(
                f"{path}: is one of the inputs and is not written over",
                remedy="choose another folder",
            )
        if path.exists() and not self._now.overwrite and name not in self._replaceable:
            return InputError(
                f"{path}: is there already",
                "a new folder",
                "choose another, or allow it to be replaced",
            )
        return None

    def _take_over(self, root: Path, earlier: Progress, resume: bool) -> None:
        """Clear what a killed run has left, and keep what it has done where that is wanted."""
        if resume:
            self._keep(earlier)
        kept = {name for entry in self._now.entries for name in files_of(entry)}
        written = {*earlier.stale, *(name for entry in earlier.entries for name in files_of(entry))}
        self._now.stale = tuple(sorted(written - kept))
        self._replaceable |= {*written, *earlier.writing}
        for name in earlier.writing:
            remove_leftovers(root / name)
        self._remove(earlier.writing)

    def _keep(self, earlier: Progress) -> None:
        asked, before = plain(self._now.options), plain(earlier.options)
        assert isinstance(asked, dict)
        assert isinstance(before, dict)
        differ = [n for n in sorted(asked.keys() | before) if asked.get(n) != before.get(n)]
        if differ:
            name = differ[0]
            raise InputError(
                f"{self.root}: was written with {name} = {before.get(name)}, now it is "
                f"{asked.get(name)}",
                "the options of the run that is resumed",
                "give these, or start a new run in another folder",
            )
        missing = [one.input for one in earlier.entries if one.input not in self._order]
        if missing:
            raise InputError(
                f"{self.root}: holds results of {missing[0]}, which is not among the inputs",
                "all inputs of the run that is resumed",
                "name them as before, from the same folder",
            )
        # All but the last input were done to their end; the last one where it has no more frames.
        last = earlier.entries[-1] if earlier.entries and not earlier.complete else None
        partial = last.input if last is not None and last.kind == "frame" else None
        failed = {one.input for one in earlier.entries if one.failed}
        again = failed | {partial}
        self._now.provenance, self._now.overwrite = earlier.provenance, earlier.overwrite
        self._now.entries = [one for one in earlier.entries if one.input not in again]
        for one in self._now.entries:
            self._told_from(one)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            path = None if self.root is None else self.root / name
            plain_name = Path(name).name == name
            if path is not None and plain_name and real_path(path) not in self._inputs:
                try:
                    path.unlink(missing_ok=True)
                except OSError:
                    continue


def files_of(entry: Entry) -> list[str]:
    """The names of the files that an entry tells of."""
    held = plain(entry.files)
    assert isinstance(held, dict)
    return list(held.values())


def _earlier(root: Path, resume: bool) -> Progress | None:
    """The run that has written into a folder; None where there is none, or none that can be read.

    Raises:
        InputError: it is to be resumed and cannot be read.
    """
    try:
        earlier = read_journal(root / JOURNAL_NAME)
        if earlier is None and (root / JSON_NAME).exists():
            earlier = Progress.of(read_document(root / JSON_NAME))
    except InputError:
        if resume:
            raise
        return None
    return earlier
