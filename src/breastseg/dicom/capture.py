"""DICOM secondary capture: the image with contours and diameters drawn into it, as a last resort.

For viewers that show neither a segmentation nor a presentation state. "Research use only" is burned
in. Multi-frame True Color Secondary Capture (DICOM PS3.3 A.8.5), a frame for each image or frame
that shows a lesion; a single one is a Secondary Capture Image (A.8.1).
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
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


class Drawings:
    """The images of one file with what was found drawn into them, on the disk: a loop has many.

    Attributes:
        frames: where each came from.
        pixels: the file with (rows, columns, 3) uint8 of each, until this object goes.
        shape: rows and columns of all of them.
    """

    def __init__(self) -> None:
        self.frames: list[FrameReference] = []
        self.pixels = tempfile.TemporaryFile()  # noqa: SIM115 -- closed when this object goes
        self.shape = (0, 0)
        weakref.finalize(self, self.pixels.close)

    def add(self, image: Image, prediction: Prediction, found: Sequence[Finding]) -> None:
        """Draw what the overlay shows, and below it what it is for; black where nothing was seen.

        Args:
            image: with a reference; all of one size.
            prediction: what was found.
            found: its lesions.
        """
        assert image.reference is not None
        pixels = drawn(image, prediction, found)
        pixels = np.concatenate([pixels, _band(pixels.shape[1])])
        self.shape = (pixels.shape[0], pixels.shape[1])
        self.pixels.write(pixels.tobytes())
        self.frames.append(image.reference.frames[0])

    def forget(self, frame: FrameReference) -> None:
        """Leave out what was drawn last, where it is of this frame."""
        if self.frames and self.frames[-1] == frame:
            del self.frames[-1]
            self.pixels.seek(3 * self.shape[0] * self.shape[1] * len(self.frames))
            self.pixels.truncate()


def capture(subject: Subject, drawings: Drawings) -> Dataset:
    """Make the object.

    Args:
        subject: the lesions.
        drawings: at least one, no more to come.

    Returns:
        A data set ready to be saved while `drawings` is there, explicit VR little endian.
    """
    frames = drawings.frames
    multi = len(frames) > 1
    one = derived_dataset(subject, MULTI if multi else SINGLE, "OT", _SERIES)
    one.ConversionType, one.BurnedInAnnotation = "WSD", "YES"
    one.ImageType = ["DERIVED", "SECONDARY"]
    one.DerivationDescription = f"Contours drawn by {subject.provenance.segmenter}. {RESEARCH}"
    one.Laterality, one.PatientOrientation = subject.side, ""
    if multi:
        one.NumberOfFrames = len(frames)
        one.FrameIncrementPointer = 0x00182002
        one.FrameLabelVector = [_label(each) for each in frames]
    one.SourceImageSequence = []
    for each in frames:
        item = sop_reference(each.class_uid, each.instance_uid, each.number)
        item.PurposeOfReferenceCodeSequence = [code_item(SOURCE_IMAGE)]
        one.SourceImageSequence.append(item)
    one.Rows, one.Columns = drawings.shape
    one.SamplesPerPixel, one.PhotometricInterpretation, one.PlanarConfiguration = 3, "RGB", 0
    one.BitsAllocated = one.BitsStored = 8
    one.HighBit, one.PixelRepresentation = 7, 0
    if drawings.pixels.tell() % 2:
        drawings.pixels.write(b"\0")
    one.PixelData = drawings.pixels
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
