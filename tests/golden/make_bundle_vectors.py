"""Golden vectors of the shipped bundles for images, for readers in any language.

    python tests/golden/make_bundle_vectors.py

Writes `bundles/`: the inputs, a file a bundle with what the package made of them, and the rules of
the operating point on small maps. See `README.md` here for the form and the tolerances.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core import Fit, Grid, Image, OutputSpec, PlattScaling, Prediction, Provenance
from breastseg.core.box import Box
from breastseg.core.prediction import malignancy_of
from breastseg.core.prompt import Prompt
from breastseg.data.phantoms.ultrasound import make_phantoms
from breastseg.inference.classes import classes_to_image_grid, tempered_classes
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter, any_lesion
from breastseg.inference.postprocess import to_image_grid
from breastseg.inference.temperature import tempered
from breastseg.preprocess.geometry import Placement, resize
from breastseg.preprocess.prepare import prepare

FOLDER = Path(__file__).with_name("bundles")
SAMPLES = 32
"""Of a large map this many rows and columns at most are kept, evenly spread, and all means."""

Arrays = dict[str, NDArray[np.generic]]
CASES = {
    "ultrasound": ("grey8", "grey16", "rgb", "wide", "tall", "constant", "pixel", "tiny"),
    "ultrasound-fast": ("grey8", "grey16", "rgb", "pixel"),
    "mammography": ("left", "right", "cut", "tall", "constant"),
    "histopathology-nuclei": ("rgb", "grey8", "tiny"),
    "histopathology-tumour": ("rgb", "wide", "constant"),
}
PROMPTED = "ultrasound-prompt"
PROMPTS = {
    "click": ("grey8", Prompt(inside=((32, 50),))),
    "corrected": ("grey8", Prompt(inside=((32, 50), (48, 64)), outside=((36, 40), (60, 20)))),
    "denied": ("grey8", Prompt(box=Box.of(52, 5, 66, 30))),
    "box": ("grey16", Prompt(box=Box.of(10, 12, 50, 70))),
    "box-and-click": ("rgb", Prompt(box=Box.of(-3, 20, 40, 80), inside=((18, 40),))),
    "nothing": ("grey8", None),
}
"""What is asked of the bundle that takes a prompt: of which input, and where."""
SEED = 7


def inputs() -> Arrays:
    """(channels, rows, columns) of whole numbers; none is of a patient."""
    rng = np.random.default_rng(SEED)
    first, second = (phantom.image for phantom in make_phantoms(2, 2024))
    left, right = mammogram(rng, 123, 81), mammogram(rng, 100, 64)[:, ::-1]
    right = right.copy()
    right[3:10, 2:12] = 0.9  # a label on the side away from the chest wall
    return {
        "grey8": np.rint(resize(first, (73, 99))).astype(np.uint8)[None],
        "grey16": (np.rint(resize(second, (64, 81)) * 100) + 12000).astype(np.uint16)[None],
        "rgb": tissue(rng, 71, 64),
        "wide": np.rint(resize(first, (9, 150))).astype(np.uint8)[None],
        "tall": np.rint(resize(second, (151, 8))).astype(np.uint8)[None],
        "constant": np.full((1, 20, 31), 77, np.uint8),
        "pixel": np.full((1, 1, 1), 5, np.uint8),
        "tiny": rng.integers(0, 256, (3, 2, 3)).astype(np.uint8),
        "left": np.rint(left * 4095).astype(np.uint16)[None],
        "right": np.rint(right * 255).astype(np.uint8)[None],
        "cut": np.rint(left[40:80, 10:50] * 4095).astype(np.uint16)[None],
    }


def mammogram(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """Half an ellipse of tissue with a bright mass on a dark background, 0 to 1."""
    y, x = np.mgrid[:rows, :columns] / (rows - 1)
    inside = 1 - np.hypot((y - 0.5) / 0.42, x / 0.5)
    glands = resize(rng.random((12, 8)), (rows, columns))
    mass = np.exp(-(((y - 0.45) / 0.05) ** 2 + ((x - 0.2) / 0.06) ** 2))
    breast = 0.25 + 0.25 * glands + 0.45 * mass
    edge = np.clip(inside / 0.1, 0, 1)
    return np.clip(0.02 + edge * breast + 0.005 * rng.random((rows, columns)), 0, 1)


def tissue(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.uint8]:
    """Violet nuclei in pink tissue."""
    y, x = np.mgrid[:rows, :columns]
    nuclei = np.zeros((rows, columns))
    for row, column in rng.uniform(4, 60, (14, 2)):
        nuclei = np.maximum(nuclei, np.exp(-((((y - row) ** 2 + (x - column) ** 2) / 16) ** 2)))
    pink, violet = (np.array(c)[:, None, None] for c in ((228, 170, 205), (96, 60, 140)))
    shade = rng.normal(0, 6, (3, rows, columns))
    return np.clip(pink + (violet - pink) * nuclei + shade, 0, 255).astype(np.uint8)


def of_bundle(name: str, images: Arrays) -> Arrays:
    """What the package makes of each input of a bundle."""
    segmenter = OnnxSegmenter(bundle_folder(name), threads=1)
    found: Arrays = {}
    for case in CASES[name]:
        image = Image(images[case], Grid(images[case].shape[1:]))
        prepared, placement = prepare(image, segmenter.bundle.input)
        maps = segmenter.class_probabilities(prepared[None])[0]
        prediction = segmenter.prediction_of(image, maps, placement)
        found |= digest(f"{case}/prepared", prepared) | digest(f"{case}/network", maps)
        found[f"{case}/probability"] = to_16_bits(prediction.probability)
        found[f"{case}/mask"] = prediction.mask().labels.astype(np.uint8)
    return found


def of_prompts(images: Arrays) -> Arrays:
    """What the package answers to each prompt."""
    segmenter = OnnxSegmenter(bundle_folder(PROMPTED), threads=1)
    found: Arrays = {}
    for name, (case, prompt) in PROMPTS.items():
        image = Image(images[case], Grid(images[case].shape[1:]))
        prediction = segmenter.segment(image, prompt)
        found[f"{name}/probability"] = to_16_bits(prediction.probability)
        found[f"{name}/mask"] = prediction.mask().labels.astype(np.uint8)
    return found


def plain(prompt: Prompt | None) -> object:
    """As JSON has it."""
    if prompt is None:
        return None
    box = {} if prompt.box is None else {"box": list(prompt.box)}
    return box | {"inside": prompt.inside, "outside": prompt.outside}


def rules() -> Iterator[dict[str, object]]:
    """The operating point on small maps of what a network might say."""
    rng = np.random.default_rng(SEED)
    for number, output in enumerate(
        (
            OutputSpec(),
            OutputSpec(min_score=0.85),
            OutputSpec(threshold=0.4, min_area_fraction=0.03),
            OutputSpec(largest_only=True),
            OutputSpec(threshold=0.3, min_score=0.7, largest_only=True, temperature=1.7),
            OutputSpec(temperature=0.6),
        )
    ):
        for fit in Fit:
            for count in (1, 3):
                size, source = (20, 24), ((9, 40), (33, 17), (5, 5))[number % 3]
                raw = np.stack([resize(rng.normal(0, 3, (7, 8)), size) for _ in range(count)])
                maps = 1 / (1 + np.exp(-raw)) if count == 1 else softmax(raw)
                yield rule(
                    maps.round(6).astype(np.float32), Placement.of(source, size, fit), output, fit
                )


def rule(
    maps: NDArray[np.float32], placement: Placement, output: OutputSpec, fit: Fit
) -> dict[str, object]:
    """One case: what is given, and what comes of it."""
    temper = tempered if len(maps) == 1 else tempered_classes
    warm = temper(maps[None], output.temperature)
    probability = to_image_grid(any_lesion(warm)[0], placement, output)
    names = ("benign", "malignant") if len(maps) == 3 else ()
    prediction = Prediction(
        probability,
        Grid(placement.source),
        Provenance("rule", "1"),
        output.threshold,
        class_probability=classes_to_image_grid(warm[0, 1:], placement, probability)
        if names
        else None,
        class_names=names,
    )
    scaling = PlattScaling(1.5, -0.25)
    return {
        "given": {
            "maps": maps.astype(float).round(6).tolist(),
            "image": placement.source,
            "fit": fit.value,
            "output": asdict(output),
            "malignancy": asdict(scaling) if names else None,
        },
        "probability": probability.astype(float).round(6).tolist(),
        "mask": prediction.mask().labels.tolist(),
        "malignancy": malignancy_of(prediction, scaling),
    }


def softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Along the first axis."""
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=0))


def save_arrays(stem: Path, arrays: Mapping[str, NDArray[np.generic]], about: object) -> None:
    """Write STEM.json and STEM.bin."""
    index, data = {}, b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        index[name] = {"dtype": array.dtype.name, "shape": list(array.shape), "offset": len(data)}
        data += raw + b"\0" * (-len(raw) % 4)  # a typed array begins at a multiple of its size
    stem.with_suffix(".bin").write_bytes(data)
    text = json.dumps({"about": about, "arrays": index}, indent=1)
    stem.with_suffix(".json").write_text(text + "\n")


def load_arrays(stem: Path) -> tuple[Arrays, dict[str, object]]:
    """What `save_arrays` wrote: the arrays, and what was said of them."""
    content = json.loads(stem.with_suffix(".json").read_text())
    data = stem.with_suffix(".bin").read_bytes()
    found: Arrays = {}
    for name, place in content["arrays"].items():
        kind, shape = np.dtype(place["dtype"]).newbyteorder("<"), place["shape"]
        flat = np.frombuffer(data, kind, int(np.prod(shape)), place["offset"])
        found[name] = flat.reshape(shape).astype(kind.newbyteorder("="))
    return found, content["about"]


def digest(name: str, maps: NDArray[np.float32]) -> Arrays:
    """What is kept of (channels, rows, columns): a sample, and the mean of each row and column."""
    steps = [-(-side // SAMPLES) for side in maps.shape[1:]]
    return {
        f"{name}/sample": maps[:, :: steps[0], :: steps[1]],
        f"{name}/rows": maps.mean(axis=2, dtype=np.float64).astype(np.float32),
        f"{name}/columns": maps.mean(axis=1, dtype=np.float64).astype(np.float32),
    }


def to_16_bits(probability: NDArray[np.float32]) -> NDArray[np.uint16]:
    """0 to 1 as 0 to 65535."""
    return np.rint(probability.astype(np.float64) * 65535).astype(np.uint16)


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    images = inputs()
    save_arrays(FOLDER / "inputs", images, "generated; (channels, rows, columns)")
    for name in CASES:
        segmenter = OnnxSegmenter(bundle_folder(name), threads=1)
        about = {"bundle": name, "weights_sha256": segmenter.bundle.weights_sha256}
        save_arrays(FOLDER / name, of_bundle(name, images), about)
    digest = OnnxSegmenter(bundle_folder(PROMPTED), threads=1).bundle.weights_sha256
    asked = {name: {"input": case, "prompt": plain(one)} for name, (case, one) in PROMPTS.items()}
    about = {"bundle": PROMPTED, "weights_sha256": digest, "prompts": asked}
    save_arrays(FOLDER / PROMPTED, of_prompts(images), about)
    (FOLDER / "rules.json").write_text(json.dumps(list(rules())) + "\n")


if __name__ == "__main__":
    main()
