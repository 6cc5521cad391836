"""Masks as COCO's annotations, read back as a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.data.sets.coco import Coco
from breastseg.io.write import write_bytes, write_png
from breastseg.service.coco import CocoImage, coco_json


@pytest.mark.parametrize(
    "drawn",
    [
        [(1, 1), (2, 2)],  # corners alone
        [(0, 0), (0, 1), (1, 0), (2, 1), (1, 2), (0, 2), (2, 0), (2, 2)],  # a hole, at the border
        [(3, 4), (4, 4), (4, 3)],
    ],
)
def test_a_mask_comes_back_as_it_was(drawn: list[tuple[int, int]], tmp_path: Path) -> None:
    region = np.zeros((6, 5), bool)
    region[tuple(zip(*drawn, strict=True))] = True
    write_png(tmp_path / "a.png", np.arange(30, dtype=np.uint8).reshape(6, 5))
    write_bytes(tmp_path / "a.json", coco_json([CocoImage("a.png", (6, 5), [region])], "lesion"))
    (case,) = Coco(tmp_path).cases()
    mask = case.load().mask
    assert mask is not None
    np.testing.assert_array_equal(mask.foreground, region)
