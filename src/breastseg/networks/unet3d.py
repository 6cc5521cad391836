"""A U-Net on volumes, for slices that may be thicker than their pixels are wide.

Ö. Çiçek, A. Abdulkadir, S. S. Lienkamp, T. Brox, O. Ronneberger: 3D U-Net: Learning Dense
Volumetric Segmentation from Sparse Annotation. MICCAI 2016.
https://doi.org/10.1007/978-3-319-46723-8_49.

What is kept: two convolutions a stage, halving between the stages, transposed convolutions on the
way up, the contracting path's map of the same stage beside it, a 1x1x1 convolution to the classes.

What follows nnU-Net instead (Isensee et al. 2021, https://doi.org/10.1038/s41592-020-01008-z):

- the first stages leave the slices alone, with kernels of 1x3x3 and steps of 1x2x2, until a voxel
  is about as thick as it is wide: a kernel across slices of 3 mm and pixels of 0.7 mm would mix
  what lies far apart with what lies near;
- instance normalisation in place of batch normalisation, whose statistics are poor at the two or
  four patches that fit into memory, and leaky ReLU of slope 0.01;
- a strided convolution halves, in place of max pooling;
- deep supervision: a 1x1x1 convolution on each stage of the expanding path.

Where ours departs from both:

- nearest voxels are repeated to pad a volume to a size that halves evenly, and the logits are cut
  back, so any size will do;
- the widths are a setting, and small by default: it must train on a processor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.01
Size = tuple[int, int, int]


class ConvolutionPair(nn.Sequential):
    """Two convolutions with instance normalisation and leaky ReLU: one stage of the U.

    Args:
        in_channels: of its input.
        out_channels: of both convolutions.
        kernel: (slices, rows, columns), odd.
        stride: of the first convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: Size, stride: Size) -> None:
        layers: list[nn.Module] = []
        padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
        for channels, step in ((in_channels, stride), (out_channels, (1, 1, 1))):
            # the normalisation has a shift of its own, so a bias before it would be idle
            layers += [
                nn.Conv3d(channels, out_channels, kernel, step, padding, bias=False),
                InstanceNorm(out_channels),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        super().__init__(*layers)


class InstanceNorm(nn.InstanceNorm3d):
    """Instance normalisation with a learnt scale and shift, also of a map of a single voxel.

    One voxel is its own mean, so what is left of it is the shift; torch refuses that case in
    training.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, D, H, W) to the same shape."""
        fast = torch.backends.cudnn.enabled
        return torch.instance_norm(
            maps, self.weight, self.bias, None, None, True, 0.0, self.eps, fast
        )


class UNet3d(nn.Module):
    """The U-Net of Çiçek et al. 2016 with nnU-Net's kernels; see the module's text.

    Args:
        in_channels: of the volume: the phases of a dynamic study.
        out_channels: of the logits.
        stage_widths: channels of the stages, the finest first; one more stage halves once more.
        flat_stages: so many of the first stages use kernels of 1x3x3, and steps of 1x2x2 to the
            stage below.
        deep_supervision: have an output at every stage but the coarsest, see `side_outputs`.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        stage_widths: Sequence[int] = (16, 32, 64, 128),
        flat_stages: int = 1,
        deep_supervision: bool = True,
    ) -> None:
        super().__init__()
        widths = list(stage_widths)
        flat = [stage < flat_stages for stage in range(len(widths))]
        kernels: list[Size] = [(1, 3, 3) if f else (3, 3, 3) for f in flat]
        steps: list[Size] = [(1, 2, 2) if f else (2, 2, 2) for f in flat[:-1]]
        self.multiple: Size = (
            math.prod(step[0] for step in steps),
            math.prod(step[1] for step in steps),
            math.prod(step[2] for step in steps),
        )
        self.down = nn.ModuleList(
            ConvolutionPair(above, width, kernel, step)
            for above, width, kernel, step in zip(
                [in_channels, *widths[:-1]], widths, kernels, [(1, 1, 1), *steps], strict=True
            )
        )
        finer = range(len(widths) - 2, -1, -1)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(widths[i + 1], widths[i], steps[i], steps[i], bias=False)
            for i in finer
        )
        self.merge = nn.ModuleList(
            ConvolutionPair(2 * widths[i], widths[i], kernels[i], (1, 1, 1)) for i in finer
        )
        outputs = finer if deep_supervision else (0,)
        self.heads = nn.ModuleList(nn.Conv3d(widths[i], out_channels, 1) for i in outputs)
        self.apply(_initialise)

    def forward(self, volumes: Tensor) -> Tensor:
        """Logits of volumes of any size.

        Args:
            volumes: (N, in_channels, D, H, W) float.

        Returns:
            (N, out_channels, D, H, W) logits; a sigmoid makes probabilities of them.
        """
        return self._cut(self.heads[-1](self._features(volumes)[-1]), volumes)

    def side_outputs(self, volumes: Tensor) -> tuple[Tensor, ...]:
        """The logits of every stage but the coarsest at the volume's own size, the finest first.

        Args:
            volumes: (N, in_channels, D, H, W) float.

        Returns:
            Tensors of (N, out_channels, D, H, W), as many as there are stages less one, or one
            without deep supervision; the first is what `forward` gives.
        """
        features = self._features(volumes)[-len(self.heads) :]
        logits = [head(maps) for head, maps in zip(self.heads, features, strict=True)]
        size = logits[-1].shape[2:]
        whole = [
            maps
            if maps.shape[2:] == size
            else functional.interpolate(maps, size, mode="trilinear", align_corners=False)
            for maps in logits
        ]
        return tuple(self._cut(maps, volumes) for maps in reversed(whole))

    def _features(self, volumes: Tensor) -> list[Tensor]:
        """The maps of the expanding path, the coarsest first."""
        x = _pad(volumes, self.multiple)
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        skips.pop()  # the bottom is no skip
        found = []
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([skips.pop(), up(x)], dim=1))
            found.append(x)
        return found

    @staticmethod
    def _cut(logits: Tensor, volumes: Tensor) -> Tensor:
        depth, height, width = volumes.shape[2:]
        return logits[..., :depth, :height, :width]


def _pad(volumes: Tensor, multiple: Size) -> Tensor:
    """Repeat the last slice, row and column until each side is a multiple of its own number."""
    lacking = [-side % m for side, m in zip(volumes.shape[2:], multiple, strict=True)]
    if not any(lacking):
        return volumes
    behind, below, right = lacking
    return functional.pad(volumes, (0, right, 0, below, 0, behind), mode="replicate")


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, a=SLOPE, mode="fan_in", nonlinearity="leaky_relu")
    elif isinstance(module, nn.ConvTranspose3d):
        # windows do not overlap: each output sees one tap of every input channel
        nn.init.normal_(module.weight, std=math.sqrt(1.0 / module.in_channels))
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d) and module.bias is not None:
        nn.init.zeros_(module.bias)
