"""Links that carry bytes to a device and back."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Any, Protocol

from ..errors import InputError, MissingTool, ToolFailed
from ..extras import install_extra

__all__ = ["Link", "SerialLink", "SocketLink", "open_port"]


class Link(Protocol):
    """Bytes to a device and back."""

    name: str
    """For messages: the port."""

    def write(self, content: bytes) -> None:
        """Send all of `content`."""

    def read(self, timeout: float) -> bytes:
        """Bytes that have come, at least one; waits up to `timeout` seconds for the first; b"" if none came."""

    def close(self) -> None:
        """Give the port back."""


def _lost(name: str, why: object) -> ToolFailed:
    """The error of a link that was there, and is not any more."""
    return ToolFailed(name, f"was lost ({why})", "See that the device is still there and powered, then run again")


class _Closing:
    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SocketLink(_Closing):
    """A connected stream socket, as emulators offer."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self.name = name
        self._connection = connection
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, content: bytes) -> None:
        try:
            self._connection.settimeout(10)
            self._connection.sendall(content)
        except OSError as error:
            raise _lost(self.name, error) from error

    def read(self, timeout: float) -> bytes:
        try:
            self._connection.settimeout(max(timeout, 1e-4))
            received = self._connection.recv(65536)
        except TimeoutError:
            return b""
        except OSError as error:
            raise _lost(self.name, error) from error
        if not received:
            raise _lost(self.name, "closed by the other side")
        return received

    def close(self) -> None:
        self._connection.close()


class SerialLink(_Closing):
    """A port that pyserial opens: `/dev/tty…`, `COM3`, `socket://host:port`, a pseudo-terminal …"""

    def __init__(self, port: str, baud: int = 115200) -> None:
        try:
            import serial
        except ImportError as error:
            raise MissingTool(f"port {port}", "needs pyserial", install_extra("hil")) from error
        self.name = port
        try:
            self._port = serial.serial_for_url(port, baudrate=baud, timeout=0, write_timeout=10)
        except (serial.SerialException, ValueError, OSError) as error:
            raise InputError(
                f"port {port}", f"cannot be opened ({error})", "Check the name, the cable, and that you may use it"
            ) from error

    def write(self, content: bytes) -> None:
        try:
            self._port.write(content)
            self._port.flush()
        except Exception as error:  # of pyserial, of the system, or of termios, which is of neither kind
            raise _lost(f"port {self.name}", error) from error

    def read(self, timeout: float) -> bytes:
        try:
            self._port.timeout = timeout
            first = self._port.read(1)
            if not first:
                return b""
            self._port.timeout = 0
            return bytes(first + self._port.read(65536))
        except Exception as error:  # of pyserial, of the system, or of termios, which is of neither kind
            raise _lost(f"port {self.name}", error) from error

    def close(self) -> None:
        self._port.close()


def open_port(port: str, baud: int = 115200) -> SerialLink:
    """The port called `port`; InputError where it cannot be opened, MissingTool without pyserial."""
    return SerialLink(port, baud)
