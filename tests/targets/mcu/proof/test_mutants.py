"""Seeded faults of kernels, constants and plans: each is refuted by proof, with inputs for which the core is wrong."""

from __future__ import annotations

import re

import pytest

from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.proof.findings import Row
from edgeml.targets.mcu.kernels import dense_lanes, dsp_nested, dsp_pairs
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import firmware_of, rows

NARROW = random_network(3, (16, 12, 5), 2, activation_bits=2, input_bits=4)
FOUR = random_network(3, (16, 12, 5), 4, activation_bits=4, input_bits=4)
EIGHT = random_network(3, (16, 12, 5), 8, activation_bits=2, input_bits=8)

KERNELS = [
    ("m0", NARROW, "w2_lanes4", 'EDGEML_LANES_TAKE("uxtb", "8", "r5")', 'EDGEML_LANES_TAKE("uxth", "8", "r5")'),
    ("m0", NARROW, "w2_lanes4", 'EDGEML_LANES_TAKE_4("r10") EDGEML', 'EDGEML_LANES_TAKE_4("r9") EDGEML'),
    ("m0", FOUR, "w4_lanes2", 'EDGEML_LANES_MASK("15", "")', 'EDGEML_LANES_MASK("7", "")'),
    ("m0", EIGHT, "w8_block", 'INPUT("7", "28", "29", "30", "31")', 'INPUT("7", "28", "29", "31", "31")'),
    ("rv32", NARROW, "w2_lanes4", "lanes == 4u ? 0xFFu : 0xFFFFu", "lanes == 4u ? 0x7Fu : 0xFFFFu"),
    ("rv32", NARROW, "w2_lanes2", "left >>= width;", "left >>= width - 1u;"),
    ("rv32", NARROW, "w2_lanes4", "acc[1] += ((w1 >> step)", "acc[1] += ((w0 >> step)"),
    ("rv32", NARROW, "w2_lanes4", "const uint32_t offset = 1u << (bits - 1u);", "const uint32_t offset = 1u << bits;"),
    ("rv32", EIGHT, "w8_block", "0u - 128u * edgeml_sum_u8", "0u - 127u * edgeml_sum_u8"),
    ("m4", NARROW, "w2_dsp", '"ubfx  lr, " acc ", #0, #14\\n"', '"ubfx  lr, " acc ", #0, #13\\n"'),
    ("m4", NARROW, "w2_dsp", '"add   r6, r6, " acc ", asr #14\\n"', '"add   r6, r6, " acc ", lsr #14\\n"'),
    ("m4", NARROW, "w2_dsp", '"and   lr, r2, " word ", ror #12\\n"', '"and   lr, r2, " word ", ror #8\\n"'),
    ("m4", NARROW, "w2_levels", '"sel    r11, r5, r11\\n"', '"sel    r11, r6, r11\\n"'),
    ("m4", NARROW, "w2_levels", '"orr    r9, r9, r10, lsl #8\\n"', '"orr    r9, r9, r10, lsl #9\\n"'),
    ("m4", NARROW, "w2_words", '"mov    r6, #0x00030003\\n"', '"mov    r6, #0x00020002\\n"'),
]


def refuted(found: dict[str, Row]) -> bool:
    """Whether something is refuted by inputs for which the emulator is wrong, and nothing was left open beside it."""
    status = [row.status for row in found.values() if row.claims]
    shown = all("in the emulator" in row.detail for row in found.values() if row.status == REFUTED)
    return REFUTED in status and OPEN not in status and shown


@pytest.mark.parametrize(
    ("core", "network", "kernel", "old", "new"),
    [pytest.param(*case, marks=() if k % 2 == 0 else pytest.mark.slow) for k, case in enumerate(KERNELS)],
    ids=[f"{core}-{kernel}-{k}" for k, (core, _, kernel, *_) in enumerate(KERNELS)],
)
def test_a_fault_in_a_kernel_is_refuted(core, network, kernel, old, new):
    assert refuted(rows(network, core, kernel, {old: new}))


def constant(firmware, name: str, place: int, by: int) -> dict[str, str]:
    """A change of one number of a constant array."""
    text = firmware.files["src/net_constants.c"]
    (body,) = re.findall(
        rf"{name}\[\d+\] EDGEML_ALIGNED\(\d+\) = \{{[^}}]*\}}|{name}\[\d+\][^=;]* = \{{[^}}]*\}}", text
    )
    numbers = list(re.finditer(r"(-?\d+|0x[0-9A-Fa-f]+)(u?)(?=[,\n }])", body[body.index("{") :]))
    number = numbers[place]
    start = body.index("{") + number.start()
    changed_to = f"{int(number.group(1), 0) + by}{number.group(2)}"
    return {body: body[:start] + changed_to + body[start + len(number.group(0)) :]}


@pytest.mark.parametrize(
    ("name", "place", "by"),
    [("dense0_bias", 3, 1), ("dense0_weight", 5, 1), ("threshold0_thresholds", 7, 1), ("dense1_bias", 0, -1)],
)
def test_a_fault_in_a_constant_is_refuted(name, place, by):
    firmware = firmware_of(NARROW, "rv32", "w2_lanes2")
    assert refuted(rows(NARROW, "rv32", "w2_lanes2", constant(firmware, f"net_layer_{name}", place, by)))


@pytest.mark.parametrize(
    ("core", "kernel", "module", "network"),
    [
        ("rv32", "w2_lanes4", dense_lanes, random_network(3, (96, 12, 5), 2, activation_bits=2, input_bits=2)),
        ("m0", "w4_lanes2", dense_lanes, random_network(3, (64, 12, 5), 4, activation_bits=4, input_bits=8)),
        ("m4", "w2_dsp", dsp_pairs, random_network(3, (96, 12, 5), 2, activation_bits=2, input_bits=8)),
    ],
)
def test_a_plan_whose_lanes_overflow_is_refuted(core, kernel, module, network, monkeypatch):
    """Segments one group of inputs longer than those that fit."""
    honest = module.widest_segment
    caches = (dense_lanes._segment, dsp_nested._segment, dsp_pairs._segment)
    for cached in caches:
        cached.cache_clear()

    def longer(*taken):
        found = honest(*taken)
        return None if found is None else (found[0] + 8, found[1])

    monkeypatch.setattr(module, "widest_segment", longer)
    try:
        found = rows(network, core, kernel)
    finally:
        for cached in caches:
            cached.cache_clear()
    assert found["dense0"].status == REFUTED
    assert "in the emulator" in found["dense0"].detail


def test_a_read_behind_its_objects_is_refuted():
    firmware = firmware_of(EIGHT, "rv32", "w8_block")
    call = next(
        line for line in firmware.files["src/net.c"].splitlines() if "edgeml_dense_w8_block(x, net_layer_dense1" in line
    )
    found = rows(EIGHT, "rv32", "w8_block", {call: re.sub(r", 16, (\d+), y", r", 24, \1, y", call)})
    assert (found["dense1"].status, found["memory"].status) == (REFUTED, REFUTED)
    assert "where it must not" in found["dense1"].detail
    assert "in the emulator" in found["memory"].detail


def test_bytes_behind_a_tensor_that_are_not_zero_are_not_called_proved():
    firmware = firmware_of(NARROW, "rv32")
    zeros = next(line for line in firmware.files["src/net.c"].splitlines() if "edgeml_zero((uint8_t *)(y + 12)" in line)
    found = rows(NARROW, "rv32", "", {zeros: ""})["threshold0"]
    assert (found.status, found.claims - found.proved) == (OPEN, 1)


def test_without_a_fault_all_is_proved():
    assert {row.status for row in rows(NARROW, "m4").values() if row.claims} == {PROVED}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "edgeml_zero((uint8_t *)(y + 12), 4u);",
            "edgeml_zero((uint8_t *)(y + 12), 8u);",
            "threshold0 writes 1 bytes of dense0, which it may only read,",
        ),
        ("edgeml_input_u8(x, 16, 16, 15, y);", "edgeml_input_u8(x, 16, 16, 14, y);", "input[0] must be 15, and is 14"),
    ],
)
def test_an_access_outside_its_object_and_a_byte_clipped_otherwise_are_refuted(old, new, said):
    """Neither need change an output: the access and the byte themselves are shown by the emulator."""
    found = rows(NARROW, "rv32", "w2_lanes2", {old: new})
    assert any(
        row.status == REFUTED and said in row.detail and "in the emulator" in row.detail for row in found.values()
    )
