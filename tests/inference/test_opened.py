"""A bundle is hashed and its network loaded once a process, until its files change."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core import Grid, Image
from breastseg.core.errors import BundleError
from breastseg.inference import opened
from breastseg.inference.bundle_folder import MODEL, read_bundle, write_bundle_json
from breastseg.inference.engine import load_network
from breastseg.inference.network import Network
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.open import open_segmenter
from breastseg.inference.opened import Kept, opened_bundle
from breastseg.inference.options import MethodOptions

IMAGE = Image(np.arange(32 * 32, dtype=np.uint16).reshape(1, 32, 32), Grid((32, 32)))


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each bundle that is read and hashed, and each network that is loaded."""
    words: list[str] = []

    def reading(folder: Path, verify: bool = True) -> object:
        words.append("hashed")
        return read_bundle(folder, verify)

    def loading(*given: object) -> Network:
        words.append("loaded")
        return load_network(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(opened, "read_bundle", reading)
    monkeypatch.setattr(opened, "load_network", loading)
    return words


def test_a_bundle_is_hashed_and_loaded_once_however_it_is_opened(
    make_tiny: Callable[..., Path], done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny()
    first = open_segmenter(folder, threads=1).segment(IMAGE)
    monkeypatch.chdir(folder.parent)
    for method in (folder, str(folder), Path("tiny"), f"{folder}+{folder}"):
        for options in (MethodOptions(), MethodOptions(threshold=0.3), MethodOptions(force=True)):
            again = open_segmenter(method, options, threads=1).segment(IMAGE)
            assert np.array_equal(again.probability, first.probability)
    assert done == ["hashed", "loaded"]
    open_segmenter(folder, threads=2).on_one_core().segment(IMAGE)
    assert done == ["hashed", "loaded"]
    open_segmenter(folder, threads=2).segment(IMAGE)
    assert done == ["hashed", "loaded", "loaded"]


def test_many_threads_open_it_once(make_tiny: Callable[..., Path], done: list[str]) -> None:
    folder = make_tiny()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: OnnxSegmenter(folder, 1).segment(IMAGE), range(16)))
    assert done == ["hashed", "loaded"]
    assert all(np.array_equal(one.probability, found[0].probability) for one in found)


def test_changed_files_are_told_from_those_that_were_read(
    make_tiny: Callable[..., Path], done: list[str]
) -> None:
    folder = make_tiny()
    before = opened_bundle(folder)
    write_bundle_json(folder, replace(before.description, version="2.0"))
    assert opened_bundle(folder).description.version == "2.0"
    assert before.description.version == "1.0"
    os.utime(folder / MODEL, ns=(0, 0))
    assert opened_bundle(folder).model != before.model
    assert done == ["hashed"] * 3
    with pytest.raises(BundleError, match="has changed since it was opened"):
        before.network(1)


def test_what_cannot_be_opened_is_tried_again(make_tiny: Callable[..., Path]) -> None:
    folder = make_tiny()
    model = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(b"broken")
    with pytest.raises(BundleError, match="SHA-256"):
        opened_bundle(folder)
    (folder / MODEL).unlink()
    with pytest.raises(BundleError, match="missing"):
        opened_bundle(folder)
    (folder / MODEL).write_bytes(model)
    assert opened_bundle(folder).description.name == "tiny"


def test_what_was_not_asked_for_longest_is_let_go() -> None:
    kept, made = Kept[int](2), list[int]()

    def value(number: int) -> Callable[[], int]:
        return lambda: made.append(number) or number

    for number in (1, 2, 1, 3, 1, 2):
        assert kept.get(number, value(number)) == number
    assert made == [1, 2, 3, 2]
