"""Annotations of LabelMe: a JSON file beside each image."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import DataSetInfo, Fault, require, some
from breastseg.data.drawn import DrawnRef, boxes_alone, closed, label_of, merged_classes
from breastseg.data.files import IMAGE_SUFFIXES, by_stem, read_json, unread_images
from breastseg.data.polygon import Polygon, polygon_of
from breastseg.io.real_path import real_path

_IS = 'a file of LabelMe: {"shapes": [{"label": "lesion", "points": [[x, y], ...]}], ...}'
_CIRCLE = 128  # corners of a circle


@dataclass(frozen=True)
class LabelMe:
    """Images with the shapes that were drawn on them: polygons, rectangles and circles.

    All labels count as lesion, and `remarks` says so where there are several. A file without shapes
    says that there is no lesion; an image without a file has no ground truth. Points and lines
    enclose nothing and are refused. Every image stands for its own patient.

    Attributes:
        root: a folder with the JSON files; the images lie beside them or in ``images/``.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="annotations of LabelMe",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="scan.png with scan.json beside it",
    )

    @property
    def name(self) -> str:
        """The folder's own name."""
        return real_path(self.root).name

    def cases(self) -> tuple[DrawnRef, ...]:
        """One case an image, sorted by case_id, which is the file's stem.

        Raises:
            DataSetError: there is no image, or a file cannot be understood.
        """
        images, files = self._listing()
        if not images:
            raise DataSetError(f"no image in {self.root}", self.info.tree)
        return tuple(
            _case(stem, images[stem], files.get(stem), self.name) for stem in sorted(images)
        )

    def remarks(self) -> tuple[str, ...]:
        """Labels that are merged, images without a file, and files without an image."""
        images, files = self._listing()
        used = {name for path in files.values() for name, _ in _shapes(path)[0]}
        counted = (
            ("images without a JSON file", images.keys() - files.keys()),
            ("JSON files without an image", files.keys() - images.keys()),
            ("images of a kind that is not read", unread_images(self._places())),
        )
        faults = [Fault(f"{len(names)} {what}: {some(names)}") for what, names in counted if names]
        return (*merged_classes(sorted(used)), *boxes_alone(self.cases()), *faults)

    def _places(self) -> list[Path]:
        return [place for place in (self.root, self.root / "images") if place.is_dir()]

    def _listing(self) -> tuple[Mapping[str, Path], Mapping[str, Path]]:
        require(self.root, (), self.info)
        places = self._places()
        files = [*places, self.root / "annotations"]
        return by_stem(places, *IMAGE_SUFFIXES), by_stem(files, ".json")


Shapes = Sequence[tuple[str, Polygon]]


def _case(case_id: str, image: Path, file: Path | None, source: str) -> DrawnRef:
    shapes, size = ((), None) if file is None else _shapes(file)
    truth = () if file is None or not shapes else (file,)
    return DrawnRef(
        case_id=case_id,
        patient_id=case_id,
        label=label_of({name for name, _ in shapes}),
        source=source,
        image_path=image,
        mask_paths=None if file is None else truth,
        polygons=tuple(polygon for _, polygon in shapes),
        stated_shape=size,
    )


def _shapes(path: Path) -> tuple[Shapes, tuple[int, int] | None]:
    """The names and contours of the shapes, and the image's size."""
    content = read_json(path, _IS)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise DataSetError(f"{path} has no shapes", _IS)
    image = str(content.get("imagePath", ""))
    if image and os.path.splitext(image.replace("\\", "/").rpartition("/")[2])[0] != path.stem:
        raise DataSetError(f"{path.name} is of the image {image!r}", "the one of its own name")
    found = []
    try:
        size = [content.get("imageHeight"), content.get("imageWidth")]
        shape = None if None in size else (int(str(size[0])), int(str(size[1])))
        for one in content["shapes"]:
            corners = polygon_of(*zip(*one["points"], strict=True))
            kind = str(one.get("shape_type") or "polygon")
            found.append((str(one.get("label")), _contour(kind, corners, path.name)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataSetError(f"{path}: {error!r}", _IS) from error
    return tuple(found), shape


def _contour(kind: str, corners: Polygon, name: str) -> Polygon:
    if kind == "polygon":
        return closed(corners)
    if kind == "rectangle" and len(corners) == 2:
        (x0, y0), (x1, y1) = corners
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    if kind == "rectangle" and len(corners) == 4:
        return corners
    if kind == "circle" and len(corners) == 2:
        (x, y), rim = corners[0], math.dist(*corners)
        turns = (2 * math.pi * n / _CIRCLE for n in range(_CIRCLE))
        return tuple((x + rim * math.cos(turn), y + rim * math.sin(turn)) for turn in turns)
    raise DataSetError(
        f"{name}: a shape {kind!r} of {len(corners)} points", "polygon, rectangle, circle"
    )
