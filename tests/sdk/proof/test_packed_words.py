"""A word of bits is an integer for the prover and for the checker, whatever bits stand where, inverted or not."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.proof.checkers.word_values import Words, form_of
from edgeml.proof.words.values import Form, Space, form

VARIABLES = 5


def checker(ranges):
    operations = [["input", low, high] for low, high in ranges]
    return Words({"operations": operations, "facts": []}, set())


def both(ranges, terms, constant, bits, signed=False):
    """(terms, constant, low, high) by prover and by checker; they are the same, or None of both."""
    space = Space()
    for low, high in ranges:
        space.variable(low, high)
    value = form(terms, constant)
    found = space.fit(value, bits, signed)
    checked = checker(ranges).fit(form_of(terms, constant), bits, signed)
    assert isinstance(value, Form)
    assert (found is None) == (checked is None)
    if found is None:
        return None
    assert (dict(found.terms), found.constant, found.low, found.high) == checked
    return checked


def word_of_bits(generator, places):
    """A weight for each variable and a constant: at each place no bit, one of the variables, or its inverse."""
    terms, constant = dict.fromkeys(range(VARIABLES), 0), 0
    for place in places:
        variable, sign = int(generator.integers(-1, VARIABLES)), int(generator.choice([-1, 1]))
        if variable >= 0:
            terms[variable] += sign << place
            constant += (sign < 0) << place
        elif generator.integers(2):
            constant += 1 << place
    return {v: c for v, c in terms.items() if c}, constant


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_every_word_of_bits_is_an_integer(bits):
    """At any places each, once as it is and once inverted; above those that are read, too."""
    generator = np.random.default_rng(bits)
    values = np.array([[k >> v & 1 for v in range(VARIABLES)] for k in range(1 << VARIABLES)])
    of_the_heaviest = 0
    for _ in range(400):
        terms, constant = word_of_bits(generator, range(32))
        if not terms:
            continue
        found = both([(0, 1)] * VARIABLES, terms, constant, bits)
        assert found is not None
        whole = constant + sum(values[:, v] * c for v, c in terms.items())
        exact = found[1] + sum(values[:, v] * c for v, c in found[0].items())
        assert np.array_equal(exact, whole % (1 << bits))
        of_the_heaviest += any(abs(c) > 1 << (bits - 1) for c in found[0].values())
    assert of_the_heaviest > 20


@pytest.mark.parametrize("signed", [False, True])
def test_no_sum_is_taken_for_an_integer_that_it_is_not(signed):
    """Any weights and ranges, with carries and without: where an integer is found, it is that word for all values."""
    generator = np.random.default_rng(1)
    found_some, none = 0, 0
    for _ in range(3000):
        bits = int(generator.integers(2, 7))
        ranges = [(low, low + int(generator.integers(1, 3))) for low in generator.integers(-2, 2, 3).tolist()]
        terms = {v: int(c) for v, c in enumerate(generator.integers(-70, 70, 3)) if c}
        constant = int(generator.integers(0, 200))
        found = both(ranges, terms, constant, bits, signed) if terms else None
        if found is None:
            none += 1
            continue
        found_some += 1
        rows = np.array(np.meshgrid(*(np.arange(low, high + 1) for low, high in ranges))).reshape(3, -1)
        whole = constant + sum(rows[v] * c for v, c in terms.items())
        exact = found[1] + np.zeros(len(rows[0]), np.int64) + sum(rows[v] * c for v, c in found[0].items())
        least = -(1 << (bits - 1)) if signed else 0
        assert np.array_equal(exact, (whole - least) % (1 << bits) + least)
        assert (int(exact.min()), int(exact.max())) == (found[2], found[3])
    assert min(found_some, none) > 100
