"""Overlap and surface distances held against MONAI, which computes in float32.

Where its empty-mask conventions differ from EMPTY_RULE:

- Dice and IoU are NaN for an empty truth unless `ignore_empty=False`. Then both empty is 1 and one
  empty 0, which is EMPTY_RULE.
- HD95 is NaN if either mask is empty, also if both are; EMPTY_RULE says 0 for both.
- ASSD is infinite if one mask is empty and NaN if both are; EMPTY_RULE says NaN and 0.
"""

import math

import pytest

from breastseg.metrics import assd, dice, hd95, iou

from .shapes import ANISOTROPIC, EMPTY, FILLED

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def monai():
    return pytest.importorskip("monai.metrics")


def as_batch(pair):
    return [torch.from_numpy(m.copy())[None, None].float() for m in pair]


@pytest.mark.parametrize("name", EMPTY | FILLED)
def test_overlap_agrees(monai, name) -> None:
    pair = (EMPTY | FILLED)[name]
    batch = as_batch(pair)
    for ours, theirs in ((dice, monai.compute_dice), (iou, monai.compute_iou)):
        expected = float(theirs(*batch, ignore_empty=False))
        assert ours(*pair) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("anisotropic", [False, True])
@pytest.mark.parametrize("name", FILLED)
def test_surface_distances_agree(monai, name, anisotropic) -> None:
    pair = FILLED[name]
    spacing = ANISOTROPIC[pair[0].ndim] if anisotropic else None
    batch, options = as_batch(pair), {"include_background": True, "spacing": spacing}
    expected = monai.compute_hausdorff_distance(*batch, percentile=95, **options)
    assert hd95(*pair, spacing) == pytest.approx(float(expected), rel=1e-6, abs=1e-6)
    expected = monai.compute_average_surface_distance(*batch, symmetric=True, **options)
    assert assd(*pair, spacing) == pytest.approx(float(expected), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", EMPTY)
def test_the_surface_distances_of_empty_masks_differ_as_said(monai, name) -> None:
    pair = EMPTY[name]
    batch, options = as_batch(pair), {"include_background": True}
    far = float(monai.compute_hausdorff_distance(*batch, percentile=95, **options))
    mean = float(monai.compute_average_surface_distance(*batch, symmetric=True, **options))
    assert math.isnan(far)
    if pair[0].any() or pair[1].any():
        assert mean == math.inf
        assert math.isnan(hd95(*pair))
        assert math.isnan(assd(*pair))
    else:
        assert math.isnan(mean)
        assert hd95(*pair) == assd(*pair) == 0
