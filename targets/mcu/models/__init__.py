"""Models of parts at the level of registers: clock, pins, serial port and counter, for images that run in Unicorn.

They are written from the parts' reference manuals, apart from the firmware: what the firmware leaves out, or does in
the wrong order, makes the port dead here too, and the model says why.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..board import Board
from .chip import Chip
from .nrf5 import Nrf5
from .rp2 import Rp2040, Rp2350
from .stm32f1 import Ch32V203, Stm32F1
from .stm32f4 import Stm32F4
from .stm32h7 import Stm32H7

__all__ = ["Chip", "chip_of"]

_CHIPS: Mapping[tuple[str, str, str], type[Chip]] = {
    ("stm32f1", "dwt", "plain"): Stm32F1,
    ("stm32f1", "ch32", "plain"): Ch32V203,
    ("stm32f4", "dwt", "plain"): Stm32F4,
    ("stm32h7", "dwt", "plain"): Stm32H7,
    ("nrf5", "nrf_timer", "plain"): Nrf5,
    ("nrf5", "dwt", "plain"): Nrf5,
    ("rp2", "systick", "rp2040"): Rp2040,
    ("rp2", "dwt", "rp2350"): Rp2350,
}


def chip_of(board: Board) -> type[Chip] | None:
    """The model of a board's part, by the families of its clock and counter and the way it boots; None where there is
    none, or the board uses another kind of serial port or pins that nobody chooses."""
    if board.uart != board.clock or not board.pins:
        return None
    return _CHIPS.get((board.clock, board.counter, board.boot))
