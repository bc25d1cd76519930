"""A board's top: the UART top with the pins that a board has, their levels, and the cells that its clock needs."""

from __future__ import annotations

from ..board import Board
from ..verilog.writer import Layout, Port, Verilog

__all__ = ["board_top", "simulation_models"]

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
    verilog.header(f"{name}: {uart} on the board {board.name}, made by edgeml: synthesize this for a bitstream.")
    ports = [
        Port(_DIRECTIONS.get(role, "input"), port, note=_NOTES.get(role, "") + levels.get(role, ""))
        for role, port in board.ports.items()
    ]
    with verilog.module(name, ports):
        clock = "clk"
        if "clock_n" in board.ports:
            verilog.wire("clk")
            verilog.instance("IBUFDS", "clock_buffer", {"I": "clk_p", "IB": "clk_n", "O": "clk"}, (), Layout.ONE_LINE)
        verilog.wire("busy")
        reset_n = "1'b1" if "reset" not in board.ports else "!reset" if board.reset_pressed else "reset"
        serial = {"uart_rx": "uart_rx", "uart_tx": "uart_tx", "busy": "busy"}
        verilog.instance(uart, "top", {"clk": clock, "reset_n": reset_n, **serial}, (), Layout.ONE_LINE)
        verilog.assign("led", "busy" if board.led_lit else "!busy")
    return verilog.text()


def simulation_models(board: Board) -> dict[str, bytes]:
    """Models of the primitives in a board's top, by file name."""
    return {"IBUFDS.v": _IBUFDS.encode()} if "clock_n" in board.ports else {}
