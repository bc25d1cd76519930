"""Pin and clock constraints of the UART top: of a board, or lines that wait for pins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..board import Board, Pin
from ..budget import Budget

__all__ = ["constraint_file"]

_TOP_PORTS = {"clock": "clk", "reset": "reset_n", "uart_rx": "uart_rx", "uart_tx": "uart_tx", "led": "busy"}
_UNKNOWN = Pin("PIN", "LVCMOS33")


@dataclass(frozen=True)
class _Ports:
    """Ports to constrain.

    Parameters
    ----------
    pins : (port, pin, whether it is to be pulled up) in their order. clock : its port. mhz : of it.
    inputs, outputs : ports whose timing is nobody's.
    """

    pins: tuple[tuple[str, Pin, bool], ...]
    clock: str
    mhz: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def constraint_file(name: str, budget: Budget) -> tuple[str, str]:
    """(file name, content) for the module `name`, in the format of the part's tools: .pcf for iCE40, .lpf for ECP5 and
    MachXO, .pdc for Nexus, .cst for Gowin, .ccf for GateMate, .xdc for AMD parts. Without a board, lines with pins are
    commented out."""
    format_ = _FORMATS[budget.family.constraints]
    board = budget.board
    mhz = budget.clock_mhz if board is None else board.clock_hz / 1e6
    head = _head_of_board(name, budget, board) if board else _head_without_board(name, budget, mhz)
    ports = board.ports if board else _TOP_PORTS
    pins = tuple(
        (port, board.pins[role] if board else _UNKNOWN, _pulled_up(role, board)) for role, port in ports.items()
    )
    told = _Ports(
        pins,
        ports["clock"],
        mhz,
        tuple(ports[role] for role in ("reset", "uart_rx") if role in ports),
        (ports["uart_tx"], ports["led"]),
    )
    mark = format_.comment
    lines = [f"{mark} {line}" for line in head]
    for line, placed in format_.write(told):
        lines.append(line if board or not placed else f"{mark} {line}")
    return f"{name}.{budget.family.constraints}", "\n".join([*lines, ""])


def _pulled_up(role: str, board: Board | None) -> bool:
    """What is at rest while it is 1, and may be open: a line that nobody drives, a button that gives 0."""
    return role == "uart_rx" or (role == "reset" and not (board and board.reset_pressed))


def _head_of_board(name: str, budget: Budget, board: Board) -> list[str]:
    head = [f"{name}: pins of the board {board.name} ({budget.part}), made by edgeml."]
    if board.pins_from:
        head.append(f"They are those of {board.pins_from}; never tried on a board.")
    return [*head, *([f"To be connected: {board.wiring}."] if board.wiring else [])]


def _head_without_board(name: str, budget: Budget, mhz: float) -> list[str]:
    return [
        f"{name} on {budget.part}: put the pins of your board in, or convert with --board; made by edgeml.",
        f"The clock is {mhz:g} MHz: if yours is another, set the top's parameter CLOCK_HZ to it, too.",
        "Where there is no button, tie reset_n to 1.",
    ]


Lines = list[tuple[str, bool]]
"""Lines, and whether each holds a pin."""


def _pcf(ports: _Ports) -> Lines:
    lines = [(f"set_io {'-pullup yes ' if pull else ''}{port} {pin.site}", True) for port, pin, pull in ports.pins]
    return [*lines, (f"set_frequency {ports.clock} {ports.mhz:g}", False)]


def _lpf(ports: _Ports) -> Lines:
    lines: Lines = []
    for port, pin, pull in ports.pins:
        lines.append((f'LOCATE COMP "{port}" SITE "{pin.site}";', True))
        lines.append((f'IOBUF PORT "{port}" IO_TYPE={pin.io}{" PULLMODE=UP" if pull else ""};', False))
    return [*lines, (f'FREQUENCY PORT "{ports.clock}" {ports.mhz:g} MHZ;', False)]


def _xdc(ports: _Ports) -> Lines:
    lines = []
    for port, pin, _ in ports.pins:
        properties = f"PACKAGE_PIN {pin.site} IOSTANDARD {pin.io}"
        lines.append((f"set_property -dict {{{properties}}} [get_ports {port}]", True))
    return [
        *lines,
        (f"create_clock -name clk -period {1000 / ports.mhz:.3f} [get_ports {ports.clock}]", False),
        (f"set_false_path -from [get_ports {{{' '.join(ports.inputs)}}}]", False),
        (f"set_false_path -to [get_ports {{{' '.join(ports.outputs)}}}]", False),
    ]


def _pdc(ports: _Ports) -> Lines:
    lines: Lines = []
    for port, pin, pull in ports.pins:
        lines.append((f"ldc_set_location -site {{{pin.site}}} [get_ports {port}]", True))
        pulled = " PULLMODE=UP" if pull else ""
        lines.append((f"ldc_set_port -iobuf {{IO_TYPE={pin.io}{pulled}}} [get_ports {port}]", False))
    return [*lines, (f"create_clock -name {{clk}} -period {1000 / ports.mhz:.3f} [get_ports {ports.clock}]", False)]


def _cst(ports: _Ports) -> Lines:
    lines: Lines = []
    for port, pin, pull in ports.pins:
        lines.append((f'IO_LOC "{port}" {pin.site};', True))
        lines.append((f'IO_PORT "{port}" IO_TYPE={pin.io} PULL_MODE={"UP" if pull else "NONE"};', False))
    return lines


def _ccf(ports: _Ports) -> Lines:
    return [
        (f'Net "{port}" Loc = "{pin.site}"{" | PULLUP=true" if pull else ""};', True) for port, pin, pull in ports.pins
    ]


@dataclass(frozen=True)
class _Format:
    """A format of constraints: how a comment begins, and its lines."""

    comment: str
    write: Callable[[_Ports], Lines]


_FORMATS = {
    "pcf": _Format("#", _pcf),
    "lpf": _Format("#", _lpf),
    "pdc": _Format("#", _pdc),
    "cst": _Format("//", _cst),
    "ccf": _Format("#", _ccf),
    "xdc": _Format("#", _xdc),
}
