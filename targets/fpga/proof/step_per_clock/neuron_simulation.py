"""A neuron of a step per clock by itself in Icarus: what it gives for potentials that it is held at, or comes to.

Frames of inputs need not bring a neuron to a potential for which its gates fail, though nothing shows that none does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeml.system.scratch import ScratchFolder

from ...tools.programs import icarus, run
from ..folded.simulation import literal
from ..spikes.unit import Int64

__all__ = ["TriedNeuron", "wrong_potential"]

_SECONDS, _MOST = 300.0, 4096


@dataclass(frozen=True, eq=False)
class TriedNeuron:
    """A neuron whose potentials are known.

    Parameters
    ----------
    module : of its instance, with parameters. z : int64 [values], all in range. given : int64 [values], what its
    potential is held at, or (of a tracer) the current that brings it to z. level : int64 [values], the thresholds that
    z reaches. weights : what a spike stands for, slot by slot.
    """

    module: str
    parameters: Mapping[str, int | str]
    z: Int64
    given: Int64
    level: Int64
    weights: tuple[int, ...]


def wrong_potential(neuron: TriedNeuron, files: Mapping[str, bytes]) -> str:
    """For which z Icarus gives something else, in words; empty where it gives all levels.

    Of more than 4,096 potentials the thresholds' own and others between are looked at. Icarus must be there; ToolFailed
    where it does not take the text.
    """
    programs = icarus()
    assert programs is not None
    rows = np.arange(len(neuron.z))
    if len(rows) > _MOST:
        steps = np.flatnonzero(np.diff(neuron.level))
        rows = np.unique(np.concatenate([steps, steps + 1, np.linspace(0, len(rows) - 1, _MOST // 2).astype(np.int64)]))
    with ScratchFolder("counterexample") as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "given.mem").write_text("".join(f"{value:x}\n" for value in neuron.given[rows].tolist()), "utf-8")
        (folder / "bench.v").write_text(_bench(neuron, len(rows)), "utf-8")
        sources = [name for name in files if name.startswith("edgeml_") and name.endswith(".v")]
        command = [programs[0], "-g2005", "-s", "bench", "-o", "bench.vvp", *sources, "bench.v"]
        run(command, folder, _SECONDS, "iverilog")
        said = run([programs[1], "-n", "bench.vvp"], folder, _SECONDS, "vvp").split()
    for row, spikes in zip(rows.tolist(), said, strict=False):
        found = _stands_for(spikes, neuron.weights)
        if found != int(neuron.level[row]):
            return f"Icarus gives {found} of the neuron at z = {neuron.z[row]}, where it must be {neuron.level[row]}"
    return ""


def _stands_for(spikes: str, weights: tuple[int, ...]) -> int | str:
    """What spikes (two bits a slot, two's complement, the last behind the window) add up to; text of undefined ones."""
    if set(spikes) - {"0", "1"}:
        return f"undefined spikes, {spikes},"
    numbers = [int(spikes[k : k + 2], 2) for k in range(0, len(spikes), 2)]
    found = [number - (number >> 1 << 2) for number in numbers]
    if found[len(weights)]:
        return "a spike behind its window"
    return sum(weight * spike for weight, spike in zip(weights, found, strict=False))


def _bench(neuron: TriedNeuron, count: int) -> str:
    """The neuron alone: for each potential a window, and a clock behind it. Its spikes are printed, a line for each."""
    bits, slots = int(neuron.parameters["BITS"]), len(neuron.weights)
    said = ", ".join(f".{name}({literal(value)})" for name, value in neuron.parameters.items())
    if neuron.module == "edgeml_tracer_neuron":
        ports = ".first(first), .current(first ? now : none), .running(running), .spike(spike)"
        shown, before, held = "spike", "first = 1'b1; tick; first = 1'b0;", ""
    else:
        width = int(neuron.parameters["SLOT_BITS"])
        ports = (
            f".first(1'b0), .last(1'b0), .current(none), .running(running), .slot(k[{width - 1}:0]), .spike(spike[0])"
        )
        shown, before, held = "{1'b0, spike[0]}", "", "force dut.charge.potential = now;"
    return f"""`default_nettype none
module bench;
    reg clk = 1'b0, rst = 1'b1, first = 1'b0, running = 1'b0;
    reg [{bits - 1}:0] given [0:{count - 1}];
    reg [{bits - 1}:0] now = {bits}'d0, none = {bits}'d0;
    wire [1:0] spike;
    integer n, k = 0;
    {neuron.module} #({said}) dut (.clk(clk), .rst(rst), {ports});
    task tick; begin #1 clk = 1'b1; #1 clk = 1'b0; end endtask
    initial begin
        $readmemh("given.mem", given);
        tick; tick;
        rst = 1'b0;
        {held}
        for (n = 0; n < {count}; n = n + 1) begin
            now = given[n];
            {before}
            running = 1'b1;
            for (k = 0; k < {slots}; k = k + 1) begin
                tick;
                $write("%b", {shown});
            end
            running = 1'b0;
            k = 0;
            tick;
            $write("%b\\n", {shown});
        end
        $finish;
    end
endmodule
"""
