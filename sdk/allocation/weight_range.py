"""Which 2-bit weights have all four codes, −2 … 1, where the user does not say."""

from __future__ import annotations

__all__ = ["FULL_RANGE_SAMPLES", "has_full_range"]

FULL_RANGE_SAMPLES = 500
"""With so many training samples or more 2-bit weights have a fourth value; fewer are learned by heart as it is."""
_BITS = 2


def has_full_range(weight_bits: int, value_bits: int | None) -> bool:
    """Whether weights of so many bits use their smallest code, on values of `value_bits` (None: not known).

    On values of 1 bit a code −2 would need planes of bits of its own; of more bits one code is little.
    """
    return weight_bits == _BITS and value_bits != 1
