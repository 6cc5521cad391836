"""One volume in, its result out: read, segmented, measured and saved."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from breastseg.core.errors import BreastsegError
from breastseg.measure.finding import findings
from breastseg.results.companion import Companion, Taken, with_taken
from breastseg.results.entry import failure, success
from breastseg.results.remarks import marked
from breastseg.results.run import Run
from breastseg.results.schema import Entry, Files
from breastseg.results.source import printable

if TYPE_CHECKING:
    from breastseg.core.image import Image
    from breastseg.core.prediction import Prediction
    from breastseg.core.segmenter import Segmenter

_FILES = Files(mask="mask.nii.gz", probability="probability.nii.gz")
_UNCERTAINTY = "uncertainty.nii.gz"


def segment_volume(
    segmenter: Segmenter,
    phases: Sequence[Path],
    run: Run,
    correct_bias: bool = False,
    within_breast: bool = False,
    companion: Companion | None = None,
) -> Generator[Entry]:
    """Segment one volume.

    Args:
        segmenter: of volumes.
        phases: its files or folders on one grid, in the order of their time.
        run: takes the entry and says where files go.
        correct_bias: first take the coils' shading away.
        within_breast: keep nothing behind the chest wall.
        companion: writes more for the volume, where the run has a folder.

    Yields:
        One entry; it says so where nothing came of the volume. None where the run that is resumed
        has done it.

    Raises:
        InputError: the folder of the run cannot be written.
    """
    from breastseg.inference.study import read_study, segment_study

    name = printable(phases[0])
    if name in run.done:
        run.close(complete=True)
        return
    complete = False
    try:
        try:
            image = marked(read_study(segmenter, phases), segmenter)
            prediction = segment_study(segmenter, image, correct_bias, within_breast)
        except BreastsegError as error:
            entry = failure(name, "volume", error)
            run.add(entry)
        else:
            found = findings(prediction, image)
            taken = Taken()
            if companion is not None and run.root is not None:
                taken = companion.take("", image, prediction, found)
            files = Files()
            if run.root is not None:
                files = with_taken(_save(run, run.root, image, prediction, taken.names), taken)
                if companion is not None:
                    companion.write(run.root)
            entry = success(name, image, prediction, found, files)
            entry = replace(entry, remarks=(*entry.remarks, *taken.remarks))
            run.add(entry, prediction.provenance)
        complete = True
    finally:
        run.close(complete)
    yield entry


def _save(
    run: Run, root: Path, image: Image, prediction: Prediction, later: Sequence[str]
) -> Files:
    """Write the maps; `later` names what will be written beside them."""
    from breastseg.io.volume import write_volume

    files = _FILES
    written = [(files.mask, prediction.mask().labels), (files.probability, prediction.probability)]
    if prediction.uncertainty is not None:
        files = replace(files, uncertainty=_UNCERTAINTY)
        written.append((_UNCERTAINTY, prediction.uncertainty))
    names = [name for name, _ in written if name is not None]
    refusal = run.claim(*names, *later)
    if refusal is not None:
        raise refusal
    with run.writing(*names):
        for name, (_, array) in zip(names, written, strict=True):
            write_volume(array, image.grid, root / name)
    return files
