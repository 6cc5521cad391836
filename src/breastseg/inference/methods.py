"""What is known of every method, classical and bundles alike, and how one is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from breastseg.core.errors import BundleError, InputError
from breastseg.core.image import Modality
from breastseg.core.parameters import Parameter, parameters_of, with_values
from breastseg.core.provenance import Scalar
from breastseg.core.segmenter import Segmenter
from breastseg.inference.options import DEFAULT_PRESET, MethodOptions

_FORMS = "NAME, NAME:parameter=value,..., NAME+NAME or LABEL=NAME"


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
        gives_probability: its numbers between 0 and 1 are graded within a mask.
        parameters: with their bounds and the values in force; none for a network.
        trained_on: the data that it was trained or its parameters were tuned on, in words; empty
            where that is nothing or not known.
        phases: of a method for volumes, how many it takes of a study; 0 for images.
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
    trained_on: str = ""
    phases: int = 0

    @property
    def dimensions(self) -> int:
        """2 for a method for images, 3 for one for volumes."""
        return 3 if self.phases else 2


@dataclass(frozen=True)
class MethodSpec:
    """A method under a label of its own; cheap to send to another process.

    Attributes:
        method: as `open_segmenter` takes it.
        label: what tables and files call it; one label, one method.
        options: how it is opened.
    """

    method: str
    label: str
    options: MethodOptions = field(default_factory=MethodOptions)

    @classmethod
    def parse(cls, text: str, options: MethodOptions | None = None) -> MethodSpec:
        """Read ``otsu``, ``otsu:shift=0.1,opening=5``, ``fold1+fold2`` or ``LABEL=METHOD`` of any.

        Raises:
            InputError: another form.
        """
        before, colon, after = text.partition(":")
        label, equals, name = before.partition("=")
        if equals:
            method = name + colon + after
        else:
            method, name, label = text, before, text if colon else ""
        method_and_parameters(method)
        label = label or ("" if equals else _short(name))
        if not label or not name:
            raise InputError(f"method {text!r}", _FORMS)
        return cls(method, label, MethodOptions() if options is None else options)

    def open(self, threads: int = 1) -> Segmenter:
        """The method itself, on so many cores; errors as `open_segmenter`."""
        from breastseg.inference.open import open_segmenter

        return open_segmenter(self.method, self.options, threads=threads)

    def info(self) -> MethodInfo:
        """What is known of it; errors as `method_info`."""
        return method_info(self.method, self.options.preset)


def method_info(method: str, preset: str = DEFAULT_PRESET) -> MethodInfo:
    """What is known of a method without running it.

    Args:
        method: as `open_segmenter` takes it.
        preset: of a classical method's parameters.

    Raises:
        InputError: a parameter or preset that there is not, or networks joined that do not go
            together.
        BundleError: no such method, or the bundle is damaged.
    """
    name, parameters = method_and_parameters(method)
    if not is_classical(name):
        infos = [_network_info(part) for part in network_names(name)]
        return infos[0] if len(infos) == 1 else _joined(infos)
    from breastseg.classical.preset import classical_method, tuned_on

    opened = with_values(classical_method(name, preset), parameters)
    return MethodInfo(
        name=opened.name,
        kind="classical",
        summary=opened.summary,
        source=opened.source,
        weakness=opened.weakness,
        modality=Modality.UNKNOWN,
        takes_prompt=True,
        gives_probability=opened.gives_probability,
        parameters=parameters_of(opened),
        trained_on=tuned_on(name, preset),
    )


def list_methods() -> tuple[MethodInfo, ...]:
    """What is known of all that is installed: the bundles, those for volumes too, then classical.

    Raises:
        BundleError: a bundle is damaged.
    """
    from breastseg.classical.catalogue import METHODS
    from breastseg.inference.catalogue import shipped_bundles

    return tuple(method_info(name) for name in (*shipped_bundles(), *METHODS))


def is_classical(method: str) -> bool:
    """True for the name of a classical method; a bundle of that name would win."""
    from breastseg.inference.catalogue import shipped_bundles

    # Spares a network's cold start the import of the classical methods.
    if method in shipped_bundles() or not re.fullmatch(r"[a-z-]+", method):
        return False
    from breastseg.classical.catalogue import METHODS

    return method in METHODS


def method_and_parameters(text: str) -> tuple[str, dict[str, Scalar]]:
    """The name and the parameters, as text, of ``otsu:shift=0.1,context=0.5``.

    A name without parameters, or that of an existing folder, is returned as it is.

    Raises:
        InputError: another form.
    """
    name, colon, after = text.partition(":")
    if not colon or Path(text).is_dir():
        return text, {}
    values: dict[str, Scalar] = {}
    for pair in after.split(","):
        key, sign, value = pair.partition("=")
        if not (name and key and sign and value):
            raise InputError(f"method {text!r}", _FORMS)
        values[key.strip()] = value.strip()
    return name, values


def network_names(method: str) -> tuple[str, ...]:
    """The networks that ``a+b+c`` names; one where it is a single name or an existing folder.

    Raises:
        InputError: a name between two ``+`` is empty.
    """
    names = (method,) if Path(method).is_dir() else tuple(method.split("+"))
    if "" in names:
        raise InputError(f"method {method!r}", _FORMS)
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
        InputError: they take different numbers of phases, or some volumes and some images.
    """
    phases = [info.phases for info in infos]
    if len(set(phases)) > 1:
        told = ", ".join(
            f"{info.name} for {f'{info.phases} phases of volumes' if info.phases else 'images'}"
            for info in infos
        )
        raise InputError(f"networks joined by +: {told}", "networks for the same")
    return replace(
        infos[0],
        name="+".join(info.name for info in infos),
        summary=f"mean of {len(infos)} networks: {', '.join(info.name for info in infos)}",
        source=_once(info.source for info in infos),
        trained_on=_once(info.trained_on for info in infos),
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
            "check the spelling, or the path of the bundle",
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
        takes_prompt=bundle.prompt is not None,
        gives_probability=True,
        trained_on="; ".join(bundle.training_data),
        phases=0 if bundle.volume is None else bundle.volume.channels,
    )
