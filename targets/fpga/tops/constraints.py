"""Pin and clock constraints of the UART top, as templates of known boards for each family."""

from __future__ import annotations

from dataclasses import dataclass

from ..budget import Budget

__all__ = ["Board", "board_of", "pin_file"]


@dataclass(frozen=True)
class Board:
    """A board that carries a part.

    Parameters
    ----------
    name : for people. clock_mhz : of its oscillator. pins : of the package by port of the UART top. source : the public
    file that the pins were checked against. light_when_idle : whether its light is lit by a 0.
    """

    name: str
    clock_mhz: float
    pins: dict[str, str]
    source: str
    light_when_idle: bool = False


_BOARDS = {
    # USB serial (RX, TX), the button BTN_N, the red LED LEDR_N.
    "iCE40UP5K": Board(
        "iCEBreaker",
        12.0,
        {"clk": "35", "reset_n": "10", "uart_rx": "6", "uart_tx": "9", "busy": "11"},
        "icebreaker/icebreaker.pcf of icebreaker-fpga/icebreaker-verilog-examples",
        light_when_idle=True,
    ),
    # USB serial, LED D2; no button.
    "iCE40HX8K": Board(
        "iCE40-HX8K-B-EVN",
        12.0,
        {"clk": "J3", "uart_rx": "B10", "uart_tx": "B12", "busy": "C3"},
        "picosoc/hx8kdemo.pcf of YosysHQ/picorv32",
    ),
    # USB serial (FT231X: ftdi_txd, ftdi_rxd), button PWR (pressed: 0), LED D0.
    "LFE5U": Board(
        "ULX3S",
        25.0,
        {"clk": "G2", "reset_n": "D6", "uart_rx": "M1", "uart_tx": "L4", "busy": "B2"},
        "doc/constraints/ulx3s_v20.lpf of emard/ulx3s",
    ),
    # 100 MHz, red RESET button (ck_rst), USB serial (uart_txd_in, uart_rxd_out), LED LD4.
    "xc7a": Board(
        "Arty A7",
        100.0,
        {"clk": "E3", "reset_n": "C2", "uart_rx": "A9", "uart_tx": "D10", "busy": "H5"},
        "Arty-A7-35-Master.xdc and Arty-A7-100-Master.xdc of Digilent/digilent-xdc",
    ),
}


def board_of(budget: Budget) -> Board | None:
    """The board whose pins the template has, or None if the pins are left to the user."""
    return next((board for part, board in _BOARDS.items() if budget.part.startswith(part)), None)


_PORTS = ("clk", "reset_n", "uart_rx", "uart_tx", "busy")


def pin_file(name: str, budget: Budget) -> tuple[str, str]:
    """(file name, content): .pcf for iCE40, .lpf for ECP5, .xdc for AMD parts; unknown pins are commented out."""
    board = board_of(budget)
    about = f"pins of the board {board.name}" if board else "put the pins of your board in"
    clock = board.clock_mhz if board else budget.clock_mhz
    head = [
        f"# {name} on {budget.part}: {about}, made by edgeml.",
        f"# The clock is {clock:g} MHz: set the top's parameter CLOCK_HZ to {round(clock * 1e6)}.",
    ]
    if board:
        head.insert(1, f"# They are those of {board.source}; never tried on a board.")
    else:
        head.insert(1, "# The pins of no board with this part were checked: these lines wait for yours.")
    if board and board.light_when_idle:
        head.append("# The LED is lit by a 0: it is on while the device has nothing to do.")
    if board and "reset_n" not in board.pins:
        head.append("# There is no button: tie reset_n to 1, or put a pin with a pull-up in.")
    pins = board.pins if board else {}
    write = {"ice40": _pcf, "ecp5": _lpf}.get(budget.family.name, _xdc)
    suffix = {"ice40": "pcf", "ecp5": "lpf"}.get(budget.family.name, "xdc")
    return f"{name}.{suffix}", "\n".join([*head, *write(pins, clock), ""])


def _line(port: str, pins: dict[str, str], text: str) -> str:
    """The line with the port's pin, commented out if none is known."""
    return (
        text.format(port=port, pin=pins.get(port, "PIN")) if port in pins else "# " + text.format(port=port, pin="PIN")
    )


def _pcf(pins: dict[str, str], clock: float) -> list[str]:
    return [*(_line(port, pins, "set_io {port} {pin}") for port in _PORTS), f"set_frequency clk {clock:g}"]


def _lpf(pins: dict[str, str], clock: float) -> list[str]:
    lines = []
    for port in _PORTS:
        lines.append(_line(port, pins, 'LOCATE COMP "{port}" SITE "{pin}";'))
        lines.append(f'IOBUF PORT "{port}" IO_TYPE=LVCMOS33{" PULLMODE=UP" if port == "reset_n" else ""};')
    return [*lines, f'FREQUENCY PORT "clk" {clock:g} MHZ;']


def _xdc(pins: dict[str, str], clock: float) -> list[str]:
    line = "set_property -dict {{PACKAGE_PIN {pin} IOSTANDARD LVCMOS33}} [get_ports {port}]"
    return [
        *(_line(port, pins, line) for port in _PORTS),
        f"create_clock -name clk -period {1000 / clock:.3f} [get_ports clk]",
        "set_false_path -from [get_ports {reset_n uart_rx}]",
        "set_false_path -to [get_ports {uart_tx busy}]",
    ]
