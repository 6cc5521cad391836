"""Prepared volumes, and the patches that an epoch cuts from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from breastseg.core.bundle import VolumeSpec
from breastseg.core.case import Case
from breastseg.core.errors import DataSetError
from breastseg.core.regions import connected_regions
from breastseg.inference.sliding_window import cut_patch
from breastseg.preprocess.orientation import oriented, reorientation
from breastseg.preprocess.volume import prepare_volume, resample
from breastseg.training.volume.recipe import PatchesRecipe

Points = NDArray[np.int32]
BRIGHT_FRACTION = 0.03
"""A voxel outside the lesions counts as bright when it belongs to this fraction of them."""
BRIGHT_LEAST = 8
"""Fewer bright voxels in one piece are noise."""
POINTS = 1000
"""At most so many voxels of one piece are remembered."""


class Pieces(Protocol):
    """The voxels of several pieces, (n, 3) each, counted from 0; a tuple of them is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Points: ...


@dataclass(frozen=True, eq=False)
class PreparedVolume:
    """One study at the network's spacing.

    Attributes:
        key: of the case.
        channels: (channels, slices, rows, columns) float16, scaled.
        lesion: (slices, rows, columns) int8: 1 in a lesion, 0 in the background, -1 where nothing
            is known.
        lesions: voxels of each lesion, (n, 3).
        bright: voxels of each connected piece that enhances and is no lesion: a vessel, the skin.
        truth: likewise on the study's own voxels, in the orientation that the network takes; for
            validation.
    """

    key: str
    channels: NDArray[np.float16]
    lesion: NDArray[np.int8]
    lesions: Pieces
    bright: Pieces
    truth: NDArray[np.int8]

    def opened(self) -> PreparedVolume:
        """Itself: it is in memory."""
        return self


class Study(Protocol):
    """A prepared volume, in memory or not."""

    @property
    def key(self) -> str:
        """Of the case."""

    def opened(self) -> PreparedVolume:
        """The volume, to be looked at now."""


def prepare_case(case: Case, spec: VolumeSpec) -> PreparedVolume:
    """Bring a case to the network's orientation, spacing and grey scale.

    Raises:
        DataSetError: no mask.
        GeometryError, InputError: see `breastseg.preprocess.volume.prepare_volume`.
    """
    if case.mask is None:
        raise DataSetError(f"case {case.case_id} has no mask", "outlined cases")
    turn = reorientation(case.images[0].grid, spec.orientation)
    channels = prepare_volume(oriented(case.images[0], spec.orientation), spec)
    truth = turn.apply(np.where(case.mask.ignored, -1, case.mask.foreground).astype(np.int8))
    lesion = _resampled(truth, channels.shape[1:])
    gain = channels[1] - channels[0] if len(channels) > 1 else channels[0].copy()
    gain[lesion != 0] = -np.inf
    bright = (gain >= np.quantile(gain, 1 - BRIGHT_FRACTION)) & (lesion == 0)
    return PreparedVolume(
        case.case_id,
        channels.astype(np.float16),
        lesion,
        _pieces(lesion > 0, 1),
        _pieces(bright, BRIGHT_LEAST),
        np.ascontiguousarray(truth),
    )


def _resampled(truth: NDArray[np.int8], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """`PreparedVolume.truth` at another spacing: each voxel is what most of it is."""
    lesion = resample(truth > 0, shape) >= 0.5
    if not (truth < 0).any():
        return lesion.astype(np.int8)
    marked = resample(truth != 0, shape) >= 0.5
    return np.where(lesion, 1, np.where(marked, -1, 0)).astype(np.int8)


def _pieces(mask: NDArray[np.bool_], least: int) -> tuple[Points, ...]:
    """The voxels of each connected piece of at least so many of them, spread evenly over it."""
    pieces = [
        (np.argwhere(crop) + box.start).astype(np.int32)
        for box, crop in connected_regions(mask).crops()
    ]
    return tuple(piece[:: -(-len(piece) // POINTS)] for piece in pieces if len(piece) >= least)


@dataclass(frozen=True, eq=False)
class PatchSampler:
    """Batches of patches. All randomness comes from (seed, epoch): resuming needs no state.

    Attributes:
        volumes: the training studies, at least one.
        patches: where patches lie.
        patch: (slices, rows, columns) of one.
        steps: batches an epoch.
        batch_size: patches a step on this process.
        seed: of the run.
        rank: of this process.
        world: number of processes.
        repeats: how often each study is shown in a round through all, above 0; once where
            empty.
    """

    volumes: tuple[Study, ...]
    patches: PatchesRecipe
    patch: tuple[int, int, int]
    steps: int
    batch_size: int
    seed: int
    rank: int = 0
    world: int = 1
    repeats: tuple[float, ...] = ()

    def batches(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield patches (N, channels, *patch) and lesions (N, 1, *patch), see `cut`."""
        generator = np.random.default_rng([self.seed, epoch, self.rank])
        count = self.steps * self.batch_size
        order = self._order(count, generator)
        for step in range(self.steps):
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            pairs = [self.cut(self.volumes[index].opened(), generator) for index in chosen]
            yield (
                torch.from_numpy(np.stack([image for image, _ in pairs])),
                torch.from_numpy(np.stack([lesion for _, lesion in pairs])),
            )

    def _order(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Which studies are shown, at least so many: rounds through all, each shuffled."""
        often = np.array(self.repeats or (1.0,) * len(self.volumes))
        whole, part = np.divmod(often, 1)
        rounds = [np.empty(0, np.int64)]
        while sum(map(len, rounds)) < count:
            # 1.5 times is once, and a second time in every other round
            times = whole + (generator.random(len(part)) < part) if part.any() else whole
            shown = np.repeat(np.arange(len(times)), times.astype(np.int64))
            rounds.append(generator.permutation(shown))
        return np.concatenate(rounds)

    def cut(
        self, volume: PreparedVolume, generator: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One patch (channels, *patch) and its lesions (1, *patch), both float32.

        The lesions are 1, 0, or `breastseg.losses.inputs.IGNORED`, which is the -1 of a study.
        """
        shape = volume.lesion.shape
        kind = generator.random() - self.patches.lesion_fraction
        pieces = (volume.lesions if kind < 0 else ()) or volume.bright
        if kind >= self.patches.bright_fraction or not pieces:
            middle = generator.integers(0, shape)
        else:
            # each piece as often as any other: a thin vessel as the heart, 4 mm as 30 mm
            piece = pieces[int(generator.integers(len(pieces)))]
            middle = piece[generator.integers(len(piece))]
        # not always in the middle, or the network would learn that there is a lesion there
        jitter = [generator.integers(-(side // 4), side // 4 + 1) for side in self.patch]
        corner = [
            int(np.clip(at + off - side // 2, 0, max(0, whole - side)))
            for at, off, side, whole in zip(middle, jitter, self.patch, shape, strict=True)
        ]
        image = cut_patch(volume.channels, corner, self.patch)
        return image, cut_patch(volume.lesion[None], corner, self.patch)
