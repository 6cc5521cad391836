"""What ``import breastseg`` offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import breastseg
from breastseg.classical.otsu import Otsu
from breastseg.core.errors import BreastsegError, GeometryError, InputError, UnsupportedError
from breastseg.data.phantoms.ultrasound import write_phantoms

BOX = (60, 60, 150, 200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    list(write_phantoms(folder, 2, 1))
    return folder


@pytest.fixture(scope="module")
def scan(folder: Path) -> Path:
    return sorted((folder / "images").iterdir())[0]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_import_loads_nothing_and_its_names_what_they_need() -> None:
    slow = ("numpy", "cv2", "scipy", "skimage", "onnxruntime", "PIL", "torch", "matplotlib")
    loaded = f"sorted(set(sys.modules) & {set(slow)!r})"
    assert run(f"import sys, breastseg; print({loaded})") == "[]"
    code = f"import sys, breastseg; breastseg.segment; breastseg.read_image; print({loaded})"
    assert run(code) == "['numpy']"


def test_the_stub_states_what_there_is() -> None:
    assert breastseg.__file__ is not None
    tree = ast.parse(Path(breastseg.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imported = {
        alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == breastseg._HOMES  # type: ignore[attr-defined]
    assert sorted(breastseg.__all__) == sorted([*imported, "__version__"]) == dir(breastseg)
    for name in breastseg.__all__:
        assert getattr(breastseg, name)
    with pytest.raises(AttributeError, match="no attribute 'segmnt'"):
        _ = breastseg.segmnt  # type: ignore[attr-defined]


def test_a_path_an_array_and_an_image_give_the_same(scan: Path) -> None:
    image = breastseg.read_image(scan)
    expected = breastseg.segment(str(scan))
    assert expected.image is not None
    assert expected.grid.shape == image.grid.shape
    assert 0 < expected.mask().foreground.mean() < 0.2
    grey = image.array[0]
    before = grey.copy()
    for given in (scan, image, grey, np.dstack([grey] * 3)):
        found = breastseg.segment(given)
        assert np.allclose(found.probability, expected.probability, atol=1e-3)
        assert found._repr_png_()[:4] == b"\x89PNG"
    assert np.array_equal(grey, before)


def test_a_spacing_is_taken_where_none_is_stated(scan: Path) -> None:
    grey = breastseg.read_image(scan).array[0]
    assert breastseg.segment(grey).grid.spacing_mm is None
    assert breastseg.segment(grey, spacing_mm=0.1).grid.spacing_mm == (0.1, 0.1)
    found = breastseg.segment(grey, spacing_mm=(0.1, 0.2))
    assert found.grid.spacing_mm == (0.1, 0.2)
    stated = breastseg.segment(scan).grid.spacing_mm
    assert stated is not None
    assert breastseg.segment(scan, spacing_mm=stated).grid.spacing_mm == stated
    with pytest.raises(InputError, match="states its own scale"):
        breastseg.segment(scan, spacing_mm=1)
    sizes = breastseg.measure_lesions(found)
    assert [size.unit for size in sizes] == ["mm"] * len(found.lesions())
    with pytest.raises(GeometryError, match="spacing"):
        breastseg.segment(grey, spacing_mm=0)


def test_a_prompt_and_a_threshold_reach_the_method(scan: Path) -> None:
    inside = breastseg.segment(scan, "otsu:shift=0.1", box=BOX, threshold=0.4)
    again = breastseg.segment(scan, Otsu(), box=BOX, inside=[(100, 120)], outside=[(62, 62)])
    for found in (inside, again):
        rows, columns = np.nonzero(found.mask().foreground)
        assert BOX[0] <= rows.min() <= rows.max() < BOX[2]
        assert BOX[1] <= columns.min() <= columns.max() < BOX[3]
    (lesion,) = inside.lesions()
    same = (breastseg.segment(scan, "ellipse", box=b) for b in (lesion.box, lesion.box.numbers))
    assert len({found.lesions()[0].box for found in same}) == 1
    with pytest.raises(GeometryError, match="row0, column0, row1, column1"):
        breastseg.segment(scan, "ellipse", box=(0, 0, 0, 2, 2, 2))
    assert inside.threshold == 0.4
    assert inside.provenance.parameters["shift"] == 0.1
    with pytest.raises(UnsupportedError, match="prompt"):
        breastseg.segment(scan, box=BOX)
    with pytest.raises(InputError, match="threshold = 2"):
        breastseg.segment(scan, threshold=2)


def test_arrays_of_other_shapes_say_what_fits() -> None:
    for shape in ((8,), (3, 8, 9), (8, 9, 4), (2, 8, 9, 3)):
        with pytest.raises(UnsupportedError, match=r"\(rows, columns, 3\)"):
            breastseg.segment(np.zeros(shape))
    with pytest.raises(UnsupportedError, match=r"\(slices, rows, columns\)"):
        breastseg.segment(np.zeros((8, 9)), "mri-phantom")


def test_a_volume_is_an_array_of_phases_with_a_spacing() -> None:
    noise = np.random.default_rng(0).rayleigh(50, (2, 8, 24, 24)).astype(np.float32)
    found = breastseg.segment(noise, "mri-phantom", spacing_mm=1)
    assert found.probability.shape == (8, 24, 24)
    assert found._repr_png_()[:4] == b"\x89PNG"
    with pytest.raises(BreastsegError, match="spacing"):
        breastseg.segment(noise, "mri-phantom")


def test_a_file_of_several_images_is_not_taken_for_its_first(tmp_path: Path) -> None:
    pages = [Pillow.fromarray(np.full((30, 40), n, np.uint8)) for n in (10, 20)]
    path = tmp_path / "two.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert [image.array.max() for image in breastseg.read_images(path)] == [10, 20]
    assert breastseg.read_image(path, 1).array.max() == 20
    with pytest.raises(InputError, match="several frames"):
        breastseg.segment(path)


def test_methods_are_compared_with_a_report(folder: Path, tmp_path: Path) -> None:
    results = breastseg.compare(
        ["otsu", "wide=otsu:context=0.5"],
        {"folder": folder},
        tmp_path / "out",
        options=breastseg.MethodOptions(threshold=0.4),
        workers=1,
    )
    assert {standing.label for standing in results.scored_methods} == {"otsu", "wide"}
    assert results.comparison.baseline == "otsu"
    assert results.comparison.parameters["wide"]["threshold"] == 0.4
    assert (tmp_path / "out" / "report.html").is_file()
