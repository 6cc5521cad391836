"""Which files of a folder are opened, which are passed over, and that none of them is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.find import find_images, search_folder
from breastseg.io.open import open_image


def test_expanding_folders(tmp_path: Path, samples: dict[str, bytes]) -> None:
    files = {
        "b/2.png": samples["grey.png"],
        "b/10.JPG": samples["grey.jpg"],
        "b/IM0001": samples["grey.dcm"],
        "b/deep/er/x.tif": samples["grey.tif"],
        "volume.nii.gz": b"\x1f\x8b",
        "a.bmp": samples["grey.bmp"],
        "broken.png": b"",
        "broken.dcm": b"not DICOM",
        "2_mask.dcm": samples["grey.dcm"],
    }
    left_out = {
        "b/2_mask.png": samples["grey.png"],
        "b/2_mask_1.png": samples["grey.png"],
        "b/2_overlay.png": samples["grey.png"],
        ".hidden.png": samples["grey.png"],
        ".cache/a.png": samples["grey.png"],
        "notes.txt": b"hello",
        "empty.xyz": b"",
        "volume_mask.nii.gz": b"\x1f\x8b",
        "archive.gz": b"\x1f\x8b",
        "b/2_uncertainty.png": samples["grey.png"],
        "DICOMDIR": samples["grey.dcm"],
        "b/dicomdir": samples["grey.dcm"],
    }
    for name, data in {**files, **left_out}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = [path.relative_to(tmp_path).as_posix() for path in find_images([tmp_path])]
    assert search_folder(tmp_path).others == len(left_out) - 2  # the hidden ones do not count
    assert found == [
        "2_mask.dcm",
        "a.bmp",
        "b/10.JPG",
        "b/2.png",
        "b/IM0001",
        "b/deep/er/x.tif",
        "broken.dcm",
        "broken.png",
        "volume.nii.gz",
    ]


def test_named_files_stay_in_the_given_order(tmp_path: Path, samples: dict[str, bytes]) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/1.png", "a/2.png", "z_mask.png"):
        (tmp_path / name).write_bytes(samples["grey.png"])
    missing, mask = tmp_path / "missing.png", tmp_path / "z_mask.png"
    given = [mask, missing, tmp_path / "a" / "2.png", tmp_path / "a", mask]
    assert find_images(given) == [mask, missing, tmp_path / "a" / "2.png", tmp_path / "a" / "1.png"]


def test_links(tmp_path: Path, samples: dict[str, bytes]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "data.png").write_bytes(samples["grey.png"])
    (tmp_path / "in" / "a.png").symlink_to(tmp_path / "data.png")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "in" / "round").symlink_to(tmp_path / "in")
    found = find_images([tmp_path / "in"])
    assert [path.name for path in found] == ["a.png", "gone.png"]
    with pytest.raises(UnreadableError, match="which does not exist"):
        open_image(found[1])


def test_a_folder_without_images_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert find_images([tmp_path]) == [tmp_path]
    with pytest.raises(UnreadableError, match="is a folder"):
        open_image(tmp_path)


def test_a_folder_that_cannot_be_listed_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: dict[str, bytes]
) -> None:
    (tmp_path / "a.png").write_bytes(samples["grey.png"])
    (tmp_path / "locked").mkdir()
    listing = Path.iterdir

    def refuse(folder: Path) -> object:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert find_images([tmp_path]) == [tmp_path / "a.png", tmp_path / "locked"]
    with pytest.raises(UnreadableError, match=r"locked: .*Permission denied"):
        open_image(tmp_path / "locked")


def report(path: Path, sop_class: str, syntax: UID, bare: bool) -> None:
    """A DICOM object without pixels, with a file meta group or without."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, "1.2.3"
    if bare:
        ds.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=True)
        path.write_bytes(path.read_bytes()[path.read_bytes().index(b"\x08\x00\x16\x00") :])
    else:
        ds.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.840.10008.5.1.4.1.1.88.33",  # comprehensive SR
        "1.2.840.10008.5.1.4.1.1.11.1",  # presentation state
        "1.2.840.10008.5.1.4.1.1.88.59",  # key object selection
        "1.2.840.10008.5.1.4.1.1.66.4",  # segmentation
        "1.2.840.10008.1.3.10",  # the index of a medium under another name
        "1.2.840.10008.5.1.4.1.1.104.1",  # PDF
    ],
)
def test_objects_without_pixels_are_passed_over(
    tmp_path: Path, sop_class: str, syntax: UID, bare: bool
) -> None:
    report(tmp_path / "SR0001", sop_class, syntax, bare)
    report(tmp_path / "sr.dcm", sop_class, syntax, bare)
    found = search_folder(tmp_path)
    assert (found.images, found.others) == ((), 2)


def test_what_may_be_an_image_and_cannot_be_read_is_not_passed_over(
    tmp_path: Path, samples: dict[str, bytes]
) -> None:
    for name, data in {
        "IM1": samples["grey.dcm"],
        "IM2": samples["grey.dcm"][:200],
        "IM3": samples["grey.dcm"][:100],
        "1.2.840.3": b"",
        "IM5": bytes(500),
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "IM6").symlink_to(tmp_path / "gone")
    (tmp_path / "README").write_text("hello")
    (tmp_path / "viewer.exe").write_bytes(b"MZ" + bytes(100))
    found = search_folder(tmp_path)
    assert [path.name for path in found.images] == ["1.2.840.3", "IM1", "IM2", "IM3", "IM5", "IM6"]
    assert found.others == 2


FOREIGN = {
    "a GIF": b"GIF89a" + bytes(40),
    "a WebP": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    "an AVI": b"RIFF\x24\0\0\0AVI LIST" + bytes(40),
    "a JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
    "a JPEG 2000 ": b"\xff\x4f\xff\x51\0\x29" + bytes(40),
    "a JPEG XL": b"\xff\x0a\xfa\x1f" + bytes(40),
    "an HEIF": b"\0\0\0\x24ftypheic" + bytes(40),
    "an AVIF": b"\0\0\0\x1cftypavif" + bytes(40),
    "a film": b"\0\0\0\x18ftypmp42" + bytes(40),
    "a Netpbm": b"P5\n# MIAS\n1024 1024\n255\n" + bytes(40),
    "an SVG": b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "whose voxels": b"\x5c\x01\0\0" + bytes(340) + b"\0\0\0\0",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_an_image_of_a_kind_that_is_not_read_is_named_and_not_passed_over(
    tmp_path: Path, what: str
) -> None:
    for name in ("IM0001", "scan.old"):
        (tmp_path / name).write_bytes(FOREIGN[what])
        assert tmp_path / name in search_folder(tmp_path).images
        with pytest.raises(UnsupportedError, match=f"{name}: is .*{what.strip()}.*Try: "):
            open_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.gif", "a.WEBP", "a.heic", "a.jp2", "a.pgm", "a.mgz", "a.mp4"])
def test_what_is_called_an_image_is_not_passed_over_whatever_it_holds(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "viewer.ico").write_bytes(b"\0\0\1\0")
    (tmp_path / "notes.txt").write_text("P1 left, P5 right, nationwide")
    found = search_folder(tmp_path)
    assert ([path.name for path in found.images], found.others) == ([name], 3)
    with pytest.raises(UnreadableError, match="is empty"):
        open_image(found.images[0])
