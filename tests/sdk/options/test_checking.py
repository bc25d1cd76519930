"""Options given by name, held against the declarations of their owners."""

from __future__ import annotations

import re
from typing import Any

import pytest

from edgeml.errors import InputError
from edgeml.options import Choice, Option, Owner, Real, Whole, check_options, owner_of, read_values

BITS = Option("bits", Whole(1, 8), "Bits.", default=8)
STEPS = Option("steps", Whole(1, 64), "Steps.", otherwise="as the model says")
GOAL = Option("goal", Choice(("area", "latency")), "Goal.", default="area")
FORM = Owner("form f", "Use --to f", (BITS,))
TARGET = Owner("targets of kind t", "Use a --target of kind t", (GOAL,))
OTHER = Owner("form other", "Use --to other", (STEPS,))


def check(given: Any) -> dict[str, Any]:
    return check_options(given, (FORM, TARGET), lambda: [FORM, OTHER, TARGET])


def test_what_fits_is_read_and_none_means_not_given() -> None:
    assert check({"bits": "4", "goal": "latency"}) == {"bits": 4, "goal": "latency"}
    assert check({"bits": None, "goal": None}) == {}


def test_each_owner_is_given_its_own() -> None:
    given = check({"bits": 4, "goal": "area"})
    assert (FORM.own(given), TARGET.own(given)) == ({"bits": 4}, {"goal": "area"})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": 3}, "option steps: belongs to form other, not to form f and targets of kind t. Use --to other"),
        ({"bit": 3}, "option bit: is not known to form f and targets of kind t. Did you mean bits?"),
        ({"colour": 3}, "Known: bits, goal"),
        ({"bits": 9}, "option bits: must be a whole number in 1 … 8, found 9"),
        ({"goal": "aera"}, "Did you mean area?"),
        ({3: 3}, "option 3: is not known"),
        ({"x" * 10**6: 3}, "is not known"),
        ({"a\x1b[2Jb": 3}, "option a [2Jb: is not known"),
        ([("bits", 3)], "options: must be a mapping"),
        ("bits=3", "options: must be a mapping"),
    ],
)
def test_what_does_not_fit_is_named_with_what_to_do(given: Any, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        check(given)
    assert len(str(caught.value)) < 400


def test_others_are_asked_only_to_say_where_an_option_belongs() -> None:
    def never() -> list[Owner]:
        raise AssertionError

    assert check_options({"bits": 2}, (FORM,), never) == {"bits": 2}


def test_an_option_that_uses_of_a_form_declare_differently_fits_if_it_fits_one_of_them() -> None:
    wide, narrow = Option("bits", Whole(1, 8), "Bits."), Option("bits", Whole(2, 4), "Bits.", group="of rate")
    for declared in ((wide, narrow), (narrow, wide)):
        assert check_options({"bits": 1}, [Owner("f", "", declared)]) == {"bits": 1}
        with pytest.raises(InputError, match=re.escape("a whole number in 2 … 4 (of rate)")):
            check_options({"bits": 9}, [Owner("f", "", declared)])


def test_values_are_what_was_given_or_the_default() -> None:
    rate = Option("rate", Real(0, 1), "Rate.", default=1)
    assert read_values((BITS, STEPS, rate), {"bits": "2"}) == {"bits": 2, "steps": None, "rate": 1.0}
    with pytest.raises(InputError, match="option goal: is not known"):
        read_values((BITS,), {"goal": "area"})


def test_a_plugin_that_takes_none_owns_none_and_one_that_declares_nonsense_is_refused() -> None:
    class Nonsense:
        options = ("bits",)

    assert owner_of("target x", "", object()).options == ()
    with pytest.raises(InputError, match="target x: declares options that are not"):
        owner_of("target x", "", Nonsense())
