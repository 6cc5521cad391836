"""The front door: help, versions, wrong words, pipes, and what a cold start imports."""

from __future__ import annotations

import errno
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from breastseg import __version__
from breastseg.cli.console import say
from breastseg.cli.data import ListData
from breastseg.cli.main import COMMANDS, main
from breastseg.io.write import write_png

from ..scans import scan

Capture = pytest.CaptureFixture[str]


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"breastseg {__version__}\n"


def test_help_has_a_line_a_command_and_examples(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"  {name} " in text
        assert command.summary in text
    assert "Examples:" in text
    assert "not a medical device" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_no_word_at_all_is_wrong_usage_and_shows_the_help(capsys: Capture) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert "segment" in said.err


@pytest.mark.parametrize("group", ["data", "models"])
def test_a_group_lists_its_commands(group: str, capsys: Capture) -> None:
    assert main([group, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == [group] * len(lines)
    assert main([group]) == 2


@pytest.mark.parametrize(
    ("words", "near"),
    [(["segmnt"], "'segment'"), (["data", "adit"], "'data audit'"), (["zzz"], "--help")],
)
def test_an_unknown_command_is_one_line(words: list[str], near: str, capsys: Capture) -> None:
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert near in lines[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_explained(name: str, capsys: Capture) -> None:
    command = COMMANDS[name]
    kind = getattr(importlib.import_module(f"breastseg.cli.{command.module}"), command.name)
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: breastseg {name}")
    assert "{None}" not in text
    if "Attributes:" in kind.__doc__:
        for field in kind.__dataclass_fields__:
            assert f"        {field}: " in kind.__doc__


def _python(code: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run code in a process of its own in which torch cannot be imported."""
    barrier = """
        import sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in ("torch", "lightning", "onnx", "matplotlib"):
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Absent())
        from breastseg.cli.main import main
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(barrier) + textwrap.dedent(code)],
        input=given,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_a_cold_start_reads_a_pipe_and_imports_nothing_that_it_does_not_need(
    bundle: Path, tmp_path: Path
) -> None:
    write_png(tmp_path / "one.png", scan())
    code = f"""
        code = main(["segment", "-", "--method", {str(bundle)!r}, "--json"])
        slow = ("rich", "pydicom", "pydantic", "jinja2", "skimage", "breastseg.data")
        print([name for name in slow if name in sys.modules], file=sys.stderr)
        sys.exit(code)
    """
    done = _python(code, (tmp_path / "one.png").read_bytes())
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["entries"][0]["lesions"]) == 1
    assert done.stderr.decode().strip() == "[]"


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "breastseg.cli.main", "data", "list"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_loads_ends_it_in_one_line(number: signal.Signals) -> None:
    done = _python(f"""
        import os
        import signal

        class Interrupting:
            def find_spec(self, name, path=None, target=None):
                if name == "breastseg.cli.main":
                    os.kill(os.getpid(), {int(number)})

        # A job in the background of a shell inherits that Ctrl-C is ignored.
        signal.signal({int(number)}, signal.SIG_DFL)
        del sys.modules["breastseg.cli.main"]
        sys.meta_path.insert(0, Interrupting())
        from breastseg.cli.start import main
        sys.exit(main())
    """)
    assert (done.returncode, done.stderr) == (130, b"breastseg: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_library_that_makes_another_error_of_a_signal_hides_it_not(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def load(words: list[str]) -> int:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error
        return 0

    before = signal.getsignal(number)
    monkeypatch.setattr("breastseg.cli.main._run", load)
    assert main(["data"]) == 130
    assert capsys.readouterr().err == "breastseg: interrupted\n"
    assert signal.getsignal(number) is before


def test_no_library_is_taken_down_while_a_network_that_was_given_up_computes() -> None:
    done = _python("""
        import atexit, signal, threading, time
        import breastseg.cli.main as commands
        from breastseg.inference import time_limit

        def interrupted(futures, limit):
            raise KeyboardInterrupt

        time_limit.wait, time_limit._PATIENCE_S = interrupted, 0.0

        def run():
            print("done")
            try:
                time_limit.within_limit("n", lambda: time.sleep(600), lambda: None)
            except KeyboardInterrupt:
                return 130

        commands.main = run
        atexit.register(print, "taken down")
        from breastseg.cli.start import main
        sys.exit(main())
    """)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"done\n", b"")


def test_what_needs_torch_says_what_to_install() -> None:
    commands = [["export", "run", "--out", "b"], ["train", "recipe.toml"]]
    done = _python(f"sys.exit(sum(main(words) for words in {commands!r}))")
    assert done.returncode == 4
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2
    assert all("pip install 'breastseg[train]'" in line for line in lines)


@pytest.mark.parametrize("words", [["segment", ""], ["data", "info", ""], ["demo", "--out", ""]])
def test_an_empty_word_is_no_folder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "an empty word after 'breastseg " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        "segment circle --method otsu --out results",
        "segment scan.png --method otsu --out circle",
        "measure circle circle --out results",
        "data audit --data folder=circle",
        "data audit --data folder=~nobody-of-that-name/data",
        "data split --data folder=circle --out split.json",
    ],
)
def test_links_in_a_circle_are_one_line(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_png(Path("scan.png"), scan())
    Path("circle").symlink_to("circle")
    assert main(words.split()) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left", "there/file"), "there/file: No space"),
        (MemoryError(), "not enough memory"),
        (ImportError("lib.so: failed to map\nsegment"), "lib.so: failed to map segment"),
    ],
)
def test_a_machine_that_fails_unforeseen_is_one_line(
    error: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    def fail(_self: object) -> int:
        raise error

    monkeypatch.setattr(ListData, "run", fail)
    assert main(["data", "list"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_name_steers_no_terminal_and_json_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    told = '{"input": "a\x1b[31m\u202egnp \u00e9 \U0001f600"}'
    for encoding in ("ascii", "latin-1", "utf-8"):
        printed = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding))
        say(told)
        text = printed.getvalue().decode(encoding)
        assert text.strip().isprintable()
        assert json.loads(text)["input"] == "a\x1b[31m\u202egnp \u00e9 \U0001f600"


def test_help_comes_in_a_terminal_of_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("1", "0", "-3", "wide"):
        monkeypatch.setenv("COLUMNS", columns)
        assert main(["measure", "--help"]) == 0


@pytest.mark.parametrize("limit", ["nan", "inf", "-1", "1e300", "0"])
def test_a_memory_limit_that_is_none_is_refused(
    limit: str, tmp_path: Path, capsys: Capture
) -> None:
    for command in ("segment", "volume"):
        words = [command, "a.png", "--method", "otsu", "--out", str(tmp_path / "o")]
        assert main([*words, f"--max-memory={limit}"]) == 2
        assert "GiB. Expected: 0.001 to 1048576 GiB" in capsys.readouterr().err


def test_names_that_the_file_system_cannot_write_are_shortened(tmp_path: Path) -> None:
    """Where Python is told to use no UTF-8, letters beyond ASCII are bytes without a meaning."""
    write_png(tmp_path / "Größe.png", scan())
    words = ["segment", str(tmp_path), "--method", "otsu", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "breastseg.cli.start", *words],
        env={**os.environ, "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("spacing", ["1e-9", "1000", "nan", "-0.1", "0"])
def test_a_spacing_that_no_image_has_is_refused(
    spacing: str, tmp_path: Path, capsys: Capture
) -> None:
    """A slip of the unit would give a lesion of metres, or of none."""
    write_png(tmp_path / "a.png", scan())
    image = str(tmp_path / "a.png")
    for words in (["segment", image, "--method", "otsu"], ["measure", image, image]):
        assert main([*words, f"--spacing={spacing}", "--out", str(tmp_path / "o")]) == 2
        assert "Expected: 0.00002 to 10 mm" in capsys.readouterr().err
