"""STM32F4: reset and clock control, ports and USARTs (ST RM0090, chapters 7, 8 and 30)."""

from __future__ import annotations

from collections.abc import Callable

from ..board import Pin
from .chip import Chip
from .stm32 import clock_control, clock_switch

__all__ = ["Stm32F4", "in_function"]

_RCC, _FLASH = 0x4002_3800, 0x4002_3C00
_CR, _PLLCFGR, _CFGR = _RCC, _RCC + 4, _RCC + 8
_AHB1ENR, _APB1ENR, _APB2ENR = _RCC + 0x30, _RCC + 0x40, _RCC + 0x44
_PORTS, _PORT_BYTES, _PORT_COUNT = 0x4002_0000, 0x400, 9
_INTERNAL_HZ = 16e6
_WAIT_STATE_HZ = 30e6
_MOST_HZ, _MOST_BUS1_HZ, _MOST_BUS2_HZ = 180e6, 45e6, 90e6
_SR, _DR, _BRR, _CR1 = 0x0, 0x4, 0x8, 0xC
_USARTS = {
    0x4001_1000: (_APB2ENR, 4),
    0x4000_4400: (_APB1ENR, 17),
    0x4000_4800: (_APB1ENR, 18),
    0x4000_4C00: (_APB1ENR, 19),
    0x4000_5000: (_APB1ENR, 20),
    0x4001_1400: (_APB2ENR, 5),
}
# Pins of USART1, 2, 3 and 6 by base, role and port; the alternate function is 7, of UART4 to USART6 it is 8
# (DS8626, table 9).
_PINS = {
    (0x4001_1000, "tx"): {(0, 9), (1, 6)},
    (0x4001_1000, "rx"): {(0, 10), (1, 7)},
    (0x4000_4400, "tx"): {(0, 2), (3, 5)},
    (0x4000_4400, "rx"): {(0, 3), (3, 6)},
    (0x4000_4800, "tx"): {(1, 10), (2, 10), (3, 8)},
    (0x4000_4800, "rx"): {(1, 11), (2, 11), (3, 9)},
    (0x4001_1400, "tx"): {(2, 6), (6, 14)},
    (0x4001_1400, "rx"): {(2, 7), (6, 9)},
}
_PRESCALED = {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}


def in_function(value: Callable[[int], int], port: int, pin: Pin, wanted: int) -> str:
    """Why a pin of the port with its registers at `port` is not in that alternate function; "" if it is."""
    mode = value(port) >> 2 * pin.number & 3
    function = value(port + 0x20 + 4 * (pin.number // 8)) >> 4 * (pin.number % 8) & 15
    return "" if (mode, function) == (2, wanted) else f"pin {pin} has mode {mode} and function {function}"


class Stm32F4(Chip):
    """See `Chip`."""

    def known(self, address: int) -> bool:
        """RCC, FLASH_ACR, ports, the board's USART."""
        base = self.board.uart_base
        return (
            _RCC <= address < _RCC + 0x94
            or address == _FLASH
            or _PORTS <= address < _PORTS + _PORT_BYTES * _PORT_COUNT
            or base <= address < base + 0x1C
        )

    def _value(self, address: int) -> int:
        return self.registers.get(address, 0x2400_3010 if address == _PLLCFGR else 0)

    def _enabled(self) -> bool:
        register, bit = _USARTS[self.board.uart_base]
        return bool(self._value(register) >> bit & 1)

    def reads(self, address: int) -> int | None:
        """Ready bits, the switch of the clock, and the port's state and data."""
        if address == _CR:
            return clock_control(self._value(_CR))
        if address == _CFGR:
            return clock_switch(self._value(_CFGR), self._value(_CR))
        offset = address - self.board.uart_base
        if offset == _SR and not self._enabled():
            self.fail("the USART has no clock")
        if offset == _SR:
            return 0xC0 | self.received() << 5
        if offset == _DR:
            return self.take()
        return None

    def writes(self, address: int, value: int) -> int | None:
        """Nothing reaches a port or a USART without its clock, or the PLL's factors while it is on."""
        if address == _PLLCFGR and self._value(_CR) >> 24 & 1:
            return None
        if _PORTS <= address < _PORTS + _PORT_BYTES * _PORT_COUNT:
            return value if self._value(_AHB1ENR) >> (address - _PORTS) // _PORT_BYTES & 1 else None
        offset = address - self.board.uart_base
        if 0 <= offset < 0x1C and not self._enabled():
            return None
        if offset == _DR:
            self.send(value)
            return None
        return value

    def _from_pll(self) -> bool:
        return (self.reads(_CFGR) or 0) >> 2 & 3 == 2

    def core_hz(self) -> float:
        """16 MHz, or what the PLL makes of it; divided for the core."""
        if not self._from_pll():
            return _INTERNAL_HZ
        divide = (self._value(_CFGR) >> 4) & 15
        return (
            self._oscillator() / ((self._value(_PLLCFGR) >> 16 & 3) * 2 + 2) / (1 if divide < 8 else 2 ** (divide - 7))
        )

    def _oscillator(self) -> float:
        factors = self._value(_PLLCFGR)
        return _INTERNAL_HZ / max(1, factors & 63) * (factors >> 6 & 511)

    def _buses(self) -> tuple[float, float]:
        first, second = (_PRESCALED.get(self._value(_CFGR) >> place & 7, 1) for place in (10, 13))
        return self.core_hz() / first, self.core_hz() / second

    def clock_problems(self) -> list[str]:
        """Limits of the PLL, the buses and flash."""
        found = []
        if self._from_pll():
            factors = self._value(_PLLCFGR)
            if not 1e6 <= _INTERNAL_HZ / max(1, factors & 63) <= 2e6 or not 100e6 <= self._oscillator() <= 432e6:
                found.append("the PLL's oscillator is out of its range")
            if factors >> 22 & 1:
                found.append("the PLL has the crystal as its source, which is not started")
        first, second = self._buses()
        if self.core_hz() > _MOST_HZ or first > _MOST_BUS1_HZ or second > _MOST_BUS2_HZ:
            found.append(f"core or bus are too fast: {self.core_hz():.0f}, {first:.0f}, {second:.0f} Hz")
        needed = -(-int(self.core_hz()) // int(_WAIT_STATE_HZ)) - 1
        if self._value(_FLASH) & 15 < needed:
            found.append(f"flash has {self._value(_FLASH) & 15} wait states and needs {needed}")
        return found

    def baud(self) -> float:
        """The bus's clock divided by BRR."""
        bus = self._buses()[0 if _USARTS[self.board.uart_base][0] == _APB1ENR else 1]
        return bus / max(1, self._value(self.board.uart_base + _BRR))

    def pin_problem(self, role: str, pin: Pin) -> str:
        """A pin of that USART, in its alternate function."""
        base, port = self.board.uart_base, _PORTS + _PORT_BYTES * pin.port
        if (pin.port, pin.number) not in _PINS[base, role]:
            return f"pin {pin.number} of port {pin.port} is not {role} of the USART at {base:#x}"
        return in_function(self._value, port, pin, 7 if base in (0x4001_1000, 0x4000_4400, 0x4000_4800) else 8)

    def port_problem(self, sending: bool) -> str:
        """Enabled, with its half."""
        control = self._value(self.board.uart_base + _CR1)
        return "" if control >> 13 & control >> (3 if sending else 2) & 1 else f"USART_CR1 is {control:#x}"
