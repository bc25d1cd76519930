"""A dense layer on bits that an `Encode` makes: where they lie in words, and what a way to count them must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, Encode

from ..arrays import ConstantArray
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["BitsKernel", "BitsProblem", "PackedBits", "pack", "ternary_parts"]

_WORD = 32
_WORD_COST, _GATHER_COST = 190, 9
"""Instructions for 32 bits of inputs and 32 outputs, and to bring one bit to its place, about."""
_MOST_TIMES = 2
"""How often the bits may be gone through: weights of ±2 take them twice."""

Weights = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PackedBits:
    """Bits in words of 32, and the weights on them.

    Parameters
    ----------
    words : how many. Bit b of word w is bit b % 8 of byte 4 w + b / 8.
    weight : int64 [outputs, 32 · words]; zeros on bits that stand for nothing.
    bias : int64 [outputs]: what outputs that never change add to the sums.
    place : C for the address of the first byte: within x where its memory is the bits, else `scratch`.
    statements, constants : what puts them there.
    scratch_bytes : whole 64 bits, at least those of the words.
    """

    words: int
    weight: Weights
    bias: npt.NDArray[np.int64]
    place: str = "x"
    statements: tuple[str, ...] = ()
    constants: tuple[ConstantArray, ...] = ()
    scratch_bytes: int = 0


@dataclass(frozen=True, eq=False)
class BitsProblem:
    """acc = weight · bits + bias.

    Parameters
    ----------
    bits : where the inputs lie, with the weights.
    bias : int64 [outputs].
    thresholds : int32 [outputs, levels] if the stage also computes the thresholds behind the layer, else None.
    output, prefix : as in `DenseProblem`.
    title : one line for the comment above the stage's function.
    """

    bits: PackedBits
    bias: npt.NDArray[np.int64]
    thresholds: npt.NDArray[np.int32] | None
    output: Tensor
    prefix: str
    title: str

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.bits.weight.shape[0])


class BitsKernel(ABC):
    """A way to count bits; holds no state."""

    name: ClassVar[str] = ""
    """As reported to the user."""

    @abstractmethod
    def applies(self, problem: BitsProblem) -> bool:
        """Whether it can compute this layer exactly, with the thresholds behind it if the problem has any."""

    @abstractmethod
    def emit(self, problem: BitsProblem) -> LayerCode:
        """The stage's code: y = acc as int32_t, or the numbers of thresholds reached as uint8_t."""


def ternary_parts(weight: Weights) -> list[Weights] | None:
    """Weights of −1, 0 and 1 whose sum is `weight`; None if it takes too many."""
    times = max(1, int(np.abs(weight).max(initial=0)))
    if times > _MOST_TIMES:
        return None
    parts = []
    for _ in range(times):
        part = np.clip(weight, -1, 1)
        parts.append(part)
        weight = weight - part
    return parts


def pack(
    encode: Encode, x: Tensor, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], weight: Weights, prefix: str
) -> PackedBits:
    """The bits of a binary `encode` on x, in the way that costs least: where they are in memory, or gathered.

    low, high : int64 [bits], the range of each output of `encode`.
    weight : int64 [outputs, bits].
    """
    fixed = low == high
    bias = weight[:, fixed] @ low[fixed]
    used = np.flatnonzero(~fixed & np.any(weight != 0, axis=0))
    in_memory = x.ctype == "uint8_t" and x.low == 0 and x.padded % 8 == 0
    lying = used[(encode.rule[used] == BIT) & in_memory]
    rest = np.setdiff1d(used, lying)
    if lying.size:
        first, words, laid = _lying(encode, lying, weight)
        parts = ternary_parts(laid)
        blocks = -(-len(weight) // _WORD)
        gathered = -(-lying.size // _WORD) * _WORD_COST * blocks + _GATHER_COST * lying.size
        if parts is None or len(parts) * words * _WORD_COST * blocks > gathered:
            lying, rest = lying[:0], used
    if not lying.size:
        return _gathered(encode, x, rest, weight, bias, prefix)
    place = f"x + {4 * first}" if first else "x"
    if not rest.size:
        return PackedBits(words, laid, bias, place)
    behind = _gathered(encode, x, rest, weight, bias, prefix, 4 * words)
    copy = (f"for (size_t i = 0; i < {4 * words}u; i++) {{", f"    scratch[i] = ({place})[i];", "}")
    return PackedBits(
        words + behind.words,
        np.concatenate([laid, behind.weight], axis=1),
        bias,
        "scratch",
        (*copy, *behind.statements),
        behind.constants,
        behind.scratch_bytes,
    )


def _lying(encode: Encode, lying: npt.NDArray[np.intp], weight: Weights) -> tuple[int, int, Weights]:
    """First word, number of words and weights of bits where they are in the memory of x."""
    place = 8 * encode.source[lying].astype(np.int64) + encode.operand[lying]
    first = int(place.min()) // (2 * _WORD) * 2  # kernels that take 64 bits at a time stay within x
    words = int(place.max()) // _WORD - first + 1
    laid = np.zeros((_WORD * words, len(weight)), np.int64)
    np.add.at(laid, place - _WORD * first, weight[:, lying].T)  # a bit that is taken twice has the sum of its weights
    return first, words, np.ascontiguousarray(laid.T)


def _gathered(
    encode: Encode,
    x: Tensor,
    outputs: npt.NDArray[np.intp],
    weight: Weights,
    bias: npt.NDArray[np.int64],
    prefix: str,
    offset: int = 0,
) -> PackedBits:
    """Bits one after the other in scratch memory, from a byte on: those of each rule from a whole byte on."""
    statements: list[str] = []
    constants: list[ConstantArray] = []
    columns: list[Weights] = []
    sections = [(rule, outputs[encode.rule[outputs] == rule]) for rule in (BIT, LEVEL, EQUAL)]
    sections = [(rule, chosen) for rule, chosen in sections if chosen.size] or [(LEVEL, np.zeros(0, np.intp))]
    done = 0
    for number, (rule, chosen) in enumerate(sections):
        last = number == len(sections) - 1
        bits = -(-chosen.size // 8) * 8
        bits += -(done + bits) % _WORD if last else 0  # whole words, at least one
        bits = bits or _WORD
        padded = np.concatenate([chosen, np.full(bits - chosen.size, chosen[0] if chosen.size else 0)])
        shown = weight[:, padded].copy()
        shown[:, chosen.size :] = 0
        columns.append(shown)
        loop, arrays = _section(encode, x, rule, padded, offset + done // 8, prefix)
        statements += loop
        constants += arrays
        done += bits
    laid = np.concatenate(columns, axis=1)
    scratch = -(-(offset + done // 8) // 8) * 8
    return PackedBits(done // _WORD, laid, bias, "scratch", tuple(statements), tuple(constants), scratch)


def _section(
    encode: Encode, x: Tensor, rule: int, outputs: npt.NDArray[np.intp], first: int, prefix: str
) -> tuple[list[str], list[ConstantArray]]:
    """A loop that makes whole bytes of bits, outputs of one rule, from byte `first` of scratch on."""
    name = f"{prefix}_{({BIT: 'bits', LEVEL: 'levels', EQUAL: 'equalities'})[rule]}"
    operand = encode.operand[outputs].astype(np.int64) if rule == BIT else stored_operand(encode, x, outputs)
    source = narrowest(f"{name}_source", encode.source[outputs].astype(np.int64), "inputs")
    against = narrowest(f"{name}_operand", operand, "bits" if rule == BIT else "stored integers to compare with")
    stored, value = f"(int32_t)x[{source.name}[8u * i + b]]", f"{against.name}[8u * i + b]"
    if rule == BIT:
        bit = f"((uint32_t)({stored} + ({x.low})) >> {value} & 1u)"
    else:
        bit = f"(uint32_t)({stored} {'>=' if rule == LEVEL else '=='} (int32_t){value})"
    loop = [
        f"for (size_t i = 0; i < {outputs.size // 8}u; i++) {{",
        "    uint32_t byte = 0;",
        "    for (size_t b = 0; b < 8u; b++) {",
        f"        byte |= {bit} << b;",
        "    }",
        f"    scratch[{first}u + i] = (uint8_t)byte;" if first else "    scratch[i] = (uint8_t)byte;",
        "}",
    ]
    return loop, [source, against]


def narrowest(name: str, values: npt.NDArray[np.int64], comment: str) -> ConstantArray:
    """The values as an array of the smallest type that holds them."""
    low, high = int(values.min()), int(values.max())
    types = (("uint8_t", 0, 2**8 - 1), ("int16_t", -(2**15), 2**15 - 1), ("uint16_t", 0, 2**16 - 1))
    ctype = next((ctype for ctype, least, most in types if least <= low and high <= most), "int32_t")
    return ConstantArray(name, ctype, values, comment)


def stored_operand(layer: Encode, x: Tensor, outputs: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """What stored integers are compared with: of an operand outside of their range, the nearest integer out there."""
    operand = layer.operand[outputs].astype(np.int64) - x.low
    if x.ctype == "int32_t":
        return operand
    return np.clip(operand, int(x.stored_low.min()) - 1, int(x.stored_high.max()) + 1)
