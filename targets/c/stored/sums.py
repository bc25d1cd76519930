"""Weighted sums of packed weights as registers hold them: several in one, each in a field of a few bits.

The generator proves that the sums of the network's own weights fit their fields. Those of flipped weights may not, and
then the register does what it does: it wraps, and what passes a lower field carries into the one above.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .meaning import Ints, signed, unsigned

__all__ = ["Segment", "lanes", "nested", "pairs", "products", "segments", "split"]

Segment = tuple[int, int, Ints]
"""First input, the one behind the last, and the weights of these, as the packing has them."""


def segments(words: Ints, inputs: int, length: int, words_per_input: float) -> list[Segment]:
    """The words of each segment of at most `length` inputs, one behind the other."""
    found, at = [], 0
    for first in range(0, inputs, length):
        last = min(first + length, inputs)
        count = round((last - first) * words_per_input)
        found.append((first, last, words[at : at + count]))
        at += count
    return found


def products(x: Ints, weight: Ints) -> Ints:
    """x [samples, inputs] by weight [outputs, inputs], exact modulo 2^64."""
    if float(np.abs(x).max(initial=0)) * float(np.abs(weight).sum(axis=1).max(initial=0)) < 2.0**53:
        return (x.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)  # exact, and quick
    return x @ weight.T


def nested(x: Ints, parts: Sequence[Segment], fields: Sequence[int], begin: Ints) -> Ints:
    """Sums that are differences of nested ones (`w4_dsp`, `w8_dsp`): of each segment, each wraps to its field.

    parts : (first, behind last, weight [outputs, inputs of the segment]). fields : bits of outputs 0, 1, …, again and
    again. begin : [outputs].
    """
    bits = np.resize(np.array(fields, np.int64), len(begin))
    total = np.broadcast_to(begin, (len(x), len(begin)))
    for first, last, weight in parts:
        total = total + _wrapped(products(x[:, first:last], weight), bits)
    return signed(total)


def _wrapped(values: Ints, bits: Ints) -> Ints:
    """Each column in two's complement of so many bits; 64 leave it as it is."""
    half = np.int64(1) << np.minimum(bits - 1, 62)
    return np.where(bits < 64, ((values & (2 * half - 1)) ^ half) - half, values)


def pairs(x: Ints, parts: Sequence[Segment], start: int | Ints) -> list[Ints]:
    """Accumulators [samples, pairs] of each segment, as 32 bits hold them: the sum of a lower output, and that of an
    upper one times the power of two at which its field begins.

    parts : weights [pairs, inputs], those of the lower one and, so multiplied, those of the upper one.
    """
    return [signed(products(x[:, first:last], weight) + start) for first, last, weight in parts]


def split(accumulators: Ints, field: int) -> Ints:
    """The two outputs of each accumulator, side by side: what the lower field holds, and all that is above it."""
    both = np.stack([unsigned(accumulators, field), accumulators >> field], axis=2)
    return both.reshape(len(accumulators), -1)


def lanes(x: Ints, parts: Sequence[Segment], bits: int, start: int) -> list[Ints]:
    """The lanes [samples, outputs] of words of 32 bits, `bits` each, read as unsigned; what passes a lane carries into
    the next.

    parts : codes less their offset [words, lanes, inputs].
    """
    found = []
    for first, last, weight in parts:
        words, count, inputs = weight.shape
        sums = products(x[:, first:last], weight.reshape(words * count, inputs)).reshape(len(x), words, count)
        place = bits * np.arange(count, dtype=np.int64)
        word = unsigned(((sums + start) << place).sum(axis=2))
        found.append(unsigned(word[:, :, None] >> place, bits).reshape(len(x), -1))
    return found
