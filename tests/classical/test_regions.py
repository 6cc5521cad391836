"""Dark regions of an image and what tells them apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.classical.regions import FEATURES, Region, dark_regions
from breastseg.core.box import Box

from .views import disc

SHAPE = (100, 120)


def rectangle(
    row0: int, column0: int, row1: int, column1: int, shape: tuple[int, int] = SHAPE
) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    mask[row0:row1, column0:column1] = True
    return mask


def picture(
    lesion: NDArray[np.bool_], inside: float = 0.3, beside: float = 0.7
) -> NDArray[np.float32]:
    return np.where(lesion, inside, beside).astype(np.float32)


def the_one_on(lesion: NDArray[np.bool_], grey: NDArray[np.float32] | None = None) -> Region:
    """Of all regions of an image the one that agrees best with a lesion."""
    regions = dark_regions(picture(lesion) if grey is None else grey, 8)
    shared = [
        2 * (region.on(lesion.shape) & lesion).sum() / (region.area + lesion.sum())
        for region in regions
    ]
    assert max(shared) > 0.85
    return regions[int(np.argmax(shared))]


def features(region: Region) -> dict[str, float]:
    assert region.features.shape == (len(FEATURES),)
    return dict(zip(FEATURES, region.features.tolist(), strict=True))


def test_a_region_is_put_where_it_lies_in_the_image() -> None:
    filled = np.uint8([[0, 1], [1, 1]])
    region = Region(1, 2, filled, Box.of(1, 2, 3, 4), np.zeros(len(FEATURES)))
    assert region.area == 3
    mask = region.on((4, 5))
    assert mask.dtype == bool
    assert np.argwhere(mask).tolist() == [[1, 3], [2, 2], [2, 3]]


def test_a_dark_rectangle_is_found_and_described() -> None:
    region = the_one_on(rectangle(30, 40, 50, 80))
    assert np.abs(np.subtract(region.box.numbers, (30, 40, 50, 80))).max() <= 1
    rows, columns = np.nonzero(region.on(SHAPE))
    top, left, bottom, right = region.box
    assert (rows.min(), columns.min()) == (top, left)
    assert (rows.max() + 1, columns.max() + 1) == (bottom, right)
    told = features(region)
    assert told["log_area"] == pytest.approx(np.log(800 / 12000), abs=0.15)
    assert told["aspect"] == pytest.approx(np.log(40 / 20), abs=0.1)
    assert told["row"] == pytest.approx(0, abs=1e-9)  # two fifths down
    assert told["column"] == pytest.approx(0, abs=1e-9)
    assert told["solidity"] == pytest.approx(1, abs=0.1)
    assert told["sides"] == 0
    assert 0.3 < told["contrast"] <= 0.4
    assert 0.3 * 0.133 < told["edge"] < 0.133  # of 0.4 at most 0.4 / (1.2 sqrt(2 pi)) a pixel
    assert 0 < told["weakest_edge"] <= told["edge"]
    assert told["rank"] == pytest.approx(region.area / 12000 / 2, abs=0.002)


def test_row_and_column_grow_with_the_squared_distance_from_the_usual_place() -> None:
    told = features(the_one_on(rectangle(60, 70, 80, 100)))
    assert told["row"] == pytest.approx((0.7 - 0.4) ** 2, abs=1e-3)
    assert told["column"] == pytest.approx((85 / 120 - 0.5) ** 2, abs=1e-3)
    flipped = features(the_one_on(rectangle(60, 20, 80, 50)))
    assert flipped == pytest.approx(told, abs=2e-3)


def test_aspect_is_positive_where_a_region_is_wider_than_high() -> None:
    lesion = rectangle(40, 30, 60, 70, (100, 100))
    wide, tall = (features(the_one_on(one))["aspect"] for one in (lesion, lesion.T))
    assert wide == pytest.approx(-tall, abs=0.05)
    assert wide > 0.5


@pytest.mark.parametrize(
    ("lesion", "sides"),
    [
        (rectangle(30, 0, 50, 30), 1),
        (rectangle(30, 90, 50, 120), 1),
        (rectangle(30, 0, 50, 120), 2),
        (rectangle(0, 40, 20, 80), 0),
        (rectangle(80, 40, 100, 80), 0),
    ],
    ids=["left", "right", "both", "top", "bottom"],
)
def test_sides_are_left_and_right(lesion: NDArray[np.bool_], sides: int) -> None:
    assert features(the_one_on(lesion))["sides"] == sides


def test_the_rim_of_the_image_is_no_edge() -> None:
    left, middle = (features(the_one_on(rectangle(30, x, 50, x + 30))) for x in (0, 45))
    assert left["weakest_edge"] == 0 < middle["weakest_edge"]
    assert 0 < left["edge"] < middle["edge"]


def test_an_angle_is_less_solid_than_a_rectangle() -> None:
    angle = rectangle(20, 30, 80, 50) | rectangle(60, 50, 80, 90)
    assert features(the_one_on(angle))["solidity"] == pytest.approx(2000 / 2800, abs=0.08)


def test_the_paler_a_lesion_the_less_its_contrast_and_its_edge() -> None:
    lesion = rectangle(30, 40, 50, 80)
    told = [features(the_one_on(lesion, picture(lesion, level))) for level in (0.1, 0.3, 0.5, 0.6)]
    for name in ("contrast", "edge"):
        values = [one[name] for one in told]
        assert values == sorted(values, reverse=True)
        assert values[-1] == pytest.approx(values[0] / 6, rel=0.05)


def test_contrast_is_to_what_lies_left_and_right() -> None:
    lesion = rectangle(30, 40, 50, 80)
    plain = picture(lesion)
    layered, flanked = plain.copy(), plain.copy()
    layered[24:28], layered[52:56] = 1, 1  # skin above, enhancement below
    flanked[:, 34:38], flanked[:, 82:86] = 1, 1
    contrasts = [
        features(the_one_on(lesion, grey))["contrast"] for grey in (plain, layered, flanked)
    ]
    assert contrasts[1] == pytest.approx(contrasts[0], abs=0.01)
    assert contrasts[2] > contrasts[0] + 0.1


def test_around_something_bright_contrast_is_negative_and_no_edge_rises() -> None:
    bright = rectangle(35, 50, 55, 70)
    around = [
        features(region)
        for region in dark_regions(picture(bright, 0.9, 0.4), 16)
        if region.on(SHAPE)[45, 60]
    ]
    assert around
    assert all(told["contrast"] < 0 for told in around)
    assert all(told["edge"] < 0.01 for told in around)


def test_the_weakest_edge_tells_a_lesion_that_fades_out() -> None:
    lesion = disc(SHAPE, (45, 60), 16)
    clear = picture(lesion)
    faded = clear.copy()
    faded[50:] = cv2.GaussianBlur(clear, (0, 0), 6)[50:]
    both = [features(the_one_on(lesion, grey)) for grey in (clear, faded)]
    assert both[0]["weakest_edge"] > 0.5 * both[0]["edge"]
    assert both[1]["weakest_edge"] < 0.5 * both[0]["weakest_edge"]


def test_holes_belong_to_a_region() -> None:
    ring = disc(SHAPE, (45, 60), 24) & ~disc(SHAPE, (45, 60), 6)
    region = the_one_on(disc(SHAPE, (45, 60), 24), picture(ring))
    assert region.on(SHAPE)[45, 60]


def test_more_levels_give_more_regions_and_all_are_of_a_lesions_size() -> None:
    grey = np.random.default_rng(1).random(SHAPE, np.float32)
    counts = []
    for levels in (4, 8, 32):
        regions = dark_regions(grey, levels)
        counts.append(len(regions))
        assert all(0.004 < region.area / grey.size < 0.6 for region in regions)
        assert np.isfinite([region.features for region in regions]).all()
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_region_that_several_levels_cut_out_is_listed_once() -> None:
    rows, columns = np.indices(SHAPE)
    slope = np.clip(np.hypot(rows - 45, columns - 60) / 120, 0, 1).astype(np.float32)
    boxes = [(region.box, region.area) for region in dark_regions(slope, 32)]
    assert len(boxes) > 10
    assert len(set(boxes)) == len(boxes)


def test_regions_come_in_a_fixed_order_and_leave_the_image_alone() -> None:
    grey = np.random.default_rng(1).random(SHAPE, np.float32)
    before = grey.copy()
    one, other = dark_regions(grey, 8), dark_regions(grey, 8)
    assert np.array_equal(grey, before)
    assert [region.box for region in one] == [region.box for region in other]
    assert np.array_equal([r.features for r in one], [r.features for r in other])


@pytest.mark.parametrize("shape", [(8, 8), (8, 128), (128, 9)])
def test_small_images_are_survived(shape: tuple[int, int]) -> None:
    assert dark_regions(np.full(shape, 0.5, np.float32), 8) == []
    noise = np.random.default_rng(2).random(shape, np.float32)
    for region in dark_regions(noise, 8):
        assert region.on(shape).sum() == region.area
        assert np.isfinite(region.features).all()
