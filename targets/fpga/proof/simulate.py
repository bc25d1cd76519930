"""A counterexample on the Verilog itself: the pipeline in Icarus, its input held until it is through."""

from __future__ import annotations

from collections.abc import Callable

from edgeml.proof.circuit import Circuit
from edgeml.proof.claim import Artifact
from edgeml.proof.layer_proof import OUTPUT
from edgeml.proof.refute import Counterexample
from edgeml.system.scratch import ScratchFolder

from ..architectures.unrolled.network_logic import Logic
from ..tools.programs import icarus, run
from .cuts import word_of

__all__ = ["confirmation"]

_SECONDS = 600.0
_MISSING = "not simulated: Icarus Verilog is not installed (package iverilog)"


def confirmation(
    verilog: bytes, name: str, circuit: Circuit, artifact: Artifact, logic: Logic
) -> Callable[[Counterexample], str]:
    """What simulates counterexamples of the module `name`, and says what it gave."""

    def confirm(example: Counterexample) -> str:
        programs = icarus()
        if programs is None:
            return _MISSING
        width = len(artifact.raw_inputs[0])
        data = 0
        for channel, value in enumerate(example.inputs.tolist()):
            data |= (int(value) & ((1 << width) - 1)) << (channel * width)
        shown, offset = _expression(example, circuit, artifact, logic)
        text = _bench(verilog.decode(), name, circuit, data, shown, _forced(example, circuit, logic))
        with ScratchFolder("counterexample") as folder:
            (folder / "bench.v").write_text(text, encoding="utf-8")
            run([programs[0], "-g2005", "-o", "bench.vvp", "bench.v"], folder, _SECONDS, "iverilog")
            said = run([programs[1], "-n", "bench.vvp"], folder, _SECONDS, "vvp").strip().splitlines()[-1]
        if not said.isdigit():
            return f"Icarus gives undefined bits, {said}"
        value = int(said) + offset
        agrees = "as the proof says" if value == example.found else "not what the proof says"
        return f"confirmed: Icarus gives {value}, {agrees}" if value != example.expected else f"Icarus gives {value}"

    return confirm


def _expression(example: Counterexample, circuit: Circuit, artifact: Artifact, logic: Logic) -> tuple[str, int]:
    """Verilog for the bits of a counterexample's channel, and what is added to their number."""
    if example.place == OUTPUT:
        width = len(artifact.raw_outputs[0])
        return f"out_data[{example.channel * width} +: {width}]", 0
    value = logic.values[example.place][example.channel]
    assert value is not None
    bits = []
    for bit in reversed(value.bits):
        if bit.cell == -2:
            bits.append(f"1'b{bit.index}")
            continue
        stem = "in_data" if bit.cell < 0 else f"dut.{word_of(circuit, logic, bit.cell)}"
        outputs = logic.netlist.cells[bit.cell].outputs if bit.cell >= 0 else logic.netlist.input_bits
        bits.append(("~" if bit.inverted else "") + (f"{stem}[{bit.index}]" if outputs > 1 else stem))
    return "{" + ", ".join(bits) + "}", value.offset


def _forced(example: Counterexample, circuit: Circuit, logic: Logic) -> str:
    """Statements that hold signals inside the module at the values of a counterexample."""
    numbers: dict[int, int] = {}
    for (place, channel), integer in example.held.items():
        value = logic.values[place][channel]
        for k, bit in enumerate(() if value is None else value.bits):
            if bit.cell >= 0:
                one = ((integer - value.offset) >> k & 1) ^ bit.inverted if value else 0
                numbers[bit.cell] = numbers.get(bit.cell, 0) | one << bit.index
    return " ".join(f"force dut.{word_of(circuit, logic, cell)} = {number};" for cell, number in numbers.items())


def _bench(verilog: str, name: str, circuit: Circuit, data: int, shown: str, forced: str) -> str:
    """The module and a bench that holds one input for more clocks than it has registers, then shows some bits."""
    clock = ".clk(clk), " if "input  wire clk" in verilog or "input wire clk" in verilog else ""
    return f"""{verilog}
`default_nettype wire
module bench;
    reg clk = 1'b0;
    reg [{circuit.input_bits - 1}:0] in_data = {circuit.input_bits}'h{data:x};
    wire [{len(circuit.outputs) - 1}:0] out_data;
    {name} dut ({clock}.in_data(in_data), .out_data(out_data));
    initial begin
        {forced}
        repeat ({2 * circuit.latency + 8}) begin #1 clk = 1'b1; #1 clk = 1'b0; end
        #1 $display("%0d", {shown});
        $finish;
    end
endmodule
"""
