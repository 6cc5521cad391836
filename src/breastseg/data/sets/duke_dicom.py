"""Duke-Breast-Cancer-MRI as The Cancer Imaging Archive delivers it: DICOM, and a table of boxes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from breastseg.core.box import Box
from breastseg.core.case import Case
from breastseg.core.errors import DataSetError, GeometryError
from breastseg.core.image import Image
from breastseg.data.dataset import CaseRef, DataSetInfo, require, some
from breastseg.data.sets.duke import DOI, LICENCE, PAPER, BoxedCase
from breastseg.data.table import Row, find_table, read_table
from breastseg.data.volume_ref import VolumeRef
from breastseg.io.volume_series import find_phases, read_series

BOXES = "Annotation_Boxes"
"""The table's name, ``.xlsx`` as in the archive or ``.csv``."""

COLUMNS = (
    *("Patient ID", "Start Row", "End Row", "Start Column", "End Column"),
    *("Start Slice", "End Slice"),
)

_PATIENTS = "Breast_MRI_[0-9][0-9][0-9]"
_DYNAMIC = re.compile(r"dyn|\dth pass|\d(st|nd|rd) pass|vibrant|\bph\d", re.IGNORECASE)
_OTHER = re.compile(r"segmentation|\bsub\b|subtract", re.IGNORECASE)


@dataclass(frozen=True)
class DicomRef(VolumeRef):
    """A study of several series; `read_image` puts them in the order of their time."""

    def read_image(self) -> Image:
        """All phases.

        Returns:
            (phases, slices, rows, columns) in the files' dtype.

        Raises:
            UnreadableError: a file is damaged.
            DataSetError: the series are not the phases of one study.
        """
        try:
            image = read_series(*self.image_paths)
        except GeometryError as error:
            raise DataSetError(error.given, error.allowed, error.remedy) from error
        return replace(image, modality=self.modality, source=self.key)


@dataclass(frozen=True)
class DukeDicom:
    """922 studies of invasive cancer, each in a box and not outlined.

    The phases of a study are those series whose description says that they are dynamic:
    ``dyn``, ``1st pass``, ``Ph1`` or ``vibrant``; all others, such as T1 without fat suppression,
    are left out.

    Attributes:
        root: the folder with ``Breast_MRI_001`` and so on, or one that holds it as
            ``Duke-Breast-Cancer-MRI``.
    """

    root: Path
    name: ClassVar[str] = "Duke-Breast-Cancer-MRI"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="Duke-Breast-Cancer-MRI, dynamic contrast-enhanced MRI of invasive breast cancer",
        paper=PAPER,
        doi=DOI,
        licence=LICENCE,
        home="The Cancer Imaging Archive (doi 10.7937/TCIA.e3sv-re93)",
        tree="Breast_MRI_001/<study>/<series>/*.dcm, with Annotation_Boxes.xlsx or .csv beside it",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds the patients."""
        places = (
            self.root,
            self.root / self.name,
            self.root / "mri" / self.name,
            *sorted(self.root.glob(f"manifest-*/{self.name}")),
        )
        return next((place for place in places if any(place.glob(_PATIENTS))), self.root)

    def cases(self) -> tuple[CaseRef, ...]:
        """One case a study with a dynamic series, sorted by case_id.

        Its mask is not known, as a box is none.

        Raises:
            DataSetError: there is none.
        """
        return self._refs()

    def _refs(self) -> tuple[DicomRef, ...]:
        require(self.root, (), self.info)
        found = []
        for patient in sorted(self.folder.glob(_PATIENTS)):
            series = _dynamic(patient)
            if series:
                found.append(
                    DicomRef(
                        case_id=patient.name,
                        patient_id=patient.name,
                        label="malignant",
                        source=self.name,
                        image_path=series[0],
                        later_paths=series[1:],
                        mask_paths=None,
                    )
                )
        if not found:
            raise DataSetError(
                f"{self.info.title}: no Breast_MRI_001/<study>/<series> in {self.root}",
                f"a folder that holds {self.info.tree}",
                f"get it from {self.info.home}",
            )
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """Patients without a dynamic series, and without a box."""
        patients = [path.name for path in self.folder.glob(_PATIENTS)]
        bare = set(patients) - {case.case_id for case in self.cases()}
        remarks = [f"{len(bare)} patients without a dynamic series: {some(bare)}"] if bare else []
        if self._table() is None:
            return (*remarks, f"no {BOXES}.xlsx or .csv: the tumours' boxes are not known")
        boxless = set(patients) - self._boxes().keys()
        if boxless:
            remarks.append(f"{len(boxless)} patients without a box: {some(boxless)}")
        return tuple(remarks)

    def load(self, case_id: str) -> BoxedCase:
        """Read all phases of one study, and its box.

        The table counts rows and columns from 1, and slices by the number of the instance in the
        series before contrast, all inclusive.

        Args:
            case_id: of one of `cases`.

        Returns:
            A case with one image of (phases, slices, rows, columns); and the box.

        Raises:
            DataSetError: no such study, no box, or one outside of the volume.
            UnreadableError: a file is damaged.
        """
        refs = {ref.case_id: ref for ref in self._refs()}
        if case_id not in refs:
            raise DataSetError(f"no study {case_id} in {self.folder}", f"one of {some(refs)}")
        ref = refs[case_id]
        row = self._boxes().get(case_id)
        if row is None:
            raise DataSetError(
                f"no box of {case_id} beside {self.folder}", f"a row in {BOXES}.xlsx or .csv"
            )
        image = ref.read_image()
        numbers = [one.number for one in find_phases(*ref.image_paths)[0]]
        box = _box(row, numbers, image.grid.shape)
        return BoxedCase(Case(case_id, case_id, (image,), None, ref.label, self.name), box)

    def _table(self) -> Path | None:
        places = (self.folder, self.folder.parent, self.root)
        return next((found for place in places if (found := find_table(place, BOXES))), None)

    def _boxes(self) -> Mapping[str, Row]:
        path = self._table()
        return {row["Patient ID"]: row for row in read_table(path, COLUMNS)} if path else {}


def _dynamic(patient: Path) -> tuple[Path, ...]:
    """The folders of the dynamic series, of the first study that has any."""
    for study in sorted(path for path in patient.glob("[!.]*") if path.is_dir()):
        series = tuple(
            path
            for path in sorted(study.glob("[!.]*"))
            if path.is_dir() and _DYNAMIC.search(path.name) and not _OTHER.search(path.name)
        )
        if series:
            return series
    return ()


def _box(row: Row, numbers: list[int | None], shape: tuple[int, ...]) -> Box:
    """The box in the volume's own indices."""
    try:
        y0, y1, x0, x1, first, last = (int(float(row[name])) for name in COLUMNS[1:])
    except ValueError as error:
        raise DataSetError(f"{BOXES}: box of {row['Patient ID']}: {error}", "numbers") from error
    # the numbers of the instances may count against the order of the volume's slices
    inside = [at for at, number in enumerate(numbers) if number and first <= number <= last]
    complete = len(inside) == last - first + 1 > 0
    if not (complete and 1 <= y0 <= y1 <= shape[1] and 1 <= x0 <= x1 <= shape[2]):
        known = [number for number in numbers if number is not None] or [0]
        raise DataSetError(
            f"{BOXES}: box of {row['Patient ID']} in rows {y0} to {y1}, columns {x0} to {x1}, "
            f"slices {first} to {last}",
            f"rows 1 to {shape[1]}, columns 1 to {shape[2]}, slices {min(known)} to {max(known)}",
        )
    # rows and columns count from 1 in the table, and their last ones belong to the box
    return Box.of(min(inside), y0 - 1, x0 - 1, max(inside) + 1, y1, x1)
