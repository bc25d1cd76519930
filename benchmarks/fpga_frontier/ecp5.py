"""How long a circuit takes: placed and routed by nextpnr for an ECP5, since nothing open places UltraScale+.

The circuit stands between registers: features enter one bit a clock through a chain of flip-flops, outputs are a
register on pins. So nothing but flip-flops is added, and one over the clock that nextpnr reports is the time from the
features to the outputs, with a register's own. Its lookup tables have four inputs: numbers of the two families are
never mixed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from edgeml.targets.fpga.budget import FAMILIES, Budget
from edgeml.targets.fpga.tools.place import place_and_route
from edgeml.targets.fpga.tools.synthesize import lookup_tables, run_yosys, summary

from .circuits import Circuit

__all__ = ["PART", "between_registers", "known", "placed"]

PART = Budget(
    family=FAMILIES["ecp5"],
    luts=83_640,
    flip_flops=83_640,
    block_rams=208,
    dsps=156,
    clock_mhz=100.0,
    part="LFE5U-85F-6BG756",
    device="85k",
    package="CABGA756",
    speed="6",
)
_FLOW = "synth_ecp5 -nodsp"


def between_registers(circuit: Circuit, input_bits: int) -> str:
    """Verilog of `top` around the circuit's `m`."""
    outputs = circuit.output_bits * circuit.outputs
    return f"""module top(input clk, input enter, output reg [{outputs - 1}:0] left);
  reg [{input_bits - 1}:0] entered;
  wire [{outputs - 1}:0] made;
  m circuit(.in_data(entered), .out_data(made));
  always @(posedge clk) begin
    entered <= {{entered, enter}};
    left <= made;
  end
endmodule
"""


def _kept(circuit: Circuit, cache: Path) -> Path:
    return cache / f"{circuit.digest}-{PART.part}.json"


def known(circuit: Circuit, cache: Path) -> dict[str, float] | None:
    """What `placed` gave before, or None."""
    kept = _kept(circuit, cache)
    if not kept.exists():
        return None
    found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def placed(circuit: Circuit, input_bits: int, cache: Path) -> dict[str, float]:
    """`luts` (of four inputs, a carry cell is two) and `ns` of the circuit on `PART`, kept in `cache`."""
    if found := known(circuit, cache):
        return found
    with tempfile.TemporaryDirectory(prefix="edgeml_frontier_") as scratch:
        folder = Path(scratch)
        circuit.write(folder)
        (folder / "top.v").write_text(between_registers(circuit, input_bits), encoding="utf-8")
        judged = "tee -q -o stat.json stat -json"
        run_yosys(f"read_verilog -defer m.v top.v; {_FLOW} -top top -json top.json; {judged}", folder)
        cells = json.loads((folder / "stat.json").read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
        clock = place_and_route("top.json", PART, folder)["fmax_mhz"]
    luts = lookup_tables(summary(cells, PART.family), PART.family)
    measured = {"luts": luts, "ns": round(1000.0 / clock, 2)}
    cache.mkdir(parents=True, exist_ok=True)
    _kept(circuit, cache).write_text(json.dumps(measured), encoding="utf-8")
    return measured
