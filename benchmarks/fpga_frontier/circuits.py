"""The one way by which every circuit is judged: Icarus gives its answers, one yosys script its lookup tables.

A circuit is a module `m` from `in_data` (all features, the first lowest) to `out_data` (all outputs, the first lowest),
without a clock. Accuracy is that of the circuit itself on the test samples, never what its author's software says.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import EdgemlError, MissingTool
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.tools.programs import icarus, nice, run
from edgeml.targets.fpga.tools.synthesize import run_yosys, summary

__all__ = ["FLOW", "Circuit", "answers", "argmax_unit", "counted"]

FLOW = "synth_xilinx -family xcup"
_SHORT = "+&sweep;&dc2;&if,{C},{W},{D},{R},-v;&mfs"
"""ABC's script without its search for equal nodes and for choices, which did not end in half an hour where a circuit is
hundreds of carry chains: for the contestants that `contestants` says it of."""
_SECONDS = 3600.0


@dataclass(frozen=True)
class Circuit:
    """Verilog of a module `m`; `output_bits` of each of `outputs`; the files that its memories are read from."""

    text: str
    output_bits: int
    signed: bool
    outputs: int
    memories: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write `m.v` and the memories."""
        (folder / "m.v").write_text(self.text, encoding="utf-8")
        for name, text in self.memories.items():
            (folder / name).write_text(text, encoding="utf-8")

    @property
    def digest(self) -> str:
        """Tells circuits apart."""
        whole = json.dumps([FLOW, self.text, sorted(self.memories.items())])
        return hashlib.sha256(whole.encode()).hexdigest()[:20]


def argmax_unit(circuit: Circuit) -> Circuit:
    """The class of the circuit's outputs alone: a tree of comparisons; of equal outputs the first wins."""
    bits, outputs = circuit.output_bits, circuit.outputs
    width = max((outputs - 1).bit_length(), 1)
    sign = "signed " if circuit.signed else ""
    lines = [f"  wire {sign}[{bits - 1}:0] v{k} = in_data[{bits * k} +: {bits}];" for k in range(outputs)]
    row = [(f"v{k}", f"{width}'d{k}") for k in range(outputs)]
    number = 0
    while len(row) > 1:
        paired = []
        for (a, at), (b, bt) in zip(row[::2], row[1::2], strict=False):
            lines += [
                f"  wire g{number} = {b} > {a};",
                f"  wire {sign}[{bits - 1}:0] w{number} = g{number} ? {b} : {a};",
                f"  wire [{width - 1}:0] i{number} = g{number} ? {bt} : {at};",
            ]
            paired.append((f"w{number}", f"i{number}"))
            number += 1
        row = paired + (row[-1:] if len(row) % 2 else [])
    ports = f"input [{bits * outputs - 1}:0] in_data, output [{width - 1}:0] out_data"
    text = "\n".join([f"module m({ports});", *lines, f"  assign out_data = {row[0][1]};", "endmodule", ""])
    return Circuit(text, width, False, 1)


def counted(circuit: Circuit, cache: Path, *, short: bool = False) -> dict[str, int]:
    """Lookup tables (`luts`), carry cells (`carry`) and cells on the longest path (`levels`), kept in `cache`.

    With `short` they are mapped by a shorter script of ABC, which finds a little less.
    """
    kept = cache / f"{circuit.digest}{'-short' if short else ''}.json"
    if not kept.exists():
        cells, levels = _synthesized(circuit, short)
        found = summary(cells, FAMILIES["xcup"])
        if found["block_rams"] or found["dsps"] or found["flip_flops"]:
            raise EdgemlError("benchmark", f"a circuit took more than lookup tables and carries: {found}")
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"luts": found["luts"], "carry": found["carry"], "levels": levels}))
    figures: dict[str, int] = json.loads(kept.read_text())
    return figures


def _synthesized(circuit: Circuit, short: bool) -> tuple[dict[str, int], int]:
    with tempfile.TemporaryDirectory(prefix="edgeml_frontier_") as scratch:
        folder = Path(scratch)
        circuit.write(folder)
        (folder / "short.ys").write_text(f'scratchpad -set abc9.script "{_SHORT}"\n', encoding="utf-8")
        mapping = "script short.ys; " if short else ""
        judged = "tee -q -o stat.json stat -json; tee -q -o longest.txt ltp -noff"
        run_yosys(f"read_verilog -defer m.v; {mapping}{FLOW} -top m -flatten; {judged}", folder)
        cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        length = re.search(r"length=(\d+)", (folder / "longest.txt").read_text())
    return {str(kind): int(count) for kind, count in cells.items()}, int(length[1]) if length else 0


def answers(circuit: Circuit, x: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
    """Outputs [samples, outputs] of the circuit for integers x [samples, features] of `bits` bits, from Icarus.

    Raises MissingTool without Icarus, EdgemlError where an output is undefined.
    """
    programs = icarus()
    if programs is None:
        raise MissingTool("icarus", "is not installed", "install Icarus Verilog (package iverilog of your system)")
    with tempfile.TemporaryDirectory(prefix="edgeml_frontier_") as scratch:
        folder = Path(scratch)
        circuit.write(folder)
        words = (sum(int(value) << bits * k for k, value in enumerate(row)) for row in x)
        (folder / "inputs.mem").write_text("".join(f"{word:x}\n" for word in words), encoding="utf-8")
        bench = _bench(len(x), bits * x.shape[1], circuit.output_bits * circuit.outputs)
        (folder / "bench.v").write_text(bench, encoding="utf-8")
        command = [programs[0], "-g2012", "-o", "bench.vvp", "-s", "bench", "bench.v", "m.v"]
        run(nice(command), folder, _SECONDS, "iverilog")
        run(nice([programs[1], "-n", "bench.vvp"]), folder, _SECONDS, "vvp")
        lines = (folder / "outputs.mem").read_text(encoding="utf-8").split()
    if len(lines) != len(x) or any(set(line) & set("xzXZ") for line in lines):
        raise EdgemlError("simulation", f"gave {len(lines)} results for {len(x)} samples, or undefined bits")
    span = 1 << circuit.output_bits
    found: Any = [
        [int(line, 16) >> circuit.output_bits * k & span - 1 for k in range(circuit.outputs)] for line in lines
    ]
    values = np.array(found, np.int64)
    return values - span * (values >= span // 2) if circuit.signed else values


def _bench(samples: int, input_bits: int, output_bits: int) -> str:
    return f"""`timescale 1ns / 1ns
module bench;
  reg [{input_bits - 1}:0] inputs [0:{samples - 1}];
  reg [{input_bits - 1}:0] in_data;
  wire [{output_bits - 1}:0] out_data;
  integer i, file;
  m dut (.in_data(in_data), .out_data(out_data));
  initial begin
    $readmemh("inputs.mem", inputs);
    file = $fopen("outputs.mem", "w");
    for (i = 0; i < {samples}; i = i + 1) begin
      in_data = inputs[i];
      #10 $fdisplay(file, "%h", out_data);
    end
    $fclose(file);
    $finish;
  end
endmodule
"""
