"""What every method of the catalogue promises, on input that no one would tune or train on.

Methods are taken from the catalogue: one that is added there is held to all of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.classical.catalogue import METHODS
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.preset import classical_method
from breastseg.core import Box, Grid, Image, Modality, Prediction, Prompt, Segmenter
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.parameters import Parameter, parameters_of, values_of, with_values
from breastseg.inference.methods import MethodInfo, MethodSpec, method_names
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics import dice

Array = NDArray[np.generic]

SPECKLE = np.random.default_rng(7).rayleigh(40, (97, 131)).clip(0, 255)
WHERE = np.indices(SPECKLE.shape)
DISC = np.asarray((WHERE[0] - 46) ** 2 + (WHERE[1] - 58) ** 2 <= 22**2)
CENTRE = (46, 58)
BOX = Box.of(24, 36, 69, 81)
"""Around `DISC`."""
CLEAN = np.where(DISC, 50, 180).astype(np.uint8)
SCAN = np.where(DISC, 0.25 * SPECKLE, 60 + SPECKLE).clip(0, 255).astype(np.uint8)
"""The same in speckle."""

INPUTS: dict[str, Callable[[], Array]] = {
    "constant": lambda: np.full((60, 80), 7, np.uint8),
    "black": lambda: np.zeros((60, 80), np.uint8),
    "one pixel": lambda: np.full((1, 1), 9, np.uint8),
    "one row": lambda: np.arange(200, dtype=np.uint8)[None],
    "one column": lambda: np.arange(200, dtype=np.uint8)[:, None],
    "tiny": lambda: SPECKLE[:5, :7].astype(np.uint8),
    "odd": lambda: SPECKLE.astype(np.uint8),
    "two values": lambda: CLEAN,
    "16 bit": lambda: (SPECKLE * 200).astype(np.uint16),
    "truth values": lambda: SPECKLE > 60,
    "float with NaN": lambda: np.where(SPECKLE > 120, np.nan, SPECKLE),
    "all NaN": lambda: np.full((40, 40), np.nan),
    "infinite": lambda: np.where(SPECKLE > 120, np.inf, np.where(SPECKLE < 5, -np.inf, SPECKLE)),
    "huge values": lambda: SPECKLE * 1e300,
    "minute differences": lambda: 1000 + SPECKLE * 1e-9,
    "negative": lambda: SPECKLE - 1000,
    "large": lambda: np.tile(SPECKLE, (13, 12))[:1200, :1500].astype(np.uint8),
}
NOTHING = ("constant", "black", "one pixel", "all NaN")


SPECS = {name: MethodSpec(name, name) for name in method_names()}
PROMPTED = [name for name, spec in SPECS.items() if spec.info().takes_prompt]


@pytest.fixture(scope="module", params=SPECS)
def spec(request: pytest.FixtureRequest) -> MethodSpec:
    return SPECS[request.param]


@pytest.fixture(scope="module")
def info(spec: MethodSpec) -> MethodInfo:
    return spec.info()


@pytest.fixture(scope="module")
def method(spec: MethodSpec) -> Segmenter:
    found = spec.open()
    if isinstance(found, OnnxSegmenter):
        found.force = True  # the images here are of any scale
    return found


@pytest.fixture(scope="module", params=PROMPTED)
def prompted(request: pytest.FixtureRequest) -> Segmenter:
    """A method that takes prompts."""
    return SPECS[request.param].open()


@pytest.fixture(scope="module", params=METHODS)
def classical(request: pytest.FixtureRequest) -> ClassicalMethod:
    """A method with parameters."""
    return classical_method(request.param)


def image(values: Array, spacing: tuple[float, float] | None = None) -> Image:
    rows, columns = values.shape
    return Image(values[None], Grid((rows, columns), spacing), Modality.UNKNOWN)


def outline(prediction: Prediction) -> NDArray[np.bool_]:
    return prediction.mask().foreground


def box_of(shape: tuple[int, ...]) -> Box:
    """The middle half of an image, at least one pixel a side."""
    (row0, row1), (column0, column1) = ((n // 4, max(n // 4 + 1, 3 * n // 4)) for n in shape)
    return Box.of(row0, column0, row1, column1)


def everywhere_but(box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    beside = np.ones(shape, bool)
    beside[box.slices] = False
    return beside


def beyond(method: Segmenter, box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where a box keeps a method from: all around it, for a network around the frame it sees."""
    if not isinstance(method, OnnxSegmenter):
        return everywhere_but(box, shape)
    assert method.bundle.prompt is not None
    # a side counts as at least half of the other, and the frame ends on whole pixels
    sides = max(box.shape[0], box.shape[1] / 2), max(box.shape[1], box.shape[0] / 2)
    more = (
        int(np.ceil((method.bundle.prompt.frame * side - own) / 2)) + 1
        for side, own in zip(sides, box.shape, strict=True)
    )
    frame = box.padded(*more).within(shape)
    assert frame is not None
    return everywhere_but(frame, shape)


def test_the_shipped_network_and_the_classical_methods_are_there() -> None:
    assert {"ultrasound", "ellipse", "otsu"} <= set(method_names())


def test_a_method_is_what_the_catalogue_says(
    spec: MethodSpec, info: MethodInfo, method: Segmenter
) -> None:
    assert isinstance(method, Segmenter)
    assert method.name == info.name == spec.method
    for text in (info.summary, info.source, info.weakness):
        assert text.strip() == text != ""
        assert "\n" not in text
        assert not text.endswith(".")


@pytest.mark.parametrize("name", INPUTS)
def test_any_input_gives_probabilities_on_its_own_grid(
    method: Segmenter, info: MethodInfo, name: str
) -> None:
    values = INPUTS[name]()
    before = values.copy()
    prompts = [None, Prompt(box=box_of(values.shape))] if info.takes_prompt else [None]
    for prompt in prompts:
        prediction = method.segment(image(values), prompt)
        assert prediction.grid == image(values).grid
        assert prediction.probability.shape == values.shape
        assert prediction.probability.dtype == np.float32
        assert np.array_equal(values, before, equal_nan=values.dtype.kind == "f")
        assert prediction.provenance.segmenter == method.name
        if prompt is None and name in NOTHING:
            assert prediction.mask().is_empty
        if prompt is not None and prompt.box is not None:
            assert not outline(prediction)[beyond(method, prompt.box, values.shape)].any()


def test_the_same_input_gives_the_same_output_also_in_two_threads_at_once(
    method: Segmenter, info: MethodInfo
) -> None:
    prompt = Prompt(box=BOX) if info.takes_prompt else None
    together = Barrier(2)

    def segment(given: Prompt | None) -> NDArray[np.float32]:
        together.wait()
        return method.segment(image(SCAN), given).probability

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(segment, (None, prompt))
    assert np.array_equal(first, method.segment(image(SCAN)).probability)
    assert np.array_equal(second, method.segment(image(SCAN), prompt).probability)


def test_bit_depth_and_spacing_do_not_matter(method: Segmenter, info: MethodInfo) -> None:
    prompt = Prompt(box=BOX) if info.takes_prompt else None
    plain = method.segment(image(SCAN), prompt)
    deep = method.segment(image(SCAN.astype(np.uint16) * 257), prompt)
    assert np.array_equal(plain.probability, deep.probability)
    spaced = method.segment(image(SCAN, (0.05, 0.2)), prompt)
    assert spaced.grid.spacing_mm == (0.05, 0.2)
    assert np.array_equal(plain.probability, spaced.probability)


def test_colour_counts_by_its_luminance(method: Segmenter) -> None:
    grey = outline(method.segment(image(SCAN)))
    colour = Image(np.repeat(SCAN[None], 3, axis=0), Grid(SCAN.shape))
    assert dice(outline(method.segment(colour)), grey) > 0.95


def test_a_volume_is_refused(method: Segmenter) -> None:
    volume = Image(np.zeros((1, 3, 20, 30), np.uint8), Grid((3, 20, 30)))
    with pytest.raises(UnsupportedError, match="volume"):
        method.segment(volume)


def test_the_provenance_is_plain_and_makes_the_same_method_again(method: Segmenter) -> None:
    made_by = method.segment(image(SCAN)).provenance
    assert made_by.version
    assert made_by.steps
    again = json.loads(json.dumps(made_by.as_dict(), allow_nan=False))
    assert again["segmenter"] == method.name
    if isinstance(method, ClassicalMethod):
        assert with_values(type(method)(), again["parameters"]) == method


@pytest.mark.parametrize("name", sorted(SPECS.keys() - set(PROMPTED)))
def test_a_method_without_prompts_says_so(name: str) -> None:
    with pytest.raises(UnsupportedError, match="prompt"):
        SPECS[name].open().segment(image(SCAN), Prompt(box=BOX))


@pytest.mark.parametrize("picture", [CLEAN, SCAN], ids=["clean", "speckled"])
def test_a_dark_disc_in_a_box_is_outlined(prompted: Segmenter, picture: Array) -> None:
    assert dice(outline(prompted.segment(image(picture), Prompt(box=BOX))), DISC) > 0.8


def test_a_flipped_image_gets_nearly_the_flipped_mask(prompted: Segmenter) -> None:
    columns = SCAN.shape[1]
    row0, column0, row1, column1 = BOX
    flipped = Box.of(row0, columns - column1, row1, columns - column0)
    plain = outline(prompted.segment(image(SCAN), Prompt(box=BOX)))
    other = outline(prompted.segment(image(SCAN[:, ::-1]), Prompt(box=flipped)))
    assert dice(plain, other[:, ::-1]) > 0.9


def test_a_box_may_reach_beyond_the_image_and_may_be_one_pixel(prompted: Segmenter) -> None:
    wide = Box.of(-20, 90, 50, 400)
    drawn = outline(prompted.segment(image(SCAN), Prompt(box=wide)))
    assert not drawn[beyond(prompted, Box.of(0, 90, 50, 131), SCAN.shape)].any()
    for pixel in (CENTRE, (0, 0), (96, 130)):
        box = Box.of(*pixel, pixel[0] + 1, pixel[1] + 1)
        drawn = outline(prompted.segment(image(SCAN), Prompt(box=box)))
        assert not drawn[beyond(prompted, box, SCAN.shape)].any()


def test_points_are_obeyed(prompted: Segmenter) -> None:
    inside, outside = ((46, 58), (40, 60)), ((26, 58), (46, 78))
    for prompt in (
        Prompt(box=BOX, inside=inside, outside=outside),
        Prompt(inside=inside, outside=outside),
    ):
        drawn = outline(prompted.segment(image(SCAN), prompt))
        assert all(drawn[point] for point in inside)
        assert not any(drawn[point] for point in outside)


def test_a_stroke_is_obeyed(prompted: Segmenter) -> None:
    stroke = np.zeros(SCAN.shape, np.uint8)
    stroke[44:48, 45:70], stroke[75:77] = 1, 2
    drawn = outline(prompted.segment(image(SCAN), Prompt(scribble=stroke)))
    assert drawn[stroke == 1].all()
    assert not drawn[stroke == 2].any()


@pytest.mark.parametrize(
    ("prompt", "needle"),
    [
        (Prompt(outside=((1, 1),)), "only where the lesion is not"),
        (Prompt(inside=((97, 5),)), r"point \(97, 5\). Expected: within an image of 97 rows"),
        (Prompt(box=Box.of(97, 0, 99, 9)), "box"),
        (Prompt(scribble=np.ones((5, 5), np.uint8)), "scribble"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused(
    prompted: Segmenter, prompt: Prompt, needle: str
) -> None:
    with pytest.raises(InputError, match=needle) as refused:
        prompted.segment(image(SCAN), prompt)
    assert "\n" not in str(refused.value)


def wrong_values(one: Parameter) -> list[object]:
    if one.within is not None:
        step = 1 if one.kind is int else 1e-3
        return [one.within.low - step, one.within.high + step, float("nan"), "much"]
    return ["nosuch", 3]


def test_a_parameter_out_of_its_bounds_is_refused_with_the_bounds(
    classical: ClassicalMethod,
) -> None:
    for one in parameters_of(classical):
        assert one.help, f"{one.name}: say what it does"
        assert one.within or one.choices or one.kind is bool, f"{one.name}: it has no bounds"
        for wrong in wrong_values(one):
            with pytest.raises(InputError) as refused:
                with_values(classical, {one.name: wrong})  # type: ignore[dict-item]
            assert str(refused.value) == f"{one.name} = {wrong}. Expected: {one.allowed}"
    with pytest.raises(InputError, match="no parameter 'nosuch'"):
        with_values(classical, {"nosuch": 1})


@pytest.mark.parametrize("seed", range(3))
def test_every_parameter_may_be_at_either_end_of_its_bounds(
    classical: ClassicalMethod, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    values = values_of(classical)
    for one in parameters_of(classical):
        if one.within is not None and not one.name.startswith("finder."):
            values[one.name] = (one.within.low, one.within.high)[draw.integers(2)]
        elif one.choices and one.name != "lesion":
            values[one.name] = one.choices[draw.integers(len(one.choices))]
        elif one.kind is bool:
            values[one.name] = bool(draw.integers(2))
    extreme = with_values(classical, values)
    drawn = outline(extreme.segment(image(SCAN), Prompt(box=BOX)))
    assert not drawn[everywhere_but(BOX, SCAN.shape)].any()
    extreme.segment(image(INPUTS["constant"]()), Prompt(box=Box.of(10, 10, 40, 50)))
