"""Names of what came without one: they tell images apart and name nobody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.reference import FrameReference, Reference
from breastseg.service.titles import number_of, title_of

MAMMOGRAM = {"Modality": "MG", "SeriesNumber": "3", "InstanceNumber": "12"}
NAMES = {"PatientName": "Doe^Eva", "SeriesDescription": "Eva Doe, right", "StudyID": "4711"}


def image(view: str = "", shape: tuple[int, ...] = (4, 5), **tags: str) -> Image:
    reference = Reference("1.2", "", "", (FrameReference("1.3", "1.4", "1.5"),), tags)
    return Image(np.zeros((1, *shape)), Grid(shape), view=view, reference=reference)


def test_numbers_terms_and_view_make_a_title() -> None:
    mammogram = image("R CC", **MAMMOGRAM, **NAMES)
    assert title_of(mammogram, "object 1") == "MG R CC, series 3, image 12"
    volume = image(shape=(3, 4, 5), **MAMMOGRAM)
    assert (number_of(volume), title_of(volume, "object 1")) == ("series 3", "MG, series 3")


@pytest.mark.parametrize("tags", [{}, {"SeriesNumber": "Doe", "InstanceNumber": "Eva^Doe"}])
def test_what_is_no_number_is_left_out(tags: dict[str, str]) -> None:
    found = image(Modality="Eva Doe", **tags, **NAMES)
    assert (number_of(found), title_of(found, "object 7")) == ("", "object 7")
    plain = replace(found, reference=None)
    assert title_of(plain, "object 7") == "object 7"
