"""Boxes in batches of fixed size, against torchvision's one image at a time."""

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor
from torchvision import ops

from breastseg.networks.boxes import clipped, overlaps, pasted, unsuppressed

pytestmark = pytest.mark.train
torch.set_num_threads(1)


def boxes(seed: int, *shape: int, crowd: float = 30.0) -> Tensor:
    """Boxes of 4 to 24 px whose corners lie within `crowd` px of one another."""
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(*shape, 2, generator=generator) * crowd
    return torch.cat((low, low + 4 + 20 * torch.rand(*shape, 2, generator=generator)), dim=-1)


def test_overlaps_are_torchvisions() -> None:
    several = boxes(0, 3, 20)
    expected = torch.stack([ops.box_iou(one, one) for one in several])
    torch.testing.assert_close(overlaps(several), expected)


def test_a_box_without_an_area_overlaps_nothing() -> None:
    flat = torch.tensor([[[1.0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 2, 2]]])
    assert torch.equal(overlaps(flat), torch.diag(torch.tensor([0.0, 0, 1]))[None])


@pytest.mark.parametrize("crowd", [5.0, 30.0, 200.0])
@pytest.mark.parametrize("largest", [0.3, 0.5, 0.7])
def test_suppression_is_torchvisions(crowd: float, largest: float) -> None:
    several = boxes(1, 4, 300, crowd=crowd)
    falling = torch.linspace(1, 0, 300)
    kept = unsuppressed(several, torch.ones(4, 300, dtype=torch.bool), largest)
    for one, mine in zip(several, kept, strict=True):
        expected = ops.nms(one, falling, largest).sort().values
        assert torch.equal(mine.nonzero()[:, 0], expected)


def test_empty_places_leave_others_alone() -> None:
    several = boxes(2, 2, 120)
    valid = boxes(3, 2, 120)[..., 0] > 8
    kept = unsuppressed(several, valid, 0.5)
    for one, mine, real in zip(several, kept, valid, strict=True):
        places = real.nonzero()[:, 0]
        expected = ops.nms(one[places], torch.linspace(1, 0, len(places)), 0.5)
        assert torch.equal(mine.nonzero()[:, 0], places[expected].sort().values)


def test_a_long_chain_by_hand() -> None:
    # each overlaps the next by 2/3 and the one after by less than half: every other one stays
    x = torch.arange(16.0)
    chain = torch.stack((x, 0 * x, x + 5, 0 * x + 5), dim=-1)[None]
    kept = unsuppressed(chain, torch.ones(1, 16, dtype=torch.bool), 0.5)
    assert kept[0].tolist() == [True, False] * 8


def test_boxes_are_cut_at_the_border() -> None:
    inside, wide = clipped(torch.tensor([[-5.0, 2, 7, 99], [30, 0, 40, 5], [1, 1, 2, 2]]), (10, 20))
    assert inside.tolist() == [[0, 2, 7, 10], [20, 0, 20, 5], [1, 1, 2, 2]]
    assert wide.tolist() == [True, False, True]


def test_masks_are_pasted_as_grid_sample_does() -> None:
    generator = torch.Generator().manual_seed(4)
    masks, where = torch.rand(2, 3, 7, 7, generator=generator), boxes(5, 2, 3)
    y, x = torch.meshgrid(torch.arange(40) + 0.5, torch.arange(50) + 0.5, indexing="ij")
    low, extent = where[..., :2], where[..., 2:] - where[..., :2]
    places = (torch.stack((x, y), -1) - low[:, :, None, None]) / extent[:, :, None, None] * 2 - 1
    expected = torch.nn.functional.grid_sample(
        masks.flatten(0, 1)[:, None], places.flatten(0, 1), align_corners=False
    )
    found = pasted(masks, where, (40, 50))
    torch.testing.assert_close(found.flatten(0, 1)[:, None], expected, atol=1e-5, rtol=0)


def test_a_full_mask_fills_its_box() -> None:
    found = pasted(torch.ones(1, 1, 4, 4), torch.tensor([[[4.0, 8, 8, 16]]]), (20, 20))[0, 0]
    assert bool((found[9:15, 4:8] == 1).all())  # the cells are 1 px wide and 2 px high
    outside = torch.ones(20, 20, dtype=torch.bool)
    outside[7:17, 4:8] = False
    assert not found[outside].any()
