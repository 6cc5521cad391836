"""Every method there is, classical and shipped bundles alike, under one door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        phases: of a method for volumes, how many it takes of an examination; 0 for pictures.
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
    phases: int = 0


@dataclass(frozen=True)
class MethodSpec:
    """A method by name, with what is to be changed in it; cheap to send to another process.

    Attributes:
        method: a name in the catalogue, the folder of a bundle, or several of these that are
            networks, joined by ``+``: their mean.
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
        """Read ``otsu``, ``otsu:shift=0.1,margin=0.5``, ``fold1+fold2`` or ``LABEL=METHOD`` of any.

        Raises:
            InputError: another form.
        """
        before, colon, after = text.partition(":")
        label, equals, method = before.partition("=")
        if not equals:
            label, method = text if colon else _short(before), before
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
        from breastseg.inference.ensemble import Ensemble
        from breastseg.inference.volume_ensemble import joined
        from breastseg.inference.volume_segmenter import VolumeSegmenter

        if self.method in METHODS:
            return with_values(classical_method(self.method, self.preset), self.parameters)
        if self.parameters:
            raise InputError(f"parameters for {self.method!r}", "none: only classical methods have")
        names = network_names(self.method)
        if self.info().phases:
            return joined([VolumeSegmenter(bundle_folder(name), threads) for name in names])
        networks = [load_segmenter(name, threads) for name in names]
        return networks[0] if len(networks) == 1 else Ensemble(networks)

    def info(self) -> MethodInfo:
        """What is known of it.

        Raises:
            InputError: a parameter or preset that there is not, or networks joined that do not go
                together.
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
        infos = [_network_info(name) for name in network_names(self.method)]
        return infos[0] if len(infos) == 1 else _joined(infos)


def network_names(method: str) -> tuple[str, ...]:
    """The networks that ``a+b+c`` names; one where it is a single name or an existing folder.

    Raises:
        InputError: a name between two ``+`` is empty.
    """
    names = (method,) if Path(method).is_dir() else tuple(method.split("+"))
    if "" in names:
        raise InputError(f"method {method!r}", "NAME, NAME+NAME or LABEL=NAME")
    return names


def method_names() -> tuple[str, ...]:
    """All methods for images: the shipped bundles that are not for volumes, then the classical."""
    from breastseg.classical.catalogue import METHODS
    from breastseg.inference.bundle_folder import read_bundle
    from breastseg.inference.catalogue import shipped_bundles

    shipped = shipped_bundles().items()
    networks = (name for name, path in shipped if read_bundle(path, verify=False).volume is None)
    return (*networks, *METHODS)


def _short(method: str) -> str:
    """A label without the folders that bundles lie in."""
    return "+".join(Path(name).name for name in network_names(method))


def _joined(infos: Sequence[MethodInfo]) -> MethodInfo:
    """What is known of the mean of several networks.

    Raises:
        InputError: they take different numbers of phases, or some volumes and some pictures.
    """
    phases = [info.phases for info in infos]
    if len(set(phases)) > 1:
        told = ", ".join(
            f"{info.name} for {f'{info.phases} phases of volumes' if info.phases else 'pictures'}"
            for info in infos
        )
        raise InputError(f"networks joined by +: {told}", "networks for the same")
    return replace(
        infos[0],
        name="+".join(info.name for info in infos),
        summary=f"mean of {len(infos)} networks: {', '.join(info.name for info in infos)}",
        source=_once(info.source for info in infos),
        learnt_from=_once(info.learnt_from for info in infos),
    )


def _once(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for text in texts for part in text.split("; ")))


def bundle_folder(method: str) -> Path:
    """The folder of a shipped bundle by its name, or the folder itself.

    Raises:
        BundleError: neither; names those that there are.
    """
    from breastseg.inference.catalogue import shipped_bundles

    folder = shipped_bundles().get(method, Path(method))
    if not folder.is_dir():
        raise BundleError(
            f"no method {method!r}",
            f"{', '.join(method_names())}; or the folder of a bundle",
            "'breastseg models list' shows what there is",
        )
    return folder


def _network_info(method: str) -> MethodInfo:
    from breastseg.inference.bundle_folder import read_bundle

    bundle = read_bundle(bundle_folder(method), verify=False)
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
        phases=0 if bundle.volume is None else bundle.volume.channels,
    )
