"""Surface distances and lesions held against scikit-image.

The Hausdorff distance of an empty mask and another is infinite in scikit-image, where EMPTY_RULE
says undefined (NaN); of two empty ones it is 0 in both.
"""

import math

import pytest
from skimage.measure import label, regionprops
from skimage.metrics import hausdorff_distance

from breastseg.metrics import LesionMatch, match_lesions, surface_distances

from .shapes import EMPTY, FILLED, boundary

ALL = EMPTY | FILLED


@pytest.mark.parametrize("name", FILLED)
def test_the_longest_distance_is_the_hausdorff_distance(name) -> None:
    pair = FILLED[name]
    found = surface_distances(*pair)
    longest = max(found.to_truth.max(), found.to_mask.max())
    # scikit-image measures between all pixels that are set, hence the boundaries alone.
    assert longest == pytest.approx(hausdorff_distance(*map(boundary, pair)), rel=1e-12)
    assert found.hd95 <= longest


@pytest.mark.parametrize("name", EMPTY)
def test_the_hausdorff_distance_of_empty_masks_differs_as_said(name) -> None:
    pair = EMPTY[name]
    theirs, ours = hausdorff_distance(*pair), surface_distances(*pair).hd95
    assert (theirs == 0 and ours == 0) or (theirs == math.inf and math.isnan(ours))


@pytest.mark.parametrize("min_iou", [0.02, 0.1, 0.5, 1])
@pytest.mark.parametrize("name", ALL)
def test_lesions_match_as_its_regions_do(name, min_iou) -> None:
    pair = ALL[name]
    regions, lesions = (
        [set(map(tuple, region.coords.tolist())) for region in regionprops(label(m))] for m in pair
    )
    hits = [
        (-common / union, i, j)
        for i, outline in enumerate(regions)
        for j, lesion in enumerate(lesions)
        for common, union in ((len(outline & lesion), len(outline | lesion)),)
        if common >= min_iou * union
    ]
    taken: list[tuple[int, int]] = []
    for _, i, j in sorted(hits):
        if all(i != other and j != another for other, another in taken):
            taken.append((i, j))
    assert match_lesions(*pair, min_iou) == LesionMatch(
        true_lesions=len(lesions),
        found=len(taken),
        regions=len(regions),
        false_positives=len(regions) - len({i for _, i, _ in hits}),
    )
