"""De-identifying files and folders: the objects, the key, the report, and what is held back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from breastseg.core.errors import InputError, UnsupportedError, as_breastseg_error
from breastseg.dicom.deidentify.header import Header, deidentified
from breastseg.dicom.deidentify.key import open_key
from breastseg.dicom.deidentify.pixels import CleanPixels, clean_pixels
from breastseg.dicom.deidentify.report import REPORT_NAME, Report
from breastseg.io.dicom_image import decoding, read_header
from breastseg.io.dicom_pixels import PixelData
from breastseg.io.find import is_without_pixels
from breastseg.io.open import is_dicom
from breastseg.io.real_path import real_path
from breastseg.io.source import opened, quiet
from breastseg.io.volume_header import HEAD_BYTES
from breastseg.io.write import check_writable, replacing
from breastseg.results.run import OccupiedError

if TYPE_CHECKING:
    from pydicom import Dataset

_EXPLICIT = "1.2.840.10008.1.2.1"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_IMPLEMENTATION = "2.25.216105853254389104273948163017421"
_MAX_BYTES = 2**32 - 2
_OF_THE_OLD_PIXELS = (
    *("SmallestImagePixelValue", "LargestImagePixelValue", "SmallestPixelValueInSeries"),
    *("LargestPixelValueInSeries", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
)


Status = Literal["written", "held back", "left out", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        source: as it was given. It may name a patient: it is in no file of the result.
        status: ``written``; ``held back``, since text may be left in its pixels; ``left out``,
            as it is no DICOM image; or ``failed``.
        written: the new file; None where there is none.
        why: of what was not written, or what is to be looked at; of what was written, what of its
            values was lost.
        earlier: the run that is continued has done it.
    """

    source: Path
    status: Status
    written: Path | None = None
    why: str = ""
    earlier: bool = False


@dataclass(frozen=True)
class Places:
    """Where the parts of a result lie. Only `out` may leave the house.

    Attributes:
        out: folder of the de-identified images and of ``report.jsonl``.
        key: the key file, beside it.
        held_back: folder of images that a person has to look at first, beside it.
        key_may_be_new: where there is no key file, one is made: other pseudonyms than before.
    """

    out: Path
    key: Path
    held_back: Path
    key_may_be_new: bool = False

    @classmethod
    def beside(cls, out: Path, key: Path | None = None, key_may_be_new: bool = False) -> Places:
        """The usual ones; a key whose place is not given may be new.

        Raises:
            InputError: the key would lie in the folder that leaves the house.
        """
        if key is None:
            key, key_may_be_new = out.with_name(f"{out.name}.key.json"), True
        if real_path(out) in real_path(key).parents:
            raise InputError(f"{key}: a key in the folder of the result", "another folder")
        return cls(out, key, out.with_name(f"{out.name}.held-back"), key_may_be_new)


def deidentify(
    inputs: Sequence[Path], places: Places, *, resume: bool = False
) -> Iterator[Outcome]:
    """De-identify DICOM images one after the other.

    Args:
        inputs: files, and folders that are searched.
        places: where results go; ``out`` must not hold anything yet. A key that is there is used
            and added to.
        resume: what a run with the same key has written to ``out`` stays and is not done again.

    Yields:
        One outcome a file. The key is written before the first image, and with each patient before
        the first image of that patient.

    Raises:
        OccupiedError: ``out`` holds something.
        InputError: the key is none or not there, or not that of the run to continue, or a folder
            cannot be written.
    """
    held = sorted(path.name for path in places.out.iterdir()) if places.out.is_dir() else []
    if held and not (resume and REPORT_NAME in held):
        raise OccupiedError(f"{places.out}: holds something already", "an empty or a new folder")
    work = _Work(places)
    for path in _files(inputs, frozenset({real_path(places.out), real_path(places.held_back)})):
        yield work.one(path)


def _files(inputs: Sequence[Path], results: frozenset[Path]) -> Iterator[Path]:
    """The files, without those in the folders of results, which may lie within an input."""
    for path in inputs:
        if not path.is_dir():
            yield path
            continue
        for one in sorted(path.rglob("*")):
            if one.is_file() and results.isdisjoint(real_path(one).parents):
                yield one


class _Work:
    """A run: its key and report, and which images it has."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._key = open_key(places.key, places.key_may_be_new)
        self._known = -1
        check_writable(places.out)
        report = Report(places.out, places.held_back)
        self._report, self._done = report, dict(report.done)
        self._taken = {_name(one.path) for one in report.done.values()}
        strange = {Path(name).parent.name for name in self._taken} - self._key.patients.keys()
        if strange:
            raise InputError(
                f"{places.out}: was written with another key than {places.key}",
                "the key of the run that is continued",
                "name its key",
            )

    def one(self, path: Path) -> Outcome:
        """De-identify one file, unless that was done.

        Raises:
            InputError: the report cannot be written any more.
        """
        try:
            with opened(path) as stream:
                head = stream.read(HEAD_BYTES)
                if not is_dicom(head):
                    return Outcome(path, "left out", why="is no DICOM file")
                if is_without_pixels(head):
                    return Outcome(path, "left out", why="is a DICOM object without an image")
                original = self._key.fingerprint(stream)
                earlier = self._done.pop(original, None)  # a second copy is one too many, as before
                if earlier is not None:
                    status: Status = "held back" if earlier.is_held_back else "written"
                    return Outcome(path, status, earlier.path, earlier=True)
                stream.seek(0)
                outcome, said = self._new(path, stream)
        except Exception as error:  # noqa: BLE001 -- one file of an archive must not cost the others
            return Outcome(path, "failed", why=str(as_breastseg_error(error, str(path))))
        self._report.add({**said, "original": original})
        return outcome

    def _new(self, path: Path, stream: BinaryIO) -> tuple[Outcome, dict[str, object]]:
        places = self._places
        with decoding(str(path)):
            pixels = read_header(stream, str(path))
            _refuse(pixels)
            header = deidentified(pixels.header, self._key)
        self._keep_key()
        places.out.mkdir(parents=True, exist_ok=True)
        with decoding(str(path)), clean_pixels(pixels, places.out) as clean:
            one = _assembled(header.dataset, clean)
            folder = places.held_back if clean.left else places.out
            written = folder / str(one.PatientID) / f"{one.SOPInstanceUID}.dcm"
            if _name(written) in self._taken:  # one of them would be lost
                raise InputError(f"{path}: has the UID of an image before it", "one of its own")
            with replacing(written) as temporary, quiet():
                one.save_as(temporary, enforce_file_format=True)
        self._taken.add(_name(written))
        said = _said(written.relative_to(folder), header, clean)
        if clean.left:
            return Outcome(path, "held back", written, _where(clean)), said
        return Outcome(path, "written", written, "; ".join(clean.remarks)), said

    def _keep_key(self) -> None:
        """Write the key before an image that needs it."""
        if len(self._key.patients) != self._known:
            self._key.write(self._places.key)
            self._known = len(self._key.patients)


def _name(written: Path) -> str:
    return f"{written.parent.name}/{written.name}"


def _refuse(pixels: PixelData) -> None:
    if pixels.transfer_syntax == _BIG_ENDIAN:
        raise UnsupportedError(
            f"{pixels.name}: is stored with its bytes in big-endian order",
            "another transfer syntax",
            "convert it, for instance with dcmconv",
        )


def _assembled(one: Dataset, clean: CleanPixels) -> Dataset:
    """The object with its new pixels, explicit VR little endian."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    colour = len(clean.shape) == 4
    for keyword in _OF_THE_OLD_PIXELS:
        if keyword in one:
            del one[keyword]
    if clean.shape[0] > 1 or "NumberOfFrames" in one:
        one.NumberOfFrames = clean.shape[0]
    one.Rows, one.Columns = clean.shape[1:3]
    if colour:
        one.PhotometricInterpretation, one.PlanarConfiguration = "RGB", 0
    one.BitsAllocated = 8 * clean.dtype.itemsize
    one.BitsStored = min(clean.bits, one.BitsAllocated)
    one.HighBit, one.PixelRepresentation = one.BitsStored - 1, int(clean.dtype.kind == "i")
    if clean.cleaned:
        one.BurnedInAnnotation = "NO"
        kinds = list(one.get("ImageType") or ["DERIVED", "PRIMARY"])
        one.ImageType = ["DERIVED", *kinds[1:]]
    size = clean.dtype.itemsize
    for side in clean.shape:
        size *= side
    if size > _MAX_BYTES:
        raise UnsupportedError(
            f"{size} bytes of pixels", f"at most {_MAX_BYTES} once they are uncompressed"
        )
    one.PixelData = clean.stream
    one["PixelData"].VR = "OB" if one.BitsAllocated == 8 else "OW"
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = UID(_EXPLICIT)
    one.file_meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    return one


def _said(written: Path, header: Header, clean: CleanPixels) -> dict[str, object]:
    """A line of the report: nothing in it was in the original."""
    attributes: dict[str, dict[str, int]] = defaultdict(dict)
    for (what, name), count in sorted(header.done.items()):
        attributes[what][name] = count
    return {
        "file": written.as_posix(),
        "attributes": attributes,
        "pixels": {
            "cleaned": clean.cleaned,
            "outside_scan_painted": clean.outside,
            "painted": [list(box) for box in clean.painted],
            "text_left": [list(box) for box in clean.left],
            "remarks": list(clean.remarks),
        },
    }


def _where(clean: CleanPixels) -> str:
    first = ", ".join(map(str, clean.left[:3]))
    more = len(clean.left) - 3
    return f"what looks like text is left at {first}" + (f" and {more} more" if more > 0 else "")
