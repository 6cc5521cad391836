"""A bundle's folder: ``model.onnx``, ``bundle.json``, ``measured.json``, ``MODEL_CARD.md``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar, cast

from breastseg.core.bundle import FORMAT, Bundle
from breastseg.core.errors import BundleError
from breastseg.core.measured import Measured
from breastseg.core.trained_on import TrainedOn
from breastseg.inference.strict_json import decode, load_json
from breastseg.io.write import write_text, write_texts

MODEL = "model.onnx"
DESCRIPTION = "bundle.json"
MEASURED = "measured.json"
TRAINED_ON = "trained_on.json"
CARD = "MODEL_CARD.md"
T = TypeVar("T", Bundle, Measured, TrainedOn)


def read_bundle(folder: Path, verify: bool = True) -> Bundle:
    """Read and check the description of a bundle.

    Args:
        folder: holds ``bundle.json`` and ``model.onnx``.
        verify: also compare the digest of ``model.onnx`` with the one in ``bundle.json``.

    Raises:
        BundleError: a file is missing or unreadable, its format is another, a field is unknown,
            missing or of another type, or the network is not the one that the description was
            written for.
    """
    if not folder.is_dir():
        raise BundleError(
            f"{folder}: no such folder", f"a folder with {MODEL} and {DESCRIPTION} in it"
        )
    for name in (DESCRIPTION, MODEL):
        if not (folder / name).is_file():
            raise BundleError(
                f"{folder}: {name} is missing",
                f"a folder with {MODEL} and {DESCRIPTION} in it",
                "copy the whole bundle again",
            )
    path = folder / DESCRIPTION
    bundle = _read(path, Bundle)
    if verify and (found := sha256_of(folder / MODEL)) != bundle.weights_sha256:
        raise BundleError(
            f"{folder / MODEL}: SHA-256 {found[:12]}...",
            f"{bundle.weights_sha256[:12]}... as {DESCRIPTION} says",
            "copy the whole bundle again: the file is damaged or of another bundle",
        )
    return bundle


def read_measured(folder: Path, bundle: Bundle) -> Measured:
    """Read what was measured of a bundle's network.

    Args:
        folder: of the bundle.
        bundle: what `read_bundle` gave of it.

    Returns:
        Without any result where the folder holds no ``measured.json``.

    Raises:
        BundleError: the file is unreadable, of another format or of other weights.
    """
    path = folder / MEASURED
    if not path.is_file():
        return Measured(bundle.weights_sha256)
    measured = _read(path, Measured)
    if measured.weights_sha256 != bundle.weights_sha256:
        raise BundleError(
            f"{path}: figures of the weights {measured.weights_sha256[:12]!r}...",
            f"those of {bundle.weights_sha256[:12]}..., which {DESCRIPTION} states",
            f"measure these weights, or remove {MEASURED}",
        )
    return measured


def read_trained_on(folder: Path) -> TrainedOn:
    """Read the digests of what a bundle's network was trained on.

    Returns:
        Without any digest where the folder holds no ``trained_on.json``.

    Raises:
        BundleError: the file is unreadable or of another format.
    """
    path = folder / TRAINED_ON
    return _read(path, TrainedOn) if path.is_file() else TrainedOn()


def write_trained_on(folder: Path, trained_on: TrainedOn) -> None:
    """Write ``trained_on.json``, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    _write(folder / TRAINED_ON, asdict(trained_on))


def write_bundle_json(folder: Path, bundle: Bundle) -> None:
    """Write ``bundle.json``, whole or not at all.

    Raises:
        BundleError: an extension that is no JSON.
        InputError: the file cannot be written.
    """
    write_text(folder / DESCRIPTION, _description(folder, bundle))


def write_measured(folder: Path, measured: Measured) -> None:
    """Write ``measured.json``, whole or not at all.

    Raises:
        BundleError: a figure that is not finite.
        InputError: the file cannot be written.
    """
    _write(folder / MEASURED, asdict(measured))


def write_described(folder: Path, bundle: Bundle, measured: Measured, card: str) -> None:
    """Write all that says something of a bundle's network, all of it or nothing.

    Args:
        folder: of the bundle.
        bundle: for ``bundle.json``.
        measured: for ``measured.json``.
        card: for ``MODEL_CARD.md``.

    Raises:
        BundleError: as `write_bundle_json` and `write_measured`.
        InputError: a file cannot be written; those that were there are left.
    """
    write_texts(
        {
            folder / CARD: card,
            folder / MEASURED: _text(folder / MEASURED, asdict(measured)),
            folder / DESCRIPTION: _description(folder, bundle),
        }
    )


def _description(folder: Path, bundle: Bundle) -> str:
    fields = asdict(bundle)
    if bundle.volume is not None:
        del fields["input"]
    return _text(folder / DESCRIPTION, fields)


def sha256_of(path: Path) -> str:
    """The hex digest of a file.

    Raises:
        BundleError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}", "a readable file") from error


def _read(path: Path, kind: type[T]) -> T:
    """One of the folder's JSON files: a dataclass's fields, and the format that they are in."""
    content = load_json(path)
    if not isinstance(content, dict):
        raise BundleError(f"{path} holds no JSON object", "an object with named fields")
    if "format" not in content:
        raise BundleError(
            f"{path}: field 'format' is missing",
            f"format {FORMAT}",
            "make the bundle again with this version",
        )
    stated = content.pop("format")
    if type(stated) is not int or stated != FORMAT:
        raise BundleError(
            f"{path}: format {str(stated)[:20]}",
            f"format {FORMAT}",
            "read it with the version that wrote it, or make the bundle again with this one",
        )
    return cast(T, decode(content, kind, str(path)))


def _write(path: Path, content: Mapping[str, object]) -> None:
    write_text(path, _text(path, content))


def _text(path: Path, content: Mapping[str, object]) -> str:
    fields = {"format": FORMAT, **_stated(content)}
    try:
        return json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except (ValueError, TypeError) as error:
        raise BundleError(f"{path}: a value that is not finite or no JSON ({error})") from error


def _stated(fields: Mapping[str, object]) -> dict[str, object]:
    """Without what is None, in the parts too; extensions are left as they are."""
    return {
        name: _stated(value) if isinstance(value, dict) and name != "extensions" else value
        for name, value in fields.items()
        if value is not None
    }
