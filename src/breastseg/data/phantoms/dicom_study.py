"""What the objects of all synthetic DICOM studies have in common."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.grid import Grid

if TYPE_CHECKING:
    from pydicom import Dataset

Pixels = NDArray[np.unsignedinteger]
Truth = NDArray[np.bool_]

_EXPLICIT = "1.2.840.10008.1.2.1"
_IMPLEMENTATION = "2.25.216105853254389104273948163017421"


@dataclass(frozen=True, eq=False)
class DicomPhantom:
    """The objects of one synthetic series and the ground truth of its lesions.

    Attributes:
        name: of its folder.
        objects: DICOM data sets: one for images, one a slice for MRI, in no order.
        truth: True on the lesions: (rows, columns), or with an axis of frames or slices before.
        grid: of the volume, for MRI; None for images.
    """

    name: str
    objects: tuple[Dataset, ...]
    truth: Truth
    grid: Grid | None = None


@dataclass(frozen=True)
class Study:
    """Where identifiers and the patient come from."""

    seed: int
    number: int

    def uid(self, *words: object) -> str:
        """An identifier of the study, the same for the same words."""
        text = " ".join(map(str, ("breastseg phantom", self.seed, self.number, *words)))
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, text).int}"

    def dataset(self, sop_class: str, modality: str, series: int, instance: int) -> Dataset:
        """Everything of an object but its pixels."""
        from pydicom import Dataset
        from pydicom.dataset import FileMetaDataset
        from pydicom.uid import UID

        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = UID(_EXPLICIT)
        one.file_meta.ImplementationClassUID = UID(_IMPLEMENTATION)
        one.SpecificCharacterSet = "ISO_IR 192"
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = UID(sop_class)
        uid = UID(self.uid("instance", series, instance))
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = uid
        one.StudyInstanceUID = self.uid("study")
        one.SeriesInstanceUID = self.uid("series", series)
        one.PatientName, one.PatientID = f"Phantom^Number {self.number}", f"PH{self.number:04d}"
        one.PatientBirthDate, one.PatientSex = "19700101", "F"
        one.StudyID, one.AccessionNumber = str(self.number), f"ACC{self.seed}{self.number:03d}"
        one.StudyDate = one.ContentDate = one.AcquisitionDate = one.SeriesDate = "20250301"
        one.StudyTime, one.SeriesTime = "101500", f"10{15 + series:02d}00"
        one.ContentTime = one.AcquisitionTime = one.SeriesTime
        one.ReferringPhysicianName = ""
        one.StudyDescription = "Synthetic breast phantom"
        one.SeriesDescription = f"{'dynamic' if modality == 'MR' else 'phantom'} series {series}"
        one.Modality, one.SeriesNumber, one.InstanceNumber = modality, series, instance
        one.BodyPartExamined, one.Laterality, one.PatientOrientation = "BREAST", "L", ""
        one.Manufacturer, one.ManufacturerModelName = "breastseg", "phantom"
        return one


def with_pixels(one: Dataset, pixels: Pixels, colour: bool = False, bits: int = 0) -> Dataset:
    """Put (rows, columns), with axes for frames before and for colours after, into an object."""
    if pixels.ndim == 3 and not colour:
        one.NumberOfFrames = len(pixels)
    one.Rows, one.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
    one.SamplesPerPixel = 3 if colour else 1
    one.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        one.PlanarConfiguration = 0
    one.BitsAllocated = 8 * pixels.dtype.itemsize
    one.BitsStored = bits or one.BitsAllocated
    one.HighBit, one.PixelRepresentation = one.BitsStored - 1, 0
    data = np.ascontiguousarray(pixels).tobytes()
    one.PixelData = data + b"\0" * (len(data) % 2)
    one["PixelData"].VR = "OB" if one.BitsAllocated == 8 else "OW"
    return one


def code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    """A coded concept, of SNOMED CT by default."""
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def oblique() -> tuple[float, ...]:
    """Axes turned by 20 degrees about the slices' normal, then by 15 about the rows."""
    turn, tilt = np.deg2rad(20), np.deg2rad(15)
    about_z = [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    about_x = [[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]]
    return tuple((np.array(about_x) @ np.array(about_z)).ravel().tolist())
