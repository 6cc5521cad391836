"""Names of outputs: no two alike, whatever the inputs are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.errors import UnreadableError
from breastseg.results.source import STANDARD_INPUT, distinct_stems, find_sources, unused


@pytest.mark.parametrize(
    ("paths", "stems"),
    [
        (["a/x.png", "a/y.png"], ["x", "y"]),
        (["a/x.png", "b/x.png"], ["a_x", "b_x"]),
        (["a/x.png", "a/x.dcm"], ["a_x", "a_x_2"]),
        (["a/x.png", "b/X.PNG"], ["a_x", "b_X"]),
        (["a/x.png", "b/x.png", "c/a_x.png"], ["a_x_2", "b_x", "a_x"]),
        (["a/1.2.840.1", "a/1.2.840.2"], ["1.2.840.1", "1.2.840.2"]),
        (["-", "a/stdin.png"], ["{cwd}_stdin", "a_stdin"]),
        (["a/benign (1).png"], ["benign (1)"]),
    ],
)
def test_stems(paths: list[str], stems: list[str]) -> None:
    wanted = [stem.replace("{cwd}", Path.cwd().name) for stem in stems]
    assert distinct_stems([Path(path) for path in paths]) == wanted


_NAMES = st.sampled_from(["x", "X", "a_x", "x_2", "a_x_2", "b"])
_PATHS = st.builds(
    lambda folder, name, suffix: Path(folder) / f"{name}{suffix}",
    st.sampled_from(["a", "b", "a/b"]),
    _NAMES,
    st.sampled_from([".png", ".dcm", ""]),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(_PATHS, unique=True, max_size=8))
def test_no_two_stems_are_equal_on_any_file_system(paths: list[Path]) -> None:
    stems = [stem.casefold() for stem in distinct_stems(paths)]
    assert len(set(stems)) == len(paths)


def test_long_names_stay_within_what_a_file_name_may_have() -> None:
    (stem,) = distinct_stems([Path("\u00e9" * 120 + ".png")])
    assert len(f".{stem}_f0001_overlay.png".encode()) <= 255
    assert stem == "\u00e9" * 90


def test_unused_counts_on() -> None:
    taken = {"a"}
    assert [unused("A", taken), unused("a", taken), unused("b", taken)] == ["A_2", "a_3", "b"]


def test_sources_are_listed_once_and_in_order(pictures: Path) -> None:
    given_twice = [pictures / "two.png", pictures, STANDARD_INPUT, pictures / "two.png"]
    sources = find_sources(given_twice, None)
    assert [source.stem for source in sources] == ["two", "none", "one", "stdin"]


def test_a_terminal_is_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    (source,) = find_sources([STANDARD_INPUT], None)
    with pytest.raises(UnreadableError, match="terminal"):
        source.open()
