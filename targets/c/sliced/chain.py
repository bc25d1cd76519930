"""Which networks are computed many samples at once, and their C: bits of inputs, Boolean functions and the sums that
read them out become one stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Logic, Network
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, Encode

from ..dense_kernels.bits import stored_operand
from ..emitter import LayerJob
from ..tensor import Tensor
from .planes import ROWS, Bit, Function, Planes, needed_inputs
from .row_tests import RowTest, all_bits, row_tests
from .sums import Sums, add_sums, additions

__all__ = ["Chain", "Program", "chain_of", "program_of"]

_MOST_FUNCTIONS, _MOST_ADDITIONS = 20_000, 50_000
_HALF = 128
"""Of a byte: up to there a level is low."""


@dataclass(frozen=True)
class Chain:
    """The layers behind the input: an `encode` of 0 and 1, or none; functions; a dense layer, or none."""

    encode: Encode | None
    logic: tuple[Logic, ...]
    dense: Dense | None


def chain_of(network: Network) -> Chain | None:
    """The network as such a chain, one layer behind the other; None of any other network."""
    names = [node.name for node in network.nodes]
    if any(node.inputs != (before,) for node, before in zip(network.nodes[1:], names, strict=False)):
        return None
    layers = [node.layer for node in network.nodes[1:]]
    first = layers.pop(0) if layers and layers[0].kind == Encode.kind else None
    last = layers.pop() if layers and layers[-1].kind == Dense.kind else None
    if not layers or any(layer.kind != Logic.kind for layer in layers):
        return None
    chain = Chain(first, tuple(layers), last)  # type: ignore[arg-type]
    if chain.encode is not None and not chain.encode.binary:
        return None
    functions = sum(layer.outputs for layer in chain.logic)
    sums = additions(chain.dense) if chain.dense is not None else 0
    return chain if functions <= _MOST_FUNCTIONS and sums <= _MOST_ADDITIONS else None


@dataclass(frozen=True, eq=False)
class Program:
    """The C of a chain.

    Parameters
    ----------
    tests : of a sample's bytes; test v gives a row of the planes from ROWS · v on.
    planes : all of them. sums : where those of the outputs are.
    """

    tests: Sequence[RowTest]
    planes: Planes
    sums: Sums


def program_of(chain: Chain, job: LayerJob, x: Tensor, size: int) -> Program:
    """The planes of a chain on stored integers x, of which a sample's lie in `size` bytes."""
    needed = np.ones(chain.logic[-1].outputs, np.bool_)
    if chain.dense is not None:
        needed = np.any(chain.dense.weight != 0, axis=0)
    all_needed = [needed]
    for layer in reversed(chain.logic):
        all_needed.insert(0, needed_inputs(layer, all_needed[0]))
    tests, bits = _tested(chain, job, x, all_needed[0], size)
    planes = Planes(ROWS * len(tests), levels=_levels(chain, bits))
    dense, functions = chain.dense, chain.logic[-1].outputs
    if dense is None:
        dense = Dense(np.eye(functions, dtype=np.int32), 2, np.zeros(functions, np.int32))
    made: list[Bit | Function] = []
    for layer, wanted in zip(chain.logic, all_needed[1:], strict=True):
        tables = [int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little") for row in layer.tables]
        # What one output alone needs is made with it, and never in memory.
        kept = np.ones(layer.outputs, np.bool_)
        if layer is chain.logic[-1]:
            kept = np.count_nonzero(dense.weight, axis=0) != 1
        made = [
            planes.function(tables[output], [bits[source] for source in layer.sources[output]], bool(kept[output]))
            if wanted[output]
            else Bit(None)
            for output in range(layer.outputs)
        ]
        bits = [bit for bit in made if isinstance(bit, Bit)]
    return Program(tests, planes, add_sums(planes, dense, made))


def _levels(chain: Chain, bits: Sequence[Bit]) -> dict[int, tuple[int, int]]:
    """The value and the threshold of each plane that is a level of a value."""
    encode = chain.encode
    if encode is None:
        return {}
    return {
        bit.plane: (int(encode.source[number]), int(encode.operand[number]))
        for number, bit in enumerate(bits)
        if isinstance(bit.plane, int) and encode.rule[number] == LEVEL
    }


def _tested(
    chain: Chain, job: LayerJob, x: Tensor, needed: npt.NDArray[np.bool_], size: int
) -> tuple[list[RowTest], list[Bit]]:
    """The tests, and the bit of each output of `encode` (or input)."""
    encode = chain.encode
    if encode is None:
        every = np.arange(len(needed), dtype=np.int32)
        encode = Encode(every, np.full(every.size, BIT, np.int32), np.zeros(every.size, np.int32), every.size)
    ends = encode.output_range(job.network.ranges[job.network.nodes[0].name])
    bits = [Bit(None, bool(low)) for low in ends.low]
    rule, highest = encode.rule.copy(), int(x.stored_high.max())
    # Bytes may be larger than the largest input: such a one has all bits, and equals the largest.
    rule[(rule == EQUAL) & (encode.operand == highest + x.low)] = LEVEL
    tests: list[RowTest] = []
    needed = needed & (ends.low != ends.high)
    for kind, places, operand in _kinds(encode, rule, x, needed):
        source = encode.source[places].astype(np.int64)
        # Bits of a value that is stored less its lowest: only where that is 0 they are bits of what is stored.
        if kind == "bits" and highest == 255:
            found = all_bits(kind, source, operand, size)
        elif kind == "bits":
            found = row_tests(kind, source, 1 << operand | (255 & ~highest), size)
        else:
            found = row_tests(kind, source, operand, size)
        for vector, test in enumerate(found, len(tests)):
            for number, at in test.made:
                bits[places[number]] = Bit(ROWS * vector + at)
        tests += found
    return tests, bits


def _kinds(
    encode: Encode, rule: npt.NDArray[np.int32], x: Tensor, needed: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, npt.NDArray[np.intp], npt.NDArray[np.int64]]]:
    """The tests of each kind that C knows, of which there are some: what one byte is tested for.

    Where all levels are low, one is reached where a byte and the operand are 128 or more, less what goes beyond a byte.
    """
    operand = np.where(rule == BIT, encode.operand, stored_operand(encode, x, np.arange(len(rule)))).astype(np.int64)
    for each, kind in ((BIT, "bits"), (LEVEL, "levels"), (EQUAL, "equalities")):
        places = np.flatnonzero((rule == each) & needed)
        against = operand[places]
        if each == LEVEL and places.size and against.max() <= _HALF:
            kind, against = "low_levels", _HALF - against
        if places.size:
            yield kind, places, against
