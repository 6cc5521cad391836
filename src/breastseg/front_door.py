"""What ``import breastseg`` offers: short ways into the rooms, for a script or a notebook.

The package loads this file when one of its names is first used, see ``__init__.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import (
    GeometryError,
    InputError,
    MissingExtraError,
    UnsupportedError,
)
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.segmenter import Segmenter
from breastseg.inference.open import check_margin, open_segmenter
from breastseg.inference.options import DEFAULT_METHOD, DEFAULT_OPTIONS, SegmentOptions
from breastseg.results.remarks import marked

if TYPE_CHECKING:
    from breastseg.evaluation.comparison.results import Results
    from breastseg.inference.options import MethodOptions
    from breastseg.measure.lesion import LesionMeasurement
    from breastseg.measure.margin import LesionMargin
    from breastseg.measure.volume import VolumeMeasurement

AnyPath = str | PathLike[str]
Spacing = float | Sequence[float]
_COLOURS = 3


def segment(  # noqa: PLR0913 -- one door, each option by its name
    image: AnyPath | NDArray[np.generic] | Image,
    method: str | Path | Segmenter = DEFAULT_METHOD,
    *,
    box: Box | Sequence[int] | None = None,
    inside: Sequence[tuple[int, int]] = (),
    outside: Sequence[tuple[int, int]] = (),
    threshold: float | None = None,
    margin: float | None = None,
    spacing_mm: Spacing | None = None,
) -> Prediction:
    """Segment the lesions of one image or volume.

    Args:
        image: a file that `read_image` or `read_volume` reads, with the scale and modality that a
            ``cases.csv`` beside it states, as on the command line; an `Image`; or an array:
            (rows, columns) grey or (rows, columns, 3) RGB for a method for images,
            (slices, rows, columns) or (phases, slices, rows, columns) for one for volumes. It is
            not changed.
        method: as `open_segmenter` takes it. A bundle is loaded once, however often this is called.
        box: where the lesion lies: a `Box`, such as a lesion has, or its four numbers (row0,
            column0, row1, column1) in pixels from 0, the last two being the first row and column
            after it. For methods that take a prompt.
        inside: (row, column) of points in the lesion, likewise.
        outside: (row, column) of points that are no lesion, likewise.
        threshold: pixels at or above it are lesion, between 0 and 1; the method's own by default.
        margin: the probability, such as 0.9, with which an inner and an outer contour of each
            lesion shall hold, see `lesion_margins`; for networks that were calibrated for it.
        spacing_mm: distance between pixel centres along each axis of the grid, or one number for
            all, of an image or array that does not state its own.

    Returns:
        On the image's own grid, with the image in it.

    Raises:
        InputError: the image cannot be used with this method or states another spacing, or a
            number is out of bounds.
        BundleError: there is no such method, or it is damaged.
        GeometryError: a spacing that makes no grid, volumes without one, or four numbers that make
            no box.
    """
    options = SegmentOptions(
        threshold=threshold,
        box=None if box is None else _numbers(box),
        inside=tuple(inside),
        outside=tuple(outside),
        margin=margin,
    )
    segmenter = open_segmenter(method, options)
    if margin is not None:
        check_margin(segmenter, margin)
    if not isinstance(image, Image):
        image = _read(image, segmenter.dimensions)
    if spacing_mm is not None:
        image = _spaced(image, spacing_mm)
    image = marked(image, segmenter, options.prompt)
    made = segmenter.segment(image, options.prompt)
    return replace(made, image=image, coverage=margin)


def read_image(path: AnyPath, frame: int = 0) -> Image:
    """Read one image of a PNG, JPEG, TIFF, BMP or DICOM file; errors as `open_image`.

    Args:
        path: the file, known by its content and not by its name.
        frame: which DICOM frame or TIFF page, from 0.
    """
    from breastseg.io.open import open_image

    return open_image(Path(path), frame)


def read_images(path: AnyPath) -> Iterator[Image]:
    """Read all frames or pages of a file, one at a time; errors as `open_images`."""
    from breastseg.io.open import open_images

    return open_images(Path(path))


def read_volume(*phases: AnyPath) -> Image:
    """Read the phases of one study; errors as `read_phases`.

    Args:
        phases: NIfTI, NRRD or MetaImage files and folders of DICOM slices, in the order of their
            time; one of them may hold several.

    Returns:
        (phases, slices, rows, columns).
    """
    from breastseg.io.volume_series import read_phases

    return read_phases([Path(phase) for phase in phases])


def measure_lesions(
    prediction: Prediction,
) -> tuple[LesionMeasurement, ...] | tuple[VolumeMeasurement, ...]:
    """Measure each lesion, the largest first: its diameters and area, or in a volume its volume."""
    from breastseg.measure.lesion import measure
    from breastseg.measure.volume import measure_volume

    grid, lesions = prediction.grid, prediction.lesions()
    if grid.ndim == 3:
        return tuple(measure_volume(lesion, grid) for lesion in lesions)
    return tuple(measure(lesion, grid) for lesion in lesions)


def lesion_margins(prediction: Prediction) -> tuple[LesionMargin, ...]:
    """The inner and outer contour of each lesion, the largest first.

    Args:
        prediction: of an image that was segmented with a margin.

    Raises:
        InputError: no margin was asked for.
    """
    from breastseg.measure.finding import margin_of
    from breastseg.measure.margin import lesion_margin

    if prediction.coverage is None:
        raise InputError("a prediction without a margin", "one that was segmented with a margin")
    margin = margin_of(prediction.conformal, prediction.coverage)
    return tuple(
        lesion_margin(one, prediction.probability, prediction.grid, margin)
        for one in prediction.lesions()
    )


def compare(
    methods: Sequence[str],
    data: Mapping[str, AnyPath],
    out: AnyPath,
    *,
    split: str = "all",
    baseline: str | None = None,
    options: MethodOptions = DEFAULT_OPTIONS,
    workers: int = 0,
) -> Results:
    """Score several methods on the same data and write the report of how they differ.

    Args:
        methods: as `open_segmenter` takes them by name; ``mine=otsu:shift=1`` gives one a label.
        data: the folder of each data set by its name.
        out: a folder, which gets ``report.html``; a comparison that was stopped there goes on.
        split: which cases, such as ``"lesions & fold:1"``.
        baseline: the label of the method that the others are held against; the first by default.
        options: how the methods are opened.
        workers: processes of one core each; 0 for one a core, 1 for this process.

    Raises:
        BreastsegError: as `breastseg.evaluation.comparison.run.compare`.
    """
    from breastseg.data.sources import select_cases
    from breastseg.evaluation.comparison.report import write_comparison
    from breastseg.evaluation.comparison.run import compare as run
    from breastseg.evaluation.protocol import Protocol
    from breastseg.evaluation.seen import seen_in_training
    from breastseg.inference.methods import MethodSpec

    specs = [MethodSpec.parse(text, options) for text in methods]
    first = baseline or next((spec.label for spec in specs), "")
    cases = select_cases(_sources(data), [split], volumes=True)
    seen = seen_in_training({spec.label: spec.method for spec in specs}, cases)
    comparison = run(specs, cases, Protocol(), Path(out), first, workers)
    comparison = replace(comparison, warnings=seen)
    told = f"breastseg.compare({[spec.label for spec in specs]}, split={split!r})"
    return write_comparison(comparison, Path(out), cases, told)


def train(
    recipe: AnyPath,
    data: Mapping[str, AnyPath],
    out: AnyPath | None = None,
    *,
    changes: Mapping[str, str] | None = None,
    resume: bool = False,
    own_code: bool = False,
) -> Path:
    """Train a network from a recipe; needs the train extra.

    Args:
        recipe: a TOML file.
        data: the folder of each data set of the recipe by its name.
        out: the run folder; ``runs/`` and the recipe's name by default.
        changes: values in place of the recipe's, such as ``{"epochs": "3"}``.
        resume: continue the run in the folder as it was; a recipe or data that have changed since
            are refused.
        own_code: whether the recipe may name a network or loss of your own, whose code then runs.

    Returns:
        The run folder.

    Raises:
        MissingExtraError: torch is not installed.
        BreastsegError: as `breastseg.training.start.start` and `breastseg.training.start.resume`.
    """
    try:
        from breastseg.training import start as training
        from breastseg.training.recipe_file import read_recipe
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"training needs torch and lightning ({error})", remedy="pip install 'breastseg[train]'"
        ) from error
    path, sources = Path(recipe), _sources(data)
    folder = (
        training.default_folder(read_recipe(path, changes, own_code)) if out is None else Path(out)
    )
    if resume:
        return training.resume(folder, sources, path, changes, own_code=own_code).root
    return training.start(path, sources, folder, changes, own_code=own_code).root


def _sources(data: Mapping[str, AnyPath]) -> list[str]:
    return [f"{name}={Path(folder)}" for name, folder in data.items()]


def _read(given: AnyPath | NDArray[np.generic], dimensions: int) -> Image:
    """The image or volume in a file or an array.

    Raises:
        InputError: a file with several images, or an array of another shape.
    """
    if isinstance(given, np.ndarray):
        return _of_volume(given) if dimensions == 3 else _of_image(given)
    if dimensions == 3:
        return read_volume(given)
    from breastseg.results.reading import read_source
    from breastseg.results.source import Source

    images = read_source(Source(str(given), Path(given)))
    first = next(images)
    if next(images, None) is not None:
        raise InputError(
            f"{given}: several frames", "one image", "segment each of read_images, or one by number"
        )
    return first


def _of_image(array: NDArray[np.generic]) -> Image:
    if array.ndim == 2:
        return Image(array[None], Grid(array.shape))
    if array.ndim == 3 and array.shape[2] in (1, _COLOURS):
        return Image(np.moveaxis(array, 2, 0), Grid(array.shape[:2]))
    raise UnsupportedError(
        f"an array of shape {array.shape}",
        "(rows, columns), or (rows, columns, 3) of red, green and blue",
        "drop the alpha channel, or put the channels last",
    )


def _of_volume(array: NDArray[np.generic]) -> Image:
    if array.ndim not in (3, 4):
        raise UnsupportedError(
            f"an array of shape {array.shape}",
            "(slices, rows, columns), or (phases, slices, rows, columns)",
        )
    phases = array[None] if array.ndim == 3 else array
    return Image(phases, Grid(phases.shape[1:]))


def _spaced(image: Image, spacing_mm: Spacing) -> Image:
    """The image with a spacing, unless it states another."""
    grid = image.grid
    if isinstance(spacing_mm, int | float):
        steps = (float(spacing_mm),) * grid.ndim
    else:
        steps = tuple(map(float, spacing_mm))
    given = replace(grid, spacing_mm=steps, regions=())
    if grid.regions or (grid.spacing_mm and not np.allclose(grid.spacing_mm, steps, rtol=1e-3)):
        raise InputError(
            f"{image.source or 'the image'} states its own scale ({grid})",
            f"a spacing of {spacing_mm} only where none is stated",
            "leave it out, or replace the image's grid",
        )
    return replace(image, grid=given)


def _numbers(box: Box | Sequence[int]) -> tuple[int, int, int, int]:
    numbers = Box.of(*box).numbers
    if len(numbers) != 4:
        raise GeometryError(f"a box {numbers}", "row0, column0, row1, column1")
    row0, column0, row1, column1 = numbers
    return row0, column0, row1, column1
