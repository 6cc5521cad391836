"""How much of the text in a scan de-identification finds, and how much of a scan it paints over.

    BREASTSEG_DATA=FOLDER python benchmarks/burned_in_text.py [COUNT]

Names, dates and numbers are written into COUNT (40) real ultrasound images of BUSI and BUS-BRA, in
sizes of 9 to 26 pixels, white, grey or black, half of them compressed as JPEG afterwards. Text
outside the scan, which goes in any case, is not counted.
"""

from __future__ import annotations

import argparse
import os
import random
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.font_manager import findSystemFonts
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from breastseg.core.box import Box
from breastseg.dicom.deidentify.pixels import FIRST, SECOND, padded
from breastseg.dicom.deidentify.text import text_boxes

WORDS = ("MUSTERMANN, ERIKA", "ID 4711-0815", "12.03.1961", "Smith^Jane", "Pat: 998877")
Levels = NDArray[np.uint8]


def lettered(levels: Levels, draw: random.Random, fonts: list[str]) -> tuple[Levels, Box]:
    """The image with a row of text, and where that is."""
    rows, columns = levels.shape
    size, ink = draw.choice((9, 11, 13, 16, 20, 26)), draw.choice((255, 230, 180, 0))
    font = ImageFont.truetype(draw.choice(fonts), size)
    corner = draw.randint(5, max(6, columns - 200)), draw.randint(5, max(6, rows - 40))
    under = float(levels[corner[1] : corner[1] + size, corner[0] : corner[0] + 150].mean())
    if abs(ink - under) < 70:  # nobody could read it
        ink = 255 if under < 130 else 0
    picture = Image.fromarray(levels)
    drawn, word = ImageDraw.Draw(picture), draw.choice(WORDS)
    drawn.text(corner, word, fill=ink, font=font)
    left, top, right, bottom = map(int, drawn.textbbox(corner, word, font=font))
    if draw.random() < 0.5:
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=90)
        picture = Image.open(buffer)
    return np.asarray(picture), Box.of(top, left, min(bottom, rows), min(right, columns))


def painted(boxes: list[Box], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    for box in padded(boxes, shape):
        mask[box.slices] = True
    return mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=40, help="scans to write text into")
    count = parser.parse_args().count
    folder = Path(os.environ["BREASTSEG_DATA"]) / "ultrasound"
    files = sorted(folder.glob("BUS-BRA/**/bus_*.png")) + sorted(folder.glob("BUSI/**/*).png"))
    fonts = sorted(path for path in findSystemFonts() if "Math" not in path)
    draw = random.Random(1)
    covered, area, held = [], [], 0
    for _ in range(count):
        levels = np.asarray(Image.open(draw.choice(files)).convert("L"))
        with_text, where = lettered(levels, draw, fonts)
        covered.append(painted(text_boxes(with_text, FIRST), levels.shape)[where.slices].mean())
        own = painted(text_boxes(levels, FIRST), levels.shape)
        area.append(own.mean())
        held += bool(text_boxes(np.where(own, levels.min(), levels), SECOND))
    print(f"{count} images, {len(fonts)} typefaces")
    print(f"text painted over by at least 90 %: {np.mean(np.array(covered) >= 0.9):.1%}")
    print(f"text of which less than 10 % is painted over: {np.mean(np.array(covered) < 0.1):.1%}")
    print(f"of an image without added text painted over: {np.mean(area):.2%}")
    print(f"images without added text that are held back then: {held / count:.1%}")


if __name__ == "__main__":
    main()
