"""A board that carries a part: its memory, clock, serial port and how it is flashed, out of its profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from edgeml.errors import InputError
from edgeml.profile_fields import Field, Line, Whole, Word

from .toolchain import MemoryMap

__all__ = ["BOARD_FIELDS", "BOOT_KINDS", "Board", "Pin", "board_of"]

_BAUD = 115_200
_PIN = re.compile(r"P([A-K])(\d{1,2})|P(\d)\.(\d{1,2})|GPIO(\d{1,2})")


def _families(role: str) -> tuple[str, ...]:
    """The words that a profile may say for `clock`, `uart` or `counter`: there is a C file for each."""
    names = (entry.name for entry in (resources.files("edgeml.firmware_stubs") / "boards").iterdir())
    return tuple(sorted(name[len(role) + 1 : -2] for name in names if name.startswith(f"{role}_")))


_ADDRESS = Whole(0, 2**32 - 1)
BOOT_KINDS = ("plain", "rp2040", "rp2350")
_NEEDED = ("flash_start", "ram_start", "clock", "clock_hz", "uart_base", "counter")
_TOOLS = ("uf2_drive", "pyocd", "openocd_interface", "openocd_target", "wlink")

BOARD_FIELDS: Mapping[str, Field] = {
    "flash_start": _ADDRESS,
    "flash_written_at": _ADDRESS,
    "ram_start": _ADDRESS,
    "boot": Word(BOOT_KINDS),
    "clock": Word(_families("clock")),
    "uart": Word(_families("uart")),
    "uart_base": _ADDRESS,
    "uart_tx_pin": Word(),
    "uart_rx_pin": Word(),
    "uart_pin_function": Whole(0, 31),
    "baud": Whole(1200, 4_000_000),
    "counter": Word(_families("counter")),
    "qemu": Word(),
    "qemu_serial": Whole(0, 7),
    "uf2_family": _ADDRESS,
    **dict.fromkeys(_TOOLS, Word()),
    **dict.fromkeys(("facts_from", "wiring"), Line()),
}
"""What a profile of a microcontroller says besides if the part is on a board.

`flash_start`, `ram_start` : addresses of the part's memory (their sizes are the part's `flash_bytes`, `ram_bytes`).
`flash_written_at` : where loaders find that flash, if not at `flash_start`.
`boot` : what the part's boot ROM looks for in flash. `clock`, `uart`, `counter` : families, each a C file of
`firmware_stubs/boards`; `clock_hz` is the rate that the clock is set to. `uart_base` : the port's registers, on
`uart_tx_pin` and `uart_rx_pin` (`PA2`, `P0.06`, `GPIO0`) with the alternate function `uart_pin_function`, at `baud`
(115,200 if nothing is said). `qemu` : the machine of qemu-system-arm, and `qemu_serial` the
number of the port there, from 0. `uf2_drive` : label of the drive that takes
UF2 files of `uf2_family`; `pyocd`, `openocd_interface` and `openocd_target`, `wlink` : what these programs call it.
`facts_from` : the public documents of addresses and pins. `wiring` : what has to be connected.
"""


@dataclass(frozen=True)
class Pin:
    """A pin: the number of its port (A is 0) and its number there."""

    port: int
    number: int


@dataclass(frozen=True)
class Board:
    """A board.

    Parameters
    ----------
    name : as on the command line. memory : of its part. clock, uart, counter : families (see `BOARD_FIELDS`).
    clock_hz : of the core; 0 if it is unknown. uart_base, baud : of the serial port. pins : its `tx` and `rx`, where
    they are chosen by registers. pin_function : theirs. boot : what the boot ROM asks for. qemu : QEMU's machine, ""
    if QEMU has none. qemu_serial : the number of the port there. uf2_family : of UF2 files, 0 if it takes none. tools :
    names of the board by programs that load it. facts_from, wiring : for people. written_at : where programs find its
    flash.
    """

    name: str
    memory: MemoryMap
    clock: str = "fixed"
    clock_hz: int = 0
    uart: str = "cmsdk"
    uart_base: int = 0x4000_4000
    counter: str = "systick"
    baud: int = _BAUD
    pins: Mapping[str, Pin] | None = None
    pin_function: int = 0
    boot: str = "plain"
    qemu: str = ""
    qemu_serial: int = 0
    uf2_family: int = 0
    tools: Mapping[str, str] | None = None
    facts_from: str = ""
    wiring: str = ""
    written_at: int = 0


def _pin(where: str, field: str, text: str) -> Pin:
    match = _PIN.fullmatch(text)
    if match is None:
        raise InputError(where, f"{field} is {text!r}, which is not a pin", "Write PA2, P0.06 or GPIO0")
    letter, number, port, of_port, alone = match.groups()
    if letter:
        return Pin("ABCDEFGHIJK".index(letter), int(number))
    return Pin(int(port), int(of_port)) if port else Pin(0, int(alone))


def board_of(name: str, values: Mapping[str, Any]) -> Board | None:
    """The board in a profile's values, which fit the fields; None where they are of a part alone.

    InputError where something is missing, a pin is not one or is given twice, or memory passes the address space.
    """
    if not values.get("uart"):
        if said := sorted(set(BOARD_FIELDS) & set(values)):
            raise InputError(f"target {name}", f"says {said[0]} as boards do, but lacks uart, the kind of serial port")
        return None
    where = f"target {name}"
    for field in _NEEDED:
        if field not in values:
            raise InputError(where, f"is a board (it has a uart), but lacks {field}")
    if "*/" in values.get("facts_from", ""):  # it becomes a comment of generated C
        raise InputError(where, "facts_from must not hold */")
    pins = {role: values[f"uart_{role}_pin"] for role in ("tx", "rx") if values.get(f"uart_{role}_pin")}
    if len(pins) == 1:
        missing = "rx" if "tx" in pins else "tx"
        raise InputError(where, f"gives one pin of its serial port, but lacks uart_{missing}_pin")
    if len(set(pins.values())) < len(pins):
        raise InputError(where, f"gives pin {pins['tx']} to both directions of its serial port")
    memory = MemoryMap(values["flash_start"], values["flash_bytes"], values["ram_start"], values["ram_bytes"])
    for start, size, what in (
        (memory.flash, memory.flash_size, "flash"),
        (memory.ram, memory.ram_size, "ram"),
    ):
        if start % 256 or start + size > 2**32:
            raise InputError(where, f"{what}_start is {start:#x}, which must be a multiple of 256 below 2^32 - {size}")
    if memory.flash < memory.ram + memory.ram_size and memory.ram < memory.flash + memory.flash_size:
        raise InputError(where, f"flash at {memory.flash:#x} and RAM at {memory.ram:#x} overlap")
    return Board(
        name,
        memory,
        values["clock"],
        values["clock_hz"],
        values["uart"],
        values["uart_base"],
        values["counter"],
        values.get("baud", _BAUD),
        {role: _pin(where, f"uart_{role}_pin", text) for role, text in pins.items()},
        values.get("uart_pin_function", 0),
        values.get("boot", "plain"),
        values.get("qemu", ""),
        values.get("qemu_serial", 0),
        values.get("uf2_family", 0),
        {tool: values[tool] for tool in _TOOLS if values.get(tool)},
        values.get("facts_from", ""),
        values.get("wiring", ""),
        values.get("flash_written_at", memory.flash),
    )
