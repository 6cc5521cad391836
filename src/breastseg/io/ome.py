"""What the OME-XML in a TIFF file says of its scale.

The OME data model: https://docs.openmicroscopy.org/ome-model/.
"""

from __future__ import annotations

import math
from xml.etree import ElementTree

_UM = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "pm": 1e-6,
    "å": 1e-4,
    "in": 25_400.0,
}
"""By unit, which is micrometres where none is stated."""

LONGEST = 2**24
"""Characters; a longer description is not looked at."""


def ome_spacing_um(
    description: str | None, size: tuple[int, int] | None = None
) -> tuple[float, float] | None:
    """The (row, column) step of an image in micrometres.

    Args:
        description: the ImageDescription of the file's first page.
        size: (rows, columns) of the image that is meant; the first by default, and where none is
            as large.

    Returns:
        None where it is no OME-XML, or states no size or one in an unknown unit.
    """
    text = description or ""
    if len(text) > LONGEST or "<OME" not in text or "<!DOCTYPE" in text:
        return None
    try:
        root = ElementTree.fromstring(text.strip())
    except ElementTree.ParseError:
        return None
    every = [one for one in root.iter() if one.tag.rpartition("}")[2] == "Pixels"]
    if not every:
        return None
    wanted = None if size is None else (str(size[0]), str(size[1]))
    alike = [one for one in every if (one.get("SizeY"), one.get("SizeX")) == wanted]
    pixels = (alike or every)[0]
    steps = []
    for axis in "YX":
        factor = _UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").strip().lower(), math.nan)
        try:
            step = float(pixels.get(f"PhysicalSize{axis}", "nan")) * factor
        except ValueError:
            return None
        if not (math.isfinite(step) and step > 0):
            return None
        steps.append(step)
    return steps[0], steps[1]
