"""RP2040 and RP2350: resets, crystal, PLL, clocks, pins, UART, and the SSI (RP2040 Datasheet; RP2350 Datasheet)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..board import Pin
from .chip import Chip

__all__ = ["Rp2040", "Rp2350"]

_CRYSTAL_HZ = 12e6
_RING_HZ = 6.5e6
_SSI = 0x1800_0000
_DR, _FR, _IBRD, _FBRD, _LCR, _CR = 0x00, 0x18, 0x24, 0x28, 0x2C, 0x30
_UART_BYTES = 0x48
_DIVIDER_IN_USE = -1  # no register shows it


@dataclass(frozen=True)
class _Map:
    """Addresses of blocks, the bits of these in RESETS, and what is not the same in both parts."""

    clocks: int
    resets: int
    pins: int
    pads: int
    crystal: int
    pll: int
    uarts: tuple[int, int]
    reset_bits: dict[str, int]
    pin_count: int
    pad_reset: int
    most_hz: float


class _Rp2(Chip):
    map: ClassVar[_Map]

    def known(self, address: int) -> bool:
        """The blocks of the class's map."""
        return self._block(address) != ""

    def _block(self, address: int) -> str:
        where = self.map
        blocks = {
            "clocks": (where.clocks, 0xC8),
            "resets": (where.resets, 0xC),
            "pins": (where.pins, 8 * where.pin_count),
            "pads": (where.pads, 4 * where.pin_count + 4),
            "crystal": (where.crystal, 0x20),
            "pll": (where.pll, 0x10),
            "uart": (self.board.uart_base, _UART_BYTES),
        }
        if type(self) is Rp2040:
            blocks["ssi"] = (_SSI, 0xF8)
        return next((name for name, (start, size) in blocks.items() if start <= address < start + size), "")

    def _value(self, address: int) -> int:
        if address in self.registers:
            return self.registers[address]
        where = self.map
        if address == where.resets:
            return 0x1FFF_FFFF
        if self._block(address) == "pads":
            return where.pad_reset
        return {where.pll: 1, where.pll + 4: 0x2D, where.pll + 0xC: 0x77000}.get(address, 0)

    def _runs(self, block: str) -> bool:
        """Whether a block is out of reset."""
        if block == "uart":
            block = f"uart{self.map.uarts.index(self.board.uart_base)}"
        bit = self.map.reset_bits.get(block)
        return bit is None or not self._value(self.map.resets) >> bit & 1

    def _crystal_runs(self) -> bool:
        return self._value(self.map.crystal) == 0xFABAA0

    def _pll_runs(self) -> bool:
        power, times = self._value(self.map.pll + 4), self._value(self.map.pll + 8)
        return self._crystal_runs() and self._runs("pll") and not power & 0x21 and times >= 16

    def _reference(self) -> float:
        return _CRYSTAL_HZ if self._value(self.map.clocks + 0x30) & 3 == 2 and self._crystal_runs() else _RING_HZ

    def reads(self, address: int) -> int | None:
        """What is done, stable, locked, selected; the UART's state and data. A block in reset reads 0."""
        where, block = self.map, self._block(address)
        if not self._runs(block):
            if block == "uart":
                self.fail("the UART is in reset")
            return 0
        if address == where.resets + 8:
            return ~self._value(where.resets) & 0x1FFF_FFFF
        if address == where.crystal + 4:
            return self._crystal_runs() << 31
        if address == where.pll:
            return self._value(address) | self._pll_runs() << 31
        if address == where.clocks + 0x38:
            return 1 << 2 if self._reference() == _CRYSTAL_HZ else 1
        if address == where.clocks + 0x44:
            return 2 if self._value(where.clocks + 0x3C) & 1 else 1
        if address == self.board.uart_base + _FR:
            return (not self.received()) << 4
        if address == self.board.uart_base + _DR:
            return self.take()
        return self._value(address)

    def writes(self, address: int, value: int) -> int | None:
        """Nothing reaches a block in reset; the UART's dividers count once its line register is written."""
        if not self._runs(self._block(address)):
            return None
        offset = address - self.board.uart_base
        if offset == _DR:
            self.send(value)
            return None
        if offset == _LCR:
            self.registers[_DIVIDER_IN_USE] = 64 * self._value(self.board.uart_base + _IBRD) + self._value(
                self.board.uart_base + _FBRD
            )
        return value

    def core_hz(self) -> float:
        """The PLL's rate or the reference's."""
        control = self._value(self.map.clocks + 0x3C)
        if not control & 1:
            return self._reference()
        if control >> 5 & 7 or not self._pll_runs() or self._value(self.map.pll + 4) & 8:
            return 0.0
        dividers = self._value(self.map.pll + 0xC)
        return self._oscillator() / max(1, (dividers >> 16 & 7) * (dividers >> 12 & 7))

    def _oscillator(self) -> float:
        return _CRYSTAL_HZ / max(1, self._value(self.map.pll) & 63) * self._value(self.map.pll + 8)

    def clock_problems(self) -> list[str]:
        """The PLL's range, the core's, the UART's clock."""
        found = []
        if not 750e6 <= self._oscillator() <= 1600e6:
            found.append(f"the PLL's oscillator has {self._oscillator():.0f} Hz")
        if self.core_hz() > self.map.most_hz:
            found.append(f"the core is too fast: {self.core_hz():.0f} Hz")
        if self._value(self.map.clocks + 0x48) != 1 << 11:
            found.append("the UART's clock is not the system clock, or off")
        return found

    def baud(self) -> float:
        """The clock divided by 16 times the divider in 64ths."""
        divider = self.registers.get(_DIVIDER_IN_USE, 0)
        return self.core_hz() * 4 / divider if divider else 0.0

    def pin_problem(self, role: str, pin: Pin) -> str:
        """The pin's function, and its pad: input on for rx, output not off, not isolated."""
        uart = self.map.uarts.index(self.board.uart_base)
        # UART0 is at 0, 12, 16, 28 and UART1 at 4, 8, 20, 24; rx is the pin behind tx.
        group, place = divmod(pin.number, 4)
        if place != (role == "rx") or (group % 4 in (1, 2)) != uart:
            return f"pin {pin.number} is not {role} of UART{uart}"
        function = self._value(self.map.pins + 8 * pin.number + 4) & 31
        pad = self._value(self.map.pads + 4 * pin.number + 4)
        if not self._runs("pins") or not self._runs("pads") or function != 2:
            return f"pin {pin.number} has function {function}"
        bad = pad >> 7 & 3 if role == "tx" else not pad >> 6 & 1 or pad >> 8 & 1
        return f"the pad of pin {pin.number} is {pad:#x}" if bad else ""

    def port_problem(self, sending: bool) -> str:
        """8 bits, enabled with its half."""
        line, control = self._value(self.board.uart_base + _LCR), self._value(self.board.uart_base + _CR)
        works = line >> 5 & 3 == 3 and not line & 0xE and control & control >> (8 if sending else 9) & 1
        return "" if works else f"UARTLCR_H is {line:#x}, UARTCR {control:#x}"


class Rp2040(_Rp2):
    """See `Chip`."""

    map = _Map(
        clocks=0x4000_8000,
        resets=0x4000_C000,
        pins=0x4001_4000,
        pads=0x4001_C000,
        crystal=0x4002_4000,
        pll=0x4002_8000,
        uarts=(0x4003_4000, 0x4003_8000),
        reset_bits={"pins": 5, "pads": 8, "pll": 12, "uart0": 22, "uart1": 23},
        pin_count=30,
        pad_reset=0x56,
        most_hz=133e6,
    )

    def clock_problems(self) -> list[str]:
        """And that flash can be read as memory: frames of 32 bits, EEPROM read, command 03h, 24 bits of address."""
        found = super().clock_problems()
        first, second, on, special = (self._value(_SSI + offset) for offset in (0, 4, 8, 0xF4))
        frames = first >> 16 & 31 == 31 and first >> 8 & 3 == 3 and first >> 21 & 3 == 0 and second == 0
        command = (special >> 24, special >> 8 & 3, special >> 2 & 15, special & 3) == (3, 2, 6, 0)
        divider = self._value(_SSI + 0x14)
        if not (frames and command and on == 1 and divider >= 2 and divider % 2 == 0):
            found.append("the SSI does not read flash as memory")
        return found


class Rp2350(_Rp2):
    """See `Chip`."""

    map = _Map(
        clocks=0x4001_0000,
        resets=0x4002_0000,
        pins=0x4002_8000,
        pads=0x4003_8000,
        crystal=0x4004_8000,
        pll=0x4005_0000,
        uarts=(0x4007_0000, 0x4007_8000),
        reset_bits={"pins": 6, "pads": 9, "pll": 14, "uart0": 26, "uart1": 27},
        pin_count=48,
        pad_reset=0x116,
        most_hz=150e6,
    )
