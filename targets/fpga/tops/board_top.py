"""A board's top: the UART top with the pins that a board has, their levels, and the cells that its clock needs."""

from __future__ import annotations

from ..board import Board
from ..pll import Pll
from ..verilog.writer import Layout, Port, Verilog, bus

__all__ = ["black_boxes", "board_top", "simulation_models"]

_NOTES = {
    "clock": "the oscillator",
    "clock_n": "its other half",
    "reset": "a button",
    "led": "lit while a request is answered",
}
_DIRECTIONS = {"uart_tx": "output", "led": "output"}
# What the vendor's library says of it: a clock from two halves. For simulation alone; tools have the cell itself.
_IBUFDS = """// SPDX-License-Identifier: Apache-2.0
// A model for simulation of the buffer of a differential clock: high while I is high and IB is low.
`default_nettype none
module IBUFDS (
    input  wire I,
    input  wire IB,
    output wire O
);
    assign O = I & ~IB;
endmodule
`default_nettype wire
"""


def board_top(name: str, uart: str, board: Board) -> str:
    """Text of the module `name`: the UART top `uart` on a board. Without a button, the reset after power-on is all."""
    verilog = Verilog()
    levels = {"reset": f", {board.reset_pressed} while pressed", "led": f": {board.led_lit} lights it"}
    verilog.header(
        f"{name}: {uart} on the board {board.name}, made by edgeml: synthesize this for a bitstream.",
        *([] if board.pll is None else [_clocks_said(board, board.pll)]),
    )
    ports = [
        Port(_DIRECTIONS.get(role, "input"), port, note=_NOTES.get(role, "") + levels.get(role, ""))
        for role, port in board.ports.items()
    ]
    with verilog.module(name, ports):
        clock = "clk"
        if "clock_n" in board.ports:
            verilog.wire("clk")
            verilog.instance("IBUFDS", "clock_buffer", {"I": "clk_p", "IB": "clk_n", "O": "clk"}, (), Layout.ONE_LINE)
        if board.pll is not None:
            clock = "pll_clk"
            verilog.wire(clock, "locked")
            clocks = {board.pll.clock_in: "clk", board.pll.clock_out: clock, board.pll.lock: "locked"}
            verilog.instance(board.pll.cell, "pll", {**clocks, **board.pll.tied}, board.pll.parameters)
        verilog.wire("busy")
        reset_n = "1'b1" if "reset" not in board.ports else "!reset" if board.reset_pressed else "reset"
        if board.pll is not None:
            reset_n = "locked" if "reset" not in board.ports else f"locked && {reset_n}"
        serial = {"uart_rx": "uart_rx", "uart_tx": "uart_tx", "busy": "busy"}
        verilog.instance(uart, "top", {"clk": clock, "reset_n": reset_n, **serial}, (), Layout.ONE_LINE)
        verilog.assign("led", "busy" if board.led_lit else "!busy")
    return verilog.text()


def simulation_models(board: Board) -> dict[str, bytes]:
    """Models of the primitives in a board's top, by file name."""
    models = {"IBUFDS.v": _IBUFDS.encode()} if "clock_n" in board.ports else {}
    return models if board.pll is None else {**models, f"{board.pll.cell}.v": _pll_model(board.pll).encode()}


def _clocks_said(board: Board, pll: Pll) -> str:
    return f"The PLL makes {float(pll.exact_hz) / 1e6:.9g} MHz of the oscillator's {board.clock_hz / 1e6:g} MHz."


def black_boxes(board: Board) -> dict[str, bytes]:
    """Declarations of the vendor's cells that make a board's clock, by file name: for tools that look for modules
    before they read their own library."""
    pll = board.pll
    return {} if pll is None else {f"{pll.cell}.v": f"(* blackbox *)\n{_pll_head(pll)}endmodule\n".encode()}


def _pll_head(pll: Pll) -> str:
    inputs = "".join(f"    input  wire {bus(_width(value))}{name},\n" for name, value in pll.tied.items())
    parameters = ",\n".join(f"    parameter {name} = {_default(value)}" for name, value in pll.parameters.items())
    return f"""module {pll.cell} #(
{parameters}
) (
    input  wire {pll.clock_in},
{inputs}    output wire {pll.clock_out},
    output wire {pll.lock}
);
"""


def _pll_model(pll: Pll) -> str:
    """A model of a PLL for a simulation whose clock has the frequency of its output: passed on, locked in a while."""
    return f"""// SPDX-License-Identifier: Apache-2.0
// A model for simulation of {pll.cell}: its input is taken to have the frequency of its output.
`default_nettype none
/* verilator lint_off UNUSEDPARAM */
/* verilator lint_off UNUSEDSIGNAL */
{_pll_head(pll)}    reg [5:0] since;
    initial since = 6'd0;
    always @(posedge {pll.clock_in}) if (!since[5]) since <= since + 1'b1;
    assign {pll.clock_out} = {pll.clock_in};
    assign {pll.lock} = since[5];
endmodule
`default_nettype wire
"""


def _width(constant: str) -> int:
    bits = int(constant.split("'")[0])
    return bits if bits > 1 else 0


def _default(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
