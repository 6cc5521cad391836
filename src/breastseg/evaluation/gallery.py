"""Every case of an evaluation: its mask as a file, and a page of all of them that opens offline."""

from __future__ import annotations

import base64
import html
import io
import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.evaluation.file_name import file_name
from breastseg.evaluation.run import OpenedCase, Outcome
from breastseg.io.overlay import PREDICTION_RGB, TRUTH_RGB, to_rgb
from breastseg.io.write import write_png, write_text

SIDE, MIN_SIDE = 256, 96
"""The longer side of a thumbnail in pixels, and of one among very many."""

_MANY = 500
"""Cases from which on thumbnails get smaller, so that the page stays at some 10 MB."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1rem; }}
main {{ display: flex; flex-wrap: wrap; gap: .8rem; }}
figure {{ margin: 0; width: {width}px; overflow-wrap: anywhere; }} img {{ width: 100%; }}
.mask {{ color: {mask}; }} .truth {{ color: {truth}; }}
</style>
<h1>{title}</h1>
<p>{count}. <b class="mask">Mask</b>, <b class="truth">ground truth</b>.
Sort by <button onclick="order('dice', 1)">lowest Dice</button>
<button onclick="order('dice', -1)">highest Dice</button>
<button onclick="order('key', 1)">name</button></p>
<main>{figures}</main>
<script>
function order(by, sign) {{
  const place = document.querySelector('main'), all = [...place.children];
  const names = new Intl.Collator(undefined, {{numeric: true}}).compare;
  all.sort((a, b) => sign * (by === 'dice'
    ? a.dataset.dice - b.dataset.dice : names(a.dataset.key, b.dataset.key)));
  place.append(...all);
}}
order('dice', 1);
</script>
</html>
"""


@dataclass
class Gallery:
    """Keeps each image as it is scored, as one of the callbacks of `evaluate`; passes volumes.

    Attributes:
        folder: masks go into ``masks/`` in it, 0 and 255, of the image's size.
        cases: how many there will be about; of very many the thumbnails are smaller.
        figures: of the page, one a case.
        failure: why a mask could not be written, as on a full disk; the others are tried.
    """

    folder: Path
    cases: int = 1
    figures: list[str] = field(default_factory=list)
    failure: InputError | None = None

    def __call__(self, opened: OpenedCase, outcome: Outcome) -> None:
        """Write the mask and remember the thumbnail; a case that failed has neither."""
        row, prediction = outcome.row, outcome.prediction
        if opened.ref.is_volume:
            return
        name, dice = html.escape(row.key), row.score.dice
        if prediction is None or opened.case is None or opened.case.mask is None or row.error:
            shown = f"<p>{html.escape(row.error or 'not segmented')}</p>"
        else:
            mask, truth = prediction.mask().foreground, opened.case.mask.foreground
            try:
                write_png(self.mask_path(row.key), mask)
            except InputError as error:
                self.failure = self.failure or error
            picture = _thumbnail(to_rgb(opened.case.images[0]), mask, truth, self.side)
            shown = f'<img loading="lazy" src="{picture}" alt="{name}">'
        caption = f"<figcaption>{name}<br>Dice {dice:.3f}</figcaption>"
        self.figures.append(
            f'<figure data-key="{name}" data-dice="{dice:.6f}">{shown}{caption}</figure>'
        )

    @property
    def side(self) -> int:
        """The longer side of a thumbnail in pixels."""
        fraction = min(1.0, _MANY / max(1, self.cases))
        return max(MIN_SIDE, round(SIDE * math.sqrt(fraction)))

    def mask_path(self, key: str) -> Path:
        """Where the mask of a case lies."""
        source, _, name = key.partition("/")
        return self.folder / "masks" / file_name(source) / f"{file_name(name)}.png"

    def write(self, title: str) -> Path:
        """Write the page, where there are cases, else remove an earlier one; returns its path."""
        path = self.folder / "gallery.html"
        if not self.figures:
            path.unlink(missing_ok=True)  # it would show another evaluation than the summary
            return path
        page = _PAGE.format(
            title=html.escape(title),
            count="1 case" if len(self.figures) == 1 else f"{len(self.figures)} cases",
            width=max(self.side, 128),
            figures="\n".join(self.figures),
            mask=_hex(PREDICTION_RGB),
            truth=_hex(TRUTH_RGB),
        )
        write_text(path, page)
        return path


def _thumbnail(
    rgb: NDArray[np.uint8], mask: NDArray[np.bool_], truth: NDArray[np.bool_], side: int
) -> str:
    """The image with both contours, as a data address."""
    from PIL import Image as Pillow

    scale = min(1.0, side / max(mask.shape))
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    for region, colour in ((truth, TRUTH_RGB), (mask, PREDICTION_RGB)):
        there = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(there, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(small, contours, -1, tuple(int(c) for c in colour), 1)
    stream = io.BytesIO()
    Pillow.fromarray(small).save(stream, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
