"""A process that opens damaged files one after the other and says what came of each."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian

from breastseg.core.errors import BreastsegError
from breastseg.io.memory import set_max_memory
from breastseg.io.write import write_png

from .mutate import damaged
from .samples import SAMPLES, mr_slice, scan

READY = "ready\n"
"""The first line of a worker, once its samples are made."""
MEMORY_LIMIT = 512 * 2**20
"""What the readers are told."""


def read_image(path: Path) -> None:
    from breastseg.io.open import open_images

    for image in open_images(path):
        image.grey()


def read_slide(path: Path) -> None:
    from breastseg.io.slide import Slide

    with Slide(path) as slide:
        slide.region(0, 0, 96, 128, 2.0)


def read_bundle(path: Path) -> None:
    from breastseg.inference.bundle_folder import read_bundle as read

    (path.parent / "model.onnx").touch()
    read(path.parent, verify=False)


def read_table(path: Path) -> None:
    from breastseg.data.sets.folder import Folder

    for number in range(6):
        (path.parent / f"s{number}.png").touch()
    Folder(path.parent).cases()


def read_series(path: Path) -> None:
    from breastseg.io.volume_series import read_series as read

    read(path.parent)


def read_mask(path: Path) -> None:
    from breastseg.data.lesion_pixels import read_lesion_pixels

    read_lesion_pixels(path)


def read_annotation(path: Path) -> None:
    from breastseg.data.sets.coco import Coco
    from breastseg.data.sets.labelme import LabelMe
    from breastseg.data.sets.yolo import Yolo

    root = path.parent.parent if path.suffix == ".txt" else path.parent
    kind = {"coco.json": Coco, "a.json": LabelMe}.get(path.name, Yolo)
    for case in kind(root).cases():
        case.load()


def read_results(path: Path) -> None:
    from breastseg.results.document import read_document

    read_document(path)


def read_recipe(path: Path) -> None:
    from breastseg.training.recipe_file import read_recipe as read

    read(path)


def read_split(path: Path) -> None:
    from breastseg.data.split import Split

    Split.read(path)


def read_json(path: Path) -> None:
    from breastseg.inference.strict_json import load_json

    load_json(path)


READERS: dict[str, Callable[[Path], None]] = {
    "raster": read_image,
    "dicom": read_image,
    "volume": read_image,
    "slide": read_slide,
    "bundle": read_bundle,
    "table": read_table,
    "json": read_json,
    "series": read_series,
    "mask": read_mask,
    "annotation": read_annotation,
    "results": read_results,
    "recipe": read_recipe,
    "split": read_split,
}


def place_of(reader: str, name: str, folder: Path) -> Path:
    """Where a damaged file shall lie, with what must be whole beside it."""
    root = folder / reader / name.replace(".", "-")
    root.mkdir(parents=True, exist_ok=True)
    if reader == "series":
        for number in (0, 2):
            (root / f"{number}.dcm").write_bytes(mr_slice(number, ExplicitVRLittleEndian))
    elif reader == "annotation":
        beside = root / "images" if name == "a.txt" else root
        beside.mkdir(exist_ok=True)
        write_png(beside / "a.png", scan())
        if name == "a.txt":
            root = root / "labels"
            root.mkdir(exist_ok=True)
    return root / name


def outcome(reader: str, path: Path) -> str:
    """``read``, ``refused``, or the name of an exception that should not have come."""
    try:
        READERS[reader](path)
    except BreastsegError as error:
        line = str(error)
        return "refused" if line.isprintable() and len(line) < 2000 else "unprintable"
    except BaseException as error:  # noqa: BLE001 -- this is what is looked for
        return f"{type(error).__name__}: {error}"[:200]
    return "read"


def _peak_kib() -> int:
    """The most memory that this process itself took.

    What `resource` says of a process counts from before it was started anew, so a test runner that
    has torch loaded would be measured instead.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Read ``reader sample seed`` from standard input, a line each, and answer with JSON."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    set_max_memory(MEMORY_LIMIT)
    warnings.simplefilter("ignore")
    places: dict[tuple[str, str], Path] = {}
    samples = {name: make() for name, make in SAMPLES.items()}
    with tempfile.TemporaryDirectory() as folder:
        for reader, found in samples.items():
            for name, data, _ in found:
                places[reader, name] = place_of(reader, name, Path(folder))
                places[reader, name].write_bytes(data)
                outcome(reader, places[reader, name])  # what is loaded on first use counts for none
        before = _peak_kib()
        answers.write(READY)
        for line in sys.stdin:
            reader, index, seed = line.split()
            name, data, header = samples[reader][int(index) % len(samples[reader])]
            content, kept = damaged(data, header, int(seed))
            place = places[reader, name]
            place.write_bytes(content)
            said = outcome(reader, place)
            place.unlink()
            grown = _peak_kib() - before
            answers.write(json.dumps({"outcome": said, "header": kept, "grown_kib": grown}) + "\n")


if __name__ == "__main__":
    main()
