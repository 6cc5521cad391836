"""Golden vectors of volumes: generated files, what the package reads in them and makes of some.

    python -m tests.golden.make_volume_vectors

Writes `volumes.json` and `volumes.bin`. `files` has the bytes of each file; `volumes` the grid, the
phases and the remarks of what the package reads in one or several of them, or null where it refuses
them; `segmented` what the bundled model for volumes makes of generated ones. No file is of a
patient.
"""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import BreastsegError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.inference.methods import bundle_folder
from breastseg.inference.volume_segmenter import VolumeSegmenter
from breastseg.io.volume import read_volume
from breastseg.io.volume_series import read_phases
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.orientation import oriented
from breastseg.preprocess.volume import prepare_volume

from .image_files import dicom

STEM = Path(__file__).with_name("volumes")
BUNDLE = "mri-phantom"
SHAPE = (4, 6, 5)
"""(slices, rows, columns) of the small files."""
MANY = 4
"""Every so many voxels along each axis of what the network sees are kept."""
OBLIQUE = np.array([[0.9, 0.3, -0.05], [-0.31, 0.94, 0.1], [0.08, -0.08, 1.0]])


def voxels(kind: str, phases: int = 1) -> NDArray[np.generic]:
    """(columns, rows, slices[, phases]), as NIfTI has them."""
    rng = np.random.default_rng(5)
    sizes = (*SHAPE[::-1], phases) if phases > 1 else SHAPE[::-1]
    values = rng.normal(100, 40, sizes)
    return values.astype(kind) if kind[0] == "f" else np.abs(values).astype(kind)


def nifti(
    values: NDArray[np.generic],
    affine: NDArray[np.float64] | None = None,
    second: bool = False,
    big: bool = False,
    **fields: object,
) -> bytes:
    kind = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    header = kind.header_class(endianness=">" if big else "<")
    header.set_data_dtype(values.dtype)
    if affine is None:
        affine = np.diag([0.9, 1.1, 2.5, 1.0])
        affine[:3, 3] = -20, 30, 5
    image = kind(values, affine, header)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1, strip_shears=True)
    image.header.set_xyzt_units("mm")
    for field, value in fields.items():
        image.header[field] = value
    slope, inter = (fields.get(name, np.nan) for name in ("scl_slope", "scl_inter"))
    image.header.set_slope_inter(*((None, None) if np.isnan(slope) else (slope, inter)))
    out = io.BytesIO()
    image.header["vox_offset"] = image.header.sizeof_hdr + 4
    image.header.write_to(out)
    raw = values.astype(values.dtype.newbyteorder(">" if big else "<"))
    data = bytearray(out.getvalue() + raw.tobytes(order="F"))
    if not np.isnan(slope) and not second:
        data[112:120] = np.array([slope, inter], ">f4" if big else "<f4").tobytes()
    return bytes(data)


def nifti_files() -> Iterator[tuple[str, bytes]]:
    turned = np.eye(4)
    turned[:3, :3] = OBLIQUE @ np.diag([0.9, -1.1, 2.5])
    turned[:3, 3] = 12.5, -7, 3
    sagittal = np.eye(4)
    sagittal[:3, :3] = np.array([[0, 0, 3.0], [1.5, 0, 0], [0, -1.5, 0]])
    whole = nifti(voxels("i2"))
    yield "axial.nii", whole
    yield "axial.nii.gz", gzip.compress(whole, mtime=0)
    for kind in ("u1", "u2", "i4", "u4", "f4", "f8", "i1"):
        yield f"{kind}.nii", nifti(voxels(kind))
    yield "phases.nii.gz", gzip.compress(nifti(voxels("i2", 3)), mtime=0)
    yield "second.nii", nifti(voxels("i2"), second=True)
    yield "big-endian.nii", nifti(voxels("i2"), big=True)
    yield "scaled.nii", nifti(voxels("i2"), scl_slope=0.37, scl_inter=-12.0)
    yield "scaled-i4.nii", nifti(voxels("i4"), scl_slope=0.37, scl_inter=-12.0)
    yield "sagittal.nii", nifti(voxels("i2"), sagittal)
    yield "oblique.nii", nifti(voxels("i2"), turned)
    yield "qform.nii", nifti(voxels("i2"), sagittal, sform_code=0)
    yield "no-forms.nii", nifti(voxels("i2"), sform_code=0, qform_code=0)
    yield (
        "no-steps.nii",
        nifti(voxels("i2"), sform_code=0, qform_code=0, pixdim=[1, 0, 0, 0, 1, 1, 1, 1]),
    )
    yield "disagree.nii", nifti(voxels("i2"), qoffset_x=44.0)
    yield "micrometres.nii", nifti(voxels("i2"), turned * 1000, xyzt_units=3)
    yield "wrong-unit.nii", nifti(voxels("i2"), xyzt_units=1)
    yield "cut.nii", whole[:-7]
    packed = gzip.compress(whole, mtime=0)
    yield "cut.nii.gz", packed[:-12]
    yield "damaged.nii.gz", packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:]
    yield "kind.nii", nifti(voxels("i2"), datatype=64)


def series_files() -> Iterator[tuple[str, bytes]]:
    """NAME/NUMBER.dcm; the order of the files is no guide to that of the slices."""
    rng = np.random.default_rng(6)
    across, down = np.linalg.qr(OBLIQUE)[0].T[:2]
    for name, phases, changes in (
        ("plain", 1, {}),
        ("dynamic", 2, {"TemporalPositionIdentifier": [1, 2]}),
        ("timed", 2, {"AcquisitionTime": ["235959.5", "093000"], "AcquisitionDate": [1, 2]}),
        ("scaled", 1, {"RescaleSlope": [0.37], "RescaleIntercept": [-5]}),
        ("series", 2, {"SeriesInstanceUID": ["1.2.3", "1.2.4"], "SeriesNumber": [7, 5]}),
        ("gap", 1, {}),
        ("alike", 2, {}),
    ):
        for at in rng.permutation(phases * SHAPE[0]):
            phase, number = divmod(int(at), SHAPE[0])
            height = number + (number > 1 and name == "gap")
            place = np.array([10.0, -20, 5]) + 2.5 * height * np.cross(across, down)
            pixels = rng.integers(0, 900, SHAPE[1:]).astype(np.uint16)
            own = {key: value[phase] for key, value in changes.items()}
            if "AcquisitionDate" in own:
                own["AcquisitionDate"] = f"2024010{own['AcquisitionDate']}"
            elements = {
                "Modality": "MR",
                "StudyInstanceUID": "1.2",
                "SeriesInstanceUID": "1.2.3",
                "FrameOfReferenceUID": "1.9",
                "ImagePositionPatient": [f"{value:.6f}" for value in place],
                "ImageOrientationPatient": [f"{value:.6f}" for value in (*across, *down)],
                "PixelSpacing": [1.1, 0.9],
                **own,
            }
            yield f"{name}/{at}.dcm", dicom(pixels, BitsStored=12, **elements)


def files() -> dict[str, bytes]:
    """All files by name; those before a slash make a volume together."""
    return {**dict(nifti_files()), **dict(series_files())}


def read(names: list[str], every: dict[str, bytes]) -> Image | None:
    """What the package reads; None where it refuses it."""
    try:
        if "/" not in names[0]:
            return read_volume(io.BytesIO(every[names[0]]), names[0])
        with tempfile.TemporaryDirectory() as folder:
            for number, name in enumerate(names):
                (Path(folder) / f"{number}.dcm").write_bytes(every[name])
            return read_phases([Path(folder)])
    except BreastsegError:
        return None


def groups(every: dict[str, bytes]) -> dict[str, list[str]]:
    """The files of each volume."""
    found: dict[str, list[str]] = {}
    for name in every:
        found.setdefault(name.split("/")[0], []).append(name)
    return found


def studies() -> Iterator[tuple[str, Image]]:
    """Noise with a ball that takes up contrast, on grids that lie otherwise than the network's."""
    rng = np.random.default_rng(8)
    for name, shape, steps, axes, phases in (
        ("axial", (14, 40, 44), (2.4, 1.9, 1.9), np.eye(3), 2),
        ("sagittal", (22, 12, 34), (3.0, 2.0, 1.6), np.eye(3)[[1, 2, 0]] * (1, -1, 1), 3),
    ):
        places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1) * steps
        middle = np.array(shape) * steps / 2
        ball = np.exp(-((np.linalg.norm(places - middle * (1, 0.9, 1.1), axis=-1) / 9) ** 4))
        tissue = 300 + 60 * np.array([resize(rng.random((5, 6)), shape[1:])] * shape[0])
        array = np.stack(
            [tissue + 500 * k * ball + rng.normal(0, 12, shape) for k in range(phases)]
        )
        grid = Grid(shape, steps, (3.0, -20.0, 11.0), tuple(axes.ravel().tolist()))
        values = array.astype(np.int16) if name == "axial" else array.astype(np.float32)
        if name == "sagittal":
            values[0, 0, 0, :3] = np.nan, np.inf, 1e38
        yield name, Image(values, grid, Modality.MRI, source=name)


def main() -> None:
    """Write both files."""
    blob, every = b"", files()

    def put(raw: bytes) -> int:
        nonlocal blob
        at = len(blob)
        blob += raw + b"\0" * (-len(raw) % 8)
        return at

    def stored(array: NDArray[np.generic]) -> dict[str, object]:
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        return {"dtype": array.dtype.name, "shape": list(array.shape), "offset": put(raw)}

    def grid_of(image: Image) -> dict[str, object]:
        grid = image.grid
        return {
            "shape": grid.shape,
            "spacing_mm": grid.spacing_mm,
            "origin_mm": grid.origin_mm or (0, 0, 0),
            "direction": grid.direction or np.eye(3).ravel().tolist(),
        }

    index: dict[str, dict[str, object]] = {"files": {}, "volumes": {}, "segmented": {}}
    for name, data in every.items():
        index["files"][name] = {"offset": put(data), "length": len(data)}
    for name, members in groups(every).items():
        image = read(members, every)
        index["volumes"][name] = (
            None
            if image is None
            else {
                **grid_of(image),
                "modality": image.modality.value,
                "remarks": list(image.remarks),
                "phases": [stored(phase) for phase in image.array],
            }
        )
    segmenter = VolumeSegmenter(bundle_folder(BUNDLE), threads=1)
    for name, image in studies():
        found = segmenter.segment(image)
        spec = segmenter.spec
        prepared = prepare_volume(oriented(image, spec.orientation), spec)
        parameters = dict(found.provenance.parameters)
        del parameters["engine"]
        index["segmented"][name] = {
            **grid_of(image),
            "phases": [stored(phase) for phase in image.array],
            "prepared_shape": prepared.shape[1:],
            "prepared": stored(prepared[:, ::MANY, ::MANY, ::MANY]),
            "probability": stored(np.rint(found.probability * 65535.0).astype(np.uint16)),
            "parameters": parameters,
            "steps": list(found.provenance.steps),
        }
    STEM.with_suffix(".bin").write_bytes(blob)
    STEM.with_suffix(".json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
