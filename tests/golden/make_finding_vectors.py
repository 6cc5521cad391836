"""Golden vectors of what comes after and around a network: prompts, lesions, and words.

    python -m tests.golden.make_finding_vectors

Writes `findings.json`. `prompts` holds what the package makes of clicks and boxes with a network
that is a formula (`formula` here), `asked` a small bundle that takes a prompt and its answers,
`boxed` the masks of the classical method that the browser has, `lesions` the records of lesions in
small maps, and `words` the provenance and the steps of each shipped bundle. Nothing is of a
patient.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.polar_path import PolarPath
from breastseg.core import Box, Fit, Grid, Image, InputSpec, Prediction, Prompt, Provenance
from breastseg.core.bundle import Intensity, PromptSpec
from breastseg.core.grid import Region
from breastseg.inference.bundle_folder import DESCRIPTION, MODEL
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.prompting import PromptedNetwork
from breastseg.measure.finding import findings
from breastseg.preprocess.geometry import resize
from breastseg.results.entry import lesion_record
from breastseg.results.schema import plain

from .prompt_bundle import write_prompt_bundle

FILE = Path(__file__).with_name("findings.json")
BUNDLES = ("ultrasound", "ultrasound-fast", "mammography", "histopathology-nuclei")
BUNDLES += ("histopathology-tumour",)
SEED = 11


def formula(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """(1, 4, rows, columns) of an image from 0 to 1 and a prompt, to (rows, columns)."""
    image, box, inside, outside = batch[0].astype(np.float64)
    found = 0.1 + 0.7 * image + 0.15 * box + 0.2 * inside - 0.5 * outside
    return np.clip(found, 0, 1).astype(np.float32)


def blobs(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    """A smooth map from 0 to 1."""
    rough = resize(rng.random((6, 7)), (rows, columns))
    return ((rough - rough.min()) / (rough.max() - rough.min())).round(4).astype(np.float32)


def prompts() -> Iterator[dict[str, object]]:
    rng = np.random.default_rng(SEED)
    scribble = np.zeros((26, 34), np.uint8)
    scribble[6:13, 5:20] = 1
    scribble[21:23, 1:33] = 2
    asked = (
        Prompt(box=Box.of(5, 6, 16, 20)),
        Prompt(box=Box.of(-4, 20, 13, 45)),
        Prompt(inside=((13, 16),)),
        Prompt(inside=((2, 2), (20, 29)), outside=((14, 12),)),
        Prompt(box=Box.of(3, 3, 20, 13), inside=((8, 7),), outside=((17, 12), (4, 5))),
        Prompt(scribble=scribble),
    )
    for number, prompt in enumerate(asked):
        for fit in Fit:
            spec = PromptSpec(frame=(1.5, 2.0)[number % 2], looks=1 + number % 3, disc=0.05)
            size, threshold = ((32, 48), (40, 40))[number % 2], (0.5, 0.65)[number // 3]
            unit = blobs(rng, 26, 34)
            network = PromptedNetwork(
                formula, InputSpec(size, Intensity.UNIT, fit), spec, threshold
            )
            found = network.answer(unit, prompt)
            yield {
                "given": {
                    "image": unit.astype(float).round(4).tolist(),
                    "size": size,
                    "fit": fit.value,
                    "prompt": asdict(spec),
                    "threshold": threshold,
                    "box": None if prompt.box is None else list(prompt.box),
                    "inside": prompt.inside,
                    "outside": prompt.outside,
                    "scribble": None if prompt.scribble is None else prompt.scribble.tolist(),
                },
                "probability": found.astype(float).round(5).tolist(),
            }


def lesions() -> Iterator[dict[str, object]]:
    rng = np.random.default_rng(SEED)
    regions = (
        Region(Box.of(0, 0, 26, 16), (0.2, 0.1)),
        Region(Box.of(0, 16, 26, 34), (0.3, 0.3)),
    )
    grids = [
        Grid((26, 34)),
        Grid((26, 34), (0.1, 0.1)),
        Grid((26, 34), (0.25, 0.1)),
        Grid((26, 34), None, regions=regions),
    ]
    for number in range(8):
        grid = grids[number % 4]
        map_ = blobs(rng, 26, 34) if number < 6 else np.zeros((26, 34), np.float32)
        if number == 6:
            map_[7, 9] = 0.75
            map_[20, 3:14] = 0.625
        prediction = Prediction(map_, grid, Provenance("made", "1"), 0.6)
        image = Image(np.zeros((1, *map_.shape), np.uint8), grid)
        yield {
            "map": map_.astype(float).round(4).tolist(),
            "threshold": 0.6,
            "spacing_mm": grid.spacing_mm,
            "regions": [
                {"box": list(one.box), "spacing_mm": one.spacing_mm} for one in grid.regions
            ],
            "lesions": [
                plain(replace(lesion_record(k, one, grid), descriptors=None))
                for k, one in enumerate(findings(prediction, image), start=1)
            ],
        }


def words() -> Iterator[dict[str, object]]:
    for name in BUNDLES:
        segmenter = OnnxSegmenter(bundle_folder(name), threads=1)
        for channels in (1, 3):
            image = Image(np.zeros((channels, 30, 40), np.uint8), Grid((30, 40)))
            provenance = segmenter._provenance(image)  # without running the network
            yield {
                "bundle": name,
                "channels": channels,
                # each reader names its own engine
                "parameters": {k: v for k, v in provenance.parameters.items() if k != "engine"},
                "steps": provenance.steps,
            }


def asked() -> dict[str, object]:
    """A bundle that takes a prompt, whole, and what it answers with one and without."""
    rng = np.random.default_rng(SEED)
    grey = np.rint(255 * blobs(rng, 40, 53)).astype(np.uint8)
    image = Image(grey[None], Grid(grey.shape))
    prompts = (
        None,
        Prompt(box=Box.of(5, 8, 25, 33)),
        Prompt(inside=((13, 16),)),
        Prompt(inside=((30, 40), (8, 9)), outside=((20, 20),)),
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = write_prompt_bundle(Path(temporary))
        segmenter = OnnxSegmenter(folder, threads=1)
        answers = []
        for prompt in prompts:
            found = segmenter.segment(image, prompt)
            answers.append(
                {
                    "box": None if prompt is None or prompt.box is None else list(prompt.box),
                    "inside": () if prompt is None else prompt.inside,
                    "outside": () if prompt is None else prompt.outside,
                    "probability": found.probability.astype(float).round(5).tolist(),
                    "steps": found.provenance.steps,
                }
            )
        return {
            "bundle": (folder / DESCRIPTION).read_text(),
            "model": base64.b64encode((folder / MODEL).read_bytes()).decode(),
            "image": grey.tolist(),
            "answers": answers,
        }


def boxed() -> Iterator[dict[str, object]]:
    """What the classical method of the browser makes of boxes."""
    rng = np.random.default_rng(SEED)
    stroke = np.zeros((70, 90), np.uint8)
    stroke[30, 25:40] = 1
    stroke[50:53, 20] = 2
    asked = (
        Prompt(box=Box.of(14, 12, 52, 60)),
        Prompt(box=Box.of(-3, 20, 40, 95)),
        Prompt(box=Box.of(14, 12, 52, 60), inside=((33, 33),), outside=((20, 15), (48, 50))),
        Prompt(box=Box.of(10, 8, 60, 64), scribble=stroke),
        Prompt(box=Box.of(30, 30, 34, 37)),
        Prompt(box=Box.of(2, 40, 66, 44)),
    )
    method = PolarPath()
    for number, prompt in enumerate(asked):
        rows, columns = np.indices((70, 90))
        disc = np.hypot((rows - 33) / 15, (columns - 36) / 20)
        grey = 40 + 110 / (1 + np.exp(-(disc - 1) * 9)) + rng.normal(0, 9 + number, disc.shape)
        image = Image(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[None], Grid((70, 90)))
        found = method.segment(image, prompt)
        yield {
            "shape": image.grid.shape,
            "image": base64.b64encode(image.array.tobytes()).decode(),
            "box": list(prompt.box or ()),
            "inside": prompt.inside,
            "outside": prompt.outside,
            "scribble": None if prompt.scribble is None else prompt.scribble.tolist(),
            "mask": np.flatnonzero(found.mask().foreground).tolist(),
            "version": found.provenance.version,
            "parameters": dict(found.provenance.parameters),
            "steps": found.provenance.steps,
        }


def everything() -> dict[str, object]:
    """All of the file."""
    return {
        "prompts": [*prompts()],
        "asked": asked(),
        "boxed": [*boxed()],
        "lesions": [*lesions()],
        "words": [*words()],
    }


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(everything()) + "\n")


if __name__ == "__main__":
    main()
