"""Puts the built browser app into the wheel, so that serving it needs no Node."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc, type-arg]
    """Adds ``web/dist`` as ``breastseg/web``; a wheel without it serves the API alone."""

    def initialize(self, version: str, build_data: dict[str, dict[str, str]]) -> None:
        """Called by hatchling before a wheel is built; an editable one reads the checkout."""
        built = Path(self.root, "web", "dist")
        if version != "editable" and (built / "index.html").is_file():
            build_data["force_include"][str(built)] = "breastseg/web"
