"""Weights in safetensors files: an encoder's, and a whole network's. Nothing is downloaded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from breastseg.core.errors import BundleError, RecipeError
from breastseg.io.write import replacing

CLASSIFIERS = ("classifier.", "fc.", "head.")
_RUN = "breastseg_run"  # of the metadata
_BLOCK = re.compile(r"(\D+)(\d+)\.")
COUNTER = "num_batches_tracked"  # of batch normalisation; the computation does not use it


def find_weights(path: str, root: Path | None = None) -> Path:
    """The file that a recipe names.

    Args:
        path: absolute, or relative to `root` or to the folder that BREASTSEG_DATA names.
        root: the recipe's own root; None where there is none.

    Raises:
        RecipeError: there is no such file; the message lists where it was looked for.
    """
    folders = [root] if root is not None else []
    if os.environ.get("BREASTSEG_DATA"):
        folders.append(Path(os.environ["BREASTSEG_DATA"]))
    candidates = [folder / path for folder in folders] or [Path(path)]
    for candidate in dict.fromkeys(candidates):  # an absolute path swallows the folder before it
        if candidate.is_file():
            return candidate
    raise RecipeError(
        f"encoder weights {path!r} not found",
        f"looked for {', '.join(str(c) for c in dict.fromkeys(candidates))}",
        "set BREASTSEG_DATA to the folder that holds it, or leave encoder_weights out",
    )


def load_encoder_weights(encoder: nn.Module, path: Path) -> None:
    """Fill an encoder from a classifier's weights.

    A first convolution trained on RGB serves a grey image by summing its weights over the three
    channels: exactly what it computes for the grey image repeated three times.

    Args:
        encoder: of segmentation-models-pytorch; changed in place.
        path: safetensors file with the encoder's keys; a timm encoder's may lack its leading
            ``model.``. The classifier's own keys are ignored, and so are those of blocks below the
            encoder's last where an encoder is only the first blocks of a classifier.

    Raises:
        RecipeError: unreadable, or a tensor is missing, unexpected or of another shape.
    """
    try:
        stored = safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(f"encoder weights {path}: {error}", "a safetensors file") from error
    wanted = encoder.state_dict()
    wrapped = all(key.startswith("model.") for key in wanted)
    tensors: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        key = f"model.{name}" if wrapped and not name.startswith("model.") else name
        if key not in wanted and (
            key.removeprefix("model.").startswith(CLASSIFIERS) or _is_deeper(key, wanted)
        ):
            continue
        tensors[key] = fit_stem(tensor, wanted[key]) if key in wanted else tensor
    problem = _mismatch(tensors, wanted)
    if problem:
        raise RecipeError(
            f"encoder weights {path.name} do not fit the encoder: {problem}",
            remedy="give the file that was made for this encoder",
        )
    nn.Module.load_state_dict(encoder, tensors, strict=False)  # only counters can be missing


def load_network_weights(network: nn.Module, path: Path) -> None:
    """Fill a whole network from a file that `save_network_weights` wrote.

    Args:
        network: changed in place.
        path: safetensors file with exactly the keys of ``network.state_dict()``.

    Raises:
        BundleError: unreadable, or a tensor is missing, unexpected or of another shape.
    """
    try:
        stored = safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise BundleError(f"weights {path}: {error}", "a safetensors file") from error
    problem = _mismatch(stored, network.state_dict())
    if problem:
        raise BundleError(
            f"weights {path} do not fit the network: {problem}",
            remedy="build the network from the recipe that the weights were trained with",
        )
    network.load_state_dict(stored, strict=False)


def require_weights_of(run: str, path: Path) -> None:
    """Check that weights are not of another run: those of the same network would fit in silence.

    Args:
        run: the signature of the run; weights that bear none pass.
        path: a file that `save_network_weights` wrote.

    Raises:
        BundleError: unreadable, or of another run.
    """
    try:
        with safetensors.safe_open(path, "pt") as stored:
            bears = (stored.metadata() or {}).get(_RUN, run)
    except (OSError, SafetensorError) as error:
        raise BundleError(f"weights {path}: {error}", "a safetensors file") from error
    if bears != run:
        raise BundleError(
            f"weights {path} are of another run than the rest of its folder",
            "the files of one run",
            "restore the run folder, or train again in a new one",
        )


def load_mean_weights(network: nn.Module, paths: Sequence[Path]) -> None:
    """Fill a network with the mean of the weights of several files; one alone is taken as it is.

    Counters and other whole numbers are those of the first.

    Args:
        network: changed in place.
        paths: as for `load_network_weights`, at least one.

    Raises:
        BundleError: as `load_network_weights`.
    """
    states = []
    for path in paths:
        load_network_weights(network, path)
        states.append({key: value.clone() for key, value in network.state_dict().items()})
    network.load_state_dict(
        {
            key: torch.stack([state[key] for state in states]).mean(0)
            if value.is_floating_point()
            else value
            for key, value in states[0].items()
        }
    )


def save_network_weights(network: nn.Module, path: Path, run: str | None = None) -> None:
    """Write ``network.state_dict()`` as safetensors; the file appears whole or not at all.

    Args:
        network: left as it is.
        path: an existing file is replaced.
        run: the signature of the run that they are of, for `require_weights_of`.

    Raises:
        InputError: it cannot be written, as where the disk is full.
    """
    tensors = {key: value.detach().contiguous() for key, value in network.state_dict().items()}
    with replacing(path) as temporary:
        marks = None if run is None else {_RUN: run}
        temporary.write_bytes(safetensors.torch.save(tensors, marks))


def _is_deeper(key: str, wanted: Mapping[str, Tensor]) -> bool:
    """Whether a key is of a numbered block after the encoder's last, such as ``features.14``."""
    block = _BLOCK.match(key)
    if block is None:
        return False
    own = [int(m[2]) for m in map(_BLOCK.match, wanted) if m and m[1] == block[1]]
    return bool(own) and int(block[2]) > max(own)


def fit_stem(stored: Tensor, wanted: Tensor) -> Tensor:
    """The weights of a first convolution for other input channels.

    RGB weights (O, 3, h, w) are summed to (O, 1, h, w) where the network takes grey. Channels that
    a network takes besides the image, such as the maps of a prompt, start at 0: at first it
    computes what it computed without them.
    """
    if stored.ndim != 4 or stored.shape[1] == wanted.shape[1]:
        return stored
    if stored.shape[1] == 3 and wanted.shape[1] != 3:
        stored = stored.sum(dim=1, keepdim=True)
    if stored.shape[1] < wanted.shape[1] and stored.shape[0] == wanted.shape[0]:
        more = stored.new_zeros(len(stored), wanted.shape[1] - stored.shape[1], *stored.shape[2:])
        return torch.cat((stored, more), dim=1)
    return stored


def _mismatch(stored: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """What does not fit, on one line; empty where all does."""
    missing = sorted(k for k in wanted if k not in stored and not k.endswith(COUNTER))
    unexpected = sorted(k for k in stored if k not in wanted)
    reshaped = sorted(
        f"{k} {tuple(stored[k].shape)} for {tuple(wanted[k].shape)}"
        for k in stored
        if k in wanted and stored[k].shape != wanted[k].shape
    )
    groups = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    return "; ".join(
        f"{len(keys)} {what} (first {keys[0]})" for what, keys in groups.items() if keys
    )
