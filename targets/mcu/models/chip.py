"""What all models share: registers that keep what is written, a serial port, the counters of Arm's cores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from ..board import Board, Pin

__all__ = ["Chip"]

_MOST_BAUD_ERROR = 0.02
_PRIVATE = 0xE000_0000
_TICK_CONTROL, _TICK_VALUE = 0xE000_E010, 0xE000_E018
_TRACE_CONTROL, _CYCLE_CONTROL, _CYCLES = 0xE000_EDFC, 0xE000_1000, 0xE000_1004
_WORD = 0xFFFF_FFFF


class Chip(ABC):
    """A part on its board, as its program sees it.

    Registers keep what is written, unless `reads` and `writes` say otherwise. A byte that comes or goes while
    `problems` finds something is lost; `fault` then says why.
    """

    def __init__(self, board: Board, stop: Callable[[], None]) -> None:
        self.board = board
        self.registers: dict[int, int] = {}
        self.incoming: deque[int] = deque()
        self.outgoing = bytearray()
        self.instructions = 0
        self.fault = ""
        self._stop = stop
        self._asked = False
        self._cycles_from = 0

    @abstractmethod
    def known(self, address: int) -> bool:
        """Whether there is a register that the model knows."""

    @abstractmethod
    def reads(self, address: int) -> int | None:
        """The value of a register that does not read as it was written; None for all others."""

    @abstractmethod
    def writes(self, address: int, value: int) -> int | None:
        """What a register keeps of what is written to it; None if it keeps what it has."""

    @abstractmethod
    def clock_problems(self) -> list[str]:
        """What is wrong with the clocks."""

    @abstractmethod
    def core_hz(self) -> float:
        """The rate of the core, out of the registers."""

    @abstractmethod
    def baud(self) -> float:
        """The rate of the serial port, out of the registers; 0 where it is not set."""

    @abstractmethod
    def pin_problem(self, role: str, pin: Pin) -> str:
        """Why the pin does not carry `tx` or `rx`; "" if it does."""

    @abstractmethod
    def port_problem(self, sending: bool) -> str:
        """Why the serial port does not work; "" if it does."""

    def problems(self, sending: bool) -> list[str]:
        """All that keeps a byte from coming or going."""
        found = self.clock_problems()
        if abs(self.core_hz() - self.board.clock_hz) > 1:
            found.append(f"the core runs at {self.core_hz():.0f} Hz, the board says {self.board.clock_hz}")
        if abs(self.baud() / self.board.baud - 1) > _MOST_BAUD_ERROR:
            found.append(f"the serial port has {self.baud():.0f} baud, the board says {self.board.baud}")
        role = "tx" if sending else "rx"
        assert self.board.pins is not None
        return [*found, *filter(None, (self.pin_problem(role, self.board.pins[role]), self.port_problem(sending)))]

    def read(self, address: int) -> int:
        """The program reads a register."""
        if address >= _PRIVATE:
            return self.read_core(address)
        self._must_know(address)
        found = self.reads(address)
        return (self.registers.get(address, 0) if found is None else found) & _WORD

    def write(self, address: int, value: int) -> None:
        """The program writes a register."""
        if address >= _PRIVATE:
            if address == _CYCLES:
                self._cycles_from = self.instructions - value
            self.registers[address] = value
            return
        self._must_know(address)
        kept = self.writes(address, value & _WORD)
        if kept is not None:
            self.registers[address] = kept

    def _must_know(self, address: int) -> None:
        if address % 4 or not self.known(address):
            self.fail(f"the program uses {address:#010x}, where this part has no register that the model knows")

    def fail(self, why: str) -> None:
        """The program cannot go on; the first reason is kept."""
        self.fault = self.fault or why
        self._stop()

    def read_core(self, address: int) -> int:
        """The program reads a register of the core: SysTick and CYCCNT count instructions."""
        if (
            address == _CYCLES
            and self.registers.get(_TRACE_CONTROL, 0) >> 24 & self.registers.get(_CYCLE_CONTROL, 0) & 1
        ):
            return self.instructions - self._cycles_from & _WORD
        if address == _TICK_VALUE:
            return -self.instructions & 0xFF_FFFF if self.registers.get(_TICK_CONTROL, 0) & 1 else 0
        return self.registers.get(address, 0)

    def received(self) -> bool:
        """Whether a byte is there for the program, which looks; asked twice in vain, it is left waiting."""
        if self.incoming:
            return True
        if self._asked:
            self._stop()
        self._asked = True
        return False

    def take(self) -> int:
        """The program takes the byte that came."""
        self._asked = False
        if not self.incoming:
            return 0
        byte = self.incoming.popleft()
        if found := self.problems(sending=False):
            self.fail(f"a byte does not come in: {'; '.join(found)}")
        return byte

    def send(self, byte: int) -> None:
        """The program hands a byte over."""
        self._asked = False
        if found := self.problems(sending=True):
            self.fail(f"a byte does not go out: {'; '.join(found)}")
        else:
            self.outgoing.append(byte & 0xFF)

    def waits(self) -> None:
        """Bytes come in: the program looks anew."""
        self._asked = False
