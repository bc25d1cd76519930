"""Values of options: text and Python's values are read alike, and hostile ones are refused with the range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeml.errors import InputError
from edgeml.options import Choice, Flag, Kind, Option, Real, Structured, Text, Whole


def option(kind: Kind) -> Option:
    return Option("size", kind, "A size.")


@given(st.integers(-50, 50))
def test_a_whole_number_is_the_same_as_text_and_as_any_integer(number: int) -> None:
    size = option(Whole(-50, 50))
    found = [size.read(value) for value in (number, str(number), f" {number} ", np.int8(number), np.int64(number))]
    assert found == [number] * 5
    assert {type(each) for each in found} == {int}


@given(st.floats(-1, 1))
def test_a_number_is_the_same_as_text_and_as_any_float(number: float) -> None:
    size = option(Real(-1, 1))
    assert size.meant(number) == size.meant(repr(number)) == size.meant(np.float64(number)) == number


def test_a_whole_number_stays_whole_where_numbers_are_taken() -> None:
    size = option(Real(0, 10))
    assert repr(size.read("3")) == repr(size.read(3)) == "3"
    assert repr(size.meant("3")) == "3.0"


@pytest.mark.parametrize("kind", [Whole(0, 8), Real(0, 8), Real(0, 8, open_low=True), Real()], ids=repr)
@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "nan", "-inf", "1e999", True, False, np.True_, None, "", "two", [2], {}, 2j, b"2",
     object(), "9" * 10_000],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_is_no_number_is_refused_and_told(kind: Kind, value: Any) -> None:
    with pytest.raises(InputError, match=r"option size: must be .*, found ") as caught:
        option(kind).read(value)
    assert kind.meaning in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("kind", [Whole(0, 8), Real(0, 8), Flag(), Choice(("a", "b")), Text()], ids=repr)
@pytest.mark.parametrize(
    "value", [10**6000, -(10**6000), np.zeros(5), "x\x1b[31m", "x" * 10**6], ids=["+", "-", "a", "t", "l"]
)
def test_huge_and_strange_values_are_refused_in_a_short_printable_message(kind: Kind, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        option(kind).read(value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [-1, 9, "9", 10**30, 8.5, "8.0", 2.0])
def test_whole_numbers_out_of_range_and_fractions_name_the_range_and_what_was_found(value: Any) -> None:
    with pytest.raises(InputError, match="must be a whole number in 0 … 8, found") as caught:
        option(Whole(0, 8)).read(value)
    assert repr(value) in str(caught.value)


def test_an_open_bound_is_outside() -> None:
    assert option(Real(0, 1, open_low=True)).read(1) == 1
    with pytest.raises(InputError, match="above 0, at most 1"):
        option(Real(0, 1, open_low=True)).read(0.0)


@pytest.mark.parametrize(
    ("value", "truth"),
    [(True, True), ("true", True), ("Yes", True), (1, True), ("1", True), (False, False), ("no", False), (0, False)],
)
def test_a_flag_is_read_from_text_and_values(value: Any, truth: bool) -> None:
    assert option(Flag()).read(value) is truth


@pytest.mark.parametrize("value", ["maybe", "", 2, 1.0, None, [True]])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="must be true or false"):
        option(Flag()).read(value)


def test_a_word_that_is_misspelled_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(InputError, match=r"must be folded or unrolled, found 'unroled'. Did you mean unrolled\?"):
        option(Choice(("folded", "unrolled"))).read("unroled")


def test_a_structure_is_kept_as_it_was_given_and_means_what_its_parser_says() -> None:
    pair = option(Structured("A,B", "two numbers", lambda value: tuple(map(int, str(value).split(",")))))
    assert pair.read("1,2") == "1,2"
    assert pair.meant("1,2") == (1, 2)
    with pytest.raises(InputError, match="must be two numbers, found 'a,b'"):
        pair.read("a,b")


def test_text_of_a_number_becomes_a_number_only_if_it_means_the_same() -> None:
    words = option(Structured("A,B", "words", lambda value: value.split(",")))
    assert words.read("4") == "4"
    amount = option(Structured("N|P%", "an amount", lambda value: float(str(value).rstrip("%"))))
    assert [amount.read(each) for each in ("4", "4%", 4)] == [4, "4%", 4]


def test_a_structure_that_no_manifest_can_keep_is_refused() -> None:
    anything = option(Structured("X", "JSON", lambda value: value))
    loop: list[Any] = []
    loop.append(loop)
    for value in (object(), {"a": np.zeros(2)}, [float("nan")], loop, ["x" * 10**5], "x" * 10**6):
        with pytest.raises(InputError, match="must be JSON"):
            anything.read(value)


def test_a_declaration_with_a_default_out_of_range_or_a_wrong_name_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="9 is not a whole number"):
        Option("size", Whole(0, 8), "A size.", default=9)
    with pytest.raises(ValueError, match="9 is not a whole number"):
        Option("size", Whole(0, 8), "A size.", explored=(1, 9))
    with pytest.raises(ValueError, match="name"):
        Option("no-dashes", Whole(0, 8), "A size.")
