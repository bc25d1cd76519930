"""The UART top after power-on, in a simulator that knows undefined values: no signal keeps one, no answer fails."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from edgeml.hil.frames import frame
from edgeml.hil.messages import HELLO, INFER, SELF_TEST, request
from edgeml.network.network_file import model_hash
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.design import build
from edgeml.targets.fpga.tools.programs import icarus
from edgeml.targets.fpga.tops.uart import uart_top

from ..designs import folded_designs, small_network

_BENCH = """
`timescale 1ns / 1ps
module bench;
    reg clk = 1'b0, reset_n = 1'b1, rx = 1'b1;
    wire tx, busy;
    reg [7:0] request [0:{last}];
    integer i, k;
    {top} #(.CLOCK_HZ(32'd8), .BAUD(32'd1)) dut (
        .clk(clk), .reset_n(reset_n), .uart_rx(rx), .uart_tx(tx), .busy(busy)
    );
    always #5 clk = !clk;
    initial begin
        $readmemh("request.mem", request);
        repeat (20) @(posedge clk);
        $dumpfile("trace.vcd");
        $dumpvars(0, dut);
        for (i = 0; i <= {last}; i = i + 1) begin
            rx = 1'b0;
            repeat (8) @(posedge clk);
            for (k = 0; k < 8; k = k + 1) begin
                rx = request[i][k];
                repeat (8) @(posedge clk);
            end
            rx = 1'b1;
            repeat (8) @(posedge clk);
        end
        repeat (20000) @(posedge clk);
        $finish;
    end
endmodule
"""


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")
def test_no_signal_is_undefined_after_power_on(tmp_path: Path) -> None:
    network = small_network(3)
    built = build(network, folded_designs(network, 2)[-1])
    top = uart_top(network, built, budget_of(load_profile("ecp5-25k")))
    for name, content in {**built.files, **top.files}.items():
        (tmp_path / name).write_bytes(content)
    sources = [name for name in built.sources if name != f"{built.top}.v"] + list(top.sources)
    digest = model_hash(network)
    asked = [
        request(HELLO, 1),
        request(SELF_TEST, 2, digest),
        request(INFER, 3, digest, number=1, inputs=bytes([1] * network.input_size)),
    ]
    for number, payload in enumerate(asked):
        content = b"\0" + frame(payload)
        (tmp_path / "request.mem").write_text("".join(f"{byte:02x}\n" for byte in content))
        (tmp_path / "bench.v").write_text(_BENCH.format(last=len(content) - 1, top=top.name))
        command = ["iverilog", "-g2005", "-o", "bench.vvp", "-s", "bench", *sources, "bench.v"]
        subprocess.run(command, cwd=tmp_path, check=True)
        subprocess.run(["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True)
        text = (tmp_path / "trace.vcd").read_text()
        # Integers are variables of functions that are computed at elaboration: no hardware.
        variables = set(re.findall(r"\$var integer \d+ (\S+) ", text))
        changes = re.findall(r"^(?:[01xz]|b\S+ )\S+$", text, re.MULTILINE)
        undefined = [line for line in changes if re.match(r"x|b\S*x", line) and line.split()[-1] not in variables]
        assert len(changes) > 1000
        busy = re.search(r"\$var wire 1 (\S+) busy \$end", text)
        assert busy is not None
        assert f"\n1{busy[1]}\n" in text, f"request {number} was not answered"
        assert undefined == []
