"""Decays and repeated resets, by their equations, over every small state."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.dynamics import run_layer
from edgeml.network.spiking.models.decay import decay
from edgeml.network.spiking.models.neuron_model import NeuronModel

STATES = range(-200, 201)


@pytest.mark.parametrize("bits", [1, 3, 4])
def test_a_multiplied_state_goes_to_the_nearest_integer_ties_up(bits: int) -> None:
    for k in range(2**bits + 1):
        expected = [floor(Fraction(x * k, 2**bits) + Fraction(1, 2)) for x in STATES]
        found = decay("multiply", np.array(STATES, np.int64)[:, None], np.array([k], np.int64), bits)
        assert found[:, 0].tolist() == expected


@pytest.mark.parametrize("bits", [1, 4])
def test_a_state_multiplied_toward_zero(bits: int) -> None:
    for k in range(2**bits + 1):
        found = decay("multiply_toward_zero", np.array(STATES, np.int64)[:, None], np.array([k], np.int64), bits)
        assert found[:, 0].tolist() == [int(Fraction(x * k, 2**bits)) for x in STATES]


def test_a_state_less_its_share_has_a_linear_tail_above_zero_only() -> None:
    for k in range(7):
        found = decay("shift", np.array(STATES, np.int64)[:, None], np.array([k], np.int64), 0)
        shares = [floor(Fraction(x, 2**k)) for x in STATES]
        assert found[:, 0].tolist() == [x - (share or int(x > 0)) for x, share in zip(STATES, shares, strict=True)]


@pytest.mark.parametrize("compare", ["greater", "at_least"])
def test_a_threshold_is_taken_off_as_long_as_the_comparison_holds(compare: str) -> None:
    """Inputs of every size, those that are a multiple of the threshold among them; at most three spikes."""
    model = NeuronModel(compare=compare, reset="subtract_repeatedly", max_spikes=3, emission="count")
    zero = np.zeros(1, int)
    layer = LeakyNeurons(model, 1, np.array([[1]]), 2, np.array([7]), zero, zero, zero, zero)
    given = np.arange(40, dtype=np.int64)
    record = run_layer(layer, given[None, :, None])
    for value, spikes, membrane in zip(given, record.spikes[0, :, 0], record.membrane[0, :, 0], strict=True):
        left, count = int(value), 0
        while count < 3 and (left > 7 if compare == "greater" else left >= 7):
            left, count = left - 7, count + 1
        assert (spikes, membrane) == (count, left), value
