"""Making files part of the store, so that none stays behind which nothing names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from breastseg.service.files import Files
from breastseg.service.problem import ConflictError
from breastseg.service.store import Store
from breastseg.service.tables import Scan, Version


@contextmanager
def naming(store: Store, files: Files, digests: Sequence[str]) -> Iterator[Session]:
    """A transaction that names kept files; where it fails, those that nothing names go again.

    Args:
        store: of the service.
        files: likewise.
        digests: of the files.

    Raises:
        ConflictError: a file has gone: another upload of the same one has failed just now.
    """
    try:
        with store.deciding() as session:
            if not all(files.blob(one).is_file() for one in digests):
                raise ConflictError(
                    "a file that another upload of it took along as it failed", remedy="do it again"
                )
            yield session
    except BaseException:
        _forget(store, files, digests)
        raise


def _forget(store: Store, files: Files, digests: Sequence[str]) -> None:
    try:
        with store.deciding() as session:
            named = set(session.scalars(select(Version.mask)))
            for images in session.scalars(select(Scan.images)):
                named.update(digest for image in images for digest in image["files"])
            for digest in set(digests) - named:
                files.blob(digest).unlink(missing_ok=True)
    except (SQLAlchemyError, OSError):
        return  # the first error is the one to tell
