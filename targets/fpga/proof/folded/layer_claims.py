"""What is claimed of each channel of a layer: how it follows from its unit, as that was proved, and its memories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network import Dense, Network, Node
from edgeml.proof.claim import OPEN, PROVED
from edgeml.proof.statement import Function, statement_of

from .facts import Fact
from .induction import next_values
from .netlist import Bits, Cell, Memory, Netlist
from .units.mvu_row import inverts, product_of
from .units.passing import WrongValue, prove_channel
from .word_sums import fits

__all__ = [
    "ChannelClaim",
    "NodeClaims",
    "Values",
    "constant_memory",
    "dense_claims",
    "fields_of",
    "function_claims",
    "given_up",
    "joined_claims",
    "output_claims",
    "stored_signed",
]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Values:
    """How a node's values stand in a stream: `lanes` a beat, lowest channel first, `bits` each.

    low, high : range of the integers that the bits are (modulo 2^bits), by channel. offset : what is added to such an
    integer for the node's value.
    """

    lanes: int
    bits: int
    low: Int64
    high: Int64
    offset: Int64

    @property
    def channels(self) -> int:
        """Values per frame."""
        return len(self.low)

    def beats(self, lanes: int) -> int:
        """Beats of so many lanes per frame."""
        return -(-self.channels // lanes)


@dataclass(frozen=True)
class ChannelClaim:
    """One channel: its status, why it is not proved, and the values for which it differs."""

    status: str
    detail: str = ""
    example: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class NodeClaims:
    """All channels of a node. looked_at : values that were compared. facts : what the claims follow from."""

    name: str
    unit: str
    claims: tuple[ChannelClaim, ...]
    facts: tuple[Fact, ...] = ()
    offset: tuple[int, ...] = ()
    looked_at: int = 0
    seconds: float = 0.0


def _parameter(cell: Cell, name: str, expected: int) -> None:
    if cell.parameters.get(name) != expected:
        raise CheckFailed(f"instance {cell.name}", f"has {name} = {cell.parameters.get(name)}, not {expected}")


def _settled(facts: Sequence[Fact]) -> str:
    """What of the unit's facts does not hold; empty if all do."""
    return "; ".join(fact.problem for fact in facts if fact.problem)


def constant_memory(netlist: Netlist, read: Cell) -> Memory:
    """The memory that a cell reads, which nothing writes to."""
    memory = netlist.memories[str(read.parameters["MEMID"])]
    if memory.writes or memory.words > 1 << len(read.ports["ADDR"]):
        raise CheckFailed(f"memory {read.parameters['MEMID']}", "is not a memory of constants that is read whole")
    return memory


def fields_of(memory: Memory, first: int, count: int, bits: int, words: int) -> Int64:
    """`count` numbers of so many bits, from bit `first` on, of the first words [words, count]; not negative."""
    found = np.zeros((words, count), np.int64)
    for word in range(words):
        content = memory.content[word] if word < memory.words else None
        if content is None:
            raise CheckFailed("memory", f"holds nothing at {word}")
        for k in range(count):
            found[word, k] = content >> (first + k * bits) & ((1 << bits) - 1)
    return found


def stored_signed(fields: Int64, bits: int) -> Int64:
    """Fields as two's complement."""
    return np.where(fields >> (bits - 1), fields - (1 << bits), fields)


def dense_claims(
    node: Node, network: Network, cell: Cell, netlist: Netlist, facts: Sequence[Fact], source: Values
) -> tuple[NodeClaims, Values]:
    """Σ w x + constant of each output, from the schedule, the rows, and the two memories."""
    layer, given = node.layer, cell.parameters
    assert isinstance(layer, Dense)
    sf, nf, pe, simd = (int(given[name]) for name in ("SF", "NF", "PE", "SIMD"))
    bits, width = int(given["INPUT_BITS"]), int(given["SUM_BITS"])
    for name, expected in (
        ("SIMD", source.lanes), ("INPUT_BITS", source.bits), ("SF", source.beats(simd)), ("NF", -(-layer.outputs // pe))
    ):  # fmt: skip
        _parameter(cell, name, expected)
    if source.offset.any() or not fits(
        int(source.low.min()), int(source.high.max()), bits, bool(given["INPUT_SIGNED"])
    ):
        raise CheckFailed(f"instance {cell.name}", "reads other integers from its bits than what they stand for")
    weights, constants = _stored(netlist, cell, sf * nf, nf)
    stored_bits = int(given["WEIGHT_BITS"])
    less = inverts(stored_bits, bits)
    linear = layer.weight.astype(np.int64)
    exact = layer.bias.astype(np.int64) - layer.input_zero_point * linear.sum(axis=1)
    made = np.zeros(layer.outputs, np.int64)
    claims = []
    problem = _settled(facts)
    for output in range(layer.outputs):
        word, lane = divmod(output, pe)
        row = weights[lane][word * sf : (word + 1) * sf].reshape(sf * simd)
        real = product_of(row, np.ones_like(row), stored_bits, False)
        wanted = np.zeros(sf * simd, np.int64)
        wanted[: layer.inputs] = linear[output]
        made[output] = constants[lane][word] - (int((real < 0).sum()) if less else 0)
        wrong = np.flatnonzero(real != wanted)
        if len(wrong):
            i = int(wrong[0])
            detail = f"its weight of input {i} is stored as {int(real[i])}, and is {int(wanted[i])}"
            claims.append(ChannelClaim(OPEN, detail, {"weight": i}))
        else:
            claims.append(ChannelClaim(OPEN, problem) if problem else ChannelClaim(PROVED))
    reach = network.ranges[node.name]
    offset = exact - made
    # Sums are modulo 2^width, and so are the constants that are added to them.
    for output in np.flatnonzero(offset % (1 << width) if given["HAS_CONSTANT"] else 0 * offset).tolist():
        claims[output] = ChannelClaim(OPEN, f"its constant is stored {-int(offset[output])} too large")
    if given["HAS_CONSTANT"]:  # nothing is left to the next unit, right or wrong
        offset = np.zeros_like(offset)
    values = Values(pe, width, reach.low - offset, reach.high - offset, offset)
    for output in range(layer.outputs):
        if not fits(int(values.low[output]), int(values.high[output]), width, True):
            detail = f"{width} bits do not hold {values.low[output]} … {values.high[output]}"
            claims[output] = ChannelClaim(OPEN, detail)
    return NodeClaims(node.name, cell.name, tuple(claims), tuple(facts), tuple(offset.tolist())), values


def _stored(netlist: Netlist, cell: Cell, words: int, results: int) -> tuple[list[Int64], list[Int64]]:
    """(weights [words, simd] of each lane, constants [results] of each lane), as the unit reads them."""
    simd, bits, width = (int(cell.parameters[name]) for name in ("SIMD", "WEIGHT_BITS", "SUM_BITS"))
    weights, constants = [], []
    for lane in range(int(cell.parameters["PE"])):
        (row,) = [each for each in netlist.cells if each.name.endswith(f"row[{lane}].output_row")]
        read = netlist.driver[next_values(netlist, row.ports["weights"])[0]][0]
        weights.append(fields_of(constant_memory(netlist, read), lane * simd * bits, simd, bits, words))
        if not cell.parameters["HAS_CONSTANT"]:
            constants.append(np.zeros(results, np.int64))
            continue
        read = netlist.driver[row.ports["start"][0]][0]
        stored = fields_of(constant_memory(netlist, read), lane * width, 1, width, results)[:, 0]
        constants.append(stored_signed(stored, width))
    return weights, constants


def function_claims(
    node: Node, network: Network, cell: Cell, netlist: Netlist, facts: Sequence[Fact], source: Values
) -> tuple[NodeClaims, Values]:
    """Each channel for all values that its accumulator can have."""
    given = {name: value for name, value in cell.parameters.items() if isinstance(value, int)}
    lanes, fold, out = given["LANES"], given.get("FOLD", 1), given["OUTPUT_BITS"]
    _parameter(cell, "LANES", source.lanes)
    _parameter(cell, "INPUT_BITS", source.bits)
    if fold not in (1, source.beats(lanes)):
        raise CheckFailed(f"instance {cell.name}", f"has {fold} words for {source.beats(lanes)} beats")
    problem, claims, looked_at = _settled(facts), [], 0
    for channel in range(source.channels):
        statement = statement_of(node, channel)
        if not isinstance(statement, Function) or statement.sources != ((0, channel),):
            raise CheckFailed(f"layer {node.name}", "is not a function of each channel alone")
        place = (channel // lanes if fold > 1 else 0, channel % lanes)
        span = (int(source.low[channel]), int(source.high[channel]))
        try:
            looked_at += prove_channel(netlist, given, place, span, statement.values, int(source.offset[channel]))
            claims.append(ChannelClaim(OPEN, problem) if problem else ChannelClaim(PROVED))
        except WrongValue as error:
            example = {"value": error.value, "expected": error.expected, "found": error.found}
            claims.append(ChannelClaim(OPEN, str(error), example))
        except CheckFailed as error:
            claims.append(ChannelClaim(OPEN, str(error)))
    reach = network.ranges[node.name]
    zero = np.zeros(source.channels, np.int64)
    values = Values(lanes, out, reach.low.astype(np.int64), reach.high.astype(np.int64), zero)
    found = NodeClaims(node.name, cell.name, tuple(claims), tuple(facts), tuple(zero.tolist()), looked_at)
    return found, values


def joined_claims(
    node: Node, network: Network, cell: Cell, facts: Sequence[Fact], sources: Sequence[Values]
) -> tuple[NodeClaims, Values]:
    """The sum or the product of two values, each channel."""
    given = cell.parameters
    out = int(given["OUTPUT_BITS"])
    for prefix, source in zip("AB", sources, strict=True):
        _parameter(cell, f"{prefix}_BITS", source.bits)
        _parameter(cell, "LANES", source.lanes)
        signed = bool(given[f"{prefix}_SIGNED"])
        if source.offset.any() or not fits(int(source.low.min()), int(source.high.max()), source.bits, signed):
            raise CheckFailed(f"instance {cell.name}", "reads other integers from its bits than what they stand for")
    reach = network.ranges[node.name]
    zero = np.zeros(len(reach.low), np.int64)
    problem = _settled(facts)
    claim = ChannelClaim(OPEN, problem) if problem else ChannelClaim(PROVED)
    values = Values(sources[0].lanes, out, reach.low.astype(np.int64), reach.high.astype(np.int64), zero)
    return NodeClaims(node.name, cell.name, (claim,) * len(zero), tuple(facts), tuple(zero.tolist())), values


def output_claims(network: Network, values: Values, bits: int, signed: bool, data: Bits) -> tuple[ChannelClaim, ...]:
    """That out_data holds the network's integers, lowest channel first, read as the interface says."""
    claims = []
    for channel in range(network.output_size):
        low, high = int(values.low[channel]), int(values.high[channel])
        holds = values.bits == bits and not values.offset[channel] and fits(low, high, bits, signed)
        holds = holds and len(data) == bits * values.lanes
        claims.append(ChannelClaim(PROVED) if holds else ChannelClaim(OPEN, f"{bits} bits do not hold {low} … {high}"))
    return tuple(claims)


def given_up(node: Node, network: Network, unit: str, status: str, detail: str) -> NodeClaims:
    """Claims of a node that nothing follows for."""
    count = network.sizes[node.name]
    return NodeClaims(node.name, unit, (ChannelClaim(status, detail),) * count)
