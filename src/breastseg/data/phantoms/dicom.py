"""Synthetic DICOM studies with exactly known lesions: ultrasound, mammogram and MRI.

For trying what works on DICOM where no patient's image may be used. Nothing in them is symmetric:
rows and columns differ in number, a lesion lies in a corner, and the MRI is oblique, its files
in no order, so that a result that is flipped, turned or shifted does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.data.phantoms.dicom_enhanced import enhanced_mr, tomosynthesis
from breastseg.data.phantoms.dicom_study import (
    DicomPhantom,
    Pixels,
    Study,
    Truth,
    code,
    oblique,
    with_pixels,
)
from breastseg.data.phantoms.ultrasound.phantom import Label, make_phantom
from breastseg.data.phantoms.volume import volume_phantom
from breastseg.io.write import replacing, write_png

if TYPE_CHECKING:
    from pydicom import Dataset

_STILL = "1.2.840.10008.5.1.4.1.1.6.1"
_CINE = "1.2.840.10008.5.1.4.1.1.3.1"
_MAMMOGRAM = "1.2.840.10008.5.1.4.1.1.1.2"
_MR = "1.2.840.10008.5.1.4.1.1.4"
_LESION_MARGIN = 5


def dicom_phantoms(seed: int) -> Iterator[DicomPhantom]:
    """One of each kind: ultrasound, mammogram, tomosynthesis, classic and enhanced MRI.

    Args:
        seed: the same seed gives the same objects, identifiers included.
    """
    return (dicom_phantom(name, seed) for name in _makers())


def dicom_phantom(name: str, seed: int) -> DicomPhantom:
    """The one of a kind.

    Args:
        name: us-still, us-cine, us-colour, mg, mr, mg-tomo or mr-enhanced.
        seed: as for `dicom_phantoms`.

    Raises:
        InputError: another name.
    """
    makers = _makers()
    if name not in makers:
        raise InputError(f"no DICOM phantom {name!r}", f"one of {', '.join(makers)}")
    number = list(makers).index(name) + 1
    study = Study(seed, list(makers).index("mg") + 1 if name == "mg-tomo" else number)
    return makers[name](np.random.default_rng([seed, number]), study)


def _makers() -> dict[str, Callable[[np.random.Generator, Study], DicomPhantom]]:
    return {
        "us-still": _still,
        "us-cine": _cine,
        "us-colour": _colour,
        "mg": _mammogram,
        "mr": _mri,
        "mg-tomo": tomosynthesis,
        "mr-enhanced": enhanced_mr,
    }


def write_dicom_phantoms(folder: Path, seed: int) -> list[Path]:
    """Write one of each kind, with the ground truth in a folder of its own.

    Args:
        folder: gets ``studies/NAME/*.dcm`` and ``truth/NAME.png``, of a cine one a frame
            (``NAME_f0001.png``) and of MRI ``NAME.nii.gz``.
        seed: of the objects.

    Returns:
        The folders of the series.

    Raises:
        InputError: the folder cannot be written.
    """
    from breastseg.io.volume import write_volume

    written = []
    for phantom in dicom_phantoms(seed):
        written.append(folder / "studies" / phantom.name)
        for number, one in enumerate(phantom.objects, start=1):
            with replacing(written[-1] / f"{number:04d}.dcm") as temporary:
                one.save_as(temporary, enforce_file_format=True)
        truth = folder / "truth" / phantom.name
        if phantom.grid is not None:
            write_volume(phantom.truth.astype(np.uint8), phantom.grid, Path(f"{truth}.nii.gz"))
        elif phantom.truth.ndim == 3:
            for number, mask in enumerate(phantom.truth, start=1):
                write_png(Path(f"{truth}_f{number:04d}.png"), mask)
        else:
            write_png(Path(f"{truth}.png"), phantom.truth)
    return written


def _cornered(generator: np.random.Generator, label: Label) -> tuple[Pixels, Truth, float]:
    """A scan that is cut so that its lesion lies in the upper left corner."""
    drawn = make_phantom(generator, label, (260, 330))
    rows, columns = np.nonzero(drawn.mask)
    part = np.s_[max(0, rows.min() - _LESION_MARGIN) :, max(0, columns.min() - _LESION_MARGIN) :]
    return drawn.image[part], drawn.mask[part], drawn.spacing_mm[0]


def _calibrated(one: Dataset, spacing_mm: float) -> None:
    """State the scale as an ultrasound machine does; DICOM PS3.3 C.8.5.5."""
    from pydicom import Dataset, Sequence

    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = one.Columns - 1, one.Rows - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = spacing_mm / 10
    one.SequenceOfUltrasoundRegions = Sequence([region])
    one.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]


def _still(generator: np.random.Generator, study: Study) -> DicomPhantom:
    image, truth, spacing_mm = _cornered(generator, "malignant")
    one = with_pixels(study.dataset(_STILL, "US", 1, 1), image)
    _calibrated(one, spacing_mm)
    return DicomPhantom("us-still", (one,), truth)


def _colour(generator: np.random.Generator, study: Study) -> DicomPhantom:
    """With a box of colour Doppler away from the lesion."""
    image, truth, spacing_mm = _cornered(generator, "benign")
    rows, columns = image.shape
    flow = np.s_[rows // 2 :, columns // 2 :]
    colours = np.stack([image] * 3, axis=2)
    colours[flow][..., 0] = np.maximum(colours[flow][..., 0], 120)
    colours[0, 0] = (255, 0, 0)  # so that it is in colour wherever it is cut
    one = with_pixels(study.dataset(_STILL, "US", 1, 1), colours, colour=True)
    _calibrated(one, spacing_mm)
    return DicomPhantom("us-colour", (one,), truth)


def _cine(generator: np.random.Generator, study: Study) -> DicomPhantom:
    """Six frames in which the lesion moves; the second and the last show none."""
    image, truth, spacing_mm = _cornered(generator, "benign")
    normal = make_phantom(generator, "normal", (260, 330)).image[: image.shape[0], : image.shape[1]]
    frames, masks = [], []
    for shift in range(6):
        shown = shift not in (1, 5)
        frames.append(np.roll(image, (2 * shift, 3 * shift), (0, 1)) if shown else normal)
        moved = np.roll(truth, (2 * shift, 3 * shift), (0, 1))
        masks.append(moved if shown else np.zeros_like(truth))
    one = with_pixels(study.dataset(_CINE, "US", 1, 1), np.stack(frames))
    _calibrated(one, spacing_mm)
    one.FrameTime, one.CineRate = 50, 20
    from pydicom.tag import Tag

    one.FrameIncrementPointer = Tag("FrameTime")
    return DicomPhantom("us-cine", (one,), np.stack(masks))


def _mammogram(generator: np.random.Generator, study: Study) -> DicomPhantom:
    """A left breast from the side, the chest wall at the left edge, the lesion at the lower rim."""
    shape = rows, columns = (361, 243)
    down, across = np.mgrid[:rows, :columns]
    breast = ((down - 150) / 190) ** 2 + (across / 205) ** 2 < 1
    truth = ((down - 318) / 13) ** 2 + ((across - 30) / 17) ** 2 < 1
    level = 1400 + 500 * np.exp(-(((down - 170) / 80) ** 2) - ((across - 90) / 70) ** 2)
    level = np.where(breast, level + 60 * generator.standard_normal(shape), 0)
    level = np.where(truth, level + 1100, level)
    one = study.dataset(_MAMMOGRAM, "MG", 1, 1)
    with_pixels(one, np.clip(level, 0, 4095).astype(np.uint16), bits=12)
    del one.Laterality  # stated for the image
    one.ImageLaterality, one.ViewPosition = "L", "MLO"
    one.PatientOrientation = ["A", "F"]
    one.PresentationIntentType = "FOR PRESENTATION"
    one.ImageType = ["ORIGINAL", "PRIMARY"]
    one.ImagerPixelSpacing = one.PixelSpacing = [0.4, 0.4]
    one.WindowCenter, one.WindowWidth = 2048, 4096
    one.RescaleIntercept, one.RescaleSlope, one.RescaleType = 0, 1, "US"
    one.PresentationLUTShape, one.BurnedInAnnotation = "IDENTITY", "NO"
    one.PixelIntensityRelationship, one.PixelIntensityRelationshipSign = "LOG", 1
    one.LossyImageCompression, one.DetectorType, one.OrganExposed = "00", "DIRECT", "BREAST"
    one.PositionerType, one.AcquisitionContextSequence = "MAMMOGRAPHIC", []
    one.AnatomicRegionSequence = [code("76752008", "Breast")]
    one.ViewCodeSequence = [code("399368009", "medio-lateral oblique")]
    one.ViewCodeSequence[0].ViewModifierCodeSequence = []
    return DicomPhantom("mg", (one,), truth)


def _mri(generator: np.random.Generator, study: Study) -> DicomPhantom:
    """Two phases as two series, oblique, the slices in no order."""
    case = volume_phantom(generator, (14, 52, 70), (3.0, 1.1, 0.9), phases=2, label="malignant")
    image, mask = case.images[0], case.mask
    assert mask is not None
    grid = replace(image.grid, origin_mm=(-31.0, 12.5, 47.25), direction=oblique())
    objects = [
        _mr_slice(study, grid, values.astype(np.uint16), phase, index)
        for phase, volume in enumerate(image.array)
        for index, values in enumerate(volume)
    ]
    order = generator.permutation(len(objects)).tolist()
    return DicomPhantom("mr", tuple(objects[at] for at in order), mask.foreground, grid)


def _mr_slice(study: Study, grid: Grid, values: Pixels, phase: int, index: int) -> Dataset:
    from breastseg.io.volume import positions_mm

    assert grid.direction is not None
    assert grid.spacing_mm is not None
    # the numbers fall along the normal, as those of some scanners do
    one = study.dataset(_MR, "MR", phase + 1, grid.shape[0] - index)
    one.Laterality, one.PatientPosition = "", "HFP"
    axes = np.reshape(grid.direction, (3, 3))[::-1]
    place: Sequence[float] = positions_mm(grid, np.array([(index, 0, 0)]))[0].tolist()
    one.FrameOfReferenceUID = study.uid("frame of reference")
    one.PositionReferenceIndicator = ""
    one.ImageOrientationPatient = [f"{v:.10f}" for v in (*axes[:, 2], *axes[:, 1])]
    one.ImagePositionPatient = [f"{v:.8f}"[:16] for v in place]
    one.PixelSpacing, one.SliceThickness = list(grid.spacing_mm[1:]), grid.spacing_mm[0]
    one.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    one.ScanningSequence, one.SequenceVariant, one.ScanOptions = "GR", "NONE", ""
    one.MRAcquisitionType, one.EchoTime, one.EchoTrainLength = "3D", 2, 1
    one.RepetitionTime, one.WindowCenter, one.WindowWidth = 5, 600, 1200
    return with_pixels(one, values)
