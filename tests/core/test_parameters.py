"""Parameters are read off a dataclass, checked, changed by name, and written back unchanged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breastseg.core.errors import InputError
from breastseg.core.parameters import (
    Parameter,
    Within,
    check_parameters,
    parameters_of,
    values_of,
    with_values,
)
from breastseg.core.provenance import Scalar


@dataclass(frozen=True)
class Blur:
    """Smooths.

    Attributes:
        sigma: how much.
    """

    sigma: Annotated[float, Within(0.1, 10, log=True)] = 1.0

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True)
class Base:
    """What all share.

    Attributes:
        steps: how often, and a text that goes on
            in a second line.
        shown: replaced below.

    Not a parameter: this.
    """

    steps: Annotated[int, Within(1, 9)] = 3
    shown: bool = False

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True)
class Knobs(Base):
    """One of each kind.

    Attributes:
        shown: whether it is shown.
        weight: any number.
    """

    blur: Blur = field(default_factory=Blur)
    mode: Literal["soft", "hard"] = "soft"
    weight: float = 0.5
    count: int = 2
    title: str = "plain"


BY_NAME = {one.name: one for one in parameters_of(Knobs())}


def test_names_come_in_the_order_of_the_fields_with_nested_ones_last() -> None:
    assert list(BY_NAME) == ["steps", "shown", "mode", "weight", "count", "title", "blur.sigma"]


def test_kind_bounds_and_choices_are_those_of_the_annotation() -> None:
    assert BY_NAME["steps"] == Parameter(
        "steps", int, 3, Within(1, 9), (), "how often, and a text that goes on in a second line."
    )
    assert BY_NAME["mode"].kind is str
    assert BY_NAME["mode"].choices == ("soft", "hard")
    assert BY_NAME["blur.sigma"].within == Within(0.1, 10, log=True)
    assert BY_NAME["shown"].kind is bool
    assert BY_NAME["weight"].within is None


def test_help_is_that_of_the_class_or_its_base_the_class_first() -> None:
    assert BY_NAME["shown"].help == "whether it is shown."
    assert BY_NAME["weight"].help == "any number."
    assert BY_NAME["blur.sigma"].help == "how much."
    assert not BY_NAME["count"].help


def test_defaults_are_the_values_of_the_object_at_hand() -> None:
    assert values_of(Knobs(steps=5, blur=Blur(2.0))) == {
        "steps": 5,
        "shown": False,
        "mode": "soft",
        "weight": 0.5,
        "count": 2,
        "title": "plain",
        "blur.sigma": 2.0,
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("steps", "a whole number from 1 to 9"),
        ("blur.sigma", "a number from 0.1 to 10"),
        ("weight", "a number"),
        ("count", "a whole number"),
        ("shown", "true, false"),
        ("mode", "soft, hard"),
    ],
)
def test_what_is_allowed_is_said_in_words(name: str, words: str) -> None:
    assert BY_NAME[name].allowed == words


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("steps", "9", 9),
        ("steps", 1, 1),
        ("steps", 4.0, 4),
        ("steps", "4.0", 4),
        ("count", 2**60 + 1, 2**60 + 1),
        ("count", "-1e3", -1000),
        ("weight", "1e-3", 0.001),
        ("weight", 2, 2.0),
        ("shown", "TRUE", True),
        ("shown", "false", False),
        ("shown", True, True),
        ("mode", "hard", "hard"),
        ("title", "", ""),
        ("blur.sigma", 0.1, 0.1),
        ("blur.sigma", 10, 10.0),
    ],
)
def test_text_and_numbers_become_the_parameters_own_type(
    name: str, given: Scalar, value: Scalar
) -> None:
    found = BY_NAME[name].value(given)
    assert found == value
    assert type(found) is BY_NAME[name].kind


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("steps", 0),
        ("steps", 10),
        ("steps", 2.5),
        ("steps", "two"),
        ("steps", True),
        ("steps", None),
        ("steps", math.nan),
        ("steps", math.inf),
        ("weight", math.nan),
        ("weight", "inf"),
        ("weight", False),
        ("weight", ""),
        ("count", "1e999"),
        ("shown", 1),
        ("shown", "yes"),
        ("mode", "Soft"),
        ("mode", 1),
        ("title", 7),
        ("blur.sigma", 0.0999),
        ("blur.sigma", "10.1"),
    ],
)
def test_other_types_and_values_out_of_bounds_are_refused(name: str, given: Scalar) -> None:
    with pytest.raises(InputError) as refused:
        BY_NAME[name].value(given)
    assert str(refused.value) == f"{name} = {given}. Expected: {BY_NAME[name].allowed}"


def test_values_are_replaced_in_a_copy_also_in_nested_objects() -> None:
    start = Knobs()
    changed = with_values(start, {"blur.sigma": "2.5", "steps": "4", "mode": "hard"})
    assert changed == Knobs(steps=4, mode="hard", blur=Blur(2.5))
    assert start == Knobs()
    assert with_values(start, {}) == start


@pytest.mark.parametrize(
    ("name", "needle"),
    [("step", "did you mean 'steps'?"), ("sigma", "blur.sigma"), ("qqq", "one of steps, shown")],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, needle: str) -> None:
    with pytest.raises(InputError, match=f"no parameter '{name}'") as refused:
        with_values(Knobs(), {name: 1})
    assert needle in str(refused.value)


def test_an_object_without_parameters_has_none_to_change() -> None:
    @dataclass(frozen=True)
    class Bare:
        """Nothing."""

    assert parameters_of(Bare()) == ()
    with pytest.raises(InputError, match="one of none"):
        with_values(Bare(), {"x": 1})


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 10}, {"steps": "4"}, {"steps": 4.0}, {"shown": 1}, {"weight": True}, {"mode": "x"}],
)
def test_an_object_is_valid_once_it_is_made(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(wrong))} = "):
        Knobs(**wrong)  # type: ignore[arg-type]


def test_a_whole_number_is_a_number_and_held_parts_check_themselves() -> None:
    assert Knobs(weight=1).weight == 1
    with pytest.raises(InputError, match=r"^sigma = 99"):
        Knobs(blur=Blur(99.0))
    with pytest.raises(InputError, match=r"^blur.sigma = 99"):
        with_values(Knobs(), {"blur.sigma": 99})


@given(
    st.fixed_dictionaries(
        {
            "steps": st.integers(1, 9),
            "shown": st.booleans(),
            "mode": st.sampled_from(["soft", "hard"]),
            "weight": st.floats(allow_nan=False, allow_infinity=False),
            "count": st.integers(-(2**53), 2**53),
            "title": st.text(),
            "blur.sigma": st.floats(0.1, 10),
        }
    )
)
def test_values_survive_the_way_there_and_back_also_as_text(values: dict[str, Scalar]) -> None:
    changed = with_values(Knobs(), values)
    assert values_of(changed) == values
    assert with_values(Knobs(), {name: str(value) for name, value in values.items()}) == changed
