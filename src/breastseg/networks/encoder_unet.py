"""A U-Net whose contracting path is an image classifier that can come pretrained.

O. Ronneberger, P. Fischer, T. Brox: U-Net: Convolutional Networks for Biomedical Image
Segmentation. MICCAI 2015. https://doi.org/10.1007/978-3-319-24574-4_28. Its expanding path is here:
each block enlarges the map, sees the encoder's map of that size beside it and computes two 3x3
convolutions. Enlarging repeats pixels, as segmentation-models-pytorch does, where the paper learns
an up-convolution; batch normalisation follows each convolution.
"""

from __future__ import annotations

from breastseg.networks.encoder_network import EncoderNetwork


class EncoderUNet(EncoderNetwork):
    """A U-Net on a classifier's features; its weights start at random (see `weights`).

    The arguments are those of `EncoderNetwork`.
    """
