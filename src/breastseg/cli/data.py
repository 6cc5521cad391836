"""``breastseg data``: what is there, what is wrong with it, how to divide it, and phantoms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.case_options import DataOption, Words, flat
from breastseg.cli.console import complain, progress, say
from breastseg.core.errors import DataSetError, InputError
from breastseg.data.catalogue import DATA_SETS
from breastseg.data.counting import counted, counted_folds
from breastseg.data.dataset import DataSet, Fault
from breastseg.data.sources import open_data_sets, open_source, select_cases
from breastseg.io.write import remove_leftovers

_FRACTIONS = "train=0.8,val=0.2"


@dataclass(frozen=True)
class ListData:
    """List the data sets that can be read by name."""

    def run(self) -> int:
        """Print a line a data set; returns the exit code."""
        width = max(len(name) for name in DATA_SETS)
        for name, make in DATA_SETS.items():
            info = make(Path()).info
            say(f"{name:{width}}  {info.title}; licence: {info.licence}")
        return 0


@dataclass(frozen=True)
class DataInfo:
    """Say where a data set comes from, what may be done with it and how it lies on disk.

    With a folder, as in 'breastseg data info BUSI=data/BUSI', also count what is in it.

    Attributes:
        name: a name of 'breastseg data list'.
    """

    name: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="NAME[=FOLDER]")]]

    def run(self) -> int:
        """Print the facts; returns the exit code."""
        from breastseg.data.catalogue import open_data_set

        here = "=" in self.name
        data_set = open_source(self.name) if here else open_data_set(self.name, Path())
        info = data_set.info
        facts = {
            "Title": info.title,
            "Cite": info.paper,
            "DOI": info.doi,
            "Licence": info.licence,
            "Get it": info.home,
            "Layout": info.tree,
        }
        remarks: tuple[str, ...] = ()
        if here:
            cases, remarks = data_set.cases(), data_set.remarks()
            facts["Here"] = counted(cases)
            facts |= counted_folds(cases)
            facts["Remarks"] = "; ".join(remarks)
        for word, text in facts.items():
            if text:
                say(f"{word + ':':9}{text}")
        return _faults(remarks)


@dataclass(frozen=True)
class Audit:
    """Look for duplicates, images that stand in two classes, and broken masks.

    Attributes:
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA; several are
            also compared with each other.
        out: write the whole report to this JSON file.
        json: print the whole report as JSON.
    """

    data: DataOption = ()
    out: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    json: bool = False

    def run(self) -> int:
        """Print the findings; returns the exit code."""
        from breastseg.data.audit import audit
        from breastseg.io.write import write_text

        data_sets = open_data_sets(flat(self.data))
        cases = [case for data_set in data_sets for case in data_set.cases()]
        remarks = _complain_of(data_sets)
        report = audit(cases)
        text = json.dumps(report.as_dict(), indent=1)
        if self.out is not None:
            write_text(self.out, text + "\n")
        if self.json:
            say(text)
        else:
            _say_counts(data_sets)
            say(report.text())
        return 1 if report.has_faults else _faults(remarks)


@dataclass(frozen=True)
class SplitData:
    """Divide the cases into parts, with patients and near duplicates kept together.

    Attributes:
        out: the JSON file to write; 'split:FILE#PART' then names a part of it.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        fractions: the parts and their fractions.
        folds: so many equal parts instead, named 1, 2, ...; 'split:FILE#1' is the first fold and
            'split:FILE#-1' all but the first.
        seed: another seed draws another split.
    """

    out: Path
    data: DataOption = ()
    fractions: str = _FRACTIONS
    folds: Annotated[int | None, tyro.conf.arg(help_behavior_hint="")] = None
    seed: int = 1

    def run(self) -> int:
        """Write the split and print its sizes; returns the exit code."""
        from breastseg.data.audit import near_duplicate_groups
        from breastseg.data.split import folds, split, without_empty

        if self.folds is not None and self.fractions != _FRACTIONS:
            raise InputError("--folds and --fractions", "one of them")
        fractions = parse_fractions(self.fractions)
        data_sets = open_data_sets(flat(self.data))
        cases = [case for data_set in data_sets for case in data_set.cases()]
        remarks = _complain_of(data_sets)
        groups = near_duplicate_groups(cases)
        if self.folds is None:
            drawn = without_empty(split(cases, fractions, self.seed, groups))
        else:
            drawn = folds(cases, self.folds, self.seed, groups)
        remove_leftovers(self.out)
        drawn.write(self.out)
        by_key = {case.key: case for case in cases}
        for part, keys in drawn.parts.items():
            say(f"{part}: {counted([by_key[key] for key in keys])}")
        say(f"Written to {self.out}")
        return _faults(remarks)


@dataclass(frozen=True)
class ConvertData:
    """Write a data set in another layout, with its patients, labels and folds.

    Attributes:
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        to: nnunet for nnU-Net's raw format, folder for images and masks with a table.
        out: the folder to write; must not exist yet.
        split: which cases: all (by default), lesions, normals, fold:1,2, list:FILE or
            split:FILE#PART.
    """

    out: Path
    to: Literal["nnunet", "folder"]
    data: DataOption = ()
    split: Annotated[
        tyro.conf.UseAppendAction[Words], tyro.conf.arg(metavar="SPEC", help_behavior_hint="")
    ] = ()

    def run(self) -> int:
        """Write the cases; returns the exit code."""
        from breastseg.data.convert import to_folder, to_nnunet

        cases = select_cases(flat(self.data), flat(self.split), volumes=True)
        write = to_nnunet if self.to == "nnunet" else to_folder
        with progress("Converting", len(cases)) as advance:
            write(cases, self.out, lambda *_: advance(1, ""))
        _complain_of(open_data_sets(flat(self.data)))
        say(f"{counted(cases)} are in {self.out}/")
        return 0


@dataclass(frozen=True)
class MakePhantoms:
    """Generate ultrasound scans with exactly known masks and pixel spacing, or DICOM studies.

    Attributes:
        folder: where to write them; without --dicom it can then be used as --data folder=FOLDER.
        count: how many scans; DICOM studies are one of each kind.
        seed: the same seed gives the same scans.
        dicom: write DICOM series instead: ultrasound still, cine and colour, a mammogram with
            tomosynthesis, classic and enhanced MRI of two phases, in FOLDER/studies, with their
            masks in FOLDER/truth.
    """

    folder: tyro.conf.Positional[Path]
    count: int = 8
    seed: int = 1
    dicom: bool = False

    def run(self) -> int:
        """Write the phantoms; returns the exit code."""
        from breastseg.data.phantoms.dicom import write_dicom_phantoms
        from breastseg.data.phantoms.ultrasound import write_phantoms

        if not 1 <= self.count <= 100_000:
            raise InputError(f"--count {self.count}", "1 to 100000")
        if self.seed < 0:
            raise InputError(f"--seed {self.seed}", "0 or more")
        if self.dicom:
            series = write_dicom_phantoms(self.folder, self.seed)
            say(f"{len(series)} DICOM series are in {self.folder / 'studies'}/")
            return 0
        with alone(self.folder, "images", "masks"):
            write_phantoms(self.folder, self.count, self.seed)
        say(f"{self.count} scans with their masks are in {self.folder}/")
        return 0


def parse_fractions(text: str) -> dict[str, float]:
    """Read ``"train=.8,val=.2"``.

    Raises:
        DataSetError: not of this form, or a part twice.
    """
    fractions: dict[str, float] = {}
    for piece in text.split(","):
        name, _, fraction = piece.partition("=")
        try:
            value = float(fraction)
        except ValueError:
            value = 0.0
        if not name.strip() or not value > 0 or name.strip() in fractions:
            raise DataSetError(
                f"--fractions {text}", "distinct parts with fractions above 0", "train=0.8,val=0.2"
            )
        fractions[name.strip()] = value
    return fractions


def _complain_of(data_sets: Sequence[DataSet]) -> list[str]:
    """Say on standard error what is incomplete or left over; returns all that was said."""
    remarks = []
    for data_set in data_sets:
        for remark in data_set.remarks():
            complain(f"{data_set.name}: {remark}")
            remarks.append(remark)
    return remarks


def _faults(remarks: Sequence[str]) -> int:
    """The exit code: 1 where one of the remarks says that something is wrong."""
    return 1 if any(isinstance(remark, Fault) for remark in remarks) else 0


def _say_counts(data_sets: Sequence[DataSet]) -> None:
    """How many cases of how many patients each data set and each of its folds has."""
    for data_set in data_sets:
        cases = data_set.cases()
        say(f"{data_set.name}: {counted(cases)}")
        for fold, text in counted_folds(cases).items():
            say(f"  {fold}: {text}")
