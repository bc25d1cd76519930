"""The Verilog writer: what its text looks like, and what it refuses to write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgeml.errors import InputError
from edgeml.targets.fpga.tools.programs import icarus
from edgeml.targets.fpga.verilog.stream import Stream, stream_ports
from edgeml.targets.fpga.verilog.words import comment_text, identifier, string_literal
from edgeml.targets.fpga.verilog.writer import CLOCK, Expression, Layout, Parameter, Port, Verilog, same, several

WHOLE = """\
// top: shows what the writer can.
//
// Model: none
`default_nettype none
module top #(
    parameter [7:0] START = 8'd3,  // of the count
    parameter STEP = 1
) (
    input  wire clk,
    (* keep = "true" *)
    output wire [7:0] count  // steps by STEP
);
    function [1:0] swapped;  // the two bits of x
        input [1:0] x;
        reg a, b;
        begin
            {a, b} = x;
            swapped = {b, a};
        end
    endfunction
    reg [7:0] value = START;
    wire [0:0] low = value[0];
    wire even, odd;
    assign even = !low;
    assign odd = low;

    always @(posedge clk) begin
        // every clock
        value <= value + STEP;
    end
    unit #(
        .WIDTH(8), .FILE("weights.mem"), .SEED(8'hff)
    ) one (
        .clk(clk), .rst(rst),
        .data(value)
    );
    unit #(.WIDTH(8)) two (
        .data(value)
    );
    unit #(.WIDTH(8))
        three (.data(value));
    unit four (.data(value));
    if (EMPTY) begin

        assign count = swapped(value);
    end
endmodule
`default_nettype wire
"""


def whole() -> str:
    verilog = Verilog()
    verilog.header("top: shows what the writer can.", "", facts={"Model": "none"})
    ports = [Port("input", "clk"), Port("output", "count", 8, "steps by STEP", ('keep = "true"',))]
    with verilog.module("top", ports, [Parameter("START", "8'd3", 8, "of the count"), Parameter("STEP", 1)]):
        with verilog.function("swapped", 2, {"x": 2}, ["reg a, b"], "the two bits of x"):
            verilog.line("{a, b} = x;")
            verilog.line("swapped = {b, a};")
        verilog.reg("value", width=8, value="START")
        verilog.wire("low", width=1, value="value[0]")
        verilog.wire("even", "odd", width=several(1))
        verilog.assign("even", "!low")
        verilog.assign("odd", "low")
        verilog.blank()
        with verilog.clocked():
            verilog.comment("every clock")
            verilog.line("value <= value + STEP;")
        data = {"data": "value"}
        parameters = {"WIDTH": 8, "FILE": "weights.mem", "SEED": Expression("8'hff")}
        verilog.instance("unit", "one", [CLOCK, data], parameters)
        verilog.instance("unit", "two", data, {"WIDTH": 8}, Layout.SHORT_HEAD)
        verilog.instance("unit", "three", data, {"WIDTH": 8}, Layout.TWO_LINES)
        verilog.instance("unit", "four", data, layout=Layout.ONE_LINE)
        verilog.lines(
            """
            if (EMPTY) begin

                assign count = swapped(value);
            end
            """
        )
    return verilog.text()


def test_each_kind_of_statement_stands_at_its_place() -> None:
    assert whole() == WHOLE


def test_lists_that_are_too_wide_are_wrapped_between_ports() -> None:
    verilog = Verilog(depth=1)
    verilog.instance("unit", "u", same(*(f"a_port_with_a_long_name_{k}" for k in range(5))))
    lines = verilog.text().splitlines()
    assert max(map(len, lines)) <= 112
    assert lines[1].endswith(",")
    assert sum(line.count(".a_port") for line in lines) == 5


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")
def test_a_stream_that_feeds_another_is_sound_verilog(tmp_path: Path) -> None:
    verilog = Verilog()
    with verilog.module("passing", stream_ports(5, 5)):
        middle = Stream("middle", 5)
        middle.declare(verilog)
        Stream("in", 5).feed(verilog, "middle")
        middle.feed(verilog, "out")
    (tmp_path / "passing.v").write_text(verilog.text())
    subprocess.run(["iverilog", "-g2005", "-Wall", "-o", "out", "passing.v"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", ["wire", "logic", "a b", "1st", "", "x;endmodule", "naïve", "a\n", "\\escaped "])
def test_no_other_name_than_an_identifier_is_declared(name: str) -> None:
    verilog = Verilog()
    with pytest.raises(InputError, match="Verilog name"):
        verilog.wire(name)
    with pytest.raises(InputError, match="Verilog name"), verilog.module(name):
        pass
    with pytest.raises(InputError, match="Verilog name"):
        verilog.instance("unit", name, {})
    with pytest.raises(InputError, match="Verilog name"):
        Port("input", name).lines()
    assert identifier("fc1_unit") == "fc1_unit"


@pytest.mark.parametrize("text", ["a\nendmodule", "a\rwire b;", "a\u2028b", "a\x0bb", "a\0", "ends in \\"])
def test_text_cannot_leave_its_comment(text: str) -> None:
    for write in (Verilog().comment, Verilog().header, lambda note: Verilog().wire("w", note=note)):
        with pytest.raises(InputError, match="Verilog comment"):
            write(text)
    with pytest.raises(InputError, match="Verilog comment"):
        Verilog().header(facts={"Model": text})


@pytest.mark.parametrize(
    "text", ["verilator lint_off WIDTH", "Verilator_core: a", " synthesis translate_off", "pragma x"]
)
def test_a_comment_is_no_directive_to_a_tool(text: str) -> None:
    assert comment_text(text) == f"Note: {text}"
    assert comment_text("synthesised by nobody") == "synthesised by nobody"


@pytest.mark.parametrize("text", ['a"b', "a\\", "a\n"])
def test_text_cannot_leave_its_string(text: str) -> None:
    with pytest.raises(InputError, match="Verilog string"):
        Verilog().instance("unit", "u", {}, {"FILE": text})
    assert string_literal("weights.mem") == '"weights.mem"'
