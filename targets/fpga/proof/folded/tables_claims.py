"""What is claimed of each output of a layer that sums tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network import Network, Node, Tables
from edgeml.proof.claim import OPEN, PROVED

from .facts import Fact
from .induction import next_values
from .layer_claims import ChannelClaim, NodeClaims, Values, constant_memory, fields_of, stored_signed
from .netlist import Cell, Netlist
from .word_sums import fits

__all__ = ["tables_claims"]

Int64 = npt.NDArray[np.int64]


def tables_claims(
    node: Node, network: Network, cell: Cell, netlist: Netlist, facts: Sequence[Fact], source: Values
) -> tuple[NodeClaims, Values]:
    """Σ entries + constant of each output: for every value of an input its entry is the layer's, less one constant."""
    layer, given = node.layer, {name: v for name, v in cell.parameters.items() if isinstance(v, int)}
    assert isinstance(layer, Tables)
    sf, pe, width = (given[name] for name in ("SF", "PE", "SUM_BITS"))
    expected = {"SIMD": source.lanes, "INPUT_BITS": source.bits, "SF": source.beats(given["SIMD"])}
    expected["NF"] = -(-layer.outputs // pe)
    if any(given[name] != value for name, value in expected.items()):
        raise CheckFailed(f"instance {cell.name}", f"must have {expected}")
    if source.offset.any() or int(source.low.min()) < 0 or int(source.high.max()) >> given["VALUE_BITS"]:
        raise CheckFailed(f"instance {cell.name}", "reads other integers from its bits than what they stand for")
    stored, constants = _stored(netlist, given)
    real = np.zeros((sf * given["SIMD"], 1 << given["VALUE_BITS"], layer.outputs), np.int64)
    real[: layer.inputs] = _terms(layer, source, 1 << given["VALUE_BITS"])
    less = real - stored[:, :, : layer.outputs]
    low, high = np.zeros(len(less), np.int64), np.full(len(less), less.shape[1] - 1)
    low[: layer.inputs], high[: layer.inputs] = source.low, source.high
    exact = layer.bias.astype(np.int64) - constants[: layer.outputs]
    wrong: dict[int, str] = {}
    for number, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        part = less[number, first : last + 1]
        exact += part[0]
        for output in np.flatnonzero((part != part[0]).any(axis=0)).tolist():
            wrong.setdefault(output, f"its entries of input {number} are not the layer's")
    offset = np.zeros_like(exact) if given["HAS_CONSTANT"] else exact
    reach = network.ranges[node.name]
    values = Values(pe, width, reach.low - offset, reach.high - offset, offset)
    problem, claims = "; ".join(fact.problem for fact in facts if fact.problem), []
    for output in range(layer.outputs):
        ends = int(values.low[output]), int(values.high[output])
        detail = wrong.get(output, "")
        if not detail and (exact[output] - offset[output]) % (1 << width):
            detail = f"its constant is stored {-int(exact[output])} too large"
        if not detail and not fits(*ends, width, True):
            detail = f"{width} bits do not hold {ends[0]} … {ends[1]}"
        claims.append(ChannelClaim(OPEN, detail or problem) if detail or problem else ChannelClaim(PROVED))
    return NodeClaims(node.name, cell.name, tuple(claims), tuple(facts), tuple(offset.tolist())), values


def _terms(layer: Tables, source: Values, values: int) -> Int64:
    """What each value of an input adds to each output [inputs, values, outputs]; of values out of range anything."""
    terms = np.zeros((layer.inputs, values, layer.outputs), np.int64)
    for feature, taken in enumerate(layer.source.tolist()):
        named = np.clip(np.arange(values), int(source.low[taken]), int(source.high[taken]))
        terms[taken] += layer.entries[layer.rows[feature][named]]
    return terms


def _stored(netlist: Netlist, given: dict[str, int]) -> tuple[Int64, Int64]:
    """(entries [inputs, values, outputs], constants [outputs]) as the unit reads them, padding included."""
    sf, nf, pe, simd, size, width = (given[name] for name in ("SF", "NF", "PE", "SIMD", "ENTRY_BITS", "SUM_BITS"))
    values = 1 << given["VALUE_BITS"]
    found = np.zeros((sf, simd, values, nf * pe), np.int64)
    for column in range(simd):
        bits = netlist.word("entries")[column * pe * size : (column + 1) * pe * size]
        read = netlist.driver[next_values(netlist, bits)[0]][0]
        words = stored_signed(fields_of(constant_memory(netlist, read), 0, pe, size, nf * sf * values), size)
        found[:, column] = words.reshape(nf, sf, values, pe).transpose(1, 2, 0, 3).reshape(sf, values, nf * pe)
    constants = np.zeros(nf * pe, np.int64)
    if given["HAS_CONSTANT"]:
        read = netlist.driver[netlist.word("constants")[0]][0]
        constants = stored_signed(fields_of(constant_memory(netlist, read), 0, pe, width, nf), width).reshape(-1)
    return found.reshape(sf * simd, values, nf * pe), constants
