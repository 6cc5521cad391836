"""The schema of the store, on both databases, and a backup of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from breastseg.core.errors import BreastsegError
from breastseg.service.app import create_app
from breastseg.service.backup import back_up, restore
from breastseg.service.migrations.migrate import migrate
from breastseg.service.service import Service
from breastseg.service.settings import Settings
from breastseg.service.store import Store
from breastseg.service.tables import Account, Base, Job, Login, Scan

from .conftest import dark_disc, disc, png_of


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a database in a PostgreSQL of our own, reached by a socket alone."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    as_other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = as_other if os.geteuid() == 0 else []  # it refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))  # those of pytest are for their owner alone
    if command:
        os.chown(home, 65534, 65534)
    data = home / "data"

    def run(*words: str) -> None:
        subprocess.run([*command, *words], check=True, capture_output=True, cwd=home)

    try:
        run(str(programs / "initdb"), "-D", str(data), "-U", "breastseg", "--no-sync")
        options = f"-c listen_addresses='' -k {home} -c fsync=off"
        start = ("start", "-w", "-D", str(data), "-o", options, "-l", str(home / "log"))
        run(str(programs / "pg_ctl"), *start)
        try:
            yield f"postgresql+psycopg://breastseg@/postgres?host={home}"
        finally:
            run(str(programs / "pg_ctl"), "stop", "-w", "-m", "immediate", "-D", str(data))
    finally:
        shutil.rmtree(home)


def _journey(client: TestClient) -> None:
    """Upload, segment, wait for a job, keep a version, read the audit."""
    scan = client.post("/api/scans", files=[("files", ("disc.png", dark_disc()))]).json()["id"]
    body = {"scan": scan, "method": "otsu", "prompt": {"inside": [[48, 64]]}}
    made = client.post("/api/segmentations", json=body).json()
    assert made["state"] == "done"
    drawn = png_of(disc().astype("uint8") * 255)
    place = f"/api/scans/{scan}/images/0/versions"
    kept = client.post(place, files={"mask": drawn}, data={"base": made["id"]})
    assert kept.status_code == 201, kept.text
    cine = client.post("/api/examples/ultrasound-cine").json()["id"]
    queued = client.post("/api/segmentations", json={"scan": cine, "method": "otsu"}).json()
    with client.stream("GET", f"/api/jobs/{queued['job']}/events") as stream:
        assert '"state":"done"' in list(stream.iter_lines())[-2]
    assert len(client.get("/api/audit").json()) >= 4


def test_the_same_journey_on_postgresql(postgresql: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "service", postgresql)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        _journey(client)
    back_up(settings, tmp_path / "backup.tar")
    _check_restored(tmp_path)


def test_a_backup_brings_everything_back(client: TestClient, tmp_path: Path) -> None:
    _journey(client)
    settings = client.app.state.service.settings  # type: ignore[attr-defined]
    back_up(settings, tmp_path / "backup.tar")
    with pytest.raises(BreastsegError, match="not empty"):
        restore(settings, tmp_path / "backup.tar")
    _check_restored(tmp_path)


def _check_restored(folder: Path) -> None:
    other = Settings(folder / "other")
    restore(other, folder / "backup.tar")
    with TestClient(create_app(other), base_url="http://127.0.0.1") as client:
        scans = client.get("/api/scans").json()
        assert len(scans) == 2
        still = next(one for one in scans if one["name"] == "disc.png")
        place = f"/api/scans/{still['id']}/images/0"
        (version,) = client.get(f"{place}/versions").json()
        assert client.get(f"{place}/versions/1/mask.png").status_code == 200
        mask = client.get(f"/api/segmentations/{version['base']}/mask.png")
        assert mask.status_code == 200  # its maps are computed again


def test_the_migrations_make_the_tables_that_the_code_has(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    migrate(engine)
    migrate(engine)  # a second time changes nothing
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


_FIRST = (
    "INSERT INTO account VALUES ('eva', 'admin', 'hash', :at)",
    "INSERT INTO login VALUES ('secret', 'eva', 'browser', :no, :at, :at)",
    "INSERT INTO job VALUES ('j1', 'segmentation', '{}', 'queued', 0, '', 0, :at, :at, :at, 'eva')",
    "INSERT INTO scan VALUES ('s1', 'scan', '[]', '[]', :at, 'eva')",
)
"""Rows of the first schema, which refer to one another."""


def _check_forward(url: str) -> None:
    engine = create_engine(url)
    try:
        migrate(engine, "0001")
        with engine.begin() as connection:
            for row in _FIRST:
                values = {"at": "2026-01-01 00:00:00.000000", "no": False}
                named = {name: values[name] for name in values if f":{name}" in row}
                connection.execute(text(row), named)
        engine.dispose()
        store = Store(url)
        with store.session() as session:
            assert session.get_one(Account, "eva").subject is None
            assert session.get_one(Login, "secret").account == "eva"
            assert session.get_one(Job, "j1").step is None
            assert session.get_one(Scan, "s1").name == "scan"
        store.close()
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    finally:
        engine.dispose()


def test_a_store_of_the_first_schema_comes_forward_with_its_rows(tmp_path: Path) -> None:
    _check_forward(f"sqlite:///{tmp_path / 'store.sqlite'}")


def test_the_same_on_postgresql(postgresql: str) -> None:
    engine = create_engine(postgresql)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE forward"))
    engine.dispose()
    _check_forward(postgresql.replace("/postgres?", "/forward?"))


def test_a_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with TestClient(create_app(Settings(tmp_path)), base_url="http://127.0.0.1") as client:
        client.post("/api/scans", files=[("files", ("disc.png", dark_disc()))])
        modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    modes.pop("service.lock")  # empty
    assert set(modes.values()) == {0}, modes


def test_two_services_do_not_share_a_folder(client: TestClient) -> None:
    settings = client.app.state.service.settings  # type: ignore[attr-defined]
    with pytest.raises(BreastsegError, match="another service uses this folder"):
        Service(settings)


def test_a_folder_without_a_service_is_not_backed_up(tmp_path: Path) -> None:
    missing = tmp_path / "typo"
    with pytest.raises(BreastsegError, match="holds no service"):
        back_up(Settings(missing), tmp_path / "backup.tar")
    assert not missing.exists()
    assert not (tmp_path / "backup.tar").exists()
