"""Mask R-CNN: a box, a score and a mask for each lesion.

K. He, G. Gkioxari, P. Dollár, R. Girshick: Mask R-CNN. ICCV 2017.
https://doi.org/10.1109/ICCV.2017.322, arXiv:1703.06870. On the feature pyramid of Lin et al. 2017,
https://doi.org/10.1109/CVPR.2017.106. The pyramid, the heads, the sampling of examples and the
losses are torchvision's, the encoder is segmentation-models-pytorch's.

Where ours departs from the paper, and why:

- images have one size and come normalised, so nothing is resized or normalised here;
- anchors of 16, 32, 64, 128 and 256 px at strides 4 to 64 (the paper's have twice that side):
  lesions in images of 256 x 256 px;
- heads as narrow as the pyramid, a box head of 256 features instead of 1024, and at most 32
  sampled regions per image instead of 512: an image has a lesion or two, and a CPU must do it;
- in prediction the 50 best regions of each level go to the heads instead of 1000 that have been
  thinned out; instances are thinned out at the end, as in the paper.

A map for every pixel follows from the instances: the largest score x mask probability of any.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import MultiScaleRoIAlign, roi_align
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

from breastseg.core.errors import RecipeError
from breastseg.core.regions import connected_regions
from breastseg.networks.boxes import chosen, clipped, pasted, unsuppressed
from breastseg.networks.padding import pad_to_multiple

COARSEST = 64  # px; the stride of the pyramid's last level
LEVELS = ("0", "1", "2", "3")  # strides 4 to 32; regions are cut from these
ANCHOR_SIDES_PX = (16, 32, 64, 128, 256)
ANCHOR_RATIOS = (0.5, 1.0, 2.0)
BOX_CELLS, MASK_CELLS = 7, 14
BOX_FEATURES = 256
CANDIDATES = 50  # regions of each level that the heads look at
SHARED = 0.5  # intersection over union that two instances may have
LOWEST_SCORE = 0.05  # below it there is no instance
SMALLEST_LESION_PX = 4
CERTAIN = 1e-4  # probabilities of pixels stay this far from 0 and 1


@dataclass(frozen=True, eq=False)
class Instances:
    """The lesions found in one image, the most certain first.

    Attributes:
        boxes: (K, 4) float32: x0, y0, x1, y1 in pixels, from the left and upper edge of the image.
        scores: (K,) float32, 0 to 1.
        masks: (K, H, W) float32, probability that a pixel belongs to this lesion, if it is one.
    """

    boxes: Tensor
    scores: Tensor
    masks: Tensor


@dataclass(frozen=True, eq=False)
class _Slots:
    """A fixed number of detections an image; the score of an empty one is 0."""

    boxes: Tensor  # (N, K, 4)
    scores: Tensor  # (N, K)
    masks: Tensor  # (N, K, 28, 28)


class MaskRCNN(nn.Module):
    """Lesions as instances, and painted on the image.

    Args:
        encoder: a name of segmentation-models-pytorch with features at strides 4 to 32.
        in_channels: of the image.
        out_channels: 1, lesion.
        pyramid_width: channels of the feature pyramid and of the heads.
        max_instances: kept for an image, those of the highest score.

    Raises:
        RecipeError: `out_channels` is not 1.
    """

    def __init__(
        self,
        encoder: str = "mobilenet_v2",
        in_channels: int = 1,
        out_channels: int = 1,
        pyramid_width: int = 128,
        max_instances: int = 20,
    ) -> None:
        super().__init__()
        if out_channels != 1:
            raise RecipeError(f"out_channels = {out_channels} of a Mask R-CNN", "1")
        self.max_instances = max_instances
        # never with weights here: that would download them
        self.encoder = smp.encoders.get_encoder(
            encoder, in_channels=in_channels, depth=5, weights=None
        )
        self.pyramid = FeaturePyramidNetwork(
            list(self.encoder.out_channels[2:]), pyramid_width, LastLevelMaxPool()
        )
        self.rpn = _region_proposals(pyramid_width)
        self.roi_heads = _heads(pyramid_width, max_instances)

    def forward(self, images: Tensor) -> Tensor:
        """Every pixel's largest score x mask probability over the instances, as a logit.

        The steps are the same in training mode, where batch statistics are used; what is to be
        minimised there is `losses`, for the objectness of a region has no part in the gradient.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, 1, H, W) logits of probabilities from 0.0001 to 0.9999.
        """
        height, width = images.shape[-2:]
        slots = self._slots(images)
        masks = pasted(slots.masks, slots.boxes, (height, width))
        probability = (masks.float() * slots.scores[..., None, None]).amax(dim=1, keepdim=True)
        return torch.logit(probability.clamp(CERTAIN, 1 - CERTAIN))

    def instances(self, images: Tensor) -> list[Instances]:
        """The lesions of each image, those with a score of at least 0.05.

        Args:
            images: (N, in_channels, H, W) float.
        """
        height, width = images.shape[-2:]
        slots = self._slots(images)
        masks = pasted(slots.masks, slots.boxes, (height, width)).float()
        found = slots.scores > 0
        return [
            Instances(slots.boxes[i, is_one], slots.scores[i, is_one], masks[i, is_one])
            for i, is_one in enumerate(found)
        ]

    def losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """What training minimises the sum of.

        Regions that touch by a side or a corner are one lesion; those below 4 px are left out. In
        an image without a lesion every anchor and region is background, so a false alarm costs.
        Which anchors and regions are looked at is drawn from torch's global generator.

        Args:
            images: (N, in_channels, H, W) float.
            labels: (N, 1, H, W) uint8, bool or float; what is above 0 is lesion.

        Returns:
            Five scalars: objectness and box of the regions proposed; class, box and mask.

        Raises:
            RuntimeError: in evaluation mode.
        """
        if not self.training:
            raise RuntimeError("the losses of a Mask R-CNN are those of training mode")
        features, padded = self._features(images)
        targets = [lesions(label[0]) for label in labels]
        sizes = [(images.shape[2], images.shape[3])] * len(images)
        proposals, of_regions = self.rpn(ImageList(padded, sizes), features, targets)
        _, of_heads = self.roi_heads(
            features, proposals, [(padded.shape[2], padded.shape[3])] * len(images), targets
        )
        return {**of_regions, **of_heads}

    def _features(self, images: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The pyramid's levels, in float32, and the padded images."""
        padded = pad_to_multiple(images, COARSEST)
        stages = self.encoder(padded)[2:]
        levels = self.pyramid(dict(zip(LEVELS, stages, strict=True)))
        return {name: level.float() for name, level in levels.items()}, padded

    def _slots(self, images: Tensor) -> _Slots:
        """Detections: regions proposed, judged, thinned out, then outlined."""
        size = (images.shape[2], images.shape[3])
        features, _ = self._features(images)
        proposals, valid = self._proposals(features, size)
        count = images.shape[0]  # not len(), which would fix it in an exported graph
        heads = self.roi_heads
        classes, moves = heads.box_predictor(heads.box_head(_cut(features, proposals, BOX_CELLS)))
        # a ranking by logits tells apart what has become 1 as a probability
        rank = (classes[:, 1] - classes[:, 0]).unflatten(0, (-1, proposals.shape[1]))
        moved = heads.box_coder.decode_single(moves[:, 4:], proposals.flatten(0, 1))
        boxes, wide = clipped(moved.reshape(count, -1, 4), size)
        valid = valid & wide & (rank.sigmoid() >= LOWEST_SCORE)

        rank, order = rank.masked_fill(~valid, -inf).sort(descending=True)
        boxes, valid = chosen(boxes, order), rank > -inf
        kept = unsuppressed(boxes, valid, SHARED)
        slots = min(self.max_instances, boxes.shape[1])
        rank, first = rank.masked_fill(~kept, -inf).topk(slots)
        boxes = chosen(boxes, first)

        outlined = heads.mask_head(_cut(features, boxes, MASK_CELLS))
        masks = heads.mask_predictor(outlined)[:, 1].sigmoid()
        return _Slots(boxes, rank.sigmoid(), masks.unflatten(0, (-1, slots)))

    def _proposals(
        self, features: dict[str, Tensor], size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Regions worth a look, (N, R, 4), and which of them have an area, (N, R).

        Overlapping ones all pass. To thin them out here as the paper does would hang on the last
        bit: neighbouring anchors overlap by nearly the same fraction everywhere, and where that is
        near the limit, rounding decides which regions the heads get to see.
        """
        boxes = []
        objectness, moves = self.rpn.head(list(features.values()))
        for level, (score, move) in enumerate(zip(objectness, moves, strict=True)):
            anchors = _anchors(self.rpn.anchor_generator.cell_anchors[level], score, 4 << level)
            flat = score.permute(0, 2, 3, 1).flatten(1)
            index = flat.topk(min(CANDIDATES, flat.shape[1])).indices
            moved = chosen(move.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3), index)
            box = self.rpn.box_coder.decode_single(moved.flatten(0, 1), anchors[index.flatten()])
            boxes.append(box.unflatten(0, (-1, index.shape[1])))
        return clipped(torch.cat(boxes, 1), size)


def lesions(label: Tensor) -> dict[str, Tensor]:
    """The connected regions of a label map, as torchvision wants its targets.

    Args:
        label: (H, W); what is above 0 is lesion.

    Returns:
        ``boxes`` (K, 4) float32: x0, y0, x1, y1 around all of the pixels; ``labels`` (K,) int64,
        all 1; ``masks`` (K, H, W) uint8. K is 0 without a lesion.
    """
    lesions = connected_regions((label > 0).cpu().numpy())
    boxes, masks = [], []
    for number, (row0, column0, row1, column1) in enumerate(lesions.boxes, start=1):
        if lesions.sizes[number - 1] >= SMALLEST_LESION_PX:
            boxes.append((column0, row0, column1, row1))
            masks.append(lesions.labels == number)
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32, device=label.device).view(-1, 4),
        "labels": torch.ones(len(boxes), dtype=torch.int64, device=label.device),
        "masks": torch.from_numpy(np.array(masks, np.uint8).reshape(len(masks), *label.shape)).to(
            label.device
        ),
    }


def _anchors(cell: Tensor, level: Tensor, stride: int) -> Tensor:
    """The anchors of a level, (rows * columns * len(cell), 4), in torchvision's order."""
    cell = cell.to(level.device)
    y = torch.arange(level.shape[2], device=level.device) * stride
    x = torch.arange(level.shape[3], device=level.device) * stride
    y, x = y[:, None].expand(-1, len(x)), x[None].expand(len(y), -1)
    corners = torch.stack((x, y, x, y), dim=-1)
    return (corners[:, :, None] + cell).flatten(0, 2)


def _cut(features: dict[str, Tensor], boxes: Tensor, cells: int) -> Tensor:
    """Each region's features, (N * R, width, cells, cells), from the level that suits its size.

    All levels are sampled and one is taken: it costs little, and every step has a fixed shape.
    """
    count, slots = boxes.shape[:2]
    image = torch.arange(count, device=boxes.device, dtype=boxes.dtype)
    rois = torch.cat((image[:, None, None].expand(-1, slots, 1), boxes), dim=2).flatten(0, 1)
    area = ((rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2])).clamp_min(1e-6)
    # Lin et al. 2017, equation 1: a region of 224 px belongs to stride 16
    level = (2 + torch.log2(area.sqrt() / 224) + 1e-6).floor().clamp(0, len(LEVELS) - 1)
    taken = torch.zeros((), device=boxes.device)
    for i, name in enumerate(LEVELS):
        sample = roi_align(features[name], rois, cells, 1 / (4 << i), sampling_ratio=2)
        taken = torch.where((level == i)[:, None, None, None], sample, taken)
    return taken


# --- the parts ------------------------------------------------------------------------------------
# Under autocast their results are made float32: eight bits are too few for a position in an image.


class _RegionHead(RPNHead):  # type: ignore[misc]  # torchvision is untyped
    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        objectness, moves = super().forward(x)
        return [o.float() for o in objectness], [m.float() for m in moves]


class _BoxPredictor(FastRCNNPredictor):  # type: ignore[misc]  # torchvision is untyped
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        classes, moves = super().forward(x)
        return classes.float(), moves.float()


class _MaskPredictor(MaskRCNNPredictor):  # type: ignore[misc]  # torchvision is untyped
    def forward(self, x: Tensor) -> Tensor:
        masks: Tensor = super().forward(x)
        return masks.float()


def _region_proposals(width: int) -> RegionProposalNetwork:
    sides = tuple((side,) for side in ANCHOR_SIDES_PX)
    anchors = AnchorGenerator(sides, (ANCHOR_RATIOS,) * len(sides))
    return RegionProposalNetwork(
        anchors,
        _RegionHead(width, len(ANCHOR_RATIOS)),
        fg_iou_thresh=0.7,
        bg_iou_thresh=0.3,
        batch_size_per_image=64,
        positive_fraction=0.5,
        pre_nms_top_n={"training": 400, "testing": CANDIDATES},
        post_nms_top_n={"training": 250, "testing": 1000},
        nms_thresh=0.7,
    )


def _heads(width: int, max_instances: int) -> RoIHeads:
    return RoIHeads(
        MultiScaleRoIAlign(list(LEVELS), BOX_CELLS, sampling_ratio=2),
        TwoMLPHead(width * BOX_CELLS**2, BOX_FEATURES),
        _BoxPredictor(BOX_FEATURES, 2),
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=32,
        positive_fraction=0.25,
        bbox_reg_weights=None,  # the usual 10, 10, 5, 5
        score_thresh=LOWEST_SCORE,
        nms_thresh=SHARED,
        detections_per_img=max_instances,
        mask_roi_pool=MultiScaleRoIAlign(list(LEVELS), MASK_CELLS, sampling_ratio=2),
        mask_head=MaskRCNNHeads(width, (width,) * 4, 1),
        mask_predictor=_MaskPredictor(width, width, 2),
    )
