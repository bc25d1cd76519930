"""STM32H743: power, reset and clock control, flash, ports and USARTs (ST RM0433, chapters 4, 6, 8, 11 and 48)."""

from __future__ import annotations

from ..board import Pin
from .chip import Chip
from .stm32f4 import in_function

__all__ = ["Stm32H7"]

_RCC, _PWR, _FLASH = 0x5802_4400, 0x5802_4800, 0x5200_2000
_CR, _CFGR, _D1CFGR, _D2CFGR, _D3CFGR = (_RCC + offset for offset in (0x00, 0x10, 0x18, 0x1C, 0x20))
_PLLCKSELR, _PLLCFGR, _PLL1DIVR = (_RCC + offset for offset in (0x28, 0x2C, 0x30))
_AHB4ENR, _APB1LENR, _APB2ENR = (_RCC + offset for offset in (0xE0, 0xE8, 0xF0))
_CSR1, _CR3, _D3CR = _PWR + 4, _PWR + 0xC, _PWR + 0x18
_PORTS, _PORT_BYTES, _PORT_COUNT = 0x5802_0000, 0x400, 11
_INTERNAL_HZ, _MOST_HZ, _MOST_BUS_HZ, _MOST_PERIPHERAL_HZ = 64e6, 400e6, 200e6, 100e6
_CR1, _BRR, _ISR, _RDR, _TDR, _UART_BYTES = 0x00, 0x0C, 0x1C, 0x24, 0x28, 0x2C
_USARTS = {0x4001_1000: (_APB2ENR, 4), 0x4000_4400: (_APB1LENR, 17), 0x4000_4800: (_APB1LENR, 18)}
# Pins of USART3 by role (DS12110, tables 9 to 19), with alternate function 7.
_PINS = {"tx": {(1, 10), (2, 10), (3, 8)}, "rx": {(1, 11), (2, 11), (3, 9)}}
_RESET = {_CR3: 0x46, _PLLCFGR: 0x01FF_0000, _PLL1DIVR: 0x0101_0280, _FLASH: 0x37, _D3CR: 0x4000}
_PRESCALED = {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}
_BUS_PRESCALED = {0: 1, 8: 2, 9: 4, 10: 8, 11: 16}
_SCALE_1 = 3


class Stm32H7(Chip):
    """See `Chip`. The voltage can be changed once the supply has been chosen."""

    def known(self, address: int) -> bool:
        """RCC, PWR, FLASH_ACR, ports, the board's USART."""
        base = self.board.uart_base
        blocks = ((_RCC, 0x100), (_PWR, 0x30), (_FLASH, 4), (_PORTS, _PORT_BYTES * _PORT_COUNT), (base, _UART_BYTES))
        return any(start <= address < start + size for start, size in blocks)

    def _value(self, address: int) -> int:
        return self.registers.get(address, _RESET.get(address, 0))

    def _enabled(self) -> bool:
        register, bit = _USARTS[self.board.uart_base]
        return bool(self._value(register) >> bit & 1)

    def _supplied(self) -> bool:
        return self._value(_CR3) & 7 == 2

    def reads(self, address: int) -> int | None:
        """Ready bits, the switch of the clock, and the port's state and data."""
        if address == _CR:
            on = self._value(_CR) | 1
            return on | (on & 1) << 2 | (on >> 24 & 1) << 25
        if address == _CFGR:
            wanted = self._value(_CFGR) & 7
            ready = {0: True, 3: bool(self._value(_CR) >> 24 & 1)}.get(wanted, False)
            return self._value(_CFGR) & ~0x38 | (wanted << 3 if ready else 0)
        if address in (_CSR1, _D3CR):
            return self._value(address) & ~(1 << 13) | self._supplied() << 13
        offset = address - self.board.uart_base
        if offset == _ISR and not self._enabled():
            self.fail("the USART has no clock")
        if offset == _ISR:
            return 0xC0 | self.received() << 5
        return self.take() if offset == _RDR else self._value(address)

    def writes(self, address: int, value: int) -> int | None:
        """Nothing reaches a port or a USART without its clock, the voltage before the supply, or a PLL that is on."""
        if address in (_PLLCKSELR, _PLLCFGR, _PLL1DIVR) and self._value(_CR) >> 24 & 1:
            return None
        if address == _D3CR and not self._supplied():
            return None
        if _PORTS <= address < _PORTS + _PORT_BYTES * _PORT_COUNT:
            return value if self._value(_AHB4ENR) >> (address - _PORTS) // _PORT_BYTES & 1 else None
        offset = address - self.board.uart_base
        if 0 <= offset < _UART_BYTES and not self._enabled():
            return None
        if offset == _TDR:
            self.send(value)
            return None
        return value

    def _from_pll(self) -> bool:
        return (self.reads(_CFGR) or 0) >> 3 & 7 == 3

    def _input(self) -> float:
        return _INTERNAL_HZ / max(1, self._value(_PLLCKSELR) >> 4 & 63)

    def _oscillator(self) -> float:
        return self._input() * ((self._value(_PLL1DIVR) & 511) + 1)

    def core_hz(self) -> float:
        """64 MHz, or what PLL1 makes of it."""
        if not self._from_pll():
            return _INTERNAL_HZ
        if not self._value(_PLLCFGR) >> 16 & 1 or self._value(_PLLCKSELR) & 3:
            return 0.0
        return (
            self._oscillator()
            / ((self._value(_PLL1DIVR) >> 9 & 127) + 1)
            / _BUS_PRESCALED.get(self._value(_D1CFGR) >> 8 & 15, 1)
        )

    def _bus(self) -> float:
        return self.core_hz() / _BUS_PRESCALED.get(self._value(_D1CFGR) & 15, 1)

    def _peripheral_buses(self) -> list[float]:
        """Of APB1, APB2, APB3, APB4."""
        places = ((_D2CFGR, 4), (_D2CFGR, 8), (_D1CFGR, 4), (_D3CFGR, 4))
        return [self._bus() / _PRESCALED.get(self._value(register) >> place & 7, 1) for register, place in places]

    def clock_problems(self) -> list[str]:
        """Limits of PLL1, the buses, the voltage and flash (table 17)."""
        found = []
        if self._from_pll():
            ranges = ((1e6, 2e6), (2e6, 4e6), (4e6, 8e6), (8e6, 16e6))
            low, high = ranges[self._value(_PLLCFGR) >> 2 & 3]
            if not low <= self._input() <= high or not 192e6 <= self._oscillator() <= 836e6:
                found.append(f"PLL1 has an input of {self._input():.0f} Hz, its oscillator {self._oscillator():.0f} Hz")
            if self._value(_D3CR) >> 14 & 3 != _SCALE_1:
                found.append("the voltage is not at scale 1")
        if (
            self.core_hz() > _MOST_HZ
            or self._bus() > _MOST_BUS_HZ
            or max(self._peripheral_buses()) > _MOST_PERIPHERAL_HZ
        ):
            found.append(f"core or bus are too fast: {self.core_hz():.0f}, {self._bus():.0f} Hz")
        needed = next((s for s, most in enumerate((70e6, 140e6, 210e6, 225e6)) if self._bus() <= most), 4)
        delay = next((d for d, most in enumerate((70e6, 185e6, 210e6)) if self._bus() <= most), 2)
        if self._value(_FLASH) & 15 < needed or self._value(_FLASH) >> 4 & 3 < delay:
            found.append(f"FLASH_ACR is {self._value(_FLASH):#x}")
        return found

    def baud(self) -> float:
        """The bus's clock divided by BRR."""
        buses = self._peripheral_buses()
        bus = buses[0 if _USARTS[self.board.uart_base][0] == _APB1LENR else 1]
        return bus / max(1, self._value(self.board.uart_base + _BRR))

    def pin_problem(self, role: str, pin: Pin) -> str:
        """A pin of USART3, in its alternate function; pins of other USARTs are not modelled."""
        if self.board.uart_base != 0x4000_4800 or (pin.port, pin.number) not in _PINS[role]:
            return f"pin {pin.number} of port {pin.port} is not {role} of a USART that the model knows"
        return in_function(self._value, _PORTS + _PORT_BYTES * pin.port, pin, 7)

    def port_problem(self, sending: bool) -> str:
        """Enabled, with its half."""
        control = self._value(self.board.uart_base + _CR1)
        return "" if control & control >> (3 if sending else 2) & 1 else f"USART_CR1 is {control:#x}"
