"""Finding the lesion where nobody has pointed at it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.ellipse import Ellipse
from breastseg.classical.filters import Filters
from breastseg.classical.finder import WEIGHTS, Candidate, Finder
from breastseg.classical.regions import FEATURES
from breastseg.core import Grid, Image
from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.metrics import dice
from breastseg.preprocess.intensity import to_unit

from .scenes import box_around
from .views import disc

SIZE = (200, 260)
LESION = disc(SIZE, (85, 110), 28)
OTHER = disc(SIZE, (100, 190), 20)


def scan(
    *lesions: NDArray[np.bool_], decoys: bool = False, seed: int = 0, grey: float = 0.25
) -> NDArray[np.float32]:
    """Dark lesions on brighter ground in coarse noise, 0 to 1.

    With decoys there are a shadow that reaches the bottom and a thin dark layer as well.
    """
    rows, columns = lesions[0].shape
    picture = np.full((rows, columns), 0.6)
    if decoys:
        picture[rows // 3 :, int(0.86 * columns) : int(0.95 * columns)] = 0.15
        picture[int(0.08 * rows) : int(0.13 * rows)] = 0.15
    for lesion in lesions:
        picture[lesion] = grey
    noise = np.random.default_rng(seed).normal(0, 0.1, (rows, columns))
    picture += ndimage.gaussian_filter(noise, max(rows, columns) / 250, truncate=2)
    return picture.clip(0, 1).astype(np.float32)


def marks(shape: tuple[int, int], *points: tuple[int, int]) -> NDArray[np.bool_]:
    marked = np.zeros(shape, bool)
    for point in points:
        marked[point] = True
    return marked


def full(candidate: Candidate, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """A candidate's region at the image's size."""
    rows, columns = (
        np.minimum((np.arange(n) + 0.5) * small / n, small - 1).astype(int)
        for n, small in zip(shape, candidate.region.shape, strict=True)
    )
    return candidate.region[np.ix_(rows, columns)]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    shared = one & other
    common = 0 if shared is None else shared.size
    return common / (one.size + other.size - common)


@pytest.mark.parametrize("seed", range(3))
def test_a_lesion_is_found_among_a_shadow_and_a_layer(seed: int) -> None:
    dark = scan(LESION, decoys=True, seed=seed)
    best, *others = Finder(max_lesions=10).find(dark)
    assert overlap(best.box, box_around(LESION)) > 0.85
    assert dice(full(best, SIZE), LESION) > 0.9
    assert others
    assert all(other.score < best.score for other in others)


def test_a_candidate_is_as_its_attributes_say() -> None:
    (candidate,) = Finder().find(scan(LESION))
    assert candidate.region.shape == (98, 128)
    assert candidate.region.dtype == bool
    assert all(isinstance(side, int) for side in candidate.box)
    top, left, bottom, right = box_around(candidate.region)
    scale = np.array(SIZE) / (98, 128)
    expected = (top * scale[0], left * scale[1], bottom * scale[0], right * scale[1])
    assert candidate.box.numbers == pytest.approx(expected, abs=1)


def test_two_lesions_are_found_where_two_are_asked_for() -> None:
    dark = scan(LESION, OTHER)
    assert len(Finder().find(dark)) == 1
    boxes = [candidate.box for candidate in Finder(max_lesions=2).find(dark)]
    assert len(boxes) == 2
    for lesion in (LESION, OTHER):
        assert max(overlap(box, box_around(lesion)) for box in boxes) > 0.8


def test_candidates_come_best_first_with_scores_from_0_to_1_and_hardly_overlap() -> None:
    for dark in (scan(LESION, OTHER, decoys=True), scan(marks(SIZE))):
        found = Finder(max_lesions=10).find(dark)
        assert 3 <= len(found) <= 10
        scores = [candidate.score for candidate in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        for index, one in enumerate(found):
            for other in found[:index]:
                shared = (one.region & other.region).sum()
                assert shared <= 0.2 * min(one.region.sum(), other.region.sum())


def test_a_clear_lesion_scores_higher_than_a_faint_one_and_that_than_none() -> None:
    scores = [Finder().find(scan(LESION, grey=grey))[0].score for grey in (0.1, 0.3, 0.45, 0.6)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.7
    assert scores[-1] < 0.3


def test_a_candidate_below_the_least_score_is_not_outlined() -> None:
    image = Image(scan(LESION, grey=0.53)[None], Grid(SIZE))
    dark = to_unit(image.grey())
    score = Finder().find(dark)[0].score
    low, high = Finder(min_score=score - 0.05), Finder(min_score=score + 0.05)
    assert len(high.find(dark)) == 1  # its probability is still shown
    assert dice(Ellipse(finder=low).segment(image).mask().foreground, LESION) > 0.85
    refused = Ellipse(finder=high).segment(image)
    assert refused.mask().is_empty
    assert 0 < refused.probability.max() < 0.5


@pytest.mark.parametrize(
    "dark",
    [
        np.zeros((60, 80), np.float32),
        np.full((60, 80), 0.5, np.float32),
        0.5 + 1e-5 * np.random.default_rng(0).random((60, 80), np.float32),
        np.random.default_rng(0).random((1, 1), np.float32),
        np.random.default_rng(0).random((7, 7), np.float32),
        np.random.default_rng(0).random((5, 300), np.float32),
        np.random.default_rng(0).random((2000, 40), np.float32),
    ],
    ids=["black", "grey", "all but grey", "a pixel", "tiny", "a strip", "a strip when small"],
)
def test_blank_and_tiny_images_show_nothing(dark: NDArray[np.float32]) -> None:
    for finder in (Finder(), Finder(weights="mammography", tissue_only=True)):
        assert finder.find(dark) == []
        assert finder.at(dark, np.ones(dark.shape, bool)) is None


@pytest.mark.parametrize(
    "size",
    [(64, 64), (64, 100), (100, 64), (127, 129), (333, 250), (300, 900), (1200, 500), (2000, 700)],
)
def test_the_box_is_in_pixels_of_the_image(size: tuple[int, int]) -> None:
    radius = 0.2 * min(size)
    lesion = disc(size, (0.42 * size[0], 0.55 * size[1]), radius)
    (found,) = Finder().find(scan(lesion))
    step = max(1, max(size) / 128)  # a pixel of the small copy
    assert np.abs(np.subtract(found.box.numbers, box_around(lesion).numbers)).max() <= 2 * step
    assert dice(full(found, size), lesion) > 0.87


def test_a_box_stays_within_the_image() -> None:
    corner = disc((301, 257), (0, 0), 70)
    found = Finder(max_lesions=10).find(scan(corner))
    assert all(candidate.box.fits((301, 257)) for candidate in found)
    assert max(overlap(candidate.box, Box.of(0, 0, 71, 71)) for candidate in found) > 0.7


def test_the_region_under_a_mark_is_given_though_others_score_higher() -> None:
    dark = scan(LESION, OTHER)
    for lesion, point in ((LESION, (85, 110)), (OTHER, (100, 190)), (OTHER, (92, 200))):
        found = Finder().at(dark, marks(SIZE, point))
        assert found is not None
        assert dice(full(found, SIZE), lesion) > 0.85
    shadowed = scan(LESION, decoys=True)
    shadow = Finder().at(shadowed, marks(SIZE, (150, 235)))
    assert shadow is not None
    assert shadow.box.stop[0] == SIZE[0]


def test_a_region_holds_most_of_what_is_marked() -> None:
    dark = scan(LESION)
    mostly = marks(SIZE, (85, 100), (85, 110), (85, 120), (20, 20))
    found = Finder().at(dark, mostly)
    assert found is not None
    assert dice(full(found, SIZE), LESION) > 0.85
    half = Finder().at(dark, marks(SIZE, (85, 110), (20, 20)))
    assert half is None or full(half, SIZE)[20, 20]


def test_under_a_mark_on_a_flat_or_bright_spot_there_is_nothing() -> None:
    band = np.zeros(SIZE, np.float32)
    band[60:110] = 1
    point = marks(SIZE, (85, 110))
    assert Finder().at(band, point) is None
    assert Finder().at(1 - band, point) is not None
    assert Finder().at(np.full(SIZE, 0.5, np.float32), point) is None


@pytest.mark.parametrize("point", [(0, 0), (199, 259), (199, 0)])
def test_a_mark_may_be_on_the_rim(point: tuple[int, int]) -> None:
    found = Finder().at(scan(disc(SIZE, point, 50)), marks(SIZE, point))
    assert found is not None
    assert full(found, SIZE)[point]


def mammogram() -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """A breast with a bright mass, and a brighter label beside it: as inverted, mass, label."""
    rows, columns = np.indices((256, 200))
    breast = ((rows - 128) / 120) ** 2 + (columns / 130) ** 2 < 1
    mass, label = disc((256, 200), (120, 60), 16), np.zeros((256, 200), bool)
    label[30:62, 150:185] = True
    grain = np.random.default_rng(1).normal(0, 0.02, breast.shape)
    grey = np.where(breast, 0.4 + grain, 0.01) + 0.3 * mass + 0.9 * label
    return (1 - grey).clip(0, 1).astype(np.float32), mass, label


def test_on_the_tissue_only_a_label_beside_the_breast_is_no_lesion() -> None:
    dark, mass, label = mammogram()
    finder = Finder(weights="mammography", max_lesions=10)
    anywhere, tissue = (
        [full(one, label.shape) for one in which.find(dark) if one.score >= which.min_score]
        for which in (finder, replace(finder, tissue_only=True))
    )
    assert max(dice(region, label) for region in anywhere) > 0.8
    assert max(dice(region, mass) for region in tissue) > 0.8
    assert not any((region & label).any() for region in tissue)


def test_the_small_copy_has_the_side_that_is_asked_for_but_is_never_larger_than_the_image() -> None:
    dark = scan(LESION)
    for side_px, size in ((64, (49, 64)), (128, (98, 128)), (256, (197, 256))):
        finder = Finder(side_px=side_px)
        assert finder.regions(dark)[1] == size
        assert overlap(finder.find(dark)[0].box, box_around(LESION)) > 0.8
    assert Finder(side_px=256).regions(dark[:100, :90])[1] == (100, 90)


def test_more_levels_give_more_regions() -> None:
    counts = [len(Finder(levels=levels).regions(scan(LESION))[0]) for levels in (4, 8, 32)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_filters_are_applied_to_the_small_copy_first() -> None:
    dark = scan(LESION)
    seen: list[NDArray[np.float32]] = []

    class Negative(Filters):
        def __call__(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
            seen.append(unit)
            return 1 - unit

    best = Finder(filters=Negative()).find(1 - dark)[0]
    assert [unit.shape for unit in seen] == [(98, 128)]
    assert dice(full(best, SIZE), LESION) > 0.9


def test_the_same_image_gives_the_same_candidates_and_stays_as_it_is() -> None:
    dark = scan(LESION, OTHER, decoys=True)
    before = dark.copy()
    one, other = (Finder(max_lesions=10).find(dark) for _ in range(2))
    assert np.array_equal(dark, before)
    assert [(c.box, c.score) for c in one] == [(c.box, c.score) for c in other]
    assert all(np.array_equal(a.region, b.region) for a, b in zip(one, other, strict=True))


def test_a_parameter_out_of_bounds_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^max_lesions = 0. Expected: a whole number from 1 to 10$"
    ):
        Finder(max_lesions=0)
    with pytest.raises(InputError, match=r"^weights = mri. Expected: ultrasound, mammography$"):
        Finder(weights="mri")  # type: ignore[arg-type]


def test_the_weights_are_there_for_every_feature_with_the_record_of_how_they_were_fitted() -> None:
    fitted = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    assert set(fitted) == {"ultrasound", "mammography"}
    for name, one in fitted.items():
        assert set(one["weights"]) == {*FEATURES, "offset"}
        assert np.isfinite(list(one["weights"].values())).all()
        record = one["record"]
        assert {"data", "split", "normals", "dice_of_the_first_crossed"} <= set(record)
        assert 0 < record["dice_of_the_first_crossed"] < record["dice_of_the_best_possible"] < 1
        assert all(count > 0 for count in record["data"].values()), name
    assert fitted["ultrasound"]["weights"]["contrast"] > 0
    assert fitted["ultrasound"]["weights"]["edge"] > 0


def test_the_two_sets_of_weights_score_differently() -> None:
    dark = scan(LESION)
    scores = {
        weights: Finder(weights=weights).find(dark)[0].score
        for weights in ("ultrasound", "mammography")
    }
    assert scores["ultrasound"] != scores["mammography"]


def test_a_score_is_linear_in_the_features() -> None:
    dark = scan(LESION)
    fitted = json.loads(WEIGHTS.read_text(encoding="utf-8"))["ultrasound"]["weights"]
    regions, size = Finder().regions(dark)
    assert size == (98, 128)
    scores = [
        fitted["offset"] + sum(fitted[f] * v for f, v in zip(FEATURES, one.features, strict=True))
        for one in regions
    ]
    best = Finder().find(dark)[0]
    assert best.score == pytest.approx(min(1, max(scores)))
    assert np.array_equal(best.region, regions[int(np.argmax(scores))].on(size))
