"""Annotations in COCO's format (Lin 2014, doi 10.1007/978-3-319-10602-1_48)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.data.cells import label_of as cell_label
from breastseg.data.columns import check_columns, unused
from breastseg.data.dataset import DataSetInfo, Fault, require, some
from breastseg.data.drawn import (
    PARTS,
    DrawnRef,
    Runs,
    boxes_alone,
    closed,
    label_of,
    merged_classes,
)
from breastseg.data.files import read_json, visible
from breastseg.data.patients import look_alikes
from breastseg.data.polygon import Polygon, polygon_of
from breastseg.io.real_path import real_path

Item = Mapping[str, object]

_OWN = frozenset(
    [
        "id",
        "file_name",
        "width",
        "height",
        "license",
        "flickr_url",
        "coco_url",
        "date_captured",
        "extra",
        "source",
    ]
)
_MORE = ("patient_id", "label", "fold")  # that an image may state, as tables do
_IS = 'a COCO file: {"images": [...], "annotations": [...], "categories": [...]}'


@dataclass(frozen=True)
class Coco:
    """Images with polygons or run lengths in one JSON file, or in one for each part.

    All categories count as lesion, and `remarks` says so where there are several. An image without
    annotations has no lesion, as COCO has it; one whose annotation is a box alone has no known
    truth. The files of train, val and test become the folds 1, 2 and 3. An image may state
    ``patient_id``, ``label`` and ``fold``; without a patient every image stands for its own.

    Attributes:
        root: a JSON file, or a folder with such files in it or in ``annotations/``.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="annotations in COCO's format",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="annotations/instances.json, or a JSON file beside its images; the images where "
        "file_name says, or in images/",
    )

    @property
    def name(self) -> str:
        """The folder's own name, or the file's."""
        return real_path(self.root).name if self.root.is_dir() else self.root.stem

    def cases(self) -> tuple[DrawnRef, ...]:
        """One case an image, sorted by case_id, which is its file's name without the suffix.

        Raises:
            DataSetError: there is no such file, one cannot be understood, an image is missing or
                stands twice.
        """
        found: dict[str, DrawnRef] = {}
        gone = []
        for path in self._files():
            for case in self._of(path):
                if case.case_id in found:
                    raise DataSetError(f"{path.name}: image {case.case_id} stands twice", "once")
                found[case.case_id] = case
                gone += [] if os.path.isfile(case.image_path) else [str(case.image_path)]
        if gone:
            raise DataSetError(f"{len(gone)} images are not there: {some(gone)}", self.info.tree)
        return tuple(found[case_id] for case_id in sorted(found))

    def remarks(self) -> tuple[str, ...]:
        """Categories that are merged, images of which nothing is annotated, and boxes alone."""
        cases = self.cases()
        categories = {name: None for path in self._files() for name in _names(_read(path)).values()}
        bare = [case.case_id for case in cases if case.mask_paths == ()]
        boxed = [case.case_id for case in cases if case.mask_paths is None]
        keys = {key: None for path in self._files() for image in _read(path)[0] for key in image}
        others = [key for key in keys if key not in _OWN and key not in _MORE]
        return (
            *merged_classes(list(categories)),
            *(
                [f"{len(bare)} images without annotations have no lesion: {some(bare)}"]
                * bool(bare)
            ),
            *([Fault(f"{len(boxed)} images with boxes alone: {some(boxed)}")] * bool(boxed)),
            *boxes_alone(cases),
            *look_alikes(cases),
            *unused(others, "the images"),
        )

    def _files(self) -> list[Path]:
        if self.root.is_file():
            return [self.root]
        require(self.root, (), self.info)
        folders = [self.root, self.root / "annotations", *(self.root / part for part in PARTS)]
        found = [path for folder in folders for path in visible(folder, ".json")]
        if not found:
            raise DataSetError(f"no JSON file in {self.root}", self.info.tree)
        return found

    def _of(self, path: Path) -> Iterator[DrawnRef]:
        images, annotations, _ = read = _read(path)
        names = _names(read)
        lesions: dict[object, list[Item]] = {}
        for one in annotations:
            lesions.setdefault(one.get("image_id"), []).append(one)
        for image in images:
            check_columns(image, (*_OWN, *_MORE), f"an image of {path.name}")
            own = lesions.get(image.get("id"), [])
            yield _case(image, own, names, self.name, path, self.root)


def _read(path: Path) -> tuple[list[Item], list[Item], list[Item]]:
    content = read_json(path, _IS)
    parts = [
        content.get(name) if isinstance(content, dict) else None
        for name in ("images", "annotations", "categories")
    ]
    images, annotations, categories = (
        part if isinstance(part, list) and all(isinstance(item, dict) for item in part) else None
        for part in parts
    )
    if images is None or annotations is None:
        raise DataSetError(f"{path} has no images or no annotations", _IS)
    ids = [image.get("id") for image in images]
    if None in ids or len(set(map(str, ids))) < len(ids):
        raise DataSetError(f"{path}: images without an id, or several of one id", "an id for each")
    for item in (*images, *annotations, *(categories or [])):
        for key in ("id", "image_id", "category_id"):
            if not isinstance(item.get(key), int | str | None):
                raise DataSetError(f"{path}: {key} {item[key]!r}"[:200], "a number for each")
    known = {image.get("id") for image in images}
    lost = [str(one.get("id")) for one in annotations if one.get("image_id") not in known]
    if lost:
        raise DataSetError(f"{path}: annotations of no image: {some(lost)}", "an image of each")
    declared = {item.get("id") for item in categories or ()}
    used = {one.get("category_id") for one in annotations} - {None}
    strange = {*map(str, used)} - {*map(str, declared)}
    if declared and strange:
        raise DataSetError(
            f"{path}: annotations of the undeclared categories {some(strange)}",
            f"one of {some({*map(str, declared)})}",
            "declare the category, or remove what is annotated with it",
        )
    return images, annotations, categories or []


def _names(read: tuple[list[Item], list[Item], list[Item]]) -> Mapping[object, str]:
    """The names of the categories that are used, by id."""
    _, annotations, categories = read
    used = {one.get("category_id") for one in annotations}
    stated = {item.get("id"): str(item.get("name")) for item in categories}
    return {number: stated.get(number, str(number)) for number in sorted(used, key=str)}


def _case(
    image: Item,
    lesions: Sequence[Item],
    names: Mapping[object, str],
    source: str,
    path: Path,
    root: Path,
) -> DrawnRef:
    file = str(image.get("file_name", "")).replace("\\", "/")
    where = f"{path.name}: image {file!r}"
    if not file or Path(file).is_absolute() or ".." in Path(file).parts:
        raise DataSetError(where, "a file_name within the folder")
    polygons: list[Polygon] = []
    runs: list[Runs] = []
    boxed = False
    try:
        sides = [image.get(side) for side in ("height", "width")]
        shape = None if None in sides else (int(str(sides[0])), int(str(sides[1])))
        for lesion in lesions:
            drawn = lesion.get("segmentation")
            boxed = boxed or not drawn
            if isinstance(drawn, dict):
                if shape is not None and [*drawn.get("size", shape)] != [*shape]:
                    raise ValueError(f"run lengths of an image of {drawn['size']}")
                runs.append(_runs(drawn["counts"]))
            elif isinstance(drawn, list):
                polygons += [closed(polygon_of(corners[::2], corners[1::2])) for corners in drawn]
        fold = image.get("fold", PARTS.get(_part(path)))
        fold = None if fold is None else int(str(fold))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        what = f"without {error}" if isinstance(error, KeyError) else error
        raise DataSetError(
            f"{where}: {what}", "polygons or run lengths as COCO has them"
        ) from error
    label = cell_label(str(image.get("label") or "")) or label_of(
        {names[one.get("category_id")] for one in lesions}
    )
    case_id = str(Path(file).with_suffix(""))
    return DrawnRef(
        case_id=case_id,
        patient_id=str(image.get("patient_id") or case_id),
        label=label,
        source=source,
        image_path=_image(file, path, root),
        mask_paths=None if boxed else (path,) if lesions else (),
        fold=fold,
        polygons=tuple(polygons),
        runs=tuple(runs),
        stated_shape=shape,
    )


def _part(path: Path) -> str:
    """The part that a file's name or folder tells, such as ``instances_val2017.json``."""
    words = path.stem.lower().replace("-", "_").rstrip("0123456789").split("_")
    return next((word for word in (*words, path.parent.name.lower()) if word in PARTS), "")


def _image(file: str, path: Path, root: Path) -> Path:
    home = root if root.is_dir() else path.parent
    part = _part(path)
    places = (
        path.parent,
        home,
        home / "images",
        *(home / p for p in (part, f"images/{part}") if part),
    )
    return next((at / file for at in places if os.path.isfile(at / file)), home / "images" / file)


def _runs(counts: object) -> Runs:
    """Run lengths, unpacked where they are packed.

    A packed length is in base 32 from ``"0"`` on, its lowest digit first, 32 more where another
    follows; from the fourth on it is the difference to the one before the last (COCO's maskApi).
    """
    if isinstance(counts, list):
        return tuple(int(count) for count in counts)
    text, found = str(counts), list[int]()
    at = 0
    while at < len(text):
        value, place, digit = 0, 0, 32
        while digit & 32:
            digit = ord(text[at]) - 48
            value |= (digit & 31) << (5 * place)
            at, place = at + 1, place + 1
        if digit & 16:
            value -= 1 << (5 * place)
        found.append(value + (found[-2] if len(found) > 2 else 0))
    return tuple(found)
