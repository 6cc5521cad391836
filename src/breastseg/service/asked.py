"""Finding what the address of a request names."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from breastseg.core.errors import InputError
from breastseg.results.schema import Entry
from breastseg.service import tables
from breastseg.service.pictures import Held
from breastseg.service.problem import ConflictError, NotFoundError


@dataclass(frozen=True)
class AskedImage:
    """An image of a scan with the spacing that holds for it.

    Attributes:
        scan_id: of its scan.
        index: in its scan.
        held: where its pixels lie.
        stated_mm: (row, column) as a person has stated it; None where the file says it or nobody
            did.
    """

    scan_id: str
    index: int
    held: Held
    stated_mm: tuple[float, float] | None


def scan(session: Session, scan_id: str) -> tables.Scan:
    """A scan.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(tables.Scan, scan_id)
    if found is None:
        raise NotFoundError("no such scan", remedy="list the scans")
    return found


def image(session: Session, scan_id: str, index: int) -> AskedImage:
    """An image of a scan.

    Raises:
        NotFoundError: there is none.
    """
    rows = scan(session, scan_id).images
    if not 0 <= index < len(rows):
        raise NotFoundError(f"no image {index} in this scan", f"0 to {len(rows) - 1}")
    held = Held.from_row(rows[index])
    return AskedImage(scan_id, index, held, stated_spacing(session, scan_id).get(index))


def stated_spacing(session: Session, scan_id: str) -> dict[int, tuple[float, float]]:
    """What people have stated for the images of a scan; the last word holds."""
    rows = session.scalars(
        select(tables.Spacing).where(tables.Spacing.scan_id == scan_id).order_by(tables.Spacing.id)
    )
    return {row.image: (row.row_mm, row.column_mm) for row in rows}


def segmentation(session: Session, name: str) -> tables.Segmentation:
    """A segmentation.

    Raises:
        NotFoundError: there is none.
    """
    found = session.get(tables.Segmentation, name)
    if found is None:
        raise NotFoundError("no such segmentation", remedy="ask for it again")
    return found


def base(session: Session, name: str, of: AskedImage, frame: int) -> tables.Segmentation:
    """The segmentation that a mask of a frame started from.

    Raises:
        NotFoundError: there is none.
        InputError: it is of another image or frame: a version would name what it did not come
            from, and be compared with it.
        ConflictError: it is not done.
    """
    found = segmentation(session, name)
    asked = found.request["frame"]
    at, there = (found.scan_id, found.image), (of.scan_id, of.index)
    if at != there or asked not in (None, frame):
        at_frame = "" if asked is None else f", frame {asked}"
        raise InputError(
            f"a base of image {found.image}{at_frame} of scan {found.scan_id}",
            f"one of image {of.index}, frame {frame} of scan {of.scan_id}",
            "name the segmentation of this frame, or none",
        )
    if found.document is None:
        raise ConflictError("a base that is not done", "one that is", "wait for it, or name none")
    return found


def check_scale(of: AskedImage, entry: Entry) -> None:
    """Refuse a result in millimetres that do not hold any more.

    Raises:
        ConflictError: a person has stated another spacing since.
    """
    held = of.held
    stated = held.spacing_mm is not None or held.regions or held.kind == "volume"
    if not stated and entry.spacing_mm != of.stated_mm:
        raise ConflictError(
            f"a result that was measured {_scale(entry.spacing_mm)}",
            f"one of the image as it is now, {_scale(of.stated_mm)}",
            "segment it, or keep its mask, again",
        )


def _scale(spacing_mm: tuple[float, ...] | None) -> str:
    if spacing_mm is None:
        return "in pixels"
    return "at " + " x ".join(f"{step:g}" for step in spacing_mm) + " mm a pixel"
