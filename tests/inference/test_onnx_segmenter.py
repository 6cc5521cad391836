from dataclasses import replace

import numpy as np
import pytest

from breastseg.core import (
    Box,
    Fit,
    Grid,
    Image,
    InputSpec,
    Intensity,
    Modality,
    OutputSpec,
    Prompt,
    Segmenter,
)
from breastseg.core.bundle import PromptSpec
from breastseg.core.errors import BundleError, GeometryError, InputError, UnsupportedError
from breastseg.inference.bundle_folder import read_bundle, sha256_of, write_bundle_json
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.preprocess.prepare import prepare

MEAN = np.full((3, 3), 1 / 9, np.float32)
SHIFT_RIGHT = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)


def noise(shape=(40, 50), seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def centre_of_mass(weights):
    rows, columns = np.indices(weights.shape)
    return np.array([(rows * weights).sum(), (columns * weights).sum()]) / weights.sum()


def test_it_is_a_segmenter(make_tiny, picture):
    segmenter = OnnxSegmenter(make_tiny())
    assert isinstance(segmenter, Segmenter)
    assert segmenter.name == "tiny"
    prediction = segmenter.segment(picture(noise()))
    assert prediction.grid.shape == (40, 50)
    assert prediction.probability.dtype == np.float32
    assert prediction.threshold == segmenter.bundle.output.threshold


def test_the_same_image_gives_the_same_bits_on_any_number_of_threads(make_tiny, picture):
    folder = make_tiny(kernel=MEAN)
    image = picture(noise())
    one, two = OnnxSegmenter(folder, threads=1), OnnxSegmenter(folder, threads=2)
    first = one.segment(image).probability
    for segmenter in (one, two, two.on_one_core()):
        assert np.array_equal(segmenter.segment(image).probability, first)


def test_a_batch_gives_what_each_image_gives_alone(make_tiny, picture):
    segmenter = OnnxSegmenter(make_tiny(kernel=MEAN), threads=1)
    images = [picture(noise(shape, seed)) for seed, shape in enumerate([(40, 50), (9, 90), (7, 7)])]
    for image, prediction in zip(images, segmenter.segment_batch(images), strict=True):
        assert prediction.grid is image.grid
        assert np.array_equal(prediction.probability, segmenter.segment(image).probability)
    assert segmenter.segment_batch([]) == []


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("shape", [(64, 64), (97, 131), (201, 77), (33, 255), (31, 29)])
def test_an_outline_lies_where_the_image_has_it(make_tiny, picture, fit, shape):
    segmenter = OnnxSegmenter(make_tiny(InputSpec((64, 64), Intensity.UNIT, fit)), threads=1)
    array = np.zeros(shape, np.uint8)
    square = slice(shape[0] // 5, shape[0] // 2), slice(shape[1] // 3, 4 * shape[1] // 5)
    array[square] = 255
    found = segmenter.segment(picture(array)).mask().foreground
    scale = max(1.0, shape[0] / 64, shape[1] / 64)
    assert np.abs(centre_of_mass(found) - centre_of_mass(array / 255)).max() < 0.5
    for axis in (0, 1):
        where = np.flatnonzero(found.any(axis=1 - axis))
        assert abs(where[0] - square[axis].start) <= scale / 2
        assert abs(where[-1] + 1 - square[axis].stop) <= scale / 2


def test_flip_averaging_makes_flipped_images_give_flipped_masks(make_tiny, picture):
    folder = make_tiny(kernel=SHIFT_RIGHT)
    array = noise((32, 32))
    plain = OnnxSegmenter(folder, threads=1)
    both = OnnxSegmenter(folder, threads=1, output=OutputSpec(flip_average=True))
    result = both.segment(picture(array)).probability
    flipped = both.segment(picture(array[:, ::-1])).probability
    assert np.array_equal(flipped, result[:, ::-1])
    shifted = plain.segment(picture(array)).probability
    assert not np.array_equal(plain.segment(picture(array[:, ::-1])).probability, shifted[:, ::-1])
    other = plain.segment(picture(array[:, ::-1])).probability[:, ::-1]
    assert np.allclose(result, (shifted + other) / 2)


def test_colour_counts_by_its_luminance(make_tiny, picture):
    segmenter = OnnxSegmenter(make_tiny(InputSpec((32, 32), Intensity.UNIT, channels=3)))
    grey = noise((32, 32))
    colour = np.stack([grey] * 3)
    of_colour = segmenter.segment(picture(colour))
    assert np.allclose(of_colour.probability, segmenter.segment(picture(grey)).probability)
    assert of_colour.provenance.steps[0] == "colour to luminance"


@pytest.mark.parametrize("value", [0, 7, np.nan, np.inf])
def test_an_image_without_contrast_has_no_outline(make_tiny, picture, value):
    prediction = OnnxSegmenter(make_tiny()).segment(picture(np.full((21, 34), value)))
    assert prediction.mask().is_empty


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (500, 1)])
def test_tiny_images_are_taken(make_tiny, picture, shape):
    for fit in Fit:
        segmenter = OnnxSegmenter(make_tiny(InputSpec((32, 32), Intensity.ZSCORE, fit)))
        assert segmenter.segment(picture(noise(shape))).grid.shape == shape


def test_the_input_is_not_changed(make_tiny, picture):
    array = noise()
    before = array.copy()
    OnnxSegmenter(make_tiny()).segment(picture(array))
    assert np.array_equal(array, before)


def test_another_modality_is_refused_unless_forced(make_tiny, picture):
    folder = make_tiny()
    mammogram = picture(noise(), Modality.MAMMOGRAPHY)
    with pytest.raises(
        InputError, match=r"mammography. Expected: 'tiny' was trained and measured on ultra"
    ):
        OnnxSegmenter(folder).segment(mammogram)
    assert OnnxSegmenter(folder, force=True).segment(mammogram).grid is mammogram.grid
    scan = picture(noise(), Modality.ULTRASOUND)
    assert OnnxSegmenter(folder).segment(scan).grid is scan.grid


def test_volumes_and_prompts_are_refused(make_tiny, picture):
    segmenter = OnnxSegmenter(make_tiny())
    volume = Image(np.zeros((1, 4, 5, 6), np.uint8), Grid((4, 5, 6)))
    with pytest.raises(UnsupportedError, match="volume"):
        segmenter.segment(volume)
    with pytest.raises(UnsupportedError, match="prompt"):
        segmenter.segment(picture(noise()), Prompt(box=Box.of(0, 0, 5, 5)))


def test_provenance_says_what_was_done(make_tiny, picture):
    output = OutputSpec(0.4, 0.6, 0.01, True, True)
    segmenter = OnnxSegmenter(make_tiny(), output=output)
    made_by = segmenter.segment(picture(noise())).provenance
    assert (made_by.segmenter, made_by.version) == ("tiny", "1.0")
    assert made_by.weights_sha256 == segmenter.bundle.weights_sha256
    assert made_by.parameters["threshold"] == 0.4
    assert made_by.parameters["input_rows"] == 32
    text = " | ".join(made_by.steps)
    for said in ("40x50", "32x32", "flipped", "below 0.6", "below 0.01", "largest", "at 0.4"):
        assert said in text


def test_an_own_operating_point_wins(make_tiny, picture):
    folder = make_tiny(output=OutputSpec(0.5))
    array = np.zeros((32, 32), np.uint8)
    array[4:8, 4:8], array[20:24, 20:24] = 255, 150
    image = picture(array)
    assert len(OnnxSegmenter(folder).segment(image).lesions()) == 2
    strict = OnnxSegmenter(folder, output=OutputSpec(0.5, min_score=0.8)).segment(image)
    assert len(strict.lesions()) == 1
    assert len(OnnxSegmenter(folder, output=OutputSpec(0.7)).segment(image).lesions()) == 1


def test_probabilities_are_the_networks_own(make_tiny, picture):
    segmenter = OnnxSegmenter(make_tiny(output=OutputSpec(0.5, min_score=1.0)), threads=1)
    batch, _ = prepare(picture(noise((32, 32))), segmenter.bundle.input)
    maps = segmenter.probabilities(batch[None])
    assert maps.shape == (1, 32, 32)
    assert np.allclose(maps[0], noise((32, 32)) / 255, atol=1e-2)
    with pytest.raises(GeometryError, match=r"\(N, 1, \*\(32, 32\)\)"):
        segmenter.probabilities(batch)


def test_a_description_of_another_network_is_refused(make_tiny, picture):
    folder = make_tiny()
    bundle = read_bundle(folder)
    for spec in (InputSpec((64, 32)), InputSpec((32, 32), channels=3)):
        write_bundle_json(folder, replace(bundle, input=spec))
        with pytest.raises(BundleError, match="do not belong together"):
            OnnxSegmenter(folder).segment(picture(noise()))


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x08"])
def test_a_file_that_is_no_network_is_refused(make_tiny, picture, content):
    folder = make_tiny()
    (folder / "model.onnx").write_bytes(content)
    bundle = replace(read_bundle(folder, verify=False), weights_sha256="0" * 64)
    bundle = replace(bundle, weights_sha256=sha256_of(folder / "model.onnx"))
    write_bundle_json(folder, bundle)
    with pytest.raises(BundleError, match="not a network") as caught:
        OnnxSegmenter(folder).segment(picture(noise()))
    assert "\n" not in str(caught.value)


def test_a_negative_number_of_threads_is_refused(make_tiny):
    with pytest.raises(InputError, match="threads = -1"):
        OnnxSegmenter(make_tiny(), threads=-1)


def test_an_image_of_one_colour_has_no_lesion_whatever_the_network_says(make_tiny, picture):
    segmenter = OnnxSegmenter(make_tiny(InputSpec((64, 64), Intensity.SYMMETRIC)), threads=1)
    batch = np.ones((2, 1, 64, 64), np.float32)
    batch[1, 0, 5, 7] = 0.5
    even, uneven = segmenter.probabilities(batch)
    assert not even.any()
    assert uneven.any()


def test_a_bundle_that_takes_prompts_answers_them_and_looks_by_itself(make_tiny, picture):
    scan = np.zeros((60, 80), np.float32)
    scan[10:30, 10:30] = scan[35:55, 50:70] = 1
    asks = OnnxSegmenter(make_tiny(prompt=PromptSpec(), name="asks"))
    plain = OnnxSegmenter(make_tiny(name="plain"))
    unasked = asks.segment(picture(scan)).probability
    np.testing.assert_array_equal(unasked, plain.segment(picture(scan)).probability)
    found = asks.segment(picture(scan), Prompt(inside=((20, 20),)))
    outlined = found.probability >= found.threshold
    assert outlined[10:30, 10:30].mean() > 0.95
    assert not outlined[:, 40:].any()
    assert "1 points inside" in found.provenance.steps[-1]
    with pytest.raises(UnsupportedError, match="a prompt for 'plain'"):
        plain.segment(picture(scan), Prompt(inside=((20, 20),)))
