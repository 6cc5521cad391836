"""Dates and times moved by a patient's shift, so that the distances between them stay.

Values are those of DICOM PS3.5 6.2: DA ``YYYYMMDD``, TM ``HHMMSS.FFFFFF`` and DT, both of which
may end early.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?")
_BOTH = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?")


def shifted_date(date: str, time: str | None, shift: timedelta) -> str | None:
    """A date, moved together with the time of day that belongs to it; None where it is none.

    Args:
        date: ``YYYYMMDD``.
        time: of the same moment, where one is stated.
        shift: how far.
    """
    if not _DATE.fullmatch(date):
        return None
    try:
        moment = datetime.strptime(date, "%Y%m%d") + (_since_midnight(time or "") or timedelta())
        return f"{moment + shift:%Y%m%d}".zfill(8)
    except (ValueError, OverflowError):
        return None


def shifted_time(time: str, shift: timedelta) -> str | None:
    """A time of day with as many digits as before; None where it is none."""
    since = _since_midnight(time)
    if since is None:
        return None
    moved = datetime(2000, 1, 1) + since + timedelta(seconds=shift.seconds)
    digits, _, fraction = time.partition(".")
    whole = f"{moved:%H%M%S}"[: len(digits)]
    return f"{whole}.{moved.microsecond:06d}"[: len(time)] if fraction else whole


def shifted_moment(value: str, shift: timedelta) -> str | None:
    """A date with time; None where it is none, or less than a day."""
    found = _BOTH.fullmatch(value)
    if found is None:
        return None
    date, time, zone = found[1], found[2], found[3] or ""
    day = shifted_date(date, time, shift)
    if time is None:
        return None if day is None else day + zone
    moved = shifted_time(time, shift)
    return None if day is None or moved is None else day + moved + zone


def _since_midnight(time: str) -> timedelta | None:
    found = _TIME.fullmatch(time)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return timedelta(
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        microseconds=round(1e6 * float(found[4] or 0)),
    )
