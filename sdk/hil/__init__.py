"""Hardware in the loop: a bundle's test vectors against a real or an emulated device, over any byte link."""

from .boards import Board, boards
from .device import Device, Inference
from .link import Link, SerialLink, SocketLink, open_port
from .report import HilReport, Mismatch
from .session import connect, run

__all__ = [
    "Board",
    "Device",
    "HilReport",
    "Inference",
    "Link",
    "Mismatch",
    "SerialLink",
    "SocketLink",
    "boards",
    "connect",
    "open_port",
    "run",
]
