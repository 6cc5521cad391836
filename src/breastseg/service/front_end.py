"""The built web app: from the wheel, or from ``web/dist`` of a checkout."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from breastseg.inference.catalogue import BUNDLES

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "web", _PACKAGE.parent.parent / "web" / "dist")
"""In an installed wheel; in a checkout."""

_MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>breastseg</title>
<h1>The web app is not built</h1>
<p>The API is running, at <a href="/api/openapi.json">/api/openapi.json</a>.
For the web app run <code>make web</code> in the checkout (it needs Node 20.19 or newer),
then start the service again.</p>
</html>
"""


def built() -> Path | None:
    """The folder of the built app; None where there is none."""
    return next((place for place in _PLACES if (place / "index.html").is_file()), None)


def add_to(app: FastAPI) -> None:
    """Serve the app and the bundles that run in it, or a page that says how it is built."""
    folder = built()
    if folder is not None:
        app.mount("/bundles", StaticFiles(directory=BUNDLES))
        app.mount("/", StaticFiles(directory=folder, html=True))
        return

    @app.get("/", include_in_schema=False)
    def missing() -> HTMLResponse:
        return HTMLResponse(_MISSING, 503)
