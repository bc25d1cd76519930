"""Kernels of all cores are proved in their machine code; of what cannot be followed nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.claim import NOT_TRIED, OPEN, PROVED, REFUTED
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import firmware_of, follow, rows, sparse
from tests.targets.mcu.test_forms import int8_network

LANES = ("w2_lanes4", "w2_lanes2", "w4_lanes2", "w8_block", "rows")
DSP = ("w2_dsp", "w2_levels", "w2_words", "w4_dsp", "w4_pairs", "w8_dsp", "rows")
BITS = {"w2": 2, "w4": 4, "w8": 8, "ro": 8}
CASES = [("rv32", kernel) for kernel in LANES]
CASES += [("m0", "w2_lanes4"), ("m0", "w2_lanes2"), ("m0", "w4_lanes2"), ("m0", "w8_block")]
CASES += [("m3", "w2_lanes2"), ("m7", "w2_dsp"), ("m33", "w4_dsp"), *(("m4", kernel) for kernel in DSP)]


def whole(found) -> bool:
    """Whether all that there are claims about is proved."""
    return {row.status for row in found.values() if row.claims} == {PROVED}


@pytest.mark.parametrize(
    ("core", "kernel"),
    [case if case[0] in ("m0", "m4") else pytest.param(*case, marks=pytest.mark.slow) for case in CASES],
)
def test_every_kernel_is_proved(core, kernel):
    network = random_network(3, (16, 12, 5), BITS[kernel[:2]], activation_bits=2, input_bits=4)
    found = rows(network, core, kernel)
    assert whole(found)
    assert {row.status for row in found.values() if not row.claims} == {NOT_TRIED}


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("core", ["m0", "rv32", "m4"])
def test_every_rounding_is_proved(core, rounding):
    assert whole(rows(int8_network(rounding, 1), core))


@pytest.mark.parametrize("core", ["m0", "rv32", "m4"])
def test_weights_written_out_are_proved(core):
    assert whole(rows(sparse(random_network(3, (24, 12, 5), 2, input_bits=8, signed=True)), core, "straight_line"))


def test_weights_written_out_by_words_are_proved():
    followed = follow(firmware_of(sparse(random_network(3, (24, 12, 5), 2)), "m4", "straight_line_words"), "m4")
    assert {found.stage.code.kernel for found in followed.stages[1:-1]} == {"straight_line_words"}
    assert all(claim.proved for found in followed.stages for claim in found.claims)


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
    core = "m0"
    assert rows(wide(512), core, "w8_block", {SUM_OF_NOW: SUM_AS_IT_WAS})["dense"].status == PROVED
    found = rows(wide(520), core, "w8_block", {SUM_OF_NOW: SUM_AS_IT_WAS})["dense"]
    assert found.status == REFUTED
    assert "in the emulator" in found.detail
    assert "520 values within 0 … 4345103100" in found.detail


@pytest.mark.slow
@pytest.mark.parametrize("input_bits", [8, 1])
@pytest.mark.parametrize(
    ("core", "kernel"),
    [case for case in CASES if "lanes" in case[1] or case[1] in ("w2_dsp", "w2_words", "w4_dsp", "w4_pairs", "w8_dsp")],
)
def test_words_as_full_as_a_plan_may_make_them_are_proved(core, kernel, input_bits):
    """Two of the longest segments that inputs of these bits allow, or as many inputs as keep this short; each word
    holds sums at both ends. All plans: `tests/targets/mcu/test_lanes.py`."""
    bits, input_bits = BITS[kernel[:2]], min(input_bits, {"w2_lanes4": 3, "w4_pairs": 4}.get(kernel, 8))
    signs = np.where(np.arange(16)[:, None] % 3 == 0, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    weight = np.repeat(signs, 320, axis=1)
    quantizer = InputQuantizer(320, np.array([1.0]), np.array([0.0]), 0, input_bits, False)
    dense = Dense(weight, bits, np.zeros(16, np.int64))
    nodes = (Node("input", quantizer), Node("dense", dense, ("input",)))
    network = Network("full", nodes, Output(np.array([1.0])))
    assert firmware_of(network, core, kernel).program.layout.stages[-1].code.kernel == kernel
    assert whole(rows(network, core, kernel))


def test_the_operations_give_what_the_emulator_gives_for_other_inputs():
    network = random_network(5, (16, 12, 5), 4, activation_bits=4, input_bits=8, signed=True)
    followed = follow(firmware_of(network, "m4"), "m4")
    q = np.random.default_rng(1).integers(-128, 128, (32, 16)).astype(np.int32)
    assert followed.differs(q) == ""
    word = followed.stages[-1].claims[0].word
    name, a, b = followed.flow.operations[word.number]
    followed.flow.operations[word.number] = ("xor" if name == "add" else "add", a, b)
    assert "sample" in followed.differs(q) or name not in ("add", "xor")


def test_of_a_stage_that_cannot_be_followed_nothing_is_said_and_what_comes_behind_is_proved():
    network = random_network(3, (16, 12, 5), 2, activation_bits=2, input_bits=4)
    firmware = firmware_of(network, "rv32")
    begin = next(text for text in firmware.files["src/net.c"].splitlines() if text.startswith("EDGEML_SEPARATE"))
    division = {f"{begin}\n{{\n": f"{begin}\n{{\n    volatile uint32_t three = 3u; three = three / (three - 1u);\n"}
    found = rows(network, "rv32", "", division)
    stopped = [row for row in found.values() if "does not know" in row.detail]
    assert [row.status for row in stopped] == [OPEN]
    assert stopped[0].proved == 0
    assert found["dense1"].status == PROVED
    assert found["memory"].status == OPEN


@pytest.mark.parametrize(
    "levels_and_core",
    [(15, "rv32"), *(pytest.param(each, marks=pytest.mark.slow) for each in ((1, "rv32"), (2, "m4"), (40, "m4")))],
)
def test_layers_of_few_thresholds_and_of_many_are_proved(levels_and_core):
    levels, core = levels_and_core
    generator = np.random.default_rng(levels)
    quantizer = InputQuantizer(8, np.array([1.0]), np.array([0.0]), 0, 4, True)
    at = np.sort(generator.integers(-60, 60, (6, levels)), axis=1)
    nodes = (
        Node("input", quantizer),
        Node("dense", Dense(generator.integers(-8, 8, (6, 8)), 4, generator.integers(-9, 9, 6)), ("input",)),
        Node("act", Threshold(at, -1), ("dense",)),
    )
    network = Network("many", nodes, Output(np.array([1.0])))
    assert whole(rows(network, core)), (levels, core)
