"""DICOM secondary capture: the image with contours and diameters drawn into it, as a last resort.

For viewers that show neither a segmentation nor a presentation state. "Research use only" is burned
in. Multi-frame True Color Secondary Capture (DICOM PS3.3 A.8.5), a frame for each image or frame
that shows a lesion; a single one is a Secondary Capture Image (A.8.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.reference import FrameReference
from breastseg.dicom.codes import SOURCE_IMAGE, code_item
from breastseg.dicom.derived import RESEARCH, derived_dataset, sop_reference
from breastseg.dicom.subject import Subject
from breastseg.dicom.uids import identify
from breastseg.measure.finding import Finding
from breastseg.results.drawing import drawn

if TYPE_CHECKING:
    from pydicom import Dataset

SINGLE = "1.2.840.10008.5.1.4.1.1.7"
MULTI = "1.2.840.10008.5.1.4.1.1.7.4"

_SERIES = 9105
_MIN_BAND_PX = 14


@dataclass(frozen=True, eq=False)
class Drawn:
    """An image with what was found drawn into it.

    Attributes:
        frame: where it came from.
        pixels: (rows, columns, 3) uint8.
    """

    frame: FrameReference
    pixels: NDArray[np.uint8]


def drawn_over(image: Image, prediction: Prediction, found: Sequence[Finding]) -> Drawn:
    """Draw what the overlay shows, and below it what it is for; black where nothing was looked at.

    Args:
        image: with a reference.
        prediction: what was found.
        found: its lesions.
    """
    assert image.reference is not None
    pixels = drawn(image, prediction, found)
    return Drawn(image.reference.frames[0], np.concatenate([pixels, _band(pixels.shape[1])]))


def capture(subject: Subject, frames: Sequence[Drawn]) -> Dataset:
    """Make the object.

    Args:
        subject: the lesions.
        frames: the images, at least one, all of one size.

    Returns:
        A data set ready to be saved, explicit VR little endian.
    """
    multi = len(frames) > 1
    one = derived_dataset(subject, MULTI if multi else SINGLE, "OT", _SERIES)
    one.ConversionType, one.BurnedInAnnotation = "WSD", "YES"
    one.ImageType = ["DERIVED", "SECONDARY"]
    one.DerivationDescription = f"Contours drawn by {subject.provenance.segmenter}. {RESEARCH}"
    one.Laterality, one.PatientOrientation = subject.side, ""
    if multi:
        one.NumberOfFrames = len(frames)
        one.FrameIncrementPointer = 0x00182002
        one.FrameLabelVector = [_label(each.frame) for each in frames]
    one.SourceImageSequence = []
    for each in frames:
        item = sop_reference(each.frame.class_uid, each.frame.instance_uid, each.frame.number)
        item.PurposeOfReferenceCodeSequence = [code_item(SOURCE_IMAGE)]
        one.SourceImageSequence.append(item)
    pixels = np.stack([each.pixels for each in frames])
    one.Rows, one.Columns = pixels.shape[1:3]
    one.SamplesPerPixel, one.PhotometricInterpretation, one.PlanarConfiguration = 3, "RGB", 0
    one.BitsAllocated = one.BitsStored = 8
    one.HighBit, one.PixelRepresentation = 7, 0
    data = pixels.tobytes()
    one.PixelData = data + b"\0" * (len(data) % 2)
    one["PixelData"].VR = "OB"
    identify(one)
    return one


def _label(frame: FrameReference) -> str:
    return f"frame {frame.number or 1}"


def _band(columns: int) -> NDArray[np.uint8]:
    """A black band with the words in it, as wide as the image."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    size = max(_MIN_BAND_PX, columns // 24)
    font = ImageFont.load_default(size)
    width = int(font.getlength(RESEARCH)) + 8
    if width > columns:  # a small image: smaller letters, but all of them
        size = max(6, size * columns // width)
        font = ImageFont.load_default(size)
    picture = Pillow.new("RGB", (columns, size + 8))
    ImageDraw.Draw(picture).text((4, 2), RESEARCH, fill=(255, 255, 255), font=font)
    return np.asarray(picture)
