"""A U-Net on a classifier's features whose skips pass attention gates.

O. Oktay, J. Schlemper, L. Le Folgoc et al.: Attention U-Net: Learning Where to Look for the
Pancreas. MIDL 2018. https://doi.org/10.48550/arXiv.1804.03999.

What the paper does (its section 2 and figure 2), and what this file keeps:

- additive attention: a skip x and the coarser decoder map g, the gating signal, each pass a linear
  layer, W_x and W_g, and are added; ReLU, a linear layer psi to one channel and a sigmoid make one
  coefficient for each position, and the gate gives x times its coefficient;
- the gate works at the size of g: W_x halves the map, the coefficients are enlarged again;
- the finest skip passes no gate, for its features say too little of what a place shows;
- gates start open.

Where ours departs, and why:

- the network around the gates is `EncoderUNet`, so that the gates are all that the two differ in.
  The paper's is a 3-D U-Net whose finest skip has the image's resolution; here that is a stride of
  2, and the gates are on the skips of strides 16, 8 and 4;
- an open gate starts at sigmoid(3) = 0.95: closer to 1 it would learn too slowly;
- no linear layer after a gate and none before the gating signal, which the authors' program has and
  the paper's equations have not: the convolutions that follow and W_g do the same;
- no deep supervision, which the paper has.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from breastseg.networks.encoder_network import (
    Decoder,
    EncoderNetwork,
    pad_for_encoder,
    to_image_size,
)

OPEN = 3.0
"""What goes into a gate's sigmoid at the start."""


class AttentionGate(nn.Module):
    """The paper's equations 1 and 2.

    Args:
        skip_channels: of the skip; as many features are compared inside.
        gating_channels: of the gating signal.
    """

    def __init__(self, skip_channels: int, gating_channels: int) -> None:
        super().__init__()
        self.from_skip = nn.Conv2d(skip_channels, skip_channels, 2, stride=2, bias=False)
        self.from_gating = nn.Conv2d(gating_channels, skip_channels, 1)
        self.psi = nn.Conv2d(skip_channels, 1, 1, bias=False)
        self.openness = nn.Parameter(torch.full((1,), OPEN))  # the bias of psi

    def forward(self, skip: Tensor, gating: Tensor) -> Tensor:
        """Coefficients of the skip's positions.

        Args:
            skip: (N, skip_channels, H, W) float, H and W even.
            gating: (N, gating_channels, H / 2, W / 2) float.

        Returns:
            (N, 1, H, W) in 0..1.
        """
        compared = functional.relu(self.from_skip(skip) + self.from_gating(gating))
        coefficients = torch.sigmoid(self.psi(compared) + self.openness)
        return functional.interpolate(
            coefficients, scale_factor=2.0, mode="bilinear", align_corners=False
        )


class GatedDecoder(Decoder):
    """The decoder of `EncoderUNet` with a gate on each skip but the finest.

    Args:
        encoder_channels: of the encoder's six maps, the image first.
        decoder_channels: of the blocks, the deepest first.
    """

    def __init__(self, encoder_channels: Sequence[int], decoder_channels: Sequence[int]) -> None:
        super().__init__(encoder_channels, decoder_channels)
        skips = encoder_channels[-2:1:-1]  # without the finest and the image
        gating = (encoder_channels[-1], *decoder_channels)
        self.gates = nn.ModuleList(
            AttentionGate(*channels) for channels in zip(skips, gating, strict=False)
        )

    def skip(self, level: int, features: Tensor, below: Tensor) -> Tensor | None:
        """The encoder's map, each position times its coefficient."""
        if level < len(self.gates):
            gated: Tensor = features * self.gates[level](features, below)
            return gated
        return super().skip(level, features, below)

    def attention(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The gates' coefficients, the coarsest first.

        Args:
            features: the encoder's six maps, the image first.

        Returns:
            For each gate (N, 1, h, w) in 0..1, of its skip's size.
        """
        triples = zip(self.gates, reversed(features[:-1]), self.maps(features), strict=False)
        return [gate(skip, below) for gate, skip, below in triples]


class AttentionUNet(EncoderNetwork):
    """`EncoderUNet` with attention gates; see the module's text.

    The arguments are those of `EncoderNetwork`.
    """

    decoder_type = GatedDecoder
    decoder: GatedDecoder

    def attention(self, images: Tensor) -> tuple[Tensor, ...]:
        """Where the gates let the skips through, for images.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            Three maps (N, 1, H, W) in 0..1, enlarged from strides 16, 8 and 4.
        """
        padded = pad_for_encoder(images)
        maps = self.decoder.attention(self.encoder(padded))
        return tuple(to_image_size(map_, padded, images) for map_ in maps)
