"""What the commands that calibrate share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.case_options import Words, flat, portable_words
from breastseg.cli.console import Advance, complain, say
from breastseg.core.errors import InputError
from breastseg.io.write import check_writable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from breastseg.core.bundle import Bundle
    from breastseg.core.measured import Figures
    from breastseg.data.dataset import CaseRef
    from breastseg.inference.onnx_segmenter import OnnxSegmenter

Selections = Annotated[
    tyro.conf.UseAppendAction[Words],
    tyro.conf.arg(metavar="[NAME=]SELECTION ...", help_behavior_hint=""),
]
BundleFolder = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="BUNDLE")]]


def opened(folder: Path, threads: int, write: bool = False) -> OnnxSegmenter:
    """The network of a bundle.

    Args:
        folder: of the bundle.
        threads: CPU cores to use; 0 for all.
        write: what is found shall go into the bundle.

    Raises:
        InputError: it shall, and cannot.
    """
    from breastseg.inference.onnx_segmenter import OnnxSegmenter

    if write and folder.is_dir():
        check_writable(folder)
    return OnnxSegmenter(folder, threads)


def rewrite(
    folder: Path,
    change: Callable[[Bundle], Bundle],
    results: Mapping[str, Figures] | None = None,
) -> int:
    """Change what a bundle says of itself, in all its files or in none.

    Args:
        folder: of the bundle.
        change: from what it says now to what it shall say.
        results: measured figures to be added, by protocol name.

    Returns:
        The exit code: 1 where it cannot be written; what was found has been said by then.
    """
    from dataclasses import replace

    from breastseg.export.card import model_card
    from breastseg.inference.bundle_folder import read_bundle, read_measured, write_described

    with alone(folder):
        bundle = change(read_bundle(folder))
        measured = read_measured(folder, bundle)
        if results:
            measured = replace(measured, results={**measured.results, **results})
        try:
            write_described(folder, bundle, measured, model_card(bundle, measured))
        except InputError as error:
            complain(str(error))
            return 1
    say(f"Written to {folder}/")
    return 0


def counted(advance: Advance) -> Callable[[int, int], None]:
    """A progress bar as what calls back with (done, total)."""
    return lambda _done, _total: advance(1, "")


def in_words(cases: Sequence[CaseRef], data: Words, split: Words) -> str:
    """Which cases something was fitted or checked on, without folders of this machine."""
    patients = len({case.patient_key for case in cases})
    words = portable_words(flat(data), flat(split))
    chosen = words[words.index("--split") + 1 :] if "--split" in words else words[1:]
    return f"{len(cases)} images of {patients} patients ({', '.join(chosen)})"
