"""Images in, results out: read, segmented, measured and saved one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.image import Image
from breastseg.measure.finding import Finding, findings
from breastseg.results.companion import Companion, Taken, with_taken
from breastseg.results.entry import failure, success
from breastseg.results.reading import read_source
from breastseg.results.remarks import marked
from breastseg.results.run import Run
from breastseg.results.schema import Entry, Files, Kind
from breastseg.results.source import Source

if TYPE_CHECKING:
    from breastseg.core.prediction import Prediction
    from breastseg.core.segmenter import Segmenter
    from breastseg.inference.options import SegmentOptions
    from breastseg.inference.stream import Segmented

Advance = Callable[[int, str], None]
"""Called with how many more inputs are begun and the name of the one in work."""


def segment_images(
    segmenter: Segmenter,
    sources: Sequence[Source],
    options: SegmentOptions,
    run: Run,
    advance: Advance = lambda _count, _name: None,
    companion: Companion | None = None,
    keep_images: bool = False,
) -> Generator[Entry]:
    """Segment files with images, each read and computed while the one before is saved.

    Closing the generator, or an error in whoever takes the entries, keeps what was done.

    Args:
        segmenter: usable from several threads at once.
        sources: the files; those that the run has done already are left out.
        options: how.
        run: takes the entries and says where files go.
        advance: for a progress bar.
        companion: writes more for each file, where the run has a folder.
        keep_images: write each image as it was looked at, for a report.

    Yields:
        An entry for each image or frame, in the order of the sources.

    Raises:
        InputError: the folder of the run cannot be written any more.
    """
    from breastseg.inference.cine import smooth_cine
    from breastseg.inference.session import usable_cores
    from breastseg.inference.stream import segment_stream

    done = run.done
    advance(sum(source.name in done for source in sources), "")
    names = _Names(options.uncertainty, keep_images)
    ahead = _read((one for one in sources if one.name not in done), segmenter, options)
    complete = False
    last: Source | None = None
    try:
        stream = segment_stream(
            segmenter, ahead, _Slot.load, options.threads or usable_cores(), options.prompt
        )
        reach = options.smooth_frames
        frames = smooth_cine(stream, _Slot.loop, reach) if reach else stream
        with closing(stream):
            for one in frames:
                source, result = one.item.source, one.result
                advance(int(source is not last), source.name)
                if last is not None and source is not last:
                    yield from _end_of(last, run, companion)
                last = source
                entry = _entry(one, run, names, options.margin, companion)
                provenance = None if isinstance(result, BreastsegError) else result.provenance
                yield run.add(entry, provenance)
            if last is not None:
                yield from _end_of(last, run, companion)
        complete = True
    finally:
        run.close(complete)


@dataclass(frozen=True, eq=False)
class _Slot:
    """One image, read as it stands in its file, or why there is none."""

    source: Source
    image: Image | None = None
    frame: int | None = None
    problem: BreastsegError | None = None

    def loop(self) -> Source | None:
        """The cine loop that the image is a frame of."""
        return None if self.frame is None else self.source

    def load(self) -> Image:
        if self.problem is not None:
            raise self.problem
        assert self.image is not None
        return self.image


@dataclass(frozen=True)
class _Names:
    """How the files of an entry are called, and which there are."""

    uncertainty: bool
    image: bool

    def of(self, stem: str) -> Files:
        return Files(
            mask=f"{stem}_mask.png",
            image=f"{stem}_seen.png" if self.image else None,
            overlay=f"{stem}_overlay.png",
            uncertainty=f"{stem}_uncertainty.png" if self.uncertainty else None,
        )


def _read(
    sources: Iterable[Source], segmenter: Segmenter, options: SegmentOptions
) -> Iterator[_Slot]:
    """Read all images of all sources, as they are asked for, with what must be said of them."""
    for source in sources:
        frame = None
        try:
            for image in read_source(source, options.spacing_mm):
                frame = image.frame
                yield _Slot(source, marked(image, segmenter, options.prompt), frame)
        except BreastsegError as error:
            yield _Slot(source, None, None if frame is None else frame + 1, error)


def _end_of(source: Source, run: Run, companion: Companion | None) -> Iterator[Entry]:
    """Have written what belongs to all frames of a file, and say where that could not be."""
    problem = _written(companion, run)
    if problem is not None:
        entry = failure(source.name, "image", problem)
        run.add(entry)
        yield entry


def _written(companion: Companion | None, run: Run) -> BreastsegError | None:
    """Have written what the companion has taken, or why that could not be."""
    if companion is None or run.root is None:
        return None
    try:
        companion.write(run.root)
    except BreastsegError as error:
        return error
    return None


def _entry(
    done: Segmented[_Slot],
    run: Run,
    names: _Names,
    coverage: float | None,
    companion: Companion | None,
) -> Entry:
    source, frame = done.item.source, done.item.frame
    number = None if frame is None else frame + 1
    kind: Kind = "image" if frame is None else "frame"
    if done.image is None or isinstance(done.result, BreastsegError):
        assert isinstance(done.result, BreastsegError)
        return failure(source.name, kind, done.result, number)
    try:
        found = findings(done.result, done.image, coverage)
    except InputError as error:
        return failure(source.name, kind, error, number)
    files = Files()
    taken = Taken()
    if run.root is not None:
        files = names.of(source.stem if number is None else source.of_frame(number))
        if companion is not None:
            taken = companion.take(source.stem, done.image, done.result, found)
            files = with_taken(files, taken)
        refusal = _save(run, files, taken.names, done.image, done.result, found)
        if refusal is not None:
            if companion is not None and taken.names:
                companion.forget()
            return failure(source.name, kind, refusal, number)
        # a still is done now: its entry tells of files that are there
        problem = _written(companion, run) if frame is None else None
        if problem is not None:
            return failure(source.name, kind, problem)
    entry = success(source.name, done.image, done.result, found, files)
    return replace(entry, remarks=(*entry.remarks, *taken.remarks))


def _save(
    run: Run,
    files: Files,
    later: Sequence[str],
    image: Image,
    prediction: Prediction,
    found: Sequence[Finding],
) -> InputError | None:
    """Write what was found in an image; or, with nothing written, why that must not be.

    `later` names what the companion will write beside it.

    Raises:
        InputError: the folder cannot be written any more.
    """
    from breastseg.io.write import write_png
    from breastseg.results.drawing import drawn, shown

    arrays: list[tuple[str | None, NDArray[np.generic]]]
    arrays = [(files.mask, prediction.mask().foreground)]
    arrays.append((files.overlay, drawn(image, prediction, found)))
    if files.image is not None:
        arrays.append((files.image, shown(image, prediction)))
    if files.uncertainty is not None and prediction.uncertainty is not None:
        grey = np.rint(prediction.uncertainty * 255).astype(np.uint8)
        arrays.append((files.uncertainty, grey))
    names = [name for name, _ in arrays if name is not None]
    refusal = run.claim(*names, *later)
    if refusal is not None:
        return refusal
    assert run.root is not None
    spacing_mm = prediction.grid.spacing_mm
    in_plane = None if spacing_mm is None else (spacing_mm[0], spacing_mm[1])
    with run.writing(*names):
        for name, (_, array) in zip(names, arrays, strict=True):
            write_png(run.root / name, array, in_plane)
    return None
