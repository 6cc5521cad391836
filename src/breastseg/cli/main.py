"""The front door: the first word picks the command, and nothing else is imported.

Exit codes: 0 all went well; 1 some inputs failed and the others were done; 2 wrong usage, or
nothing could be done; 130 interrupted or terminated; 141 whoever read the output went away.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Sequence
from typing import cast

from breastseg import __version__
from breastseg.cli.command import Command, Runnable
from breastseg.cli.console import complain
from breastseg.cli.streams import steady_streams
from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.signals import interruptible

_NARROWEST = 20

COMMANDS = {
    "segment": Command("segment", "Segment", "segment and measure the lesions in images"),
    "volume": Command("volume", "Volume", "segment the lesions in a volume, such as an MRI"),
    "slide": Command("slide", "SegmentSlide", "segment the lesions on a whole slide"),
    "node": Command(
        "node", "RunNode", "receive DICOM studies, send segmentations and reports back"
    ),
    "node status": Command("node", "NodeStatus", "what the node has done and what has failed"),
    "node retry": Command("node", "NodeRetry", "try what has failed again"),
    "node drop": Command("node", "NodeDrop", "forget items and remove their files"),
    "node rescue": Command("node", "NodeRescue", "what is owed, out of a queue that is refused"),
    "watch": Command("watch", "Watch", "segment the DICOM files that appear in a folder"),
    "dicomweb pull": Command("dicomweb", "Pull", "fetch studies from a DICOMweb server"),
    "dicomweb push": Command("dicomweb", "Push", "store DICOM files on a DICOMweb server"),
    "measure": Command("measure", "Measure", "measure the lesions of a corrected mask"),
    "deidentify": Command("deidentify", "Deidentify", "remove what names a patient from DICOM"),
    "demo": Command("demo", "Demo", "see it work on generated scans; writes a report"),
    "train": Command("train", "Train", "train a network from a recipe and data sets"),
    "evaluate": Command("evaluate", "Evaluate", "score a method on data with ground truth"),
    "pool": Command("pool", "Pool", "join the scores of several evaluations, such as of folds"),
    "tune": Command("tune", "Tune", "search the parameters of a classical method"),
    "compare": Command("compare", "Compare", "score several methods on the same data, in a report"),
    "export": Command("export", "Export", "make a bundle, which runs without torch, of a run"),
    "calibrate point": Command("calibrate", "CalibratePoint", "choose the operating point"),
    "calibrate temperature": Command(
        "calibrate", "CalibrateTemperature", "fit the temperature of a network's probabilities"
    ),
    "calibrate confidence": Command(
        "calibrate_certainty", "CalibrateConfidence", "fit an image's probability of a lesion"
    ),
    "calibrate margins": Command(
        "calibrate_certainty", "CalibrateMargins", "fit contours that hold a lesion"
    ),
    "calibrate malignancy": Command(
        "calibrate", "CalibrateMalignancy", "fit an image's probability of malignancy"
    ),
    "calibrate finder": Command(
        "calibrate", "CalibrateFinder", "fit the finder of the classical methods"
    ),
    "quantise": Command("quantise", "Quantise", "make a bundle smaller and quicker: 8-bit numbers"),
    "serve": Command("serve", "Serve", "open the web app: segment, correct, measure, report"),
    "service account": Command("service", "AddAccount", "add an account to the web app's service"),
    "service backup": Command("service", "Backup", "write the service to one file"),
    "service restore": Command("service", "Restore", "bring a backup into an empty service"),
    "models list": Command("models", "ListModels", "the methods that are installed"),
    "models show": Command("models", "ShowModel", "all that is known about one method"),
    "data list": Command("data", "ListData", "the data sets that can be read"),
    "data info": Command("data", "DataInfo", "where to get a data set and how it lies on disk"),
    "data audit": Command("data", "Audit", "find duplicates, leaks and broken masks"),
    "data split": Command("data", "SplitData", "divide the cases by patient"),
    "data convert": Command("data", "ConvertData", "write a data set in nnU-Net's or our layout"),
    "data phantom": Command("data", "MakePhantoms", "generate scans with ground truth"),
}
"""All commands, in the order in which the help lists them."""

_EXAMPLES = """\
Examples:
  breastseg demo --out demo
  breastseg segment scan.png --out results
  breastseg segment study/ cine.dcm --out results --threads 2
  breastseg volume before.nii.gz after.nii.gz --method BUNDLE --out segmented
  breastseg slide slide.svs --method BUNDLE --out segmented
  breastseg measure scan.png corrected_mask.png --spacing 0.1
  cat scan.dcm | breastseg segment - --json
  breastseg segment scan.png --method polar-path --box 60 80 180 220 --out in-a-box
  breastseg evaluate ultrasound --data BUSI=data/BUSI --split lesions --out scores
  breastseg compare otsu watershed ultrasound --data BUSI=data/BUSI --out comparison

'breastseg COMMAND --help' says more. Exit codes: 0 done, 1 some inputs failed, 2 nothing done.
breastseg is a research tool and not a medical device."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        The exit code, see the top of this file.
    """
    with steady_streams() as output:
        code = _ended(list(sys.argv[1:] if argv is None else argv))
        if output is not None and output.failure is not None:
            complain(
                f"standard output: {output.failure.strerror}; what should be printed is lost"
                " from there on"
            )
            code = code or 1
        return code


def _ended(words: list[str]) -> int:
    """Run one command, whatever ends it; returns the exit code."""
    try:
        with interruptible():
            code = _run(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python flushes standard output once more when it exits; there it must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except SystemExit as stop:  # how the parser ends after help (0) or wrong usage (2)
        return stop.code if isinstance(stop.code, int) else 2
    except (BreastsegError, OSError, MemoryError, ImportError, KeyboardInterrupt) as error:
        return _explained(error)


def _explained(error: BaseException) -> int:
    """Say in one line what ended the command; returns the exit code.

    A file, folder, disk or memory that failed where nobody foresaw it is no fault of the software.
    Where a library cannot be loaded, the memory is too small or the installation not whole.
    """
    if isinstance(error, KeyboardInterrupt):
        complain("interrupted")
        return 130
    if isinstance(error, OSError):
        complain(f"{error.filename or 'the system'}: {error.strerror or error}")
    elif isinstance(error, MemoryError):
        complain("there is not enough memory. Try: fewer workers, or smaller inputs")
    elif isinstance(error, ImportError):
        why = " ".join(str(error).split())
        complain(f"a library cannot be loaded ({why}). Try: more memory, or install breastseg anew")
    else:
        complain(str(error))
    return 2


def _run(words: list[str]) -> int:
    first = words[0] if words else ""
    if first in ("--version", "-V"):
        print(f"breastseg {__version__}")
        return 0
    if first in ("", "--help", "-h", "help"):
        print(overview(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    group = {name: c for name, c in COMMANDS.items() if name.startswith(f"{first} ")}
    second = words[1] if len(words) > 1 else ""
    if group and (first not in COMMANDS or f"{first} {second}" in COMMANDS):
        if second in ("", "--help", "-h"):
            print(overview(group), file=sys.stdout if second else sys.stderr)
            return 0 if second else 2
        return _parse(f"{first} {second}", words[2:]).run()
    return _parse(first, words[1:]).run()


def overview(commands: dict[str, Command] | None = None) -> str:
    """One line a command; of all commands, with examples, by default."""
    shown = COMMANDS if commands is None else commands
    width = max(len(name) for name in shown)
    lines = [f"  {name:{width}}  {command.summary}" for name, command in shown.items()]
    text = "\n".join(["usage: breastseg COMMAND ...", "", *lines])
    if commands is None:
        return f"breastseg {__version__} segments breast lesions in images.\n{text}\n\n{_EXAMPLES}"
    return text


def _parse(name: str, words: list[str]) -> Runnable:
    if name not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, 1, 0.5)
        raise InputError(
            f"no command {name!r}",
            f"did you mean {near[0]!r}?" if near else "",
            "'breastseg --help' lists the commands",
        )
    if "" in words:  # as a path it would be the folder that one is in
        raise InputError(
            f"an empty word after 'breastseg {name}'",
            "files, folders, options",
            "a variable of your script may be unset",
        )
    import tyro

    if shutil.get_terminal_size().columns < _NARROWEST:  # where tyro lays out help without end
        os.environ["COLUMNS"] = str(_NARROWEST)
    command = COMMANDS[name]
    module = importlib.import_module(f"breastseg.cli.{command.module}")
    kind = cast("type[Runnable]", getattr(module, command.name))
    if hasattr(kind, "run_with"):  # the options of a classical method are among the words
        from breastseg.cli.own_parameters import with_own_parameters

        kind = with_own_parameters(kind, words)
    return tyro.cli(
        kind,
        prog=f"breastseg {name}",
        args=words,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
    )


if __name__ == "__main__":
    sys.exit(main())
