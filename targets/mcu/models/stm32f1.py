"""STM32F100: reset and clock control, ports and USARTs (ST RM0041, chapters 6, 7 and 23)."""

from __future__ import annotations

from ..board import Pin
from .chip import Chip
from .stm32 import clock_control, clock_switch

__all__ = ["Ch32V203", "Stm32F1"]

_RCC = 0x4002_1000
_CR, _CFGR, _APB2ENR, _APB1ENR = _RCC, _RCC + 4, _RCC + 0x18, _RCC + 0x1C
_PORTS, _PORT_BYTES, _PORT_COUNT = 0x4001_0800, 0x400, 5
_SET = 0x10
_TIMER_CONTROL, _TIMER_COUNT = 0xE000_F000, 0xE000_F008
_INTERNAL_HZ, _MOST_HZ = 8e6, 24e6
_SR, _DR, _BRR, _CR1 = 0x0, 0x4, 0x8, 0xC
_USARTS = {0x4001_3800: (_APB2ENR, 14), 0x4000_4400: (_APB1ENR, 17), 0x4000_4800: (_APB1ENR, 18)}
# Pins of USART1, 2 and 3 that are not remapped (RM0041, tables 41 to 43).
_PINS = {
    (0x4001_3800, "tx"): (0, 9),
    (0x4001_3800, "rx"): (0, 10),
    (0x4000_4400, "tx"): (0, 2),
    (0x4000_4400, "rx"): (0, 3),
    (0x4000_4800, "tx"): (1, 10),
    (0x4000_4800, "rx"): (1, 11),
}


class Stm32F1(Chip):
    """See `Chip`."""

    most_hz = _MOST_HZ

    def known(self, address: int) -> bool:
        """RCC, ports, the board's USART."""
        base = self.board.uart_base
        ports = _PORTS <= address < _PORTS + _PORT_BYTES * _PORT_COUNT
        return _RCC <= address < _RCC + 0x28 or ports or base <= address < base + 0x1C

    def _value(self, address: int) -> int:
        is_configuration = (
            _PORTS <= address < _PORTS + _PORT_BYTES * _PORT_COUNT and (address - _PORTS) % _PORT_BYTES < 8
        )
        return self.registers.get(address, 0x4444_4444 if is_configuration else 0)

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
        return self.take() if offset == _DR else self._value(address)

    def writes(self, address: int, value: int) -> int | None:
        """Nothing reaches a port or a USART without its clock, or the PLL's factor while it is on."""
        if address == _CFGR and self._value(_CR) >> 24 & 1:
            fixed = 0x3F << 16
            return value & ~fixed | self._value(_CFGR) & fixed
        if _PORTS <= address < _PORTS + _PORT_BYTES * _PORT_COUNT:
            port, offset = divmod(address - _PORTS, _PORT_BYTES)
            if not self._value(_APB2ENR) >> 2 + port & 1:
                return None
            if offset == _SET:  # sets and clears bits of the output register
                output = _PORTS + _PORT_BYTES * port + 0xC
                self.registers[output] = self._value(output) & ~(value >> 16) | value & 0xFFFF
                return None
            return value
        offset = address - self.board.uart_base
        if 0 <= offset < 0x1C and not self._enabled():
            return None
        if offset == _DR:
            self.send(value)
            return None
        return value

    def core_hz(self) -> float:
        """8 MHz, or half of it times the PLL's factor."""
        if (self.reads(_CFGR) or 0) >> 2 & 3 != 2:
            return _INTERNAL_HZ
        return _INTERNAL_HZ / 2 * ((self._value(_CFGR) >> 18 & 15) + 2)

    def clock_problems(self) -> list[str]:
        """The highest rate; the source of the PLL; no divider is modelled."""
        found = [f"the core is too fast: {self.core_hz():.0f} Hz"] if self.core_hz() > self.most_hz else []
        if self._value(_CFGR) >> 16 & 1:
            found.append("the PLL has the crystal as its source, which is not started")
        if self._value(_CFGR) >> 4 & 0x3FF:
            found.append("the buses are divided")
        return found

    def baud(self) -> float:
        """The bus's clock divided by BRR."""
        return self.core_hz() / max(1, self._value(self.board.uart_base + _BRR))

    def pin_problem(self, role: str, pin: Pin) -> str:
        """A pin of that USART: an output of its alternate function, or an input that is pulled up."""
        base, port = self.board.uart_base, _PORTS + _PORT_BYTES * pin.port
        if (pin.port, pin.number) != _PINS[base, role]:
            return f"pin {pin.number} of port {pin.port} is not {role} of the USART at {base:#x}"
        kind = self._value(port + 4 * (pin.number // 8)) >> 4 * (pin.number % 8) & 15
        if role == "tx":
            return "" if kind in (9, 10, 11) else f"pin {pin} is of kind {kind}, not an output of its function"
        pulled_up = kind == 8 and self._value(port + 0xC) >> pin.number & 1
        return "" if pulled_up or kind == 4 else f"pin {pin} is of kind {kind}, not an input"

    def port_problem(self, sending: bool) -> str:
        """Enabled, with its half."""
        control = self._value(self.board.uart_base + _CR1)
        return "" if control >> 13 & control >> (3 if sending else 2) & 1 else f"USART_CR1 is {control:#x}"


class Ch32V203(Stm32F1):
    """WCH's CH32V203, which has the same blocks, a higher rate and a system timer of its own (CH32FV2x_V3xRM; QingKe V4
    Microprocessor Manual)."""

    most_hz = 144e6

    def read_core(self, address: int) -> int:
        """The system timer counts up, at the core's rate if it is told so."""
        if address == _TIMER_COUNT:
            return self.instructions & 0xFFFF_FFFF if self.registers.get(_TIMER_CONTROL, 0) & 5 == 5 else 0
        return super().read_core(address)
