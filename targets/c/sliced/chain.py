"""Which networks are computed many samples at once, and their C: bits of inputs, Boolean functions and the sums that
read them out become one stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Logic, Network
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, Encode

from ..dense_kernels.bits import stored_operand
from ..emitter import LayerJob
from ..tensor import Tensor
from .planes import Bit, Planes, needed_inputs
from .sums import add_sums, additions

__all__ = ["TESTS", "Chain", "Program", "chain_of", "program_of"]

_MOST_FUNCTIONS, _MOST_ADDITIONS = 20_000, 50_000
TESTS = {BIT: "bits", LEVEL: "levels", EQUAL: "equalities"}


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
    tests : for each rule in use the inputs and the operands of its planes, in order.
    planes : all of them. first, counts, constants : of each output, see `add_sums`.
    """

    tests: Mapping[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
    planes: Planes
    first: list[int]
    counts: list[int]
    constants: list[int]


def program_of(chain: Chain, job: LayerJob, x: Tensor) -> Program:
    """The planes of a chain on stored integers x."""
    needed = np.ones(chain.logic[-1].outputs, np.bool_)
    if chain.dense is not None:
        needed = np.any(chain.dense.weight != 0, axis=0)
    all_needed = [needed]
    for layer in reversed(chain.logic):
        all_needed.insert(0, needed_inputs(layer, all_needed[0]))
    tests, bits, count = _tested(chain, job, x, all_needed[0])
    planes = Planes(count)
    for layer, wanted in zip(chain.logic, all_needed[1:], strict=True):
        tables = [int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little") for row in layer.tables]
        bits = [
            planes.function(tables[output], [bits[source] for source in layer.sources[output]])
            if wanted[output]
            else Bit(None)
            for output in range(layer.outputs)
        ]
    dense = chain.dense
    if dense is None:
        dense = Dense(np.eye(len(bits), dtype=np.int32), 2, np.zeros(len(bits), np.int32))
    return Program(tests, planes, *add_sums(planes, dense, bits))


def _tested(
    chain: Chain, job: LayerJob, x: Tensor, needed: npt.NDArray[np.bool_]
) -> tuple[dict[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]], list[Bit], int]:
    """The planes of the first bits: tests by rule, the bit of each output of `encode` (or input), and their count."""
    encode = chain.encode
    if encode is None:
        every = np.arange(len(needed), dtype=np.int32)
        encode = Encode(every, np.full(every.size, BIT, np.int32), np.zeros(every.size, np.int32), every.size)
    ends = encode.output_range(job.network.ranges[job.network.nodes[0].name])
    bits = [Bit(None, bool(low)) for low in ends.low]
    tests, count = {}, 0
    for rule in TESTS:
        places = np.flatnonzero((encode.rule == rule) & needed & (ends.low != ends.high))
        if places.size:
            operand = encode.operand[places].astype(np.int64)
            # Bits of a value that is stored less its lowest: only where that is 0 they are bits of what is stored.
            tests[rule] = (
                encode.source[places].astype(np.int64),
                1 << operand if rule == BIT else stored_operand(encode, x, places),
            )
            for place in places.tolist():
                bits[place] = Bit(count)
                count += 1
    return tests, bits, count
