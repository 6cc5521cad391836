"""What the API says of each method, and opening one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.calibrated import Conformal
from breastseg.core.errors import InputError
from breastseg.core.parameters import Parameter, with_values
from breastseg.core.provenance import Scalar
from breastseg.core.segmenter import Segmenter
from breastseg.inference.bundle_folder import DESCRIPTION, MEASURED, read_bundle, sha256_of
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.methods import MethodInfo, list_methods, method_info
from breastseg.inference.open import open_segmenter
from breastseg.inference.options import MethodOptions
from breastseg.inference.strict_json import load_json

_NORMALS = "normal images/"
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True)
class Described:
    """A method as the API describes it.

    Attributes:
        info: what is known of it.
        digest: SHA-256 of its weights; None for a classical method.
        remarks: what must be said before its first use and in every export.
        threshold: the operating point of a bundle; None for a classical method.
        conformal: the margins of a bundle that was calibrated for them.
        folder: of a bundle that was trained here; None for what comes with the package.
        description_digest: SHA-256 of a bundle's description: of its weights with its operating
            point and calibration; None for a classical method.
    """

    info: MethodInfo
    digest: str | None
    remarks: tuple[str, ...]
    threshold: float | None
    conformal: Conformal | None = None
    folder: Path | None = None
    description_digest: str | None = None

    @property
    def margins(self) -> tuple[float, ...]:
        """The coverages of its margins."""
        return () if self.conformal is None else tuple(m.coverage for m in self.conformal.margins)

    @property
    def method(self) -> str:
        """As another process opens it."""
        return self.info.name if self.folder is None else str(self.folder)


class Methods:
    """All methods, each described once; usable from several threads.

    Args:
        threads: CPU cores that one network computes on; 0 for all.
        trained: folder of the bundles that were trained here.
    """

    def __init__(self, threads: int, trained: Path) -> None:
        self._threads = threads
        self._trained = trained
        self._lock = threading.Lock()
        self._described: dict[str, Described] = {}

    def all(self) -> Mapping[str, Described]:
        """By name: bundles, classical methods, then what was trained here."""
        with self._lock:
            if not self._described:
                self._described = {info.name: _described(info) for info in list_methods()}
            known = {one.folder for one in self._described.values()}
            for path in sorted(self._trained.glob(f"*/{DESCRIPTION}")):
                if path.parent not in known:
                    info = method_info(str(path.parent))
                    self._described[info.name] = _described(info, path.parent)
            return dict(self._described)

    def one(self, name: str) -> Described:
        """By its name.

        Raises:
            InputError: there is none of that name.
        """
        found = self.all().get(name)
        if found is None:
            raise InputError(f"no method {name!r}", f"one of {', '.join(self.all())}")
        return found

    def open(
        self, name: str, parameters: Mapping[str, Scalar], options: MethodOptions
    ) -> Segmenter:
        """The method itself; a network is loaded once a process.

        Raises:
            InputError: there is no such method or parameter, or a value that is not allowed.
        """
        described = self.one(name)
        if described.info.kind == "network":
            if parameters:
                raise InputError(f"parameters for {name!r}", "none: it is a network")
            method = name if described.folder is None else described.folder
            return open_segmenter(method, options, threads=self._threads)
        from breastseg.classical.preset import classical_method

        made = with_values(classical_method(name, options.preset), parameters)
        return open_segmenter(made, options)


def parameter_schema(parameters: tuple[Parameter, ...]) -> dict[str, object]:
    """The JSON Schema of a method's parameters, with bounds, defaults and help."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {one.name: _property(one) for one in parameters},
    }


def _property(one: Parameter) -> dict[str, object]:
    made: dict[str, object] = {
        "type": _KINDS[one.kind],
        "default": one.default,
        "description": one.help,
    }
    if one.choices:
        made["enum"] = list(one.choices)
    if one.within is not None:
        low, high = (
            ("exclusiveMinimum", "exclusiveMaximum")
            if one.within.exclusive
            else (
                "minimum",
                "maximum",
            )
        )
        made[low] = one.within.low
        if one.within.high != float("inf"):
            made[high] = one.within.high
        made["x-logarithmic"] = one.within.log
    return made


def _described(info: MethodInfo, trained: Path | None = None) -> Described:
    if info.kind != "network":
        remark = "" if info.gives_probability else "Its probability is 0 or 1."
        return Described(info, None, (remark,) if remark else (), None)
    folder = trained or shipped_bundles()[info.name]
    bundle = read_bundle(folder, verify=False)
    warnings = []
    if "synthetic" in info.trained_on:
        warnings.append("It was trained on synthetic images alone: do not use it on patients.")
    if not _is_measured_on_normals(folder):
        warnings.append("How often it segments something in an image without a lesion is unknown.")
    if trained is not None:
        warnings.insert(0, f"It was trained here, on {bundle.training_data[0]}.")
    return Described(
        info,
        bundle.weights_sha256,
        tuple(warnings),
        bundle.output.threshold,
        bundle.conformal,
        trained,
        sha256_of(folder / DESCRIPTION),
    )


def _is_measured_on_normals(folder: Path) -> bool:
    """Whether a figure on images without a lesion stands beside a bundle."""
    measured = folder / MEASURED
    if not measured.is_file():
        return False
    content = load_json(measured)
    results = content.get("results", {}) if isinstance(content, dict) else {}
    return any(key.startswith(_NORMALS) for figures in results.values() for key in figures)
