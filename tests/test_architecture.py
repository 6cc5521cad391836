"""The house rules that a linter alone does not see: layers, sizes, and an install without torch."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from breastseg.io.write import write_png

from .scans import scan

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "breastseg"
SOURCES = sorted(
    path
    for folder in ("src", "tests", "benchmarks", "studies")
    for path in (ROOT / folder).rglob("*.py")
)
HEAVY_ROOMS = ("training", "networks", "losses", "export", "retraining")
HEAVY_PACKAGES = (
    *("torch", "torchvision", "lightning", "segmentation_models_pytorch", "timm", "monai"),
    *("onnx", "onnxscript", "safetensors", "tensorboard", "tomli_w", "optuna"),
)
EXTRA_ROOMS = ("breastseg.service", "breastseg.dicom.node")  # no other room needs their packages
EXTRA_PACKAGES = (
    *("highdicom", "pynetdicom", "dicomweb_client"),
    *("fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic", "argon2", "multipart"),
    *("psycopg", "openvino", "ray"),
)

SLOW_PACKAGES = {
    *("scipy", "skimage", "SimpleITK", "pydicom", "tifffile", "openslide", "matplotlib", "jinja2"),
    *("pydantic", "rich", "multiprocessing.pool", *HEAVY_PACKAGES, *EXTRA_PACKAGES),
}


def _limits() -> tuple[int, int, dict[str, str]]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["breastseg"]["limits"]
    return table["file_lines"], table["function_lines"], table["exceptions"]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _too_long(path: Path, file_lines: int, function_lines: int) -> dict[str, int]:
    """Names and lengths of what reaches a limit in one file."""
    text = path.read_text(encoding="utf-8")
    lengths = {_name(path): len(text.splitlines())}
    long = {name: n for name, n in lengths.items() if n >= file_lines}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines >= function_lines:
                long[f"{_name(path)}::{node.name}"] = lines
    return long


def test_files_and_functions_stay_short() -> None:
    file_lines, function_lines, exceptions = _limits()
    long: dict[str, int] = {}
    for path in SOURCES:
        long |= _too_long(path, file_lines, function_lines)
    unnamed = {name: lines for name, lines in long.items() if name not in exceptions}
    assert not unnamed, "split these, or name them with a reason in [tool.breastseg.limits]"
    assert set(exceptions) <= set(long), "an exception that is no longer needed"
    assert all(reason.strip() for reason in exceptions.values())


def test_connected_regions_are_labelled_in_one_place() -> None:
    """Else what one part of the software calls one lesion is two to another."""
    labellers = {"label", "find_objects", "connectedComponents", "connectedComponentsWithStats"}
    calls = {
        _name(path)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in labellers
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"ndimage", "cv2", "measure"}
    }
    assert calls == {"src/breastseg/core/regions.py"}, "ask breastseg.core.regions"


_COMMANDS = "|".join(
    sorted(path.stem for path in (PACKAGE / "cli").glob("*.py") if path.stem != "command")
)
_OPTION_OR_COMMAND = re.compile(rf"(?<![\w-])--[a-z]|\bbreastseg (?:{_COMMANDS})\b")


def _texts(path: Path) -> list[ast.Constant]:
    """The string literals of a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


def test_nothing_below_the_command_line_names_an_option_or_a_command() -> None:
    """A service or a script that shows such a message would send its reader to another program."""
    named = [
        f"{_name(path)}:{text.lineno}: {text.value}"
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "cli"
        for text in _texts(path)
        if _OPTION_OR_COMMAND.search(str(text.value))
    ]
    assert not named


def test_paths_that_somebody_typed_are_followed_in_one_place() -> None:
    """`resolve` and `expanduser` raise RuntimeError at what a person may well type."""
    asking = re.compile(r"(?<!Path\(__file__\))\.(?:resolve|expanduser)\(\)")
    found = [_name(path) for path in PACKAGE.rglob("*.py") if asking.search(path.read_text())]
    assert found == []


def test_imports_point_down_only() -> None:
    # In a process of its own: it configures logging, which disables the loggers that exist.
    code = (
        "from importlinter.cli import lint_imports as lint; raise SystemExit(lint(no_cache=True))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _imported_packages(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").glob("*.py")), ids=lambda p: p.stem)
def test_the_nouns_need_only_numpy_scipy_and_opencv(path: Path) -> None:
    foreign = {
        name
        for name in _imported_packages(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "numpy", "scipy", "cv2"}
        and not name.startswith("breastseg.core")
    }
    assert not foreign


def _light_modules() -> list[str]:
    """Every module outside the rooms that need torch or the packages of another extra."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[1] in HEAVY_ROOMS or parts[-1] in ("__main__", "env"):  # Alembic runs the latter
            continue
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [
        name for name in names if not f"{name}.".startswith(tuple(f"{r}." for r in EXTRA_ROOMS))
    ]


def _run_without_heavy_packages(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a fresh interpreter in which what the extras bring cannot be found."""
    barrier = f"""
        import sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {HEAVY_PACKAGES + EXTRA_PACKAGES!r}:
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

        sys.meta_path.insert(0, Absent())
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(barrier) + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        timeout=600,
    )


def test_light_install_imports_with_torch_absent(tmp_path: Path) -> None:
    script = f"""
        import importlib
        for name in {_light_modules()!r}:
            importlib.import_module(name)
    """
    done = _run_without_heavy_packages(script, tmp_path)
    assert done.returncode == 0, done.stderr


def test_light_install_segments_with_torch_absent(tmp_path: Path) -> None:
    script = """
        from breastseg.cli.main import main
        codes = [
            main(["data", "phantom", "scans", "--count", "2"]),
            main(["segment", "scans/images", "--out", "result", "--quiet"]),
        ]
        import breastseg
        print(breastseg.segment("scans/images/phantom-0001.png"))
        raise SystemExit(max(code or 0 for code in codes))
    """
    done = _run_without_heavy_packages(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "<Prediction by ultrasound" in done.stdout
    assert len(list((tmp_path / "result").glob("*_mask.png"))) == 2
    assert (tmp_path / "result" / "results.json").is_file()


def test_segmenting_one_image_loads_nothing_slow(tmp_path: Path) -> None:
    """Each of these takes longer to import than the network takes for an image."""
    write_png(tmp_path / "one.png", scan())
    script = f"""
        import sys
        from breastseg.cli.main import main
        code = main(["segment", "one.png", "--out", "result"])
        print(*sorted({SLOW_PACKAGES!r} & sys.modules.keys()))
        raise SystemExit(code)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told, _, loaded = done.stdout.splitlines()
    assert "1 lesion" in told  # so that what measures a lesion was loaded too
    assert not loaded


def test_training_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('name = "x"\n[[sources]]\nname = "BUSI"\n')
    script = """
        from breastseg.cli.main import main
        raise SystemExit(main(["train", "recipe.toml", "--data", "BUSI=."]))
    """
    done = _run_without_heavy_packages(script, tmp_path)
    assert done.returncode != 0
    assert "breastseg[train]" in done.stderr
    assert "Traceback" not in done.stderr
