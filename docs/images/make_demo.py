"""Draw docs/images/demo.png: generated scans with the shipped network's masks.

python docs/images/make_demo.py
"""

from pathlib import Path

import numpy as np

from breastseg.core import Grid, Image, Modality
from breastseg.data.phantoms.ultrasound import make_phantoms
from breastseg.inference.open import open_segmenter
from breastseg.io.overlay import overlay
from breastseg.io.write import write_png

COUNT, SEED, GAP = 4, 1, 6


def main() -> None:
    """Write the image beside this file."""
    segmenter = open_segmenter("ultrasound")
    tiles = []
    for phantom in make_phantoms(COUNT, SEED):
        image = Image(
            phantom.image[None], Grid(phantom.image.shape, phantom.spacing_mm), Modality.ULTRASOUND
        )
        mask = segmenter.segment(image).mask().foreground
        tiles.append(overlay(image, mask, phantom.mask, []))
    rows, columns = tiles[0].shape[:2]
    sheet = np.full((2 * rows + GAP, 2 * columns + GAP, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = (number // 2) * (rows + GAP), (number % 2) * (columns + GAP)
        sheet[row : row + rows, column : column + columns] = tile
    write_png(Path(__file__).with_name("demo.png"), sheet)


if __name__ == "__main__":
    main()
