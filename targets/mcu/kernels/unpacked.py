"""Packed weights read back, whatever bits they hold: the inverse of what the kernels' packings do, and more, as every
code is read that no trained network has. Inputs are in their own order again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edgeml.targets.c.dense_kernels.kernel import DenseProblem
from edgeml.targets.c.stored.meaning import THRESHOLDS, WEIGHTS, Arrays, Ints, Meaning, Part, signed, unsigned
from edgeml.targets.c.stored.sums import lanes, nested, pairs, segments, split

from .begin import Begin
from .segments import GROUP

__all__ = [
    "block_meaning",
    "lanes_meaning",
    "levels_meaning",
    "nested_meaning",
    "pairs_meaning",
    "read_pairs",
    "read_words",
]

_BLOCK = 4
Reader = Callable[[Ints, int], Ints]
"""Of a segment's words and its number of inputs, weights [rows, inputs]."""


def _in_order(weight: Ints) -> Ints:
    """Columns as `edgeml_widen_u8` writes inputs, in the inputs' own order."""
    inputs = weight.shape[-1]
    places = np.arange(inputs).reshape(-1, 4)[:, [0, 2, 1, 3]].ravel()
    found = np.empty_like(weight)
    found[..., places] = weight
    return found


def read_pairs(bits: int, field: int) -> Reader:
    """Of `w2_dsp` (2 bits, field 14) and `w4_pairs` (4 bits, field 12): rows are pairs of outputs, lower + 2^field ·
    upper. The lower output's code stands for code − 2^(bits − 1), the upper one's is two's complement."""

    def read(words: Ints, inputs: int) -> Ints:
        turns = 8 // bits
        count = GROUP // (2 * turns)  # words of a group
        shaped = words.reshape(-1, inputs // GROUP, 4, count)[:, :, :, :, None, None]
        place = 2 * bits * np.arange(turns)[:, None] + 16 * np.arange(2)
        lower = (shaped >> place % 32 & ((1 << bits) - 1)) - (1 << (bits - 1))
        upper = signed(shaped >> (place + field) % 32, bits)
        both = lower + (upper << field)  # [blocks, groups, pairs, words, turns, halves]
        return _in_order(both.transpose(0, 2, 1, 3, 4, 5).reshape(-1, inputs))

    return read


def read_words(words: Ints, inputs: int) -> Ints:
    """Of `w2_words`: each half of a word, less the lower output's offset, is what SMLAD multiplies with."""
    shaped = words.reshape(-1, inputs // GROUP, 4, 4)
    halves = np.stack([signed(shaped, 16), signed(shaped >> 16, 16)], axis=4) - 2
    return _in_order(halves.transpose(0, 2, 1, 3, 4).reshape(-1, inputs))


def pairs_meaning(
    problem: DenseProblem, start: Begin, inputs: int, length: int, shift: int, reader: Reader, field: int, words: float
) -> Meaning:
    """Of kernels with two outputs in an accumulator. words : of a segment, for each input."""
    name, rows = f"{problem.prefix}_weight", len(start.further) // 2

    def parts(arrays: Arrays) -> list[tuple[int, int, Ints]]:
        return [(a, b, reader(part, b - a)) for a, b, part in segments(arrays[name], inputs, length, words * rows)]

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        total = start.read(arrays)
        for accumulators in pairs(x, parts(arrays), shift):
            total = total + split(accumulators, field)
        return signed(total)

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        both = np.concatenate([part for _, _, part in parts(arrays)], axis=1)
        half = 1 << (field - 1)
        lower = (both + half) % (2 * half) - half
        weight = np.stack([lower, (both - lower) >> field], axis=1).reshape(2 * rows, -1)
        return {"weight": weight, **start.decoded(arrays)}

    return Meaning(evaluate, (Part(name, WEIGHTS), *start.parts), decoded)


def nested_meaning(
    problem: DenseProblem, start: Begin, inputs: int, length: int, bits: int, fields: tuple[int, ...]
) -> Meaning:
    """Of `w4_dsp` and `w8_dsp`: all outputs of a half of a word but the last as codes, that one in two's complement."""
    name, outputs, each = f"{problem.prefix}_weight", len(start.further), len(fields)

    def read(words: Ints, count: int) -> Ints:
        shaped = words.reshape(-1, count // 2, _BLOCK // each)[:, :, :, None, None]
        codes = shaped >> (bits * np.arange(each)[:, None] + 16 * np.arange(2)) & ((1 << bits) - 1)
        weight = codes - (1 << (bits - 1))
        weight[:, :, :, -1] = signed(codes[:, :, :, -1], bits)
        return _in_order(weight.transpose(0, 2, 3, 1, 4).reshape(outputs, count))

    def parts(arrays: Arrays) -> list[tuple[int, int, Ints]]:
        found = segments(arrays[name], inputs, length, outputs * bits / 32)
        return [(first, last, read(words, last - first)) for first, last, words in found]

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        return nested(x, parts(arrays), fields, start.read(arrays))

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        return {"weight": np.concatenate([part for _, _, part in parts(arrays)], axis=1), **start.decoded(arrays)}

    return Meaning(evaluate, (Part(name, WEIGHTS), *start.parts), decoded)


def lanes_meaning(
    problem: DenseProblem, start: Begin, inputs: int, length: int, shift: int, bits: int, count: int
) -> Meaning:
    """Of `w2_lanes4`, `w2_lanes2` and `w4_lanes2`: codes of `bits` bits in `count` lanes of a word."""
    name, outputs, width = f"{problem.prefix}_weight", len(start.further), 32 // count
    steps = width // bits

    def read(words: Ints, taken: int) -> Ints:
        shaped = words.reshape(outputs // (4 * count), taken // steps, 4)[:, :, :, None, None]
        place = width * np.arange(count)[:, None] + bits * np.arange(steps)
        codes = (shaped >> place & ((1 << bits) - 1)) - (1 << (bits - 1))  # [blocks, groups, word, lane, step]
        return codes.transpose(0, 2, 3, 1, 4).reshape(-1, count, taken)

    def parts(arrays: Arrays) -> list[tuple[int, int, Ints]]:
        found = segments(arrays[name], inputs, length, outputs * bits / 32)
        return [(first, last, read(words, last - first)) for first, last, words in found]

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        total = start.read(arrays)
        for sums in lanes(x, parts(arrays), width, shift):
            total = total + sums
        return signed(total)

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        weight = np.concatenate([part.reshape(outputs, -1) for _, _, part in parts(arrays)], axis=1)
        return {"weight": weight, **start.decoded(arrays)}

    return Meaning(evaluate, (Part(name, WEIGHTS), *start.parts), decoded)


def block_meaning(problem: DenseProblem, start: Begin, inputs: int) -> Meaning:
    """Of `w8_block`: a byte for each weight, code − 128."""
    name, outputs = f"{problem.prefix}_weight", len(start.further)

    def weight(arrays: Arrays) -> npt.NDArray[np.int64]:
        codes = arrays[name].reshape(outputs // _BLOCK, inputs)[:, :, None] >> 8 * np.arange(_BLOCK) & 255
        return codes.transpose(0, 2, 1).reshape(outputs, inputs) - 128

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        return nested(x, [(0, inputs, weight(arrays))], (32,), start.read(arrays))

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        return {"weight": weight(arrays), **start.decoded(arrays)}

    return Meaning(evaluate, (Part(name, WEIGHTS), *start.parts), decoded)


def levels_meaning(name: str, inputs: int, shape: tuple[int, ...], reader: Reader) -> Meaning:
    """Of `w2_levels`, and of `w2_words` with thresholds: around the weights of each block of eight outputs two words of
    starts, twelve of thresholds, and how far its results are rotated. shape : [blocks, words]."""
    field, levels, behind = 14, 3, 13
    blocks, length = shape
    last = np.tile(np.arange(length) >= length - behind, blocks)

    def rows(arrays: Arrays) -> Ints:
        return arrays[name].reshape(blocks, -1)

    def halves(words: Ints, *, signs: bool) -> tuple[Ints, Ints]:
        return (signed(words, 16), signed(words >> 16, 16)) if signs else (words & 0xFFFF, words >> 16 & 0xFFFF)

    def evaluate(arrays: Arrays, x: Ints) -> Ints:
        words = rows(arrays)
        starts = np.stack(halves(words[:, :2], signs=False), axis=2).ravel()
        weight = reader(words[:, 2:-behind].ravel(), inputs)
        (accumulators,) = pairs(x, [(0, inputs, weight)], starts)
        at = np.stack(halves(words[:, -behind:-1].reshape(-1, levels), signs=True), axis=1)  # [pairs, field, levels]
        values = np.stack([unsigned(accumulators, field), signed(accumulators >> field, 16)], axis=2)
        reached = values[:, :, :, None] >= at
        highest = np.where(reached, np.arange(1, levels + 1), 0).max(axis=3).reshape(len(x), blocks, 2, 2, 2)
        places = 8 * np.arange(2)[:, None] + 16 * np.arange(2)  # of an accumulator, and of its field
        result = (highest << places).sum(axis=(3, 4))
        turned = np.stack([words[:, -1], words[:, -1] >> 8], axis=1) & 31
        result = unsigned(result >> turned | result << (32 - turned))
        return (result[:, :, :, None] >> 8 * np.arange(4) & 255).reshape(len(x), 8 * blocks)

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        words = rows(arrays)
        both = reader(words[:, 2:-behind].ravel(), inputs)
        lower = (both + (1 << (field - 1))) % (1 << field) - (1 << (field - 1))
        at = np.stack(halves(words[:, -behind:-1].reshape(-1, levels), signs=True), axis=1)
        starts = np.stack(halves(words[:, :2], signs=False), axis=2)
        return {
            "weight": _by_output(np.stack([lower, (both - lower) >> field], axis=1), words[:, -1]),
            "threshold": _by_output(at, words[:, -1]),
            "start": starts.reshape(blocks, -1),
            "rotation": words[:, -1],
        }

    return Meaning(evaluate, (Part(name, WEIGHTS, ~last), Part(name, THRESHOLDS, last)), decoded)


def _by_output(values: Ints, rotations: Ints) -> Ints:
    """Rows [outputs, …] of [accumulators, 2 fields, …], four accumulators a block: in the order in which the results
    stand when each word of two accumulators has been rotated by bytes."""
    blocks = len(rotations)
    shaped = values.reshape(blocks, 2, 2, 2, -1).transpose(0, 1, 3, 2, 4).reshape(blocks, 2, _BLOCK, -1)
    turned = np.stack([rotations, rotations >> 8], axis=1) % 32 // 8
    places = (np.arange(_BLOCK) + turned[:, :, None]) % _BLOCK
    return np.take_along_axis(shaped, places[:, :, :, None], axis=2).reshape(8 * blocks, -1)
