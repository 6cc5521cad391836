"""A disk that is full leaves nothing half-written; the limit on a file's size stands for it."""

import subprocess
import sys
from pathlib import Path

WRITERS = """
import resource, signal, sys
from functools import partial
from pathlib import Path
import numpy as np
from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.io.geojson import Feature, write_geojson
from breastseg.io.mask_pyramid import write_mask_pyramid
from breastseg.io.volume import write_volume
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
folder, noise = Path(sys.argv[1]), np.random.default_rng(0).random((9, 64, 64))
grid = Grid(noise.shape, (1.0, 1.0, 1.0))
tiles = (noise[0] > 0.5 for _ in range(1024))
outlines = (Feature([noise[0, :, :2]], {}) for _ in range(99))
for write in (
    *(
        partial(write_volume, noise, grid, folder / f"a.{suffix}")
        for suffix in ("nii", "nii.gz", "nrrd", "mha")
    ),
    partial(write_mask_pyramid, folder / "a.tif", tiles, (2048, 2048), 64),
    partial(write_geojson, folder / "a.geojson", outlines),
):
    try:
        write()
    except InputError as error:
        print(error)
"""


def test_every_large_output_is_whole_or_not_there(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITERS, str(tmp_path)]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    assert told.stdout.count("cannot be written (File too large)") == 6, told.stdout
    assert told.stderr == ""
    assert not list(tmp_path.iterdir())
