"""Labelling by two readers through the API: blind, in the queue's order, to a data set."""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from tests.service.conftest import Json, dark_disc, disc, png_of

from breastseg.annotation.project import ProjectCase, ProjectSettings
from breastseg.annotation.reading import Decision, Reading
from breastseg.service.app import create_app
from breastseg.service.caller import Caller, _caller
from breastseg.service.kinds import PROPOSALS
from breastseg.service.labelling import OPEN_S, Labelling
from breastseg.service.problem import ConflictError
from breastseg.service.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A service that takes the caller's name and role from headers."""

    def who(request: Request) -> Caller:
        return Caller(request.headers["x-name"], request.headers.get("x-role", "annotator"))  # type: ignore[arg-type]

    app = create_app(Settings(tmp_path / "service"))
    app.dependency_overrides[_caller] = who
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


EVA, TOM, ADMIN = ({"x-name": name} for name in ("eva", "tom", "ada"))
ADMIN["x-role"] = "admin"


@pytest.fixture
def project(client: TestClient) -> Json:
    """Two images for two readers, proposed by a classical method."""
    body = {"name": "discs", "method": "otsu", "readers_per_case": 2}
    made: Json = client.post("/api/projects", json=body, headers=ADMIN).json()
    bright = png_of(np.where(disc(radius=10), 30, 200).astype(np.uint8))
    for name, data in (("one.png", dark_disc()), ("two.png", bright)):
        files = [("files", (name, data))]
        scan = client.post("/api/scans", files=files, headers=ADMIN).json()["id"]
        answer = client.post(
            f"/api/projects/{made['id']}/scans", json={"scan": scan}, headers=ADMIN
        )
        assert answer.status_code == 201, answer.text
    return made


def read(client: TestClient, project: Json, who: dict[str, str], **form: str) -> Json:
    case = client.post(f"/api/projects/{project['id']}/next", headers=who).json()
    answer = client.post(
        f"/api/projects/{project['id']}/cases/{case['case']}/readings",
        data={"seconds": "4.5", **form},
        headers=who,
    )
    assert answer.status_code == 201, answer.text
    return {**case, "after": answer.json()}


def test_two_readers_label_a_set_blind_to_each_other(client: TestClient, project: Json) -> None:
    place = f"/api/projects/{project['id']}"
    first = read(client, project, EVA, decision="accepted")
    assert read(client, project, TOM, decision="accepted")["case"] == first["case"]
    assert client.get(f"{place}/cases", headers=EVA).status_code == 403
    read(client, project, EVA, decision="rejected")
    last = read(client, project, TOM, decision="rejected")
    assert (last["after"]["labelled"], last["after"]["rejected"]) == (1, 1)
    assert client.post(f"{place}/next", headers=EVA).json() is None
    labelled = next(
        case
        for case in client.get(f"{place}/cases", headers=ADMIN).json()
        if case["status"] == "labelled"
    )
    assert labelled["readers"] == ["eva", "tom"]
    assert labelled["agreement"] == 1
    proposed, agreed = (
        client.get(f"{place}/cases/{first['case']}/{name}.png", headers=ADMIN).content
        for name in ("proposed", "consensus")
    )
    assert proposed == agreed
    archive = client.get(f"{place}/labels.zip", headers=ADMIN)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        names = {name for name in opened.namelist() if not name.endswith("/")}
    stem = first["case"]
    assert names == {
        "labels/cases.csv",
        f"labels/images/{stem}.png",
        f"labels/masks/{stem}.png",
    }
    _check_exports(client, place, stem)
    took = client.get(f"{place}/effort", headers=ADMIN).json()
    assert [one["median_seconds"] for one in took] == [4.5, 4.5]


def test_another_method_proposes_the_masks_that_nobody_has_read(
    client: TestClient, project: Json
) -> None:
    place = f"/api/projects/{project['id']}"
    service = client.app.state.service  # type: ignore[attr-defined]
    opened = service.labelling.one(project["id"])
    read(client, project, EVA, decision="accepted")
    before = {case.name: opened.proposed(case.name).copy() for case in opened.cases()}
    opened.proposing("ellipse")
    for who in (EVA, TOM):  # the image that nobody has read, and the one that one reader has
        case = client.post(f"{place}/next", headers=who).json()["case"]
        same = bool((opened.proposed(case) == before[case]).all())
        assert same == bool(opened.readings(case)), who


def _check_exports(client: TestClient, place: str, case: str) -> None:
    (pair,) = client.get(f"{place}/agreement", headers=ADMIN).json()
    assert pair == {"readers": ["eva", "tom"], "images": 1, "dice": 1, "both_see": 1}
    assert client.get(f"{place}/exports/coco.json", headers=EVA).status_code == 403

    def rows(name: str) -> list[dict[str, str]]:
        text = client.get(f"{place}/exports/{name}", headers=ADMIN).text
        return list(csv.DictReader(io.StringIO(text)))

    measured = rows("results.csv")
    assert {row["input"] for row in measured} == {f"{case}.png"}
    assert measured[0]["segmenter"] == "by-hand"
    readings = rows("readings.csv")
    assert sorted(row["decision"] for row in readings) == ["accepted"] * 2 + ["rejected"] * 2
    assert {row["seconds"] for row in readings} == {"4.5"}
    coco = client.get(f"{place}/exports/coco.json", headers=ADMIN).json()
    assert [one["file_name"] for one in coco["images"]] == [f"{case}.png"]
    assert {one["image_id"] for one in coco["annotations"]} == {1}


def test_an_image_is_open_before_as_many_readers_as_it_needs(tmp_path: Path) -> None:
    now = [0.0]
    labelling = Labelling(tmp_path, lambda: now[0])
    name, project = labelling.create(ProjectSettings("one reader", "otsu"))
    stem = "0" * 32
    for number in range(2):
        project.add(ProjectCase(f"{stem}-{number}-0", "p", (4, 4)))

    def offered(reader: str) -> str | None:
        case = labelling.next(name, reader)
        return None if case is None else case.name

    first = offered("eva")
    assert offered("eva") == first
    assert offered("tom") not in (first, None)
    assert offered("ida") is None
    now[0] = OPEN_S
    assert offered("ida") == first


def test_of_two_windows_that_decide_at_once_one_is_refused(tmp_path: Path) -> None:
    labelling = Labelling(tmp_path)
    name, project = labelling.create(ProjectSettings("at once", "otsu"))
    cases = [f"{'0' * 32}-{number}-0" for number in range(10)]
    for case in cases:
        project.add(ProjectCase(case, "p", (4, 4)))
    together = threading.Barrier(4)

    def decided(case: str) -> bool:
        reading = Reading(case, "eva", Decision.REJECTED, "2026-01-01T00:00:00+00:00", 1.0)
        together.wait()
        try:
            labelling.record(name, reading, first=True)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        for case in cases:
            assert sum(pool.map(decided, [case] * 4)) == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"decision": "corrected"}, "without a mask"),
        ({"decision": "perhaps"}, "decision"),
        ({"decision": "accepted", "seconds": "-1"}, "seconds"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(
    client: TestClient, project: Json, form: dict[str, str], said: str
) -> None:
    place = f"/api/projects/{project['id']}"
    case = client.post(f"{place}/next", headers=EVA).json()["case"]
    answer = client.post(
        f"{place}/cases/{case}/readings", data={"seconds": "1", **form}, headers=EVA
    )
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert client.get(place, headers=EVA).json()["own"] == 0


def test_an_accepted_mask_that_was_changed_is_refused(client: TestClient, project: Json) -> None:
    place = f"/api/projects/{project['id']}"
    case = client.post(f"{place}/next", headers=EVA).json()["case"]
    answer = client.post(
        f"{place}/cases/{case}/readings",
        data={"decision": "accepted", "seconds": "1"},
        files={"mask": ("mask.png", png_of(np.zeros((96, 128), np.uint8)))},
        headers=EVA,
    )
    assert answer.status_code == 422
    assert "changed pixels" in answer.json()["detail"]


def test_another_method_renews_what_nobody_has_read_and_the_order(
    client: TestClient, project: Json
) -> None:
    read(client, project, EVA, decision="accepted")
    service = client.app.state.service  # type: ignore[attr-defined]
    before = {case.name: case for case in service.labelling.one(project["id"]).cases()}
    service.labelling.one(project["id"]).proposing("ultrasound-fast")
    with service.store.session() as session:
        job = service.jobs.add(session, PROPOSALS, {"project": project["id"]}, "ada").id
    service.jobs.wake()
    with client.stream("GET", f"/api/jobs/{job}/events", headers=ADMIN) as stream:
        events = [line for line in stream.iter_lines() if line.startswith("data:")]
    assert '"state":"done"' in events[-1]
    opened = service.labelling.one(project["id"])
    methods = {case.name: case.method for case in opened.cases()}
    unread = [name for name in methods if not opened.readings(name)]
    assert [methods[name] for name in unread] == ["ultrasound-fast"]
    assert sorted(methods.values()) == ["otsu", "ultrasound-fast"]
    after = {case.name: case.uncertainty for case in opened.cases()}
    assert after[unread[0]] != before[unread[0]].uncertainty
    assert client.post(f"/api/projects/{project['id']}/next", headers=TOM).json() is not None


def test_a_scan_that_is_added_again_changes_nothing(client: TestClient, project: Json) -> None:
    place = f"/api/projects/{project['id']}"
    first = read(client, project, EVA, decision="accepted")
    service = client.app.state.service  # type: ignore[attr-defined]
    service.labelling.one(project["id"]).proposing("ultrasound-fast")
    body = {"scan": first["scan"]}
    (again,) = client.post(f"{place}/scans", json=body, headers=ADMIN).json()
    assert again["uncertainty"] == first["uncertainty"]
    assert client.get(place, headers=ADMIN).json()["images"] == 2


def test_a_second_window_does_not_replace_a_decision_in_silence(
    client: TestClient, project: Json
) -> None:
    case = read(client, project, EVA, decision="accepted", first="true")["case"]
    place = f"/api/projects/{project['id']}/cases/{case}/readings"
    form = {"decision": "rejected", "seconds": "1"}
    refused = client.post(place, data={**form, "first": "true"}, headers=EVA)
    assert refused.status_code == 409
    assert "another window" in refused.json()["detail"]
    assert client.post(place, data=form, headers=EVA).status_code == 201  # as a script may mean it


def test_an_image_that_is_there_already_is_told_apart(client: TestClient, project: Json) -> None:
    place = f"/api/projects/{project['id']}/scans"
    again = client.post(
        "/api/scans", files=[("files", ("copy.png", dark_disc()))], headers=ADMIN
    ).json()["id"]
    (case,) = client.post(place, json={"scan": again}, headers=ADMIN).json()
    assert case["known"]
    new = client.post(
        "/api/scans",
        files=[("files", ("new.png", png_of(disc(radius=9).astype(np.uint8) * 90)))],
        headers=ADMIN,
    )
    (case,) = client.post(place, json={"scan": new.json()["id"]}, headers=ADMIN).json()
    assert not case["known"]
