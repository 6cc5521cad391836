"""``breastseg models``: which methods there are and what is known of them."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass

import tyro

from breastseg.cli.console import WIDTH, say
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.methods import is_classical
from breastseg.inference.options import DEFAULT_PRESET
from breastseg.networks.recipe import RECIPES


@dataclass(frozen=True)
class ListModels:
    """List all methods: the networks that are installed, and the classical methods.

    Attributes:
        networks: list the architectures that can be trained instead, with what each costs.
    """

    networks: bool = False

    def run(self) -> int:
        """Print a line a method; returns the exit code."""
        if self.networks:
            from breastseg.cli.networks import say_architectures

            say_architectures()
        else:
            self._methods()
        say("'breastseg models show NAME' says more.")
        return 0

    def _methods(self) -> None:
        from breastseg.classical.catalogue import METHODS
        from breastseg.inference.bundle_folder import MODEL, read_bundle

        shipped = shipped_bundles()
        width = max(len(name) for name in (*shipped, *METHODS))
        say("Networks")
        if not shipped:
            say("  No network is installed. 'breastseg segment --method FOLDER' takes any bundle.")
        for name, folder in shipped.items():
            bundle = read_bundle(folder, verify=False)
            size = (folder / MODEL).stat().st_size / 1e6
            about = f"{bundle.version}  {bundle.modality}  {size:.1f} MB  {bundle.summary}"
            say(f"  {name:{width}}  {about}")
        say("Classical methods, for any modality and with a box or points where a user gives them")
        for name, method in METHODS.items():
            say(f"  {name:{width}}  {method.summary}")
        say("'breastseg models list --networks' lists the architectures that can be trained.")


@dataclass(frozen=True)
class ShowModel:
    """Show what a method does, where it comes from, and what it was trained on or can be told.

    Of an architecture, show what a recipe can set.

    Attributes:
        name: a method of 'breastseg models list', an architecture of 'breastseg models list
            --networks', or the folder of a bundle.
        preset: whose values a classical method's parameters are shown with.
        json: print the description as JSON.
    """

    name: tyro.conf.Positional[str]
    preset: str = DEFAULT_PRESET
    json: bool = False

    def run(self) -> int:
        """Print the model card, or the description; returns the exit code."""
        if is_classical(self.name):
            return self._classical()
        if self.name in RECIPES and self.name not in shipped_bundles():
            from breastseg.cli.networks import say_architecture

            say_architecture(self.name, self.json)
            return 0
        from breastseg.inference.bundle_folder import CARD, DESCRIPTION, MEASURED, read_bundle
        from breastseg.inference.methods import bundle_folder
        from breastseg.inference.strict_json import load_json

        folder = bundle_folder(self.name)
        bundle = read_bundle(folder)
        card = folder / CARD
        if self.json:
            parts = {"bundle": folder / DESCRIPTION, "measured": folder / MEASURED}
            content = {name: load_json(path) for name, path in parts.items() if path.is_file()}
            say(json.dumps(content, indent=2, ensure_ascii=False))
        elif card.is_file():
            say(card.read_text(encoding="utf-8", errors="replace").rstrip())
        else:
            say(f"{bundle.name} {bundle.version}: {bundle.summary} (no model card)")
        return 0

    def _classical(self) -> int:
        from breastseg.classical.catalogue import METHODS
        from breastseg.classical.preset import named_preset
        from breastseg.inference.methods import method_info

        info = method_info(self.name, self.preset)
        preset = named_preset(self.name, self.preset)
        record = {} if preset is None else dict(preset.record)
        if self.json:
            content = asdict(info) | {"preset": self.preset, "preset_record": record}
            for parameter in content["parameters"]:
                parameter["kind"] = parameter["kind"].__name__
            say(json.dumps(content, indent=2))
            return 0
        what = " ".join((METHODS[self.name].__doc__ or "").split("Attributes:")[0].split())
        say(f"{info.name}: {info.summary}")
        for words in (what, f"Bad at: {info.weakness}.", f"Source: {info.source}"):
            say("\n" + textwrap.fill(words, WIDTH))
        say(f"\nParameters of 'breastseg segment --method {info.name}', preset {self.preset}:")
        for parameter in info.parameters:
            option = "--" + parameter.name.replace("_", "-")
            say(f"  {option} {parameter.default}  ({parameter.allowed})")
            say(
                textwrap.fill(
                    parameter.help, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6
                )
            )
        if record:
            say("\nHow the preset was found:")
            for key, value in record.items():
                say(textwrap.fill(f"  {key}: {value}", WIDTH, subsequent_indent="    "))
        return 0
