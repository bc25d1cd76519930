"""Every kernel of a core is proved in its machine code, and the old fault of sums over 514 inputs is refuted."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.proof.claim import NOT_TRIED, PROVED, REFUTED
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import rows

_NARROW = {"w2": 2, "w4": 4, "w8": 8, "ro": 8}


@pytest.mark.parametrize("kernel", ["w2_lanes4", "w2_lanes2", "w4_lanes2", "w8_block", "rows"])
def test_every_kernel_of_a_core_is_proved(kernel):
    bits = _NARROW[kernel[:2]]
    network = random_network(3, (24, 12, 5), bits, activation_bits=2, input_bits=4)
    found = rows(network, "rv32", kernel)
    assert {row.status for row in found.values() if row.claims} == {PROVED}
    assert {row.status for row in found.values() if not row.claims} == {NOT_TRIED}


def wide(inputs: int) -> Network:
    weight = np.random.default_rng(0).integers(-2, 2, (4, inputs))
    quantizer = InputQuantizer(inputs, np.array([1.0]), np.array([0.0]), 0, 8, False)
    dense = Dense(weight, 2, np.zeros(4, np.int64))
    return Network("wide", (Node("input", quantizer), Node("dense", dense, ("input",))), Output(np.array([1.0])))


SUM_OF_NOW = """    do {
        const edgeml_bytes *const last = count > EDGEML_SUM_RUN ? word + EDGEML_SUM_RUN / 4u : end;
        uint32_t halves = 0;
        do {
            halves += (word[0] & 0x00FF00FFu) + ((word[0] >> 8) & 0x00FF00FFu);
            halves += (word[1] & 0x00FF00FFu) + ((word[1] >> 8) & 0x00FF00FFu);
            word += 2;
        } while (word != last);
        sum += (halves & 0xFFFFu) + (halves >> 16);
        count -= EDGEML_SUM_RUN;
    } while (word != end);
"""
SUM_AS_IT_WAS = """    for (; word != end; word += 2) {
        sum += (word[0] & 0x00FF00FFu) + ((word[0] >> 8) & 0x00FF00FFu);
        sum += (word[1] & 0x00FF00FFu) + ((word[1] >> 8) & 0x00FF00FFu);
    }
    return (sum & 0xFFFFu) + (sum >> 16);
"""


def test_sums_over_more_than_514_inputs_are_refuted_in_the_source_as_it_was():
    assert rows(wide(512), "rv32", "w8_block", {SUM_OF_NOW: SUM_AS_IT_WAS})["dense"].status == PROVED
    found = rows(wide(520), "rv32", "w8_block", {SUM_OF_NOW: SUM_AS_IT_WAS})["dense"]
    assert found.status == REFUTED
    assert "in the emulator" in found.detail
    assert "520 values within 0 … 4345103100" in found.detail
    assert rows(wide(520), "rv32", "w8_block")["dense"].status == PROVED
