"""Every method there is, classical and shipped bundles alike, under one door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breastseg.core.errors import BundleError, InputError
from breastseg.core.image import Modality
from breastseg.core.parameters import Parameter, parameters_of, with_values
from breastseg.core.provenance import Scalar
from breastseg.core.segmenter import Segmenter

DEFAULT_PRESET = "ultrasound"


@dataclass(frozen=True)
class MethodInfo:
    """What is known of a method without running it.

    Attributes:
        name: in the catalogue.
        kind: ``"classical"`` or ``"network"``.
        summary: one line.
        source: the paper, or what a network was trained on.
        weakness: what it is bad at.
        modality: what it may be used on; unknown where its parameters decide.
        takes_prompt: it looks where a user points.
        gives_probability: its numbers between 0 and 1 are graded within an outline.
        parameters: with their bounds and the values in force; none for a network.
        learnt_from: the data that it was trained or its parameters were tuned on, in words; empty
            where that is nothing or not known.
    """

    name: str
    kind: str
    summary: str
    source: str
    weakness: str
    modality: Modality
    takes_prompt: bool
    gives_probability: bool
    parameters: tuple[Parameter, ...] = ()
    learnt_from: str = ""


@dataclass(frozen=True)
class MethodSpec:
    """A method by name, with what is to be changed in it; cheap to send to another process.

    Attributes:
        method: a name in the catalogue, or the folder of a bundle.
        label: what tables and files call it; one label, one method.
        preset: of a classical method's parameters.
        parameters: of a classical method, in place of the preset's.
    """

    method: str
    label: str
    preset: str = DEFAULT_PRESET
    parameters: Mapping[str, Scalar] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, preset: str = DEFAULT_PRESET) -> MethodSpec:
        """Read ``otsu``, ``otsu:shift=0.1,margin=0.5`` or ``LABEL=METHOD`` of either.

        Raises:
            InputError: another form.
        """
        before, colon, after = text.partition(":")
        label, equals, method = before.partition("=")
        if not equals:
            label, method = text if colon else Path(before).name, before
        values: dict[str, Scalar] = {}
        for pair in after.split(",") if colon else ():
            name, sign, value = pair.partition("=")
            if not (name and sign and value):
                raise InputError(f"method {text!r}", "NAME, NAME:parameter=value,... or LABEL=NAME")
            values[name.strip()] = value.strip()
        if not label or not method:
            raise InputError(f"method {text!r}", "NAME, NAME:parameter=value,... or LABEL=NAME")
        return cls(method, label, preset, values)

    def open(self, threads: int = 1) -> Segmenter:
        """The method itself.

        Args:
            threads: CPU cores that a network computes on; 0 for all.

        Raises:
            InputError: a parameter or preset that there is not.
            BundleError: no such method, or the bundle is damaged.
        """
        from breastseg.classical.catalogue import METHODS
        from breastseg.classical.preset import classical_method
        from breastseg.inference.catalogue import load_segmenter

        if self.method in METHODS:
            return with_values(classical_method(self.method, self.preset), self.parameters)
        if self.parameters:
            raise InputError(f"parameters for {self.method!r}", "none: only classical methods have")
        return load_segmenter(self.method, threads)

    def info(self) -> MethodInfo:
        """What is known of it.

        Raises:
            InputError: a parameter or preset that there is not.
            BundleError: no such method, or the bundle is damaged.
        """
        from breastseg.classical.catalogue import METHODS
        from breastseg.classical.preset import tuned_on

        if self.method in METHODS:
            kind = METHODS[self.method]
            return MethodInfo(
                name=kind.name,
                kind="classical",
                summary=kind.summary,
                source=kind.source,
                weakness=kind.weakness,
                modality=Modality.UNKNOWN,
                takes_prompt=True,
                gives_probability=kind.gives_probability,
                parameters=parameters_of(self.open()),
                learnt_from=tuned_on(self.method, self.preset),
            )
        return _network_info(self.method)


def method_names() -> tuple[str, ...]:
    """All names of the catalogue: the shipped bundles, then the classical methods."""
    from breastseg.classical.catalogue import METHODS
    from breastseg.inference.catalogue import shipped_bundles

    return (*shipped_bundles(), *METHODS)


def _network_info(method: str) -> MethodInfo:
    from breastseg.inference.bundle_folder import read_bundle
    from breastseg.inference.catalogue import shipped_bundles

    shipped = shipped_bundles()
    folder = shipped.get(method, Path(method))
    if not folder.is_dir():
        raise BundleError(
            f"no method {method!r}",
            f"{', '.join(method_names())}; or the folder of a bundle",
            "'breastseg models list' shows what there is",
        )
    bundle = read_bundle(folder, verify=False)
    return MethodInfo(
        name=bundle.name,
        kind="network",
        summary=bundle.summary,
        source="; ".join(bundle.training_data),
        weakness="see its model card",
        modality=bundle.modality,
        takes_prompt=False,
        gives_probability=True,
        learnt_from="; ".join(bundle.training_data),
    )
