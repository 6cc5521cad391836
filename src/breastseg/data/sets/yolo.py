"""Annotations for YOLO segmentation: a text file of polygons for each image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import DataSetInfo, Fault, require, some
from breastseg.data.drawn import PARTS, DrawnRef, boxes_alone, label_of, merged_classes
from breastseg.data.files import IMAGE_SUFFIXES, by_stem, folders_of_images, unread_images
from breastseg.data.polygon import Polygon, polygon_of
from breastseg.io.real_path import real_path

_NAME = re.compile(r"^\s*(?:(?P<number>\d+)\s*:|-)\s*['\"]?(?P<name>[^'\"#\n]+?)['\"]?\s*$", re.M)
_INLINE = re.compile(r"^names\s*:\s*\[(?P<names>[^\]]*)\]", re.M)
_CLASSES = "classes"
_LINE = "a class and three corners or more, x and y in fractions of width and height"


@dataclass(frozen=True)
class Yolo:
    """Images in ``images/`` and text files of the same stem in ``labels/``, in parts or not.

    A line is a class and the corners of one polygon. All classes count as lesion, and `remarks`
    says so where there are several. An empty file says that there is no lesion; an image without a
    file has no ground truth. The parts train, val and test become the folds 1, 2 and 3. Every
    image stands for its own patient.

    Attributes:
        root: the folder with ``images`` and ``labels``, or with one folder a part that has them;
            ``data.yaml`` beside them names the classes.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="annotations for YOLO segmentation",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="images/scan.png and labels/scan.txt, or images/train/ and labels/train/, or "
        "train/images/ and train/labels/; optionally data.yaml",
    )

    @property
    def name(self) -> str:
        """The folder's own name."""
        return real_path(self.root).name

    def cases(self) -> tuple[DrawnRef, ...]:
        """One case an image, sorted by case_id: the file's stem, after its part where it has one.

        Raises:
            DataSetError: there is no image, or a line cannot be understood.
        """
        names = _names(self.root)
        found = [
            _case(f"{part}/{stem}" if part else stem, path, labels.get(stem), names, self.name)
            for part, images, labels in self._parts()
            for stem, path in images.items()
        ]
        if not found:
            raise DataSetError(f"no image in {self.root}", self.info.tree)
        twice = [one for one, count in Counter(case.case_id for case in found).items() if count > 1]
        if twice:
            raise DataSetError(f"{self.root} has two images {some(twice)}", "each image once")
        return tuple(sorted(found, key=lambda case: case.case_id))

    def remarks(self) -> tuple[str, ...]:
        """Classes that are merged, images without a text, and texts without an image."""
        bare, stray, used = [], [], set()
        names = _names(self.root)
        for _, images, labels in self._parts():
            bare += sorted(images.keys() - labels.keys())
            stray += sorted(labels.keys() - images.keys())
            used |= {names.get(n, n) for path in labels.values() for n, _ in _lines(path)}
        places = [images for _, images, _ in self._folders() if images.is_dir()]
        inside = {path for place in places for path in folders_of_images(place)} - {*places}
        counted = (
            ("images without a text", bare),
            ("texts without an image", stray),
            ("folders of images that are not read", [path.name for path in inside]),
            ("images of a kind that is not read", unread_images(places)),
        )
        faults = [Fault(f"{len(found)} {what}: {some(found)}") for what, found in counted if found]
        return (*merged_classes(sorted(used)), *boxes_alone(self.cases()), *faults)

    def _parts(self) -> Iterator[tuple[str, Mapping[str, Path], Mapping[str, Path]]]:
        require(self.root, (), self.info)
        for part, images, labels in self._folders():
            if images.is_dir():
                found, texts = by_stem(images, *IMAGE_SUFFIXES), by_stem(labels, ".txt")
                if _CLASSES not in found:  # which LabelImg writes beside the annotations
                    texts.pop(_CLASSES, None)
                yield part, found, texts

    def _folders(self) -> list[tuple[str, Path, Path]]:
        """The parts, and where their images and labels may lie."""
        pairs = [("", self.root / "images", self.root / "labels")]
        for part in PARTS:
            pairs.append((part, self.root / "images" / part, self.root / "labels" / part))
            pairs.append((part, self.root / part / "images", self.root / part / "labels"))
        return pairs


def _case(
    case_id: str, image: Path, file: Path | None, names: Mapping[str, str], source: str
) -> DrawnRef:
    lines = [] if file is None else _lines(file)
    truth = () if file is None or not lines else (file,)
    return DrawnRef(
        case_id=case_id,
        patient_id=case_id,
        label=label_of({names.get(number, number) for number, _ in lines}),
        source=source,
        image_path=image,
        mask_paths=None if file is None else truth,
        fold=PARTS.get(case_id.partition("/")[0]) if "/" in case_id else None,
        polygons=tuple(polygon for _, polygon in lines),
        relative=True,
    )


def _lines(path: Path) -> Sequence[tuple[str, Polygon]]:
    """The class and the polygon of each line."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataSetError(f"{path} cannot be read: {error}", _LINE) from error
    for at, line in enumerate(lines, 1):
        number, *words = line.split() or [""]
        if not number:
            continue
        try:
            polygon = polygon_of(map(float, words[::2]), map(float, words[1::2]))
        except ValueError as error:
            raise DataSetError(f"line {at} of {path}: {error}", _LINE) from error
        inside = all(-0.01 <= value <= 1.01 for corner in polygon for value in corner)
        if len(polygon) < 3 or not inside:
            what = "a box" if len(words) == 4 else f"{len(polygon)} corners"
            raise DataSetError(
                f"line {at} of {path} holds {what if inside else 'corners outside 0 to 1'}", _LINE
            )
        found.append((number, polygon))
    return found


def _names(root: Path) -> Mapping[str, str]:
    """The names of the classes by their numbers, of ``data.yaml``; none without it."""
    path = next(
        (root / name for name in ("data.yaml", "dataset.yaml") if (root / name).is_file()), None
    )
    if path is None:
        return {}
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    inline = _INLINE.search(text)
    if inline:
        words = [word.strip(" '\"\n") for word in inline["names"].split(",")]
        return {str(number): word for number, word in enumerate(words) if word}
    found = _NAME.finditer(text.partition("\nnames:")[2] or text.removeprefix("names:"))
    return {match["number"] or str(n): match["name"] for n, match in enumerate(found)}
