"""Exports as answers; the names of files tell nothing of a patient."""

from __future__ import annotations

from fastapi import Response

from breastseg.service.exports import ExportName, export, media_type
from breastseg.service.outlined import Outlined
from breastseg.service.service import Service


def exported(service: Service, name: ExportName, outlined: Outlined) -> Response:
    """The file, to be saved under the name of its kind."""
    with service.files.scratch() as scratch:
        data = export(name, outlined, scratch)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-cache",
    }
    return Response(data, media_type=media_type(name), headers=headers)
