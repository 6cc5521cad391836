"""A few hundred damaged files of every kind: each is read or refused, and nothing else happens.

`python -m tests.fuzz` goes on for as long as one likes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import fuzz
from .mutate import damaged
from .samples import SAMPLES
from .worker import MEMORY_LIMIT, outcome, place_of


def test_damaged_files_are_read_or_refused() -> None:
    report = fuzz(300, seed=20260101)
    assert report.failures == []
    assert sum(report.headers.values()) >= 150
    assert report.peak_mib < MEMORY_LIMIT / 2**20


def test_the_same_seed_gives_the_same_damage() -> None:
    data = bytes(range(200))
    assert damaged(data, 50, 7) == damaged(data, 50, 7)
    kept = [damaged(data, 50, seed) for seed in range(50)]
    assert all(content[:50] == data[:50] for content, behind in kept if behind)


@pytest.mark.parametrize("reader", SAMPLES)
def test_whole_files_are_read(reader: str, tmp_path: Path) -> None:
    for name, data, _ in SAMPLES[reader]():
        place = place_of(reader, name, tmp_path)
        place.write_bytes(data)
        assert outcome(reader, place) == "read", name
