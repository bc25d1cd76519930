"""How large a tensor over time may be."""

from __future__ import annotations

from ...errors import NetworkError

__all__ = ["MOST_ELEMENTS", "check_extent"]

MOST_ELEMENTS = 2**26
"""Elements of one sample over time: bounds the memory that a network from a file can ask for."""


def check_extent(where: str, steps: int, channels: int) -> None:
    """NetworkError if `steps` of `channels` values are more than `MOST_ELEMENTS`."""
    if steps * channels > MOST_ELEMENTS:
        raise NetworkError(where, f"{steps} steps of {channels} channels are more than {MOST_ELEMENTS} values")
