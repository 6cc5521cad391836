"""``breastseg models``: which methods there are and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from breastseg.cli.console import say
from breastseg.cli.method import bundle_folder


@dataclass(frozen=True)
class ListModels:
    """List the methods that are installed."""

    def run(self) -> int:
        """Print a line a method; returns the exit code."""
        from breastseg.inference.bundle_folder import MODEL, read_bundle
        from breastseg.inference.catalogue import shipped_bundles

        shipped = shipped_bundles()
        if not shipped:
            say("No method is installed. 'breastseg segment --method FOLDER' takes any bundle.")
        for name, folder in shipped.items():
            bundle = read_bundle(folder, verify=False)
            size = (folder / MODEL).stat().st_size / 1e6
            say(f"{name}  {bundle.version}  {bundle.modality}  {size:.1f} MB  {bundle.summary}")
        return 0


@dataclass(frozen=True)
class ShowModel:
    """Show what a method does, what it was trained on and how well it did.

    Attributes:
        name: a method of 'breastseg models list', or the folder of a bundle.
        json: print the bundle's description as JSON instead of its card.
    """

    name: tyro.conf.Positional[str]
    json: bool = False

    def run(self) -> int:
        """Print the model card, or the description; returns the exit code."""
        from breastseg.inference.bundle_folder import CARD, DESCRIPTION, read_bundle

        folder = bundle_folder(self.name)
        bundle = read_bundle(folder)
        card = folder / CARD
        if self.json:
            say((folder / DESCRIPTION).read_text(encoding="utf-8").rstrip())
        elif card.is_file():
            say(card.read_text(encoding="utf-8", errors="replace").rstrip())
        else:
            say(f"{bundle.name} {bundle.version}: {bundle.summary} (no model card)")
        return 0
