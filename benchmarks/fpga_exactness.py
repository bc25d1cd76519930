"""Runs a benchmark's Verilog module in Icarus and holds its integers against the golden simulator."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeml.errors import EdgemlError, MissingTool
from edgeml.network import Network, simulate
from edgeml.targets.fpga.tools.programs import icarus, nice, run

__all__ = ["Rtl", "check"]

_SECONDS = 480.0


@dataclass(frozen=True)
class Rtl:
    """A module `m` from `in_data` (all inputs, the first lowest) to `out_data` (all outputs, the first lowest).

    Parameters
    ----------
    text : Verilog. output_bits : of one output. signed : whether outputs are in two's complement.
    latency : clocks from input to output; 0 for a combinational module, which has no `clk`.
    """

    text: str
    output_bits: int
    signed: bool
    latency: int = 0


def _test_bench(rtl: Rtl, input_bits: int, outputs: int, vectors: int) -> str:
    clock = ".clk(clk), " if rtl.latency else ""
    return f"""`timescale 1ns / 1ns
module bench;
  reg clk = 0;
  reg [{input_bits - 1}:0] inputs [0:{vectors - 1}];
  reg [{input_bits - 1}:0] in_data = 0;
  wire [{outputs * rtl.output_bits - 1}:0] out_data;
  integer i, file;
  m dut ({clock}.in_data(in_data), .out_data(out_data));
  initial begin
    $readmemh("inputs.mem", inputs);
    file = $fopen("outputs.mem", "w");
    for (i = 0; i < {vectors + rtl.latency}; i = i + 1) begin
      in_data = inputs[i < {vectors} ? i : {vectors - 1}];
      #5;
      if (i >= {rtl.latency}) $fdisplay(file, "%h", out_data);
      clk = 1;
      #5;
      clk = 0;
    end
    $fclose(file);
    $finish;
  end
endmodule
"""


def check(network: Network, rtl: Rtl, vectors: int) -> None:
    """Hold `rtl` against the golden simulator on `vectors` random inputs, the extremes among them.

    Raises MissingTool without Icarus, EdgemlError where an output differs or is undefined.
    """
    programs = icarus()
    if programs is None:
        raise MissingTool("icarus", "is not installed", "install Icarus Verilog (package iverilog of your system)")
    quantizer = network.quantizer
    q = np.random.default_rng(1).integers(quantizer.low, quantizer.high + 1, (vectors, network.input_size))
    q[0], q[1] = quantizer.low, quantizer.high
    width, mask = quantizer.bits, (1 << quantizer.bits) - 1
    words = [sum((int(value) & mask) << width * k for k, value in enumerate(row)) for row in q]
    with tempfile.TemporaryDirectory(prefix="edgeml_bench_") as scratch:
        folder = Path(scratch)
        (folder / "m.v").write_text(rtl.text, encoding="utf-8")
        bench = _test_bench(rtl, width * network.input_size, network.output_size, vectors)
        (folder / "bench.v").write_text(bench, encoding="utf-8")
        (folder / "inputs.mem").write_text("".join(f"{word:x}\n" for word in words), encoding="utf-8")
        command = [programs[0], "-g2012", "-o", "bench.vvp", "-s", "bench", "bench.v", "m.v"]
        run(nice(command), folder, _SECONDS, "iverilog")
        run(nice([programs[1], "-n", "bench.vvp"]), folder, _SECONDS, "vvp")
        lines = (folder / "outputs.mem").read_text(encoding="utf-8").split()
    if len(lines) != vectors or any(set(line) & set("xzXZ") for line in lines):
        raise EdgemlError("simulation", f"gave {len(lines)} results for {vectors} vectors, or undefined bits")
    span = 1 << rtl.output_bits
    results = np.array(
        [[(int(line, 16) >> rtl.output_bits * k) % span for k in range(network.output_size)] for line in lines],
        np.int64,
    )
    if rtl.signed:
        results -= span * (results >= span // 2)
    wrong = int((results != simulate(network, q.astype(np.int32))).any(axis=1).sum())
    if wrong:
        raise EdgemlError("simulation", f"differs from the golden simulator in {wrong} of {vectors} vectors")
