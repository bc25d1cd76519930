"""A board that carries a part: its clock, the pins of the UART top, and how people reach it, out of its profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError
from edgeml.profile_fields import Field, Line, Whole, Word

from .pll import Pll

__all__ = ["BOARD_FIELDS", "Board", "Pin", "board_of"]

_ROLES = ("clock", "clock_n", "reset", "uart_rx", "uart_tx", "led")
_NEEDED = ("clock", "uart_rx", "uart_tx", "led")
_DEFAULT_IO = "LVCMOS33"
BOARD_FIELDS: Mapping[str, Field] = {
    **{f"{role}_pin": Word() for role in _ROLES},
    **{f"{role}_io": Word() for role in _ROLES},
    **dict.fromkeys(("reset_pressed", "led_lit"), Whole(0, 1)),
    "clock_at_pll": Whole(0, 1),
    "loader": Word(),
    **dict.fromkeys(("pins_from", "wiring"), Line()),
}
"""What a profile of an FPGA says besides if the part is on a board.

`clock_pin` (the oscillator, of `clock_mhz`; `clock_n_pin` its other half if it is differential), `reset_pin` (a button;
`reset_pressed`: its level while pressed), `uart_rx_pin`, `uart_tx_pin`, `led_pin` (`led_lit`: the level that lights
it): sites of the package. `clock_at_pll` : 1 if the oscillator comes in at the pin that an iCE40's PLL has for itself,
where no other of its cells can take it. `…_io` : their I/O standards, LVCMOS33 if nothing is said. `loader` :
openFPGALoader's name of the board. `pins_from` : the public files that the pins were checked against. `wiring` : what
has to be connected.
"""


@dataclass(frozen=True)
class Pin:
    """A site of the package and its I/O standard."""

    site: str
    io: str


@dataclass(frozen=True)
class Board:
    """A board.

    Parameters
    ----------
    name : as on the command line. clock_hz : of its oscillator. pins : by role (`clock`, `clock_n`, `reset`, `uart_rx`,
    `uart_tx`, `led`), without those that the board has not. pll : what makes the design's clock, None: it is the
    oscillator's. clock_at_pll : see `BOARD_FIELDS`. reset_pressed, led_lit : levels of the button while it is
    pressed and of the LED that light it. loader, pins_from, wiring : see `BOARD_FIELDS`; "" if nothing is said.
    """

    name: str
    clock_hz: int
    pins: Mapping[str, Pin]
    reset_pressed: int = 0
    led_lit: int = 1
    loader: str = ""
    pins_from: str = ""
    wiring: str = ""
    clock_at_pll: bool = False
    pll: Pll | None = None

    @property
    def design_hz(self) -> int:
        """Of the design's clock."""
        return self.clock_hz if self.pll is None else self.pll.hz

    @property
    def ports(self) -> dict[str, str]:
        """Ports of the board's top by role."""
        names = {"clock": "clk_p" if "clock_n" in self.pins else "clk", "clock_n": "clk_n", "reset": "reset"}
        return {role: names.get(role, role) for role in self.pins}


def board_of(name: str, values: Mapping[str, Any]) -> Board | None:
    """The board in a profile's values, which fit the fields; None where they are of a part alone.

    InputError where a board's pin is missing or given twice.
    """
    given = {role: values[f"{role}_pin"] for role in _ROLES if values.get(f"{role}_pin")}
    if not given:
        return None
    where = f"target {name}"
    for role in _NEEDED:
        if role not in given:
            raise InputError(where, f"gives pins of a board, but lacks {role}_pin")
    for role, site in given.items():
        if twice := [other for other in given if other != role and given[other] == site]:
            raise InputError(where, f"gives pin {site} to {role} and to {twice[0]}")
    return Board(
        name,
        round(values["clock_mhz"] * 1e6),
        {role: Pin(site, values.get(f"{role}_io") or _DEFAULT_IO) for role, site in given.items()},
        values.get("reset_pressed", 0),
        values.get("led_lit", 1),
        **{field: values.get(field, "") for field in ("loader", "pins_from", "wiring")},
        clock_at_pll=bool(values.get("clock_at_pll", 0)),
    )
