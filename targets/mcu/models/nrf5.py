"""nRF51, nRF52: crystal, ports, UART, TIMER0 (nRF51 Series Reference Manual 3.0; nRF52840 Product Specification)."""

from __future__ import annotations

from ..board import Pin
from .chip import Chip

__all__ = ["Nrf5"]

_START_CRYSTAL, _CRYSTAL_STARTED = 0x4000_0000, 0x4000_0100
_TIMER = 0x4000_8000
_TIMER_START, _CAPTURE, _BIT_MODE, _PRESCALER, _CAPTURED = (_TIMER + each for each in (0, 0x40, 0x508, 0x510, 0x540))
_PORTS, _PORT_BYTES = 0x5000_0000, 0x300
_OUTPUT, _OUTPUT_SET, _DIRECTION, _DIRECTION_SET, _DIRECTION_CLEAR = 0x504, 0x508, 0x514, 0x518, 0x51C
_OUTPUTS, _DIRECTIONS = (_OUTPUT, _OUTPUT_SET, 0x50C), (_DIRECTION, _DIRECTION_SET, _DIRECTION_CLEAR)
_CONFIGURATION = 0x700
_START_RX, _START_TX, _RXDRDY, _TXDRDY, _ENABLE = 0x000, 0x008, 0x108, 0x11C, 0x500
_SELECT_TX, _SELECT_CTS, _SELECT_RX, _RXD, _TXD, _BAUD, _CONFIG = 0x50C, 0x510, 0x514, 0x518, 0x51C, 0x524, 0x56C
_UART_HZ = 16e6


class Nrf5(Chip):
    """See `Chip`."""

    def known(self, address: int) -> bool:
        """The crystal's registers, ports 0 and 1, the board's UART, TIMER0."""
        base = self.board.uart_base
        return (
            address in (_START_CRYSTAL, _CRYSTAL_STARTED)
            or _PORTS + _OUTPUT <= address < _PORTS + _PORT_BYTES + 0x780
            or base <= address < base + 0x600
            or _TIMER <= address < _TIMER + 0x600
        )

    def _uart(self, offset: int) -> int:
        return self.registers.get(self.board.uart_base + offset, 0)

    def _receiving(self) -> bool:
        return bool(self._uart(_START_RX))

    def reads(self, address: int) -> int | None:
        """Events, and the byte that came."""
        offset = address - self.board.uart_base
        if offset == _RXDRDY:
            return int(self._receiving() and self._uart(_RXDRDY) == 0 and self.received())
        if offset == _RXD:
            return self.take()
        return None

    def writes(self, address: int, value: int) -> int | None:
        """Tasks do what they are for, bits are set and cleared, a byte goes out."""
        if address == _START_CRYSTAL and value & 1:
            self.registers[_CRYSTAL_STARTED] = 1
            self.registers[_START_CRYSTAL] = 1
            return None
        if address == _CAPTURE and self.registers.get(_TIMER_START):
            self.registers[_CAPTURED] = self.instructions & (
                0xFFFF_FFFF if self.registers.get(_BIT_MODE) == 3 else 0xFFFF
            )
            return None
        if address >= _PORTS:
            base = _PORTS + _PORT_BYTES * (address >= _PORTS + 0x800)
            offset = address - base
            for register, to_set, to_clear in (
                (_OUTPUT, _OUTPUT_SET, 0x50C),
                (_DIRECTION, _DIRECTION_SET, _DIRECTION_CLEAR),
            ):
                if offset == to_set:
                    self.registers[base + register] = self.registers.get(base + register, 0) | value
                if offset == to_clear:
                    self.registers[base + register] = self.registers.get(base + register, 0) & ~value
            return value
        if address - self.board.uart_base == _TXD:
            self.send(value)
            self.registers[self.board.uart_base + _TXDRDY] = 1
            return None
        return 0 if address - self.board.uart_base == _RXDRDY else value

    def core_hz(self) -> float:
        """Fixed."""
        return float(self.board.clock_hz)

    def clock_problems(self) -> list[str]:
        """A UART needs the crystal."""
        return [] if self.registers.get(_START_CRYSTAL) else ["the crystal oscillator was not started"]

    def baud(self) -> float:
        """The register counts steps of 16 MHz / 2^32."""
        return self._uart(_BAUD) * _UART_HZ / 2**32

    def pin_problem(self, role: str, pin: Pin) -> str:
        """Selected by the UART, with its direction; an input that is connected."""
        port = _PORTS + _PORT_BYTES * pin.port
        selected = self._uart(_SELECT_TX if role == "tx" else _SELECT_RX)
        if selected != 32 * pin.port + pin.number:
            return f"the UART has {role} at pin {selected}"
        out = self.registers.get(port + _DIRECTION, 0) >> pin.number & 1
        if out != (role == "tx"):
            return f"pin {pin} is an {'output' if out else 'input'}"
        disconnected = self.registers.get(port + _CONFIGURATION + 4 * pin.number, 2) >> 1 & 1
        return f"pin {pin} is not connected as an input" if role == "rx" and disconnected else ""

    def port_problem(self, sending: bool) -> str:
        """Enabled and started, without flow control or parity."""
        if self._uart(_ENABLE) != 4 or self._uart(_CONFIG):
            return f"ENABLE is {self._uart(_ENABLE)}, CONFIG {self._uart(_CONFIG)}"
        return "" if self._uart(_START_TX if sending else _START_RX) else "it was not started"
