"""Columns that are not read are named, and refused where they look like one that is."""

from __future__ import annotations

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.columns import check_columns
from breastseg.data.sets.folder import COLUMNS as OF_FOLDER
from breastseg.data.sets.manifest import COLUMNS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("patient", "'patient_id'"),
        ("PatientID", "'patient_id'"),
        ("Patient ID", "'patient_id'"),
        ("subject", "'patient_id'"),
        ("case", "'patient_id'"),
        ("diagnosis", "'label'"),
        ("Pathology", "'label'"),
        ("Label", "'label'"),
        ("split", "'fold'"),
        ("kFold", "'fold'"),
        ("pixel-spacing", "'spacing_mm'"),
        ("CaseID", "'case_id' or 'patient_id'"),
    ],
)
def test_look_alikes_are_refused_with_the_right_name(name: str, meant: str) -> None:
    with pytest.raises(DataSetError) as caught:
        check_columns(("image", "mask", name), tuple(reversed(COLUMNS)), "clinic.csv")
    assert str(caught.value).startswith(
        f"clinic.csv has the column {name!r}, which is not read. Expected: "
    )
    assert set(meant.split(" or ")) == set(caught.value.allowed.partition(" for ")[0].split(" or "))


def test_others_are_named_and_look_alikes_beside_the_right_one_too() -> None:
    names = ("image", "mask", "patient_id", "patient", "age", "birads")
    assert check_columns(names, COLUMNS, "t") == ("patient", "age", "birads")
    assert check_columns(("file", "mask"), OF_FOLDER, "t") == ("mask",)
