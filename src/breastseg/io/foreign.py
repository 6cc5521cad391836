"""Kinds of images that are known and not read: each is named, none is passed over without a word.

Told by content, and in a folder by suffix as well. What may hold frames, as an animated image, a
film or a volume in two files does, is not read in part. Documents (PDF), archives and icons are no
images of a patient: a folder may hold them, and a file of that kind says what it is when opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNMARKED = rb"(?!)"
_TO_PNG = "convert it to PNG"
_FRAMES = "export its frames as PNG, or the loop as DICOM"
_TO_NIFTI = "export it as .nii.gz"


@dataclass(frozen=True)
class Foreign:
    """A kind of file that is not read.

    Attributes:
        what: with its article.
        remedy: what to do with such a file.
        start: regular expression for its first bytes; of what has no sure mark it matches nothing.
        suffixes: of its files, in small letters.
    """

    what: str
    remedy: str
    start: bytes
    suffixes: tuple[str, ...] = ()


_IMAGES = (
    Foreign("a GIF image", _FRAMES, rb"GIF8", (".gif",)),
    Foreign("a WebP image", _FRAMES, rb"RIFF....WEBP", (".webp",)),
    Foreign(
        "a JPEG 2000 image",
        _TO_PNG,
        rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
        (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jpm"),
    ),
    Foreign("a JPEG XL image", _TO_PNG, rb"\0\0\0\x0cJXL |\xff\x0a", (".jxl",)),
    Foreign("an HEIF image", _TO_PNG, rb"\0...ftyp(?:hei|hev|mif|msf)", (".heic", ".heif", ".hif")),
    Foreign("an AVIF image", _TO_PNG, rb"\0...ftypavi", (".avif", ".avifs")),
    Foreign(
        "a Netpbm image",
        _TO_PNG,
        rb"P[1-6][ \t\r\n]+(?:#[^\n]*\n\s*)*\d+\s+\d+\s|P7\nWIDTH|P[Ff]\n\d",
        (".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm"),
    ),
    Foreign("a Photoshop image", _TO_PNG, rb"8BPS", (".psd", ".psb")),
    Foreign("a GIMP image", _TO_PNG, rb"gimp xcf", (".xcf",)),
    Foreign("an OpenEXR image", _TO_PNG, rb"\x76\x2f\x31\x01", (".exr",)),
    Foreign("a Targa or PCX image", _TO_PNG, _UNMARKED, (".tga", ".pcx")),
    Foreign("an SVG drawing", _TO_PNG, rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<svg", (".svg",)),
    Foreign("an AVI film", _FRAMES, rb"RIFF....AVI ", (".avi",)),
    Foreign("a film", _FRAMES, rb"\0...(?:ftyp|moov)", (".mp4", ".m4v", ".mov", ".3gp")),
    Foreign("a Matroska film", _FRAMES, rb"\x1a\x45\xdf\xa3", (".mkv", ".webm")),
    Foreign("a Windows Media film", _FRAMES, rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", (".wmv",)),
    Foreign("an MPEG film", _FRAMES, rb"\0\0\x01[\xba\xb3]", (".mpg", ".mpeg")),
    Foreign(
        "the header of a NIfTI or Analyze volume whose voxels lie in another file",
        _TO_NIFTI,
        rb"\x5c\x01\0\0|\0\0\x01\x5c|\x1c\x02\0\0ni2\0|\0\0\x02\x1cni2\0",
    ),
    Foreign("an MGH or MINC volume", _TO_NIFTI, _UNMARKED, (".mgh", ".mgz", ".mnc")),
)
_OTHERS = (
    Foreign("a gzip archive that holds no NIfTI volume", "unpack it", rb"\x1f\x8b"),
    Foreign("a PDF document", "extract the image from it", rb"%PDF"),
    Foreign("a ZIP archive", "unpack it", rb"PK\x03\x04"),
)

FOREIGN_SUFFIXES = tuple(suffix for kind in _IMAGES for suffix in kind.suffixes)
"""How images that are not read are called."""


def foreign_image(head: bytes) -> Foreign | None:
    """The kind of image that a file which is not read begins like; None for any other file."""
    return _first(_IMAGES, head)


def foreign_kind(head: bytes) -> Foreign | None:
    """The same for documents and archives too, of which a message can say more than of nothing."""
    return _first((*_IMAGES, *_OTHERS), head)


def _first(kinds: tuple[Foreign, ...], head: bytes) -> Foreign | None:
    return next((kind for kind in kinds if re.match(kind.start, head, re.DOTALL)), None)
