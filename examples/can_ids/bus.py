"""How long a CAN frame takes on the bus: the time that a detector has.

Counted for classic CAN (ISO 11898-1), from the start-of-frame bit to the end of the interframe space. A standard data
frame has 47 fixed bits with its 3 bits of interframe space, an extended one 67, and 8 for each data byte: the shortest
frame of all, standard and without data, takes 47 bit times, 47 µs at 1 Mbit/s. Bit stuffing adds up to one bit for four
in what is stuffed (34 or 54 bits of the frame and its data): none at best, which is what a deadline must reckon with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .frames import Frames

__all__ = ["INTERFRAME_BITS", "SHORTEST_FRAME_BITS", "frame_seconds", "most_bits", "shortest_frame_seconds"]

INTERFRAME_BITS = 3
SHORTEST_FRAME_BITS = 44 + INTERFRAME_BITS
"""Start 1, identifier 11, RTR 1, IDE 1, reserved 1, length 4, CRC 15, delimiter 1, acknowledge 2, end 7 = 44, and the
interframe space."""
_EXTENDED_MORE_BITS = 20
_STUFFED_BITS = 34


def shortest_frame_seconds(bits_per_second: float, data_bytes: int = 0) -> float:
    """Time of a standard frame of so many data bytes without stuff bits, interframe space included."""
    return (SHORTEST_FRAME_BITS + 8 * data_bytes) / bits_per_second


def most_bits(length: npt.NDArray[np.integer] | int, extended: npt.NDArray[np.bool_] | bool) -> npt.NDArray[np.int64]:
    """Bits of a frame of `length` data bytes with as many stuff bits as there can be, interframe space included."""
    data = 8 * np.asarray(length, np.int64)
    more = _EXTENDED_MORE_BITS * np.asarray(extended, np.int64)
    return SHORTEST_FRAME_BITS + data + more + (_STUFFED_BITS + data + more - 1) // 4


def frame_seconds(frames: Frames, bits_per_second: float) -> npt.NDArray[np.float64]:
    """Longest time that each frame can take on the bus; a remote frame carries no data, whatever its length says."""
    length = np.where(frames["remote"], 0, frames["length"])
    seconds: npt.NDArray[np.float64] = most_bits(length, frames["extended"]) / bits_per_second
    return seconds
