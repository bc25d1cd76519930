"""The C of kernels is followed with traps where its behaviour is undefined: none is come to, and a seeded one is."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.proof.claim import OPEN, OUT_OF_TIME, PROVED, REFUTED
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.proof.prover import _undefined
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import changed, firmware_of
from tests.targets.mcu.test_forms import int8_network

NARROW = random_network(3, (16, 12, 5), 2, activation_bits=2, input_bits=4)


def undefined(firmware, name, seconds=600.0):
    inputs = firmware.program.layout.network.input_size
    return _undefined(firmware, core(name), "-O2", np.ones(inputs, np.int32), lambda what: None, seconds)


@pytest.mark.parametrize(("name", "kernel"), [("rv32", "w2_lanes4"), ("m4", "rows"), ("m0", "w2_lanes2")])
def test_no_behaviour_of_the_kernels_is_undefined(name, kernel):
    assert undefined(firmware_of(NARROW, name, kernel), name).status == PROVED


@pytest.mark.slow
def test_no_behaviour_of_roundings_is_undefined():
    assert undefined(firmware_of(int8_network("double_rounding", 1), "rv32"), "rv32").status == PROVED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*to++ = (int32_t)((uint32_t)*from++ +", "*to++ = (*from++ + 0x7FFFFF00) + (int32_t)("),
        ("left >>= width;", "left >>= width + (left & 63u);"),
        ("left >>= width;", "left >>= width + ((left & 255u) == 128u ? 32u : 0u);"),
    ],
    ids=["a signed sum that overflows", "a shift by more than 31", "a shift by more than 31 for one sum"],
)
def test_behaviour_that_is_undefined_for_some_inputs_is_not_called_proved(old, new):
    new = new.replace("(int32_t)(", "(int32_t)((uint32_t)0 +") if "to++" in new else new
    found = undefined(changed(firmware_of(NARROW, "rv32", "w2_lanes4"), {old: new}), "rv32")
    assert found.status in (OPEN, REFUTED)
    assert found.proved < found.claims


def test_what_takes_longer_than_it_may_is_out_of_time():
    assert undefined(firmware_of(NARROW, "rv32"), "rv32", seconds=0.0).status == OUT_OF_TIME
