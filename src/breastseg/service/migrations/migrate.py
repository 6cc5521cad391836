"""Bringing a store to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

NEWEST = "0002"
"""The newest schema."""
_HERE = Path(__file__).resolve().parent


def migrate(engine: Engine, revision: str = NEWEST) -> None:
    """Apply all steps up to a revision.

    Args:
        engine: of the store.
        revision: of the schema; the newest by default.
    """
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
