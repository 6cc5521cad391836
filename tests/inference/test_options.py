"""The options that the command line, Python and a schema share."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.inference.options import MethodOptions, SegmentOptions


@pytest.mark.parametrize("threshold", [0, 1, -0.1, float("nan")])
def test_a_threshold_lies_between_0_and_1(threshold: float) -> None:
    with pytest.raises(InputError, match=r"threshold = .*between 0 and 1"):
        MethodOptions(threshold=threshold)


def test_numbers_out_of_bounds_are_refused() -> None:
    with pytest.raises(InputError, match=r"threads = -1.*at least 0"):
        SegmentOptions(threads=-1)
    with pytest.raises(InputError, match=r"smooth_frames = 51.*from 0 to 50"):
        SegmentOptions(smooth_frames=51)


def test_what_is_pointed_at_is_a_prompt() -> None:
    assert SegmentOptions().prompt is None
    prompt = SegmentOptions(box=(1, 2, 5, 6), inside=((3, 4),)).prompt
    assert prompt is not None
    assert (prompt.box, prompt.inside, prompt.outside) == (Box.of(1, 2, 5, 6), ((3, 4),), ())
    with pytest.raises(InputError, match="screenshot"):
        SegmentOptions(box=(1, 2, 5, 6), screenshot=True)


def test_a_schema_carries_the_bounds() -> None:
    fields = TypeAdapter(SegmentOptions).json_schema()["properties"]
    threshold, _none = fields["threshold"]["anyOf"]
    assert (threshold["exclusiveMinimum"], threshold["exclusiveMaximum"]) == (0, 1)
    assert (fields["smooth_frames"]["minimum"], fields["smooth_frames"]["maximum"]) == (0, 50)
    assert fields["threads"]["minimum"] == 0
