"""A whole service as one file, and back: for either database."""

from __future__ import annotations

import json
import tarfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select

from breastseg.core.errors import InputError, UnreadableError
from breastseg.io.write import replacing
from breastseg.service.files import Files, sha256_of
from breastseg.service.migrations.migrate import NEWEST
from breastseg.service.settings import Settings
from breastseg.service.store import Store, open_store
from breastseg.service.tables import Base, Moment

_HEAD = "backup.json"


def back_up(settings: Settings, path: Path) -> None:
    """Write the store and all files that it names; the maps of results can be computed again.

    The service may be running: rows are read in one transaction, and files never change.

    Args:
        settings: of the service.
        path: a ``.tar`` file to be written, whole or not at all.

    Raises:
        InputError: there is no service in the folder, or the file cannot be written.
    """
    if not settings.root.is_dir() or not any(settings.root.iterdir()):
        raise InputError(
            f"{settings.root}: holds no service", "the folder that a service was started with"
        )
    store, files = open_store(settings), Files(settings.root)
    try:
        content = {"schema": NEWEST, "tables": _rows_of(store)}
    finally:
        store.close()
    with replacing(path) as temporary, tarfile.open(temporary, "w") as archive:
        temporary.chmod(0o600)  # it holds images and the digests of passwords
        text = json.dumps(content).encode()
        head = tarfile.TarInfo(_HEAD)
        head.size = len(text)
        archive.addfile(head, BytesIO(text))
        for blob in sorted(files.blobs.glob("*/*")):
            archive.add(blob, f"blobs/{blob.name}", recursive=False)
        for folder in _kept_whole(files):
            if folder.is_dir():
                archive.add(folder, folder.name)


def restore(settings: Settings, path: Path) -> None:
    """Bring a backup into an empty store.

    Args:
        settings: of a service that has nothing in it.
        path: what `back_up` has written.

    Raises:
        InputError: the store is not empty.
        UnreadableError: no backup, one of another schema, or a damaged one.
    """
    store, files = open_store(settings), Files(settings.root)
    try:
        if any(_count(store, table) for table in Base.metadata.sorted_tables):
            raise InputError("a store that is not empty", "an empty one", "name another folder")
        try:
            with tarfile.open(path) as archive:
                content = _head_of(archive, path)
                _unpack(archive, files)
        except (tarfile.TarError, OSError, ValueError) as error:
            raise UnreadableError(f"{path}: cannot be read as a backup ({error})") from error
        with store.engine.begin() as connection:
            for table in Base.metadata.sorted_tables:
                rows = [_decoded(table, row) for row in content["tables"][table.name]]
                if rows:
                    connection.execute(insert(table), rows)
    finally:
        store.close()


def _kept_whole(files: Files) -> tuple[Path, ...]:
    """The labelling projects, and the bundles that were trained from them."""
    return (files.projects, files.trained)


def _rows_of(store: Store) -> dict[str, list[dict[str, Any]]]:
    with store.engine.connect() as connection:
        return {
            table.name: [
                {key: _encoded(value) for key, value in row._mapping.items()}
                for row in connection.execute(select(table))
            ]
            for table in Base.metadata.sorted_tables
        }


def _count(store: Store, table: Table) -> int:
    with store.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def _head_of(archive: tarfile.TarFile, path: Path) -> dict[str, Any]:
    first = archive.next()
    stream = None if first is None or first.name != _HEAD else archive.extractfile(first)
    if stream is None:
        raise UnreadableError(f"{path}: is no backup of this service")
    content: dict[str, Any] = json.load(stream)
    if content.get("schema") != NEWEST:
        raise UnreadableError(
            f"{path}: is of the schema {content.get('schema')!r}",
            NEWEST,
            "restore it with the version that wrote it, and upgrade the store then",
        )
    return content


def _unpack(archive: tarfile.TarFile, files: Files) -> None:
    """Files of the store under the names of their content, and the folders kept whole."""
    whole = {folder.name for folder in _kept_whole(files)}
    while (member := archive.next()) is not None:
        if member.name.partition("/")[0] in whole:
            archive.extract(member, files.root, filter="data")
            continue
        stream = archive.extractfile(member)
        if stream is None:
            continue
        digest = sha256_of(stream)
        if member.name != f"blobs/{digest}":
            raise UnreadableError(f"{member.name}: its content is another than its name says")
        stream.seek(0)
        files.keep_stream(stream)


def _encoded(value: object) -> object:
    return {"moment": value.isoformat()} if isinstance(value, datetime) else value


def _decoded(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    moments = {one.name for one in table.columns if isinstance(one.type, Moment)}
    return {
        key: datetime.fromisoformat(value["moment"]) if key in moments and value else value
        for key, value in row.items()
    }
