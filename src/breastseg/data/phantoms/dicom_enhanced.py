"""Synthetic objects whose frames are slices in space: tomosynthesis and enhanced MR.

Neither has its frames in the order of their places: those of tomosynthesis count from the top down,
those of the MRI are shuffled across its two phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.grid import Grid
from breastseg.data.phantoms.dicom_study import (
    DicomPhantom,
    Study,
    code,
    oblique,
    with_pixels,
)
from breastseg.data.phantoms.volume import volume_phantom

if TYPE_CHECKING:
    from pydicom import Dataset

_TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
_ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
_PRESENTED_MAMMOGRAM = "1.2.840.10008.5.1.4.1.1.1.2"
_BREAST = ("76752008", "Breast")
_FRAME_KIND = {
    "PixelPresentation": "MONOCHROME",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
}
_PULSE = {
    "PatientPosition": "HFP",
    "AcquisitionDateTime": "20250301101700",
    "AcquisitionDuration": 60.0,
    "ResonantNucleus": "1H",
    "MagneticFieldStrength": 1.5,
    "KSpaceFiltering": "NONE",
    "ApplicableSafetyStandardAgency": "IEC",
    "PulseSequenceName": "phantom",
    "MRAcquisitionType": "3D",
    "EchoPulseSequence": "GRADIENT",
    "MultiPlanarExcitation": "NO",
    "PhaseContrast": "NO",
    "TimeOfFlightContrast": "NO",
    "SteadyStatePulseSequence": "NONE",
    "EchoPlanarPulseSequence": "NO",
    "SaturationRecovery": "NO",
    "SpectrallySelectedSuppression": "NONE",
    "OversamplingPhase": "NONE",
    "GeometryOfKSpaceTraversal": "RECTILINEAR",
    "RectilinearPhaseEncodeReordering": "LINEAR",
    "SegmentedKSpaceTraversal": "SINGLE",
    "CoverageOfKSpace": "FULL",
    "NumberOfKSpaceTrajectories": 1,
}
"""How the signal was made, as far as original images must say; DICOM PS3.3 C.8.13."""

_MR_GROUPS: dict[str, dict[str, object]] = {
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": 5.0,
        "FlipAngle": 10.0,
        "EchoTrainLength": 1,
        "RFEchoTrainLength": 0,
        "GradientEchoTrainLength": 1,
    },
    "MRFOVGeometrySequence": {
        "InPlanePhaseEncodingDirection": "ROW",
        "MRAcquisitionFrequencyEncodingSteps": 66,
        "MRAcquisitionPhaseEncodingStepsInPlane": 48,
        "MRAcquisitionPhaseEncodingStepsOutOfPlane": 11,
        "PercentSampling": 100.0,
        "PercentPhaseFieldOfView": 100.0,
    },
    "MREchoSequence": {"EffectiveEchoTime": 2.0},
    "MRModifierSequence": {
        "InversionRecovery": "NO",
        "FlowCompensation": "NONE",
        "Spoiling": "RF",
        "T2Preparation": "NO",
        "SpectrallySelectedExcitation": "NONE",
        "SpatialPresaturation": "NONE",
        "PartialFourier": "NO",
        "ParallelAcquisition": "NO",
    },
    "MRImagingModifierSequence": {
        "MagnetizationTransfer": "NONE",
        "BloodSignalNulling": "NO",
        "Tagging": "NONE",
        "TransmitterFrequency": 63.87,
        "PixelBandwidth": 400.0,
    },
    "MRReceiveCoilSequence": {
        "ReceiveCoilName": "breast",
        "ReceiveCoilManufacturerName": "",
        "ReceiveCoilType": "VOLUME",
        "QuadratureReceiveCoil": "YES",
    },
    "MRTransmitCoilSequence": {
        "TransmitCoilName": "body",
        "TransmitCoilManufacturerName": "",
        "TransmitCoilType": "BODY",
    },
    "MRAveragesSequence": {"NumberOfAverages": 1.0},
}
"""The functional groups of original MR frames; DICOM PS3.3 A.36.2."""


def tomosynthesis(generator: np.random.Generator, study: Study) -> DicomPhantom:
    """Nine slices of a left breast from the side, the lesion in the lower corner of four of them.

    It is the second series of its study, whose first is the mammogram.
    """
    grid = Grid((9, 181, 127), (3.0, 0.8, 0.8), (20.0, -140.0, 35.0), _medio_lateral())
    depth, down, across = np.indices(grid.shape)
    breast = ((down - 75) / 95) ** 2 + (across / 103) ** 2 < 1 - ((depth - 4) / 9) ** 2
    truth = ((depth - 1.4) / 2.2) ** 2 + ((down - 159) / 7) ** 2 + ((across - 15) / 9) ** 2 < 1
    level = 1400 + 60 * generator.standard_normal(grid.shape)
    level = np.where(truth, 2600, np.where(breast, level, 0))
    order = np.arange(grid.shape[0])[::-1]
    one = study.dataset(_TOMOSYNTHESIS, "MG", 2, 1)
    with_pixels(one, np.clip(level, 0, 4095).astype(np.uint16)[order], bits=12)
    _enhanced(one, study)
    one.ViewCodeSequence = [code("399368009", "medio-lateral oblique")]
    one.ViewCodeSequence[0].ViewModifierCodeSequence = []
    one.BreastImplantPresent = "NO"
    one.ImageType = kind = ["ORIGINAL", "PRIMARY", "TOMOSYNTHESIS", "NONE"]
    shared = _shared(one, grid, "L", (2048, 4096))
    shared.ReferencedImageSequence = [_mammogram(study)]
    one.ReferencedImageEvidenceSequence = [_evidence(study)]
    _stack(one, grid, [(int(index), 0) for index in order])
    for group in one.PerFrameFunctionalGroupsSequence:
        group.XRay3DFrameTypeSequence = [_group(FrameType=kind, **_FRAME_KIND)]
    return DicomPhantom("mg-tomo", (one,), truth[order])


def enhanced_mr(generator: np.random.Generator, study: Study) -> DicomPhantom:
    """Two phases in one object, oblique."""
    case = volume_phantom(generator, (11, 48, 66), (3.2, 1.2, 0.9), phases=2, label="malignant")
    image, mask = case.images[0], case.mask
    assert mask is not None
    grid = replace(image.grid, origin_mm=(18.5, -52.0, -9.25), direction=oblique())
    order = generator.permutation(2 * grid.shape[0])
    frames = [(int(at) % grid.shape[0], int(at) // grid.shape[0]) for at in order]
    values = image.array.astype(np.uint16).reshape(-1, *grid.shape[1:])[order]
    one = with_pixels(study.dataset(_ENHANCED_MR, "MR", 1, 1), values)
    _enhanced(one, study)
    one.ImageType = kind = ["ORIGINAL", "PRIMARY", "DYNAMIC", "NONE"]
    contrast = {"ComplexImageComponent": "MAGNITUDE", "AcquisitionContrast": "T1"}
    for keyword, value in (*contrast.items(), *_PULSE.items()):
        setattr(one, keyword, value)
    shared = _shared(one, grid, "U", (600, 1200))
    for keyword, values_of in _MR_GROUPS.items():
        setattr(shared, keyword, [_group(**values_of)])
    timing = shared.MRTimingAndRelatedParametersSequence[0]
    timing.OperatingModeSequence = [
        _group(OperatingModeType="GRADIENT", OperatingMode="IEC_NORMAL"),
        _group(OperatingModeType="RF", OperatingMode="IEC_NORMAL"),
        _group(OperatingModeType="STATIC FIELD", OperatingMode="IEC_NORMAL"),
    ]
    timing.SpecificAbsorptionRateSequence = [
        _group(SpecificAbsorptionRateDefinition="IEC_WHOLE_BODY", SpecificAbsorptionRateValue=0.1)
    ]
    timing.GradientOutputType, timing.GradientOutput = "DB_DT", 0.0
    _stack(one, grid, frames)
    for group in one.PerFrameFunctionalGroupsSequence:
        group.MRImageFrameTypeSequence = [_group(FrameType=kind, **_FRAME_KIND, **contrast)]
    return DicomPhantom("mr-enhanced", (one,), mask.foreground, grid)


def _medio_lateral() -> tuple[float, ...]:
    """Slices tilted by 45 degrees: their columns go to the front, their rows down and inwards."""
    slant = float(np.sqrt(0.5))
    column, row = (0.0, -1.0, 0.0), (-slant, 0.0, -slant)  # (x, y, z)
    normal = np.cross(column, row)
    axes = np.column_stack([normal, row, column])[::-1]  # (z, y, x) of slice, row, column
    return tuple(float(value) for value in axes.ravel())


def _group(**values: object) -> Dataset:
    """A data set of these attributes."""
    from pydicom import Dataset

    one = Dataset()
    for keyword, value in values.items():
        setattr(one, keyword, value)
    return one


def _enhanced(one: Dataset, study: Study) -> None:
    """What enhanced objects of all kinds state."""
    del one.Laterality  # stated for the frames
    one.FrameOfReferenceUID = study.uid("frame of reference", one.SeriesNumber)
    one.PositionReferenceIndicator = ""
    one.DeviceSerialNumber, one.SoftwareVersions = "1", "1"
    one.ContentQualification, one.BurnedInAnnotation = "RESEARCH", "NO"
    one.LossyImageCompression, one.PresentationLUTShape = "00", "IDENTITY"
    one.AcquisitionContextSequence = []
    del one.PatientOrientation, one.AcquisitionDate, one.AcquisitionTime
    for keyword, value in _FRAME_KIND.items():
        setattr(one, keyword, value)


def _shared(one: Dataset, grid: Grid, side: str, window: tuple[int, int]) -> Dataset:
    """The shared functional groups, with scale, orientation, anatomy, window and values."""
    assert grid.direction is not None
    assert grid.spacing_mm is not None
    axes = np.reshape(grid.direction, (3, 3))[::-1]
    step, row, column = grid.spacing_mm
    shared = _group(
        PixelMeasuresSequence=[_group(PixelSpacing=[row, column], SliceThickness=step)],
        PlaneOrientationSequence=[
            _group(ImageOrientationPatient=[f"{v:.10f}" for v in (*axes[:, 2], *axes[:, 1])])
        ],
        FrameAnatomySequence=[
            _group(FrameLaterality=side, AnatomicRegionSequence=[code(*_BREAST)])
        ],
        FrameVOILUTSequence=[_group(WindowCenter=window[0], WindowWidth=window[1])],
        PixelValueTransformationSequence=[
            _group(RescaleIntercept=0, RescaleSlope=1, RescaleType="US")
        ],
    )
    one.SharedFunctionalGroupsSequence = [shared]
    return shared


def _stack(one: Dataset, grid: Grid, frames: Sequence[tuple[int, int]]) -> None:
    """The frames, each a slice and a phase."""
    from pydicom.tag import Tag

    from breastseg.io.volume import positions_mm

    organization = f"{one.SOPInstanceUID}.1"
    one.DimensionOrganizationSequence = [_group(DimensionOrganizationUID=organization)]
    one.DimensionIndexSequence = [
        _group(
            DimensionOrganizationUID=organization,
            FunctionalGroupPointer=Tag("FrameContentSequence"),
            DimensionIndexPointer=Tag(keyword),
        )
        for keyword in ("StackID", "TemporalPositionIndex", "InStackPositionNumber")
    ]
    groups = []
    for index, phase in frames:
        place: NDArray[np.float64] = positions_mm(grid, np.array([(index, 0, 0)]))[0]
        begun = f"202503011017{30 * phase:02d}"
        content = _group(
            FrameAcquisitionNumber=phase + 1,
            FrameReferenceDateTime=begun,
            FrameAcquisitionDateTime=begun,
            FrameAcquisitionDuration=20.0,
            StackID="1",
            InStackPositionNumber=index + 1,
            TemporalPositionIndex=phase + 1,
            DimensionIndexValues=[1, phase + 1, index + 1],
        )
        position = _group(ImagePositionPatient=[f"{value:.8f}"[:16] for value in place.tolist()])
        groups.append(_group(FrameContentSequence=[content], PlanePositionSequence=[position]))
    one.PerFrameFunctionalGroupsSequence = groups


def _mammogram(study: Study) -> Dataset:
    """A reference to the mammogram of the same study, as what was looked at for this one."""
    return _group(
        ReferencedSOPClassUID=_PRESENTED_MAMMOGRAM,
        ReferencedSOPInstanceUID=study.uid("instance", 1, 1),
        PurposeOfReferenceCodeSequence=[code("121311", "Localizer", "DCM")],
    )


def _evidence(study: Study) -> Dataset:
    """The same in its series and study."""
    instance = _mammogram(study)
    series = _group(SeriesInstanceUID=study.uid("series", 1), ReferencedSOPSequence=[instance])
    return _group(StudyInstanceUID=study.uid("study"), ReferencedSeriesSequence=[series])
