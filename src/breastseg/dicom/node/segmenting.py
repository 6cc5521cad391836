"""From an item to its results: one thread, one core, one item after the other."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from breastseg.core.bundle import TRAINED_ON_SYNTHETIC
from breastseg.core.errors import BreastsegError, InputError, as_breastseg_error
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.segmenter import Segmenter
from breastseg.dicom.node.config import NodeConfig, Rule
from breastseg.dicom.node.folder import NodeFolder, out_of_room, sync_folder
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.queued import Item
from breastseg.dicom.node.rules import Handler
from breastseg.dicom.objects import DicomObjects, DicomOptions
from breastseg.measure.finding import findings

_log = logging.getLogger(__name__)

Opener = Callable[[Rule], Segmenter]
"""Opens the method of a rule; for images a method that computes on one core."""


class Segmenting:
    """Segments items.

    Args:
        config: of the node.
        folder: of the node.
        queue: gives the items.
        handlers: by name.
        opener: opens their methods, each once.
    """

    def __init__(
        self,
        config: NodeConfig,
        folder: NodeFolder,
        queue: Queue,
        handlers: Mapping[str, Handler],
        opener: Opener,
    ) -> None:
        self._config = config
        self._folder = folder
        self._queue = queue
        self._handlers = handlers
        self._segmenters = {name: opener(one.rule) for name, one in handlers.items()}

    def one(self) -> bool:
        """Segment one item; False where none is ready.

        Raises:
            sqlite3.OperationalError: the queue cannot be written, as when the disk is full.
        """
        item = self._queue.claim()
        if item is None:
            return False
        try:
            results = self._results(item)
        except BreastsegError as error:
            self._not_done(item, error)
            return True
        names = [one.name for one in self._config.destinations]
        if self._queue.segmented(item, results, names):
            _log.info("item %d: segmented, %d objects to send", item.id, len(results))
        else:
            _log.info("item %d: instances came meanwhile, waiting again", item.id)
        return True

    def _not_done(self, item: Item, error: BreastsegError) -> None:
        wait: float | None = None
        if out_of_room(error):
            wait = self._config.wait_s(item.attempts)
            _log.error("item %d: no room for its results, waiting", item.id)
        else:
            # what a file holds may stand in the message: it goes to the queue, not to the log
            _log.error("item %d: failed (%s), see its problem", item.id, type(error).__name__)
        self._queue.not_segmented(item, str(error), wait)

    def _results(self, item: Item) -> list[tuple[str, str]]:
        """Make and write the objects of an item.

        Returns:
            UID and file name of each.

        Raises:
            BreastsegError: it cannot be read or segmented, or nothing can be made of it.
        """
        try:
            return self._made(item)
        except BreastsegError:
            raise
        except Exception as error:
            raise as_breastseg_error(error, f"item {item.id}") from error

    def _made(self, item: Item) -> list[tuple[str, str]]:
        from pydicom import dcmread

        handler = self._handlers.get(item.method)
        if handler is None:
            raise InputError(f"no rule for {item.method!r} any more", "a rule that names it")
        folder = self._folder.results(item.id)
        shutil.rmtree(folder, ignore_errors=True)
        objects = DicomObjects(DicomOptions(self._config.objects))
        remarks: tuple[str, ...] = ()
        for image, prediction in self._segmented(item, handler):
            taken = objects.take("", image, prediction, findings(prediction, image))
            remarks = (*remarks, *taken.remarks)
        folder.mkdir(parents=True)
        objects.write(folder)
        results = []
        for path in sorted(folder.iterdir()):
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            results.append((str(dcmread(path, stop_before_pixels=True).SOPInstanceUID), path.name))
        sync_folder(folder)
        if not results and "sr" in self._config.objects:  # which is made of every image
            raise InputError("; ".join(dict.fromkeys(remarks)) or "no object was made")
        return results

    def _segmented(self, item: Item, handler: Handler) -> Iterator[tuple[Image, Prediction]]:
        from breastseg.inference.study import read_study, segment_study
        from breastseg.io.open import open_images

        segmenter = self._segmenters[handler.name]
        source = self._folder.source(item.id)
        if handler.dimensions == 3:
            volume = _marked(read_study(segmenter, [source]), handler)
            yield volume, segment_study(segmenter, volume)
            return
        for path in _only(source):
            for image in open_images(path, f"item {item.id}"):
                marked = _marked(image, handler)
                yield marked, segmenter.segment(marked)


def _only(source: Path) -> Iterator[Path]:
    """The one file of an item that is an image."""
    files = sorted(source.iterdir()) if source.is_dir() else []
    if len(files) != 1:
        raise InputError(f"{len(files)} files of an image", "one", "send it again")
    yield files[0]


def _marked(image: Image, handler: Handler) -> Image:
    """The image with what must be said of its method in every output."""
    if not handler.synthetic:
        return image
    return replace(image, remarks=(*image.remarks, TRAINED_ON_SYNTHETIC))
