"""A bundle's folder: ``model.onnx``, ``bundle.json``, ``MODEL_CARD.md``."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import cast

from breastseg.core.bundle import Bundle
from breastseg.core.errors import BundleError
from breastseg.inference.strict_json import decode
from breastseg.io.write import write_text

MODEL = "model.onnx"
DESCRIPTION = "bundle.json"
CARD = "MODEL_CARD.md"
MOST_LABELS = 15


def read_bundle(folder: Path, verify: bool = True) -> Bundle:
    """Read and check the description of a bundle.

    Args:
        folder: holds ``bundle.json`` and ``model.onnx``.
        verify: also compare the digest of ``model.onnx`` with the one in ``bundle.json``.

    Raises:
        BundleError: a file is missing or unreadable, a field is unknown, missing or of another
            type, or the network is not the one that the description was written for.
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
    bundle = cast(Bundle, decode(_load_json(path), Bundle, str(path)))
    _check(bundle, path)
    if verify and (found := sha256_of(folder / MODEL)) != bundle.weights_sha256:
        raise BundleError(
            f"{folder / MODEL}: SHA-256 {found[:12]}...",
            f"{bundle.weights_sha256[:12]}... as {DESCRIPTION} says",
            "the file is damaged or belongs to another bundle: copy the whole bundle again",
        )
    return bundle


def write_bundle_json(folder: Path, bundle: Bundle) -> None:
    """Write ``bundle.json``, whole or not at all.

    Raises:
        BundleError: a value that `read_bundle` would refuse.
        InputError: the file cannot be written.
    """
    path = folder / DESCRIPTION
    _check(bundle, path)
    try:
        fields = {name: value for name, value in asdict(bundle).items() if value is not None}
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise BundleError(f"{path}: a result that is not finite", "finite numbers") from error
    write_text(path, text + "\n")


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


def _load_json(path: Path) -> object:
    def refuse(word: str) -> None:
        raise BundleError(f"{path}: {word}", "finite numbers")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise BundleError(f"{path}: a field is given twice", "each field once")
        return found

    try:
        value: object = json.loads(
            path.read_bytes(), parse_constant=refuse, object_pairs_hook=unique
        )
    except (OSError, ValueError, RecursionError) as error:  # ValueError: bad JSON or not UTF-8
        raise BundleError(
            f"{path}: not readable as JSON ({error})", remedy="copy the whole bundle again"
        ) from error
    return value


def _check(bundle: Bundle, path: Path) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", bundle.name):
        raise BundleError(
            f"{path}: name is {bundle.name!r}", "lower-case letters, digits, '.', '_' and '-'"
        )
    if not re.fullmatch(r"[0-9a-f]{64}", bundle.weights_sha256):
        raise BundleError(
            f"{path}: weights_sha256 is {bundle.weights_sha256!r}", "64 hexadecimal digits"
        )
    numbers, names = sorted(bundle.labels), set(bundle.labels.values())
    if not 1 <= len(numbers) <= MOST_LABELS or numbers != list(range(1, len(numbers) + 1)):
        raise BundleError(f"{path}: labels {numbers}", f"1 to at most {MOST_LABELS}, without a gap")
    if len(names) < len(numbers) or not all(names):
        raise BundleError(f"{path}: labels named {sorted(names)}", "a name each, all different")
    if bundle.malignancy is not None and not {"benign", "malignant"} <= names:
        raise BundleError(
            f"{path}: malignancy of labels named {sorted(names)}", "benign and malignant"
        )
