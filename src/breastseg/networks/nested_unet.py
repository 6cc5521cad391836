"""U-Net++: U-Nets of every depth nested in each other, on one encoder.

Z. Zhou, M. M. R. Siddiquee, N. Tajbakhsh, J. Liang: UNet++: Redesigning Skip Connections to Exploit
Multiscale Features in Image Segmentation. IEEE Transactions on Medical Imaging 39 (2020).
https://doi.org/10.1109/TMI.2019.2959609, arXiv:1912.05074.

What the paper does (its sections III and IV), and what this file keeps:

- a node X(i, j) at level i, 0 the finest, and place j along the skip: X(i, 0) are the encoder's
  maps, X(i, j) is computed of all of X(i, 0) to X(i, j-1) and of X(i+1, j-1), enlarged;
- nodes of one level have one width;
- deep supervision: a 1x1 convolution makes logits of each of X(0, 1) to X(0, L), and the loss is
  that of all;
- pruning: a prediction may stop at X(0, k) and then needs no node X(i, j) with i + j > k, nor the
  encoder below level k. What is read off is one head, the paper's fast mode; its accurate mode is
  the mean of `side_outputs` after a sigmoid.

Where ours departs, and why:

- the nodes are the blocks of `EncoderUNet`: enlarging repeats pixels, two 3x3 convolutions with
  batch normalisation. So the nested skips are all that the two networks differ in;
- at an output stride of 2 the finest level is the encoder's first map, half the image's size; at 1
  it is the image itself;
- the loss of the heads is the training's: there the first of `side_outputs` counts most, where the
  paper weighs all the same.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from segmentation_models_pytorch.base.initialization import initialize_decoder, initialize_head
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoderBlock
from torch import Tensor, nn

from breastseg.core.errors import RecipeError
from breastseg.networks.encoder_network import (
    build_encoder,
    first_maps,
    pad_for_encoder,
    to_image_size,
)


class NestedUNet(nn.Module):
    """See the module's text.

    Args:
        encoder: a name of segmentation-models-pytorch, or ``"tu-"`` and a name of timm.
        in_channels: of the image.
        out_channels: of the logits.
        decoder_channels: of the levels' nodes, the coarsest first: 5 values for an output stride of
            1, 4 for 2.
        output_stride: 1 or 2, pixels of the input to one of the finest level.
        dropout: fraction of the finest nodes' channels zeroed before a head in training, 0 to below
            1.
        deep_supervision: a head at each of the finest nodes, not at the last alone.
        levels: how many of the nested U-Nets `forward` computes; 0 is all.

    Raises:
        RecipeError: the encoder is not known, or there is no head at that level.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the recipe's fields
        self,
        encoder: str = "mobilenet_v2",
        in_channels: int = 1,
        out_channels: int = 1,
        decoder_channels: Sequence[int] = (128, 64, 48, 32),
        output_stride: int = 2,
        dropout: float = 0.0,
        deep_supervision: bool = True,
        levels: int = 0,
    ) -> None:
        super().__init__()
        self.encoder, channels = build_encoder(encoder, in_channels)
        self.finest = output_stride // 2  # of the encoder's maps, the first that is a level
        backbone = channels[self.finest :]
        widths = tuple(reversed(decoder_channels))
        self.depth = len(widths)
        self.nodes = nn.ModuleDict()
        for j in range(1, self.depth + 1):
            for i in range(self.depth - j + 1):
                below = backbone[i + 1] if j == 1 else widths[i + 1]
                beside = backbone[i] + (j - 1) * widths[i]
                self.nodes[_name(i, j)] = UnetDecoderBlock(below, beside, widths[i])
        self.dropout = nn.Dropout2d(dropout)
        supervised = range(1 if deep_supervision else self.depth, self.depth + 1)
        self.heads = nn.ModuleDict(
            {str(j): nn.Conv2d(widths[0], out_channels, 1) for j in supervised}
        )
        initialize_decoder(self.nodes)
        initialize_head(self.heads)
        self.levels = self._checked(levels)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size, of the deepest U-Net that is computed.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits; a sigmoid makes probabilities of them.
        """
        return self._outputs(images, (self.levels,))[0]

    def side_outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """Logits of all heads, whatever `forward` is pruned to; without supervision of one.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            For each head (N, out_channels, H, W): first the one that `forward` gives, then the
            others from the deepest.
        """
        heads = sorted((int(j) for j in self.heads), reverse=True)
        return self._outputs(images, (self.levels, *(j for j in heads if j != self.levels)))

    def pruned(self, levels: int) -> NestedUNet:
        """A view on the same weights whose `forward` computes fewer of the nested U-Nets.

        Args:
            levels: how many; 0 is all.

        Raises:
            RecipeError: there is no head at that level.
        """
        view = copy.copy(self)
        view.levels = self._checked(levels)
        return view

    def _checked(self, levels: int) -> int:
        levels = levels or self.depth
        if str(levels) not in self.heads:
            heads = ", ".join(self.heads)
            raise RecipeError(f"levels = {levels} of a U-Net++", f"0 (all) or one of {heads}")
        return levels

    def _outputs(self, images: Tensor, depths: Sequence[int]) -> tuple[Tensor, ...]:
        """Logits (N, out_channels, H, W) of some heads, in the order asked for."""
        padded = pad_for_encoder(images)
        deepest = max(depths)
        backbone = first_maps(self.encoder, padded, self.finest + deepest)[self.finest :]
        rows = [[features] for features in backbone]  # rows[i][j] is X(i, j)
        for j in range(1, deepest + 1):
            for i in range(deepest - j + 1):
                skips = torch.cat(rows[i], dim=1)
                node = self.nodes[_name(i, j)]
                rows[i].append(node(rows[i + 1][j - 1], *skips.shape[-2:], skips))
        logits = [self.heads[str(j)](self.dropout(rows[0][j])) for j in depths]
        return tuple(to_image_size(each, padded, images) for each in logits)


def _name(level: int, place: int) -> str:
    return f"{level}_{place}"
