"""Write `measured.json`: lesions as Python measures them, which the browser must repeat.

.venv/bin/python web/tests/golden/measured.py
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.grid import Grid
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.measure import SeenSkin, measure, skin_line

_CASES = 6
_TO = Path(__file__).with_name("measured.json")


def _drawn(mask: NDArray[np.bool_]) -> list[str]:
    return ["".join("#" if value else "." for value in row) for row in mask]


def main() -> None:
    """Random smooth shapes, on square and on oblong pixels."""
    random = np.random.default_rng(3)
    cases = []
    for number in range(_CASES):
        noise = ndimage.gaussian_filter(random.normal(size=(28, 36)), 2 + number % 3)
        mask = noise > np.quantile(noise, 0.75)
        grid = Grid(mask.shape, (0.3, 0.2) if number % 2 else None)
        breast = ndimage.gaussian_filter(random.normal(size=mask.shape), 6)
        breast = mask | (breast > np.quantile(breast, 0.3))
        found = Prediction(mask.astype(np.float32), grid, Provenance("golden", "1")).lesions()
        cases.append(
            {
                "rows": _drawn(mask),
                "breast": _drawn(breast),
                "spacing_mm": grid.spacing_mm,
                "lesions": [
                    {
                        "box": [*lesion.box.start, *lesion.box.stop],
                        **measure(lesion, grid).as_dict(),
                        "skin_distance": SeenSkin(skin_line(breast)).distance(lesion, grid),
                    }
                    for lesion in found
                ],
            }
        )
    _TO.write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
