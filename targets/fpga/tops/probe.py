"""The probe: a core with few pins, to be placed and routed by itself."""

from __future__ import annotations

from ..design import Built
from ..verilog.writer import CLOCK, Port, Verilog

__all__ = ["probe_top"]


def probe_top(built: Built) -> str:
    """Text of `<name>_probe`: the core behind two shift registers, so that any width fits the pins of any package."""
    width_in, width_out = built.interface.input_bits, built.interface.output_bits
    name = f"{built.top.removesuffix('_axis')}_probe"
    verilog = Verilog()
    verilog.header(f"{name}: {built.core} with few pins, to place and route it by itself, made by edgeml.")
    inputs = [Port("input", signal) for signal in ("clk", "rst", "serial_in", "start")]
    with verilog.module(
        name,
        [*inputs, Port("output", "ready"), Port("input", "take"), Port("output", "done"), Port("output", "serial_out")],
    ):
        verilog.reg("shift", width=width_in)
        verilog.reg("hold", width=width_out)
        verilog.reg("start_held", "take_held")
        verilog.wire("result", width=width_out)
        verilog.wire("valid")
        with verilog.clocked():
            shift_in = f"{{shift[{width_in - 2}:0], serial_in}}" if width_in > 1 else "serial_in"
            shift_out = f"{{1'b0, hold[{width_out - 1}:1]}}" if width_out > 1 else "1'b0"
            verilog.line("start_held <= start;")
            verilog.line("take_held <= take;")
            verilog.line(f"shift <= {shift_in};")
            verilog.line(f"hold <= (valid && take_held) ? result : {shift_out};")
        verilog.assign("done", "valid")
        verilog.assign("serial_out", "hold[0]")
        given = {"in_valid": "start_held", "in_ready": "ready", "in_data": "shift"}
        taken = {"out_valid": "valid", "out_ready": "take_held", "out_data": "result"}
        verilog.instance(built.core, "core", [{**CLOCK, **given}, taken])
    return verilog.text()
