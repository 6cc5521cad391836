"""The HTML page that all reports are made on: one document, one look, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"


def page_environment(folder: Path = TEMPLATES) -> Environment:
    """Where templates come from that extend ``page.html``.

    Args:
        folder: of the report's own templates.

    Returns:
        An environment that escapes what it shows and refuses names without a value. ``version`` is
        this software's.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from breastseg import __version__

    environment = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["version"] = __version__
    return environment
