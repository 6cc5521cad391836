from pathlib import Path

import pytest

from breastseg.data.dataset import CaseRef
from breastseg.data.patients import look_alikes


def cases(*patients: str) -> list[CaseRef]:
    return [
        CaseRef(f"case-{number}", patient, None, "folder", Path(f"{number}.png"), None)
        for number, patient in enumerate(patients)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [("P01", "p01"), ("7", "007"), ("7", "7.0"), ("Ann Lee", "AnnLee"), ("Zo\u00eb", "Zoe\u0308")],
)
def test_two_ways_to_write_one_patient_are_told(one: str, other: str) -> None:
    (told,) = look_alikes(cases(one, other, "someone else"))
    assert one in told
    assert other in told
    assert "someone else" not in told


def test_other_patients_are_no_look_alikes() -> None:
    assert look_alikes(cases("P1", "P10", "P100", "1.5", "15", "P1")) == ()
