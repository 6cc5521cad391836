"""What goes over the wire: the bodies of requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from breastseg.core.grid import STATED_MM
from breastseg.core.provenance import Scalar
from breastseg.results.schema import Document, plain

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Index = Annotated[int, Field(ge=0, lt=2**31)]
Coordinate = Annotated[int, Field(ge=-(2**20), lt=2**20)]
Point = tuple[Coordinate, Coordinate]
Spacing = Annotated[float, Field(ge=STATED_MM[0], le=STATED_MM[1])]


def _plain(document):  # type: ignore[no-untyped-def]
    return plain(document)


ResultsDocument = Annotated[Document, PlainSerializer(_plain)]
"""As ``results.json`` has it: what is not known is left out."""
State = Literal["queued", "running", "done", "failed", "cancelled"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong (RFC 9457): found, expected, and what to try."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    found: str = ""
    expected: str = ""
    try_next: str = ""


class Method(BaseModel):
    """A method that segments."""

    name: str
    kind: Literal["classical", "network"]
    summary: str
    source: str
    weakness: str
    trained_on: str
    modality: str
    dimensions: Literal[2, 3] = Field(description="2 for images, 3 for volumes")
    phases: int = Field(description="of a method for volumes, how many phases it takes; else 0")
    takes_prompt: bool
    gives_probability: bool = Field(description="false: its probability is 0 or 1")
    threshold: float | None = Field(description="operating point; null for a classical method")
    margins: tuple[float, ...] = Field(
        description="coverages for which it has calibrated margins; empty for most"
    )
    digest: str | None = Field(description="SHA-256 of the weights; null for a classical method")
    remarks: tuple[str, ...] = Field(
        description="to be shown before its first use and in every export"
    )
    parameters: dict[str, Any] = Field(description="JSON Schema of the parameters")


class ScaledPart(BaseModel):
    """A part of an image that has a scale of its own."""

    box: tuple[int, int, int, int] = Field(description="(row0, column0, row1, column1), half-open")
    spacing_mm: tuple[float, float] | None = Field(description="(row, column); null: not known")


class ImageInfo(BaseModel):
    """An image of a scan: a still, a cine loop, or a volume."""

    index: int
    name: str = Field(description="of its file, as it was uploaded")
    kind: Literal["image", "volume"]
    shape: tuple[int, ...] = Field(description="(rows, columns), or (slices, rows, columns)")
    frames: int = Field(description="frames of a cine loop, slices of a volume, else 1")
    channels: int = Field(description="1 grey, 3 RGB; of a volume its phases")
    dtype: str = Field(description="of the pixels, such as uint8, int16 or float32")
    low: float = Field(description="smallest value")
    high: float = Field(description="largest value")
    spacing_mm: tuple[float, ...] | None = Field(description="along each axis; null: not known")
    spacing_from: Literal["file", "user"] | None
    regions: tuple[ScaledPart, ...] = Field(
        description="parts with scales of their own; what lies in none has sizes in pixels"
    )
    modality: str
    view: str
    phases: tuple[str, ...]
    study_date: str = Field(description="YYYY-MM-DD as the file states it; empty: not stated")
    number: str = Field(
        description="series and place there as a DICOM file states them, such as 'series 3, "
        "image 12'; empty: not stated"
    )
    dicom: bool = Field(
        description="whether a DICOM SEG and SR can be made of a version: it came as DICOM"
    )
    remarks: tuple[str, ...]


class UploadProblem(BaseModel):
    """A file that could not be read."""

    name: str
    message: str


class ScanInfo(BaseModel):
    """A scan: what was uploaded together."""

    id: Id
    name: str
    created_at: datetime
    created_by: str
    images: tuple[ImageInfo, ...]
    problems: tuple[UploadProblem, ...] = Field(description="files that could not be read")


class Example(BaseModel):
    """A generated scan to try things on."""

    name: str
    summary: str


class SpacingRequest(_Request):
    """The spacing of an image whose file states none."""

    spacing_mm: tuple[Spacing, Spacing] = Field(description="(row, column)")


class PromptRequest(_Request):
    """What a person points at; coordinates are (row, column) in pixels of the image."""

    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = Field(
        default=None, description="(row0, column0, row1, column1), half-open"
    )
    inside: tuple[Point, ...] = Field(default=(), max_length=1000)
    outside: tuple[Point, ...] = Field(default=(), max_length=1000)
    scribble: str | None = Field(
        default=None,
        max_length=2**24,
        description="base64 of a grey PNG of the image's size: 1 lesion, 2 background, 0 unmarked",
    )


class SegmentationRequest(_Request):
    """An image and how it is to be segmented."""

    scan: Id
    image: Index = 0
    frame: Index | None = Field(
        default=None,
        description="of a cine loop or slice of a volume; null: all of them, as a job",
    )
    phase: Index = Field(default=0, description="that a slice of a volume shows")
    method: str = Field(max_length=100)
    parameters: dict[str, Scalar] = Field(
        default={}, description="of a classical method", max_length=100
    )
    preset: Literal["ultrasound", "mammography", "none"] = "ultrasound"
    prompt: PromptRequest | None = None
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="in place of the method's own"
    )
    margin: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None,
        description="also an inner and an outer contour of each lesion, each of which holds with "
        "this probability; one of the method's margins",
    )
    screenshot: bool = Field(
        default=False, description="look at the scan on an ultrasound screen alone"
    )
    force: bool = Field(default=False, description="also on another modality than the method's")


class SegmentationInfo(BaseModel):
    """A segmentation: its state, and its result once it is done."""

    id: Id
    state: State
    job: Id | None = Field(description="that computes it; null where it was done at once")
    message: str = Field(default="", description="with state failed, what went wrong")
    request: SegmentationRequest
    created_at: datetime
    created_by: str
    milliseconds: float | None = Field(
        default=None, description="that it took, where it was done now"
    )
    document: ResultsDocument | None = Field(
        default=None, description="as results.json, see its schema"
    )


class VersionInfo(BaseModel):
    """A mask that a person has kept; it never changes."""

    number: int = Field(description="from 1, of this frame")
    frame: int
    base: Id | None = Field(description="the segmentation that it started from")
    note: str
    seconds: float | None = Field(description="that the person took")
    created_at: datetime
    created_by: str
    document: ResultsDocument = Field(description="its measurements, as results.json")


class TrainingStep(BaseModel):
    """How far a training has come."""

    stage: Literal["training", "scoring"]
    epoch: int = Field(description="that was finished last; 0 before")
    epochs: int
    loss: float | None = Field(description="mean of that epoch; null before")


class JobInfo(BaseModel):
    """Work that outlasts a request."""

    id: Id
    kind: str
    state: State
    progress: float = Field(ge=0, le=1)
    message: str = Field(description="with state failed, what went wrong")
    waits_for: str = Field(description="what keeps it from going on; empty where nothing does")
    segmentation: Id | None = Field(description="that it computes; null for another kind")
    step: TrainingStep | None = Field(description="of a training, whose name is the job's")
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str


class About(BaseModel):
    """The service and who is asking."""

    version: str
    notice: str
    account: str | None = Field(description="null: log in first")
    role: Literal["reader", "annotator", "admin"] | None
    has_archive: bool = Field(description="a DICOMweb server is configured, see /api/archive")
    has_provider: bool = Field(description="log in at /api/session/oidc, opened as a page")
    can_train: bool = Field(description="the train extra is installed")
    has_accounts: bool = Field(description="false: open to this machine, without a password")
