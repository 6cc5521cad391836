"""The coded concepts of the objects, and how the method is named in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.sr.coding import Code

from breastseg.core.provenance import Provenance

if TYPE_CHECKING:
    from highdicom import AlgorithmIdentificationSequence
    from pydicom import Dataset

MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
MASS = Code("4147007", "SCT", "Mass")
BREAST = Code("76752008", "SCT", "Breast")
SIDES = {"L": Code("7771000", "SCT", "Left"), "R": Code("24028007", "SCT", "Right")}
SEGMENTATION = Code("113076", "DCM", "Segmentation")
SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")
PIXELS = Code("{pixels}", "UCUM", "pixels")

_NETWORK = Code("123110", "DCM", "Artificial Intelligence")
_FAMILIES = {
    Code("123103", "DCM", "Edge Detection"): ("canny", "sobel", "edge-linking"),
    Code("123105", "DCM", "Histogram Analysis"): ("otsu", "multi-otsu", "max-entropy"),
    Code("123107", "DCM", "Cluster Analysis"): ("k-means", "fuzzy-c-means", "slic"),
}
_OTHER = Code("123101", "DCM", "Neighborhood Analysis")


def algorithm_family(provenance: Provenance) -> Code:
    """The family of the method, of CID 7162 of DICOM PS3.16."""
    if provenance.weights_sha256:
        return _NETWORK
    name = provenance.segmenter
    return next((code for code, names in _FAMILIES.items() if name in names), _OTHER)


def algorithm_parameters(provenance: Provenance) -> dict[str, str]:
    """The parameters in force and the digest of the weights, as text."""
    said = {name: str(value) for name, value in sorted(provenance.parameters.items())}
    if provenance.weights_sha256:
        said["weights_sha256"] = provenance.weights_sha256
    return said


def algorithm_identification(provenance: Provenance) -> AlgorithmIdentificationSequence:
    """Name, family, version and parameters; DICOM PS3.3 10.16."""
    from highdicom import AlgorithmIdentificationSequence

    return AlgorithmIdentificationSequence(
        provenance.segmenter[:64],
        algorithm_family(provenance),
        provenance.version[:64],
        "breastseg",
        algorithm_parameters(provenance),
    )


def code_item(code: Code) -> Dataset:
    """A code as an item of a code sequence."""
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
