"""``breastseg quantise``: from a bundle to one that computes in 8-bit whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.case_options import DataOption, Words, flat, portable_words
from breastseg.cli.console import say
from breastseg.core.errors import DataSetError, InputError, MissingExtraError
from breastseg.data.balanced import balanced_draw
from breastseg.data.sources import select_cases

if TYPE_CHECKING:
    from breastseg.core.bundle import Bundle
    from breastseg.data.dataset import CaseRef
    from breastseg.export.quantise import Sample

_NO_HINT = tyro.conf.arg(help_behavior_hint="")
_Selections = Annotated[
    tyro.conf.UseAppendAction[Words],
    tyro.conf.arg(metavar="[NAME=]SELECTION ...", help_behavior_hint=""),
]
LEAST, MOST = 1, 2000


@dataclass(frozen=True)
class Quantise:
    """Make a smaller, quicker bundle of a bundle: its network in 8-bit whole numbers.

    For convolutional networks. The range of every activation is read off images that run through
    the network. With --check both networks are scored, and the figures stand in the model card.

    Attributes:
        bundle: a network of 'breastseg models list', or the folder of a bundle.
        out: the folder of the new bundle; must not exist yet.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases to calibrate with, as for 'breastseg evaluate': of every scanner that
            the network is for, with and without lesions, none that it is scored on.
        check: which cases to score both networks on; none of those of --split.
        images: how many of the cases of --split are drawn: of each data set, of each of its
            scanners, with and without lesions, as many as of the others.
        seed: of that draw.
        name: under which the method is known; the old name and -int8 by default.
        int8_first: quantise the first convolution too, and the depthwise block behind it.
        int8_last: quantise the last convolution too; the probability then has coarse steps.
        signed: signed activations, for processors that are quicker with them (ARM).
        seven_bits: weights of 7 bits, for processors without VNNI, on which 8 can overflow.
    """

    bundle: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="BUNDLE")]]
    out: Path
    data: DataOption = ()
    split: _Selections = ()
    check: _Selections = ()
    images: int = 50
    seed: int = 0
    name: Annotated[str | None, _NO_HINT] = None
    int8_first: bool = False
    int8_last: bool = False
    signed: bool = False
    seven_bits: bool = False

    def run(self) -> int:
        """Quantise; returns the exit code."""
        from breastseg.inference.bundle_folder import read_measured
        from breastseg.inference.methods import bundle_folder

        if not LEAST <= self.images <= MOST:
            raise InputError(f"images = {self.images}", f"{LEAST} to {MOST}")
        folder = bundle_folder(self.bundle)
        cases = select_cases(flat(self.data), flat(self.split))
        checks = select_cases(flat(self.data), flat(self.check)) if self.check else ()
        if both := {case.key for case in cases} & {case.key for case in checks}:
            raise DataSetError(
                f"{len(both)} cases of --check are in --split, such as {min(both)}",
                "cases to check on that were not calibrated with",
            )
        made = self._made(folder, cases, checks)
        before, after = ((f / "model.onnx").stat().st_size / 1e6 for f in (folder, self.out))
        say(f"{made.name} {made.version}, {after:.1f} MB (was {before:.1f}), is in {self.out}/.")
        figures = read_measured(self.out, made).results["int8"]
        for group in ("float, lesion images", "int8, lesion images"):
            if f"{group}/dice" in figures:
                say(f"Dice, {group}: {figures[f'{group}/dice']:.4f}")
        return 0

    def _made(self, folder: Path, cases: Sequence[CaseRef], checks: Sequence[CaseRef]) -> Bundle:
        try:
            from breastseg.export.quantise import Activations, Quantisation, quantise_bundle
        except ModuleNotFoundError as error:
            raise _without_onnx(error) from error
        chosen = balanced_draw(cases, self.images, self.seed)
        plan = Quantisation(
            activations=Activations.INT8 if self.signed else Activations.UINT8,
            float_last=not self.int8_last,
            float_first=not self.int8_first,
            seven_bits=self.seven_bits,
        )
        draw = f", drawn from {len(cases)} with seed {self.seed}, every scanner alike"
        calibration = _sample(chosen, self.data, self.split, draw * (len(chosen) < len(cases)))
        check = _sample(checks, self.data, self.check) if checks else None
        try:
            return quantise_bundle(folder, self.out, calibration, check, plan, self.name)
        except ModuleNotFoundError as error:
            raise _without_onnx(error) from error


def _sample(cases: Sequence[CaseRef], data: Words, splits: Words, draw: str = "") -> Sample:
    from breastseg.export.quantise import Sample

    words = f"{len(cases)} images{draw} ({' '.join(portable_words(flat(data), flat(splits)))})"
    return Sample(words, (case.load() for case in cases))


def _without_onnx(error: ModuleNotFoundError) -> MissingExtraError:
    return MissingExtraError(
        f"quantising needs onnx ({error})", remedy="pip install 'breastseg[train]'"
    )
