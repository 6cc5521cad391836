"""The schema of the results: what it holds, how it is written and read again."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from breastseg.core.errors import InputError
from breastseg.core.provenance import Provenance
from breastseg.core.reference import FrameReference
from breastseg.results.document import read_document, to_csv, to_json, write_document
from breastseg.results.schema import (
    Document,
    Entry,
    Files,
    LesionPair,
    LesionRecord,
    PriorStudy,
    SegmenterRecord,
    SourceReference,
    significant,
)
from breastseg.results.sentences import describe, lines

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "results.schema.json"

NOW = LesionRecord(
    number=1,
    box=(10, 20, 30, 50),
    pixels=412,
    unit="mm",
    longest_diameter=24.7,
    longest_diameter_ends=((9.5, 20.0), (29.5, 48.5)),
    perpendicular_diameter=16.4,
    perpendicular_diameter_ends=((11.0, 22.0), (20.0, 30.0)),
    area=318.2,
    mean_probability=0.91,
    max_probability=0.98,
    uncertainty=0.1,
)
BEFORE = replace(NOW, number=2, longest_diameter=20.0)
REFERENCE = SourceReference("1.2", "A7", "", (FrameReference("1.2.3", "1.2.3.4", "1.2.840", 3),))
PRIOR = PriorStudy(
    input="2024.dcm",
    lesions=(BEFORE, replace(BEFORE, number=1)),
    pairs=(LesionPair.of(NOW, BEFORE), LesionPair(prior_number=1)),
    reference=REFERENCE,
    study_date="2024-03-05",
)
FULL = Document(
    complete=True,
    options={"method": "ultrasound", "box": (1, 2, 3, 4), "threshold": None},
    provenance=SegmenterRecord.of(Provenance("net", "1.0", {"threshold": 0.5}, "ab" * 32)),
    entries=(
        Entry(
            input="now.dcm",
            kind="frame",
            frame=3,
            reference=REFERENCE,
            shape=(400, 600),
            spacing_mm=(0.1, 0.1),
            view="L MLO",
            remarks=("a remark [\n 1,\n 2\n]",),
            label="lesion",
            lesions=(NOW,),
            malignancy=0.4,
            steps=("cut out",),
            files=Files(mask="a.png", capture="a_sc.dcm", fhir="a_fhir.json"),
            prior=PRIOR,
        ),
        Entry(
            input="mr",
            kind="volume",
            phases=("mr", "mr2"),
            shape=(8, 20, 18),
            spacing_mm=(2.0, 1.0, 1.0),
            label="lesion",
            lesions=(LesionRecord(1, (2, 4, 6, 6, 10, 12), 144, "mm", volume=288.0),),
        ),
        Entry(input="bad.png", kind="image", status="error", error="bad.png: is empty"),
    ),
)


def test_all_fields_are_valid_and_read_back_as_they_were(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    text = to_json(FULL)
    Draft202012Validator(schema).validate(json.loads(text))
    write_document(tmp_path, FULL)
    assert read_document(tmp_path / "results.json") == FULL
    assert '"box": [10, 20, 30, 50]' in text


def test_a_field_that_the_schema_does_not_know_is_not_valid() -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for change in ({"more": 1}, {"schema_version": 2}, {"complete": None}):
        assert not validator.is_valid({**json.loads(to_json(FULL)), **change})


def test_what_is_not_known_is_left_out() -> None:
    bad = json.loads(to_json(FULL))["entries"][2]
    assert bad == {
        "input": "bad.png",
        "kind": "image",
        "status": "error",
        "error": "bad.png: is empty",
        "remarks": [],
        "lesions": [],
        "steps": [],
        "files": {},
    }


def test_growth_in_millimetres_and_per_cent() -> None:
    assert LesionPair.of(NOW, BEFORE) == LesionPair(1, 2, 4.7, 23.5)
    assert LesionPair.of(NOW, replace(BEFORE, unit="px")) == LesionPair(1, 2)
    big, small = (LesionRecord(1, (0,) * 6, 1, "mm", volume=value) for value in (150.0, 100.0))
    assert LesionPair.of(big, small).volume_growth_percent == 50.0


def test_table_has_the_axes_of_images_and_volumes_in_columns_of_their_own() -> None:
    image, volume, bad = csv.DictReader(io.StringIO(to_csv(FULL)))
    assert (image["rows"], image["columns"], image["slices"]) == ("400", "600", "")
    assert (volume["slices"], volume["box_slice1"], volume["box_column0"]) == ("8", "6", "6")
    assert (image["study_uid"], image["instance_uid"]) == ("1.2", "1.2.3.4")
    assert (image["capture"], image["fhir"]) == ("a_sc.dcm", "a_fhir.json")
    assert (bad["lesion"], bad["error"], bad["segmenter"]) == ("", "bad.png: is empty", "net")


def test_words() -> None:
    frame, volume, bad = FULL.entries
    assert lines(frame)[0] == ("now.dcm frame 3: 1 lesion 24.7 x 16.4 mm, mean probability 0.91")
    assert lines(frame)[1].startswith("now.dcm frame 3: warning: a remark")
    assert lines(volume) == ("mr: 1 lesion 0.29 cm3",)
    assert lines(bad) == ("bad.png: is empty",)
    nuclei = [LesionRecord(n, (0, 0, 1, 1), 9, "mm", area=0.00004012) for n in (1, 2)]
    assert describe(nuclei, "nucleus") == "2 nuclei, the largest 40 um2"


def test_significant_digits() -> None:
    values = (24.7123, 12345.6, 0.000040123, 0)
    assert [significant(value) for value in values] == [24.71, 12350.0, 0.00004012, 0.0]


@pytest.mark.parametrize("text", ["", "[]", '{"breastseg": "0.1.0", "entries": []}'])
def test_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(InputError, match=r"results\.json"):
        read_document(tmp_path / "results.json")
