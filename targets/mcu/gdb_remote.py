"""A client of GDB's remote serial protocol, as emulators serve it: registers, memory, breakpoints, single steps.

GDB manual, appendix "GDB Remote Serial Protocol". Packets are `$text#sum`, the sum of their bytes modulo 256.
"""

from __future__ import annotations

import socket
import time

from edgeml.errors import ToolFailed
from edgeml.system.time_limit import timed_out

__all__ = ["GdbRemote"]

_MOST_BYTES = 1024
"""Memory that is moved in one packet."""
_BREAKPOINT, _WRITES, _READS = 0, 2, 3
_PIECE = 65536
_SECONDS = 30.0


class GdbRemote:
    """A connected server. name : for messages."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._connection = connection
        self._name = name
        self._received = b""
        # QEMU lets single registers be set by those alone who have asked what registers there are.
        self._asked("qXfer:features:read:target.xml:0,fff")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def registers(self, count: int) -> list[int]:
        """The first so many registers of 32 bits."""
        text = self._asked("g")
        content = bytes.fromhex(text[: 8 * count])
        return [int.from_bytes(content[4 * k : 4 * k + 4], "little") for k in range(count)]

    def write_register(self, number: int, value: int, size: int = 4) -> None:
        """Set a register of `size` bytes."""
        self._done(f"P{number:x}={value.to_bytes(size, 'little').hex()}")

    def register(self, number: int) -> int:
        """A register of any size."""
        return int.from_bytes(bytes.fromhex(self._asked(f"p{number:x}")), "little")

    def write(self, address: int, content: bytes) -> None:
        """Put bytes into memory."""
        for place in range(0, len(content), _MOST_BYTES):
            piece = content[place : place + _MOST_BYTES]
            self._done(f"M{address + place:x},{len(piece):x}:{piece.hex()}")

    def read(self, address: int, size: int) -> bytes:
        """Bytes from memory."""
        found = b""
        while len(found) < size:
            found += bytes.fromhex(self._asked(f"m{address + len(found):x},{min(size - len(found), _MOST_BYTES):x}"))
        return found

    def stop_at(self, address: int, wanted: bool) -> None:
        """Stop before the instruction at an address, or no more."""
        self._done(f"{'Z' if wanted else 'z'}{_BREAKPOINT},{address:x},2")

    def watch(self, address: int, size: int, writes: bool, wanted: bool) -> None:
        """Stop before an instruction that writes (or reads) any of these bytes, or no more."""
        self._done(f"{'Z' if wanted else 'z'}{_WRITES if writes else _READS},{address:x},{size:x}")

    def step(self) -> None:
        """Run one instruction."""
        self._asked("s")

    def resume(self, seconds: float) -> str:
        """Run until it stops; what it says of that. TimedOut where it has not stopped after `seconds`."""
        return self._asked("c", seconds)

    def monitor(self, command: str) -> str:
        """A command of QEMU's monitor; what it prints."""
        said, answer = "", self._asked(f"qRcmd,{command.encode().hex()}")
        while answer != "OK":
            said += bytes.fromhex(answer[1:]).decode("utf-8", "replace")
            answer = self._answer(_SECONDS)
        return said

    def _done(self, text: str) -> None:
        if (answer := self._asked(text)) != "OK":
            raise ToolFailed(self._name, f"refuses {text[:24]!r} ({answer or 'no such command'})")

    def _asked(self, text: str, seconds: float = _SECONDS) -> str:
        content = text.encode()
        try:
            self._connection.sendall(b"$%b#%02x" % (content, sum(content) % 256))
            answer = self._answer(seconds)
        except OSError as error:
            raise ToolFailed(self._name, f"was lost ({error})") from error
        if answer[:1] == "E":
            raise ToolFailed(self._name, f"refuses {text[:24]!r} ({answer})")
        return answer

    def _answer(self, seconds: float) -> str:
        answer = self._packet(seconds)
        self._connection.sendall(b"+")
        return answer

    def _packet(self, seconds: float) -> str:
        until = time.monotonic() + seconds
        while True:
            start = self._received.find(b"$")
            end = self._received.find(b"#", start + 1)
            if start >= 0 and end >= 0 and len(self._received) >= end + 3:
                content, self._received = self._received[start + 1 : end], self._received[end + 3 :]
                return content.decode("ascii", "replace")
            left = until - time.monotonic()
            if left <= 0:
                raise timed_out(self._name, seconds)
            self._connection.settimeout(left)
            try:
                piece = self._connection.recv(_PIECE)
            except TimeoutError:
                raise timed_out(self._name, seconds) from None
            if not piece:
                raise ToolFailed(self._name, "has ended")
            self._received += piece
