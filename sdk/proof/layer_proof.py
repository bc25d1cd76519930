"""The proof of one node: each channel's claim, from the cuts of the nodes that feed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..network import Network, Node
from .circuit import Circuit, Dependence, all_rows
from .claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED, REFUTED, Artifact, Claim, Cut
from .cut_points import CutPoints
from .kept_channels import Found
from .known_ranges import KnownRanges, Word, columns_of
from .operand import Operand, Place, plain
from .statement import Affine, Function, Source, Statement, SumOfFunctions, statement_of
from .sums import Form, NotLinear, Piece, SumProof, add_to, weighted
from .sums_of_functions import Term, pieces_of_terms, symbol

__all__ = ["OUTPUT", "RAW_INPUT", "LayerProof", "places_of"]

RAW_INPUT, OUTPUT = "in_data", "out_data"
MOST_LEAVES = 22
"""Bits whose rows are all looked at when a function is compared."""

Int64 = npt.NDArray[np.int64]


def places_of(network: Network, artifact: Artifact) -> dict[str, Place]:
    """All places in an order in which each follows what feeds it; the first is the raw input, which is given."""
    first, last = network.nodes[0].name, network.nodes[-1].name
    same = tuple(Affine({(0, channel): 1}, 0) for channel in range(network.input_size))
    ranges = network.ranges
    raw = tuple(Cut(bits, 0) for bits in artifact.raw_inputs)
    places = {RAW_INPUT: Place(RAW_INPUT, (), raw, ranges[first].low, ranges[first].high, ())}
    for node in network.nodes:
        statements = same if node.name == first else _statements(node, network)
        sources = (RAW_INPUT,) if node.name == first else node.inputs
        reach = ranges[node.name]
        cuts = artifact.cuts[node.name]
        places[node.name] = Place(node.name, sources, cuts, reach.low, reach.high, statements)
    reach = ranges[last]
    out = tuple(Affine({(0, channel): 1}, 0) for channel in range(network.output_size))
    ends = tuple(Cut(bits, 0) for bits in artifact.raw_outputs)
    places[OUTPUT] = Place(OUTPUT, (last,), ends, reach.low, reach.high, out)
    return places


def _statements(node: Node, network: Network) -> tuple[Statement | None, ...]:
    return tuple(statement_of(node, channel) for channel in range(network.sizes[node.name]))


class LayerProof:
    """Proves the channels of one place. `words` are the ranges that its pieces follow from, first those of `given`."""

    def __init__(self, circuit: Circuit, points: CutPoints, places: Mapping[str, Place], place: Place) -> None:
        self.circuit = circuit
        self.places = places
        self.place = place
        given = {
            (which, channel): word
            for which, name in enumerate(place.sources)
            for channel in range(len(places[name].cuts))
            if (word := _given(places[name], channel)) is not None
        }
        self.given = list(given)
        self.ranges = KnownRanges(circuit, points, given.values())
        self.fixed = {bit: value for name in place.sources for bit, value in _fixed(places[name]).items()}
        ends = {plain(bit) for name in place.sources for cut in places[name].cuts if cut for bit in cut.bits}
        self.sums = SumProof(circuit, points, self.ranges, ends)

    @property
    def words(self) -> Sequence[Word]:
        """The ranges of the inputs, and those that were found from them."""
        return self.ranges.words

    def claims(self, late: Callable[[], bool], known: Found) -> tuple[list[Claim], list[int]]:
        """(the claims of all channels, channels in the order in which they were settled): what one channel shows is
        used for others, so that those that are open are tried again as long as more is known. `late`: time is up.
        `known`: what was proved before."""
        for word in known.words:
            self.ranges.enter(word)
        found, order = dict(known.claims), list(known.order)
        for channel in order:
            self._learn(channel)
        waiting, more = [channel for channel in range(len(self.place.cuts)) if channel not in found], True
        while waiting and more:
            more, left = False, []
            for channel in waiting:
                claim = Claim(self.place.name, channel, OUT_OF_TIME) if late() else self.claim(channel)
                found[channel] = claim
                if claim.status == OPEN:
                    left.append(channel)
                    continue
                order.append(channel)
                more |= claim.status == PROVED and claim.method == "sum"
            waiting = left
        return [found[channel] for channel in sorted(found)], order + waiting

    def claim(self, channel: int) -> Claim:
        """Prove one channel, or say why not."""
        cut, statement = self.place.cuts[channel], self.place.statements[channel]
        if cut is None:
            return Claim(self.place.name, channel, PROVED, "none")
        if statement is None:
            return Claim(self.place.name, channel, NOT_TRIED, detail="proofs do not know this kind of layer")
        try:
            if isinstance(statement, Affine | SumOfFunctions):
                return self._sum(channel, cut, statement)
            return self._rows(channel, cut, statement)
        except (Dependence, NotLinear) as error:
            what = f"{error} is not a weighted sum" if isinstance(error, NotLinear) else str(error)
            return Claim(self.place.name, channel, OPEN, detail=what)

    def _sum(self, channel: int, cut: Cut, statement: Affine | SumOfFunctions) -> Claim:
        """The channel as a weighted sum of the values that feed it, modulo 2^bits; its range does the rest."""
        name, width = self.place.name, len(cut.bits)
        low, high = int(self.place.low[channel]), int(self.place.high[channel])
        lowest = -(1 << width - 1) if name == OUTPUT and low < 0 else cut.offset
        if not lowest <= low <= high < lowest + (1 << width):
            return Claim(name, channel, OPEN, "sum", detail=f"{width} bits do not hold {low} … {high}")
        equation = self._equation(cut, statement)
        if equation is None:
            return Claim(name, channel, OPEN, "sum", detail="takes a value that stands nowhere")
        terms = self._terms(channel, statement) if isinstance(statement, SumOfFunctions) else []
        pieces, rest = self.sums.bring(dict(equation), width, functions=bool(terms))
        if terms:
            more, rest = self._by_terms(rest, terms, width)
            pieces += more
        for bit in self.fixed.keys() & rest:
            add_to(rest, 1, self.fixed[bit] * rest.pop(bit))
        rest = {bit: value for bit, value in rest.items() if value % (1 << width)}
        if rest:
            return Claim(name, channel, OPEN, "sum", detail=f"its sum differs in {len(rest)} terms")
        self._learn(channel)
        return Claim(name, channel, PROVED, "sum", pieces=tuple(pieces))

    def _equation(self, cut: Cut, statement: Affine | SumOfFunctions) -> Form | None:
        """A channel's bits less what the layer says of them, but functions; None where that stands nowhere."""
        form = weighted(cut.bits)
        add_to(form, 1, cut.offset - statement.constant)
        for source, weight in statement.weights.items() if isinstance(statement, Affine) else ():
            taken = self._cut(source)
            if taken is None:
                return None
            for bit, value in weighted(taken.bits, -weight).items():
                add_to(form, bit, value)
            add_to(form, 1, -weight * taken.offset)
        return form

    def _learn(self, channel: int) -> None:
        """Use from now on what was proved of a channel, if that is a sum of bits."""
        cut, statement = self.place.cuts[channel], self.place.statements[channel]
        if self.place.name != OUTPUT and cut is not None and isinstance(statement, Affine):
            equation = self._equation(cut, statement)
            if equation is not None:
                self.sums.learn(channel, equation)

    def _terms(self, channel: int, statement: SumOfFunctions) -> list[Term]:
        """The functions that a sum adds, each of one value that feeds the layer."""
        found = []
        for (which, number), values in statement.terms.items():
            place = self.places[self.place.sources[which]]
            key = symbol(channel, number, len(place.cuts))
            found.append(Term(key, values, Operand(self.places, place, number)))
        return found

    def _by_terms(self, rest: Form, terms: Sequence[Term], width: int) -> tuple[list[Piece], Form]:
        """(pieces that take a form to a sum of functions, what is left of form − that sum): see `pieces_of_terms`."""
        behind = {bit: self.sums.points.behind(bit) for bit in rest if bit not in self.sums.ends}
        pieces = pieces_of_terms(self.circuit, rest, behind, terms, width)
        rest = rest | {term.symbol: -1 for term in terms}
        for piece in pieces:
            for bit, value in piece.outputs:
                rest[bit] = rest.get(bit, 0) - value
            for bit, value in piece.inputs:
                rest[bit] = rest.get(bit, 0) + value
        return pieces, {bit: value for bit, value in rest.items() if value % (1 << width)}

    def _constant(self, channel: int, cut: Cut, statement: Function, operand: Operand) -> Claim:
        """A channel whose bits are constants: the function must give that for each integer in its input's range."""
        name, low, high = self.place.name, *operand.range
        if {plain(bit) for bit in cut.bits} - {0, 1} or high - low >= 1 << MOST_LEAVES:
            detail = f"depends on {len(operand.leaves)} bits, {MOST_LEAVES} at most"
            return Claim(name, channel, OPEN, "rows", detail=detail)
        found = cut.offset + sum((bit if bit >= 0 else 1 - ~bit) << k for k, bit in enumerate(cut.bits))
        if (statement.values([np.arange(low, high + 1)]) != found).any():
            return Claim(name, channel, OPEN, "range", detail="is not constant over its input's range")
        return Claim(name, channel, PROVED, "range")

    def _cut(self, source: Source) -> Cut | None:
        return self.places[self.place.sources[source[0]]].cuts[source[1]]

    def _rows(self, channel: int, cut: Cut, statement: Function) -> Claim:
        """The channel for all values that its inputs can have."""
        inputs = [
            Operand(self.places, self.places[self.place.sources[which]], number) for which, number in statement.sources
        ]
        leaves = tuple(sorted({bit for operand in inputs for bit in operand.leaves}))
        name = self.place.name
        if len(inputs) == 1 and len(leaves) > MOST_LEAVES:
            return self._constant(channel, cut, statement, inputs[0])
        if len(leaves) > MOST_LEAVES:
            return Claim(name, channel, OPEN, "rows", detail=f"depends on {len(leaves)} bits, {MOST_LEAVES} at most")
        patterns, mask = all_rows(len(leaves))
        count = 1 << len(leaves)
        columns = dict(zip(leaves, columns_of(patterns, count), strict=True))
        values = [operand.value(columns, count) for operand in inputs]
        can = np.ones(count, bool)
        for operand in inputs:
            can &= operand.can(columns, count)
        rows = self.circuit.rows(cut.bits, dict(zip(leaves, patterns, strict=True)), mask)
        found = np.full(count, cut.offset, np.int64)
        for k, column in enumerate(columns_of(rows, count)):
            found += column << k
        expected = np.zeros(count, np.int64)
        expected[can] = statement.values([value[can] for value in values])
        wrong = can & (found != expected)
        if not wrong.any():
            return Claim(name, channel, PROVED, "rows", leaves=leaves)
        bad = np.flatnonzero(wrong)
        first = int(bad[len(bad) // 2])
        example = {
            "inputs": {
                f"{operand.place.name}[{operand.channel}]": int(value[first])
                for operand, value in zip(inputs, values, strict=True)
            },
            "expected": int(expected[first]),
            "found": int(found[first]),
        }
        return Claim(name, channel, REFUTED, "rows", leaves=leaves, counterexample=example)


def _given(place: Place, channel: int) -> Word | None:
    """What a channel's bits can be together, by what is known of its value."""
    cut = place.cuts[channel]
    if cut is None:
        return None
    low, high = int(place.low[channel]) - cut.offset, int(place.high[channel]) - cut.offset
    if low < 0:  # raw two's complement: nothing follows for the plain bits
        low, high = 0, (1 << len(cut.bits)) - 1
    return Word(cut.bits, ((low, high),))


def _fixed(place: Place) -> dict[int, int]:
    """Bits of a place's cuts that are the same for every value in range, each with what it is: those above the first in
    which the ends of the range differ."""
    found: dict[int, int] = {}
    for cut, low, high in zip(place.cuts, place.low.tolist(), place.high.tolist(), strict=True):
        if cut is None or low < cut.offset:
            continue
        for k, bit in enumerate(cut.bits):
            first, last = (low - cut.offset) >> k, (high - cut.offset) >> k
            if first == last and plain(bit) > 1:
                found[plain(bit)] = first & 1 ^ (bit < 0)
    return found
