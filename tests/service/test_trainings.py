"""Retraining from a project's labels: the held-out cases, the job, both scores, the choice."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.service.conftest import Json, disc, png_of

from breastseg.retraining.task import check_can_train
from breastseg.service.trained import new_name

PATIENTS = 4


def labelled(client: TestClient) -> str:
    """A project of as many patients, each with an image that a reader has accepted."""
    body = {"name": "discs", "method": "otsu"}
    project: str = client.post("/api/projects", json=body).json()["id"]
    place = f"/api/projects/{project}"
    for number in range(PATIENTS):
        lesion = np.roll(disc(), 4 * number, axis=1)
        data = png_of(np.where(lesion, 40 + number, 160).astype(np.uint8))
        scan = client.post("/api/scans", files=[("files", (f"{number}.png", data))]).json()["id"]
        body = {"scan": scan, "patient": f"p{number}"}
        (case,) = client.post(f"{place}/scans", json=body).json()
        reading = {"decision": "accepted", "seconds": "1"}
        answer = client.post(f"{place}/cases/{case['case']}/readings", data=reading)
        assert answer.status_code == 201, answer.text
    return project


def followed(client: TestClient, job: str) -> list[str]:
    """The events of a job until it ends."""
    with client.stream("GET", f"/api/jobs/{job}/events") as stream:
        return [line for line in stream.iter_lines() if line.startswith("data:")]


@pytest.mark.train
def test_a_project_is_retrained_scored_and_chosen(client: TestClient) -> None:
    project = labelled(client)
    place = f"/api/projects/{project}"
    refused = client.post(f"{place}/trainings", json={"epochs": 2})
    assert refused.status_code == 422
    assert refused.json()["try_next"] == "state the modality"
    begun = client.post(f"{place}/trainings", json={"epochs": 2, "modality": "ultrasound"}).json()
    assert (begun["train_images"], begun["held_out_images"]) == (2, 2)
    assert re.fullmatch(r"trained-discs-\d{4}-\d\d-\d\d", begun["bundle"])
    second = client.post(f"{place}/trainings", json={"modality": "ultrasound"})
    assert (second.status_code, second.json()["expected"]) == (409, "one at a time")
    events = followed(client, begun["id"])
    assert any('"epoch":1,"epochs":2,"loss":' in line for line in events)
    done = client.get(f"/api/trainings/{begun['id']}").json()
    assert (done["state"], done["message"]) == ("done", "")
    assert "from the weights of ultrasound-fast" in done["outcome"]["start"]
    assert done["outcome"]["before"]["dice"]["value"] > 0.9
    assert len(done["outcome"]["images"]) == done["held_out_images"]
    assert done["outcome"]["after"]["dice"]["value"] > 0.5, "two epochs forget nothing"
    _check_choice(client, place, done)


def _check_choice(client: TestClient, place: str, done: Json) -> None:
    name = done["bundle"]
    (method,) = (one for one in client.get("/api/methods").json() if one["name"] == name)
    assert "trained here" in method["remarks"][0]
    body = {"scan": client.get("/api/scans").json()[0]["id"], "method": name}
    assert client.post("/api/segmentations", json=body).json()["state"] == "done"
    for take, then in (("after", name), ("before", "otsu")):
        chosen = client.post(f"/api/trainings/{done['id']}/choice", json={"take": take}).json()
        assert (chosen["choice"], chosen["chosen_by"]) == (take, "local")
        assert client.get(place).json()["method"] == then
    archive = client.get(f"/api/trainings/{done['id']}/bundle.zip").content
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = opened.namelist()
        assert {"bundle.json", "model.onnx", "measured.json", "MODEL_CARD.md"} <= set(names)
        recipe = opened.read("recipe.toml").decode()
    service = client.app.state.service  # type: ignore[attr-defined]
    assert str(service.files.training.parent) not in recipe, "no path of this machine leaves it"
    assert not list(service.files.training.glob("*")), "copies of images stay"


def test_bundles_are_called_by_project_and_day_each_by_its_own_name() -> None:
    day = date(2026, 11, 30)
    assert new_name("Clinic A / Köln", day, ()) == "trained-clinic-a-koln-2026-11-30"
    taken: list[str] = []
    for project in ("discs", "Discs!", "discs"):
        taken.append(new_name(project, day, taken))
    first = "trained-discs-2026-11-30"
    assert taken == [first, f"{first}-2", f"{first}-3"]
    assert new_name("乳房", day, ()) == "trained-project-2026-11-30"
    assert len(new_name("x" * 200, day, ())) < 100


def test_too_few_patients_are_said_at_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breastseg.retraining.task.find_spec", lambda name: name)
    project = client.post("/api/projects", json={"name": "empty", "method": "otsu"}).json()["id"]
    answer = client.post(f"/api/projects/{project}/trainings", json={"modality": "ultrasound"})
    assert answer.status_code == 422
    assert "more patients" in answer.json()["try_next"]


def test_one_line_says_that_training_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breastseg.retraining.task.find_spec", lambda _name: None)
    with pytest.raises(Exception, match="retraining needs torch, lightning, onnx"):
        check_can_train()
