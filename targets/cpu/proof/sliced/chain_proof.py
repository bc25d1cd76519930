"""That gates are what the layers of a chain say: bits of inputs, Boolean functions layer by layer, weighted sums.

Which gate is a function is guessed from what gates are for drawn inputs. That it is one is shown by all rows of the
gates that are the functions before it; of tests of one byte those rows count that a value of the byte gives. A sum of
bits is taken back through the adders that made it: gates of the same inputs, the highest first, must together be a sum
of those, modulo a power of two that holds the ranges of both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from edgeml.network import Dense, Encode, Logic, Network

from .gates import FALSE, TRUE, VALUES, Gates, of_masks
from .stage import Form

__all__ = ["ChainProof"]

_DRAWN = 1024
_MOST_NAMES, _MOST_ROWS = 256, 1 << 14


class ChainProof:
    """Proves the channels of a network of `encode`, `logic` and `dense` layers, one behind the other.

    Attributes
    ----------
    literals : of each layer of bits (what the network takes, or `encode`, first) the literal of each function that was
        asked for, None where it is not found.
    """

    def __init__(self, gates: Gates, network: Network) -> None:
        self.gates, quantizer = gates, network.quantizer
        raw = np.arange(VALUES)
        raw = np.where(raw >= VALUES // 2, raw - VALUES, raw) if quantizer.signed else raw
        self._values = np.clip(raw, quantizer.low, quantizer.high)
        layers = [node.layer for node in network.nodes[1:]]
        self._encode: Encode | None = layers.pop(0) if layers[0].kind == "encode" else None  # type: ignore[assignment]
        self._dense: Dense | None = layers.pop() if layers[-1].kind == "dense" else None  # type: ignore[assignment]
        self._logic: list[Logic] = layers  # type: ignore[assignment]
        self.literals: list[dict[int, int | None]] = [{} for _ in range(len(layers) + 1)]
        self._draw(np.random.default_rng(0).integers(0, VALUES, (network.input_size, _DRAWN)))

    def _draw(self, values: npt.NDArray[np.int64]) -> None:
        def column(source: int, table: int) -> int:
            bits = np.array([table >> value & 1 for value in range(VALUES)], np.uint8)[values[source]]
            return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")

        self._every = (1 << _DRAWN) - 1
        self._count = len(self.gates.gates)
        self._columns = self.gates.columns(column, self._every)
        self._by_column: dict[int, list[int]] = {}
        for number, found in enumerate(self._columns):
            self._by_column.setdefault(found, []).append(2 * number)
            self._by_column.setdefault(found ^ self._every, []).append(2 * number + 1)
        self._levels, self._taken = [0] * self._count, [0] * self._count
        for number, gate in enumerate(self.gates.gates):
            self._levels[number] = 1 + max((self._levels[each] for each in gate.inputs), default=-1)
            for each in gate.inputs:
                self._taken[each] += 1

    # Bits

    def literal(self, depth: int, place: int) -> int | None:
        """The literal of a function of a layer; None where no gate is shown to be it."""
        known = self.literals[depth]
        if place not in known:
            known[place] = self._of_input(place) if depth == 0 else self._function(depth, place)
        return known[place]

    def _of_input(self, place: int) -> int | None:
        source = place
        bits: npt.NDArray[np.integer] = self._values
        if self._encode is not None:
            source = int(self._encode.source[place])
            alone = np.zeros((VALUES, self._encode.inputs), np.int32)
            alone[:, source] = self._values
            bits = self._encode.evaluate(alone)[:, place]
        return self.gates.known_input(source, sum(int(bit) << value for value, bit in enumerate(bits)))

    def _function(self, depth: int, place: int) -> int | None:
        layer = self._logic[depth - 1]
        table = sum(int(bit) << x for x, bit in enumerate(layer.tables[place]))
        literals: list[int] = []
        for k, source in enumerate(layer.sources[place].tolist()):
            matters = any(table >> x & 1 != table >> (x ^ 1 << k) & 1 for x in range(1 << layer.fan_in))
            found = self.literal(depth - 1, source) if matters else FALSE
            if found is None:
                return None
            literals.append(found)
        direct = self.gates.known_function(table, tuple(literals))
        if direct is not None:
            return direct
        columns = [self._columns[literal >> 1] ^ (self._every if literal & 1 else 0) for literal in literals]
        wanted = of_masks(table, columns, self._every)
        alike = [each for each in self._by_column.get(wanted, ()) if each > TRUE]
        shown = [each for each in alike if self._is_function(each, table, literals)]
        # Of several the one that most others take: what is made on the way to it is taken by it alone.
        return max(shown, key=lambda each: self._taken[each >> 1]) if shown else None

    def _is_function(self, candidate: int, table: int, literals: Sequence[int]) -> bool:
        """Whether a literal is a function of others, for all rows that can be."""
        names = self._leaves(candidate, {literal >> 1 for literal in literals} - {0})
        made = None if names is None else self._columns_of(names)
        if made is None:
            return False
        columns, rows = made
        found = self._over(candidate >> 1, columns, rows) ^ (rows if candidate & 1 else 0)
        wanted = of_masks(table, [columns[x >> 1] ^ (rows if x & 1 else 0) for x in literals], rows)
        return found == wanted

    def _leaves(self, candidate: int, cut: set[int]) -> list[int] | None:
        """The gates of a cut, and tests of inputs that a literal is made of beside them; None of too many."""
        names, seen, waiting = set(cut), set(), [candidate >> 1]
        while waiting:
            gate = waiting.pop()
            if gate in seen or gate in cut:
                continue
            seen.add(gate)
            made = self.gates.gates[gate]
            if not made.inputs:
                names.add(gate)
                if made.source < 0 or len(names) > _MOST_NAMES:
                    return None
            waiting += made.inputs
        return sorted(names)

    def _over(self, gate: int, columns: dict[int, int], rows: int) -> int:
        if gate not in columns:
            made = self.gates.gates[gate]
            columns[gate] = of_masks(made.table, [self._over(each, columns, rows) for each in made.inputs], rows)
        return columns[gate]

    def _columns_of(self, names: Sequence[int]) -> tuple[dict[int, int], int] | None:
        """Each gate in all rows that can be, and the column of ones: of tests of one input what its values give, of
        others both; None of too many rows."""
        gates = self.gates.gates
        kinds: list[tuple[list[int], list[tuple[int, ...]]]] = []
        for source in sorted({gates[name].source for name in names} - {-1}):
            tests = [name for name in names if gates[name].source == source]
            found = {tuple(gates[name].table >> value & 1 for name in tests) for value in range(VALUES)}
            kinds.append((tests, sorted(found)))
        kinds += [([name], [(0,), (1,)]) for name in names if gates[name].source < 0]
        count = prod(len(values) for _, values in kinds)
        if count > _MOST_ROWS:
            return None
        columns, step = {0: 0}, 1
        for tests, values in kinds:
            which = np.arange(count) // step % len(values)
            for place, name in enumerate(tests):
                bits = np.array([value[place] for value in values], np.uint8)[which]
                columns[name] = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
            step *= len(values)
        return columns, (1 << count) - 1

    # Sums

    def why(self, form: Form, output: int) -> str:
        """Why a sum of bits is not shown to be an output of the network; empty if it is."""
        wanted = self._wanted(output) if self._dense is not None else self._bit(output)
        if isinstance(wanted, str):
            return wanted
        constant, terms = wanted
        ends = [_ends(form.constant, dict(form.terms)), _ends(constant, terms)]
        modulus = 1 << (max(high for _, high in ends) - min(low for low, _ in ends)).bit_length()
        return self._same(form, constant, terms, modulus)

    def _bit(self, output: int) -> tuple[int, dict[int, int]] | str:
        """A function of the last layer, as a sum of gates; a text where it is not found."""
        literal = self.literal(len(self._logic), output)
        if literal is None:
            return f"no gate is shown to be function {output} of the last layer"
        return literal & 1, {literal >> 1: -1 if literal & 1 else 1} if literal > TRUE else {}

    def _wanted(self, output: int) -> tuple[int, dict[int, int]] | str:
        """The network's sum, of gates."""
        dense = self._dense
        assert dense is not None
        row = dense.weight[output].astype(np.int64)
        constant = int(dense.bias[output]) - dense.input_zero_point * int(row.sum())
        terms: dict[int, int] = {}
        for place in np.flatnonzero(row).tolist():
            bit = self._bit(place)
            if isinstance(bit, str):
                return bit
            weight = int(row[place])
            constant += weight * bit[0]
            for gate, factor in bit[1].items():
                terms[gate] = terms.get(gate, 0) + weight * factor
        return constant, terms

    def _same(self, form: Form, constant: int, terms: dict[int, int], modulus: int) -> str:
        """Whether both sums are equal modulo a number: one is taken back through adders to what the other is of."""
        left, rest = dict(form.terms), form.constant - constant
        while open_ := [gate for gate in left if gate not in terms and self.gates.gates[gate].inputs]:
            level = max(self._levels[gate] for gate in open_)
            inputs = self.gates.gates[next(gate for gate in open_ if self._levels[gate] == level)].inputs
            group = [gate for gate in left if self.gates.gates[gate].inputs == inputs and gate not in terms]
            factors = [(left.pop(gate), self.gates.gates[gate].table) for gate in group]
            rows = [sum(f * (table >> x & 1) for f, table in factors) % modulus for x in range(1 << len(inputs))]
            steps = [rows[1 << k] - rows[0] for k in range(len(inputs))]
            for x, row in enumerate(rows):
                if (row - rows[0] - sum(step for k, step in enumerate(steps) if x >> k & 1)) % modulus:
                    return "its bits are added otherwise than by adders"
            rest += rows[0]
            for gate, step in zip(inputs, steps, strict=True):
                left[gate] = left.get(gate, 0) + step
            left = {gate: factor for gate, factor in left.items() if factor % modulus}
        for gate, factor in terms.items():
            left[gate] = left.get(gate, 0) - factor
        return self._cancels(left, rest, modulus)

    def _cancels(self, left: dict[int, int], rest: int, modulus: int) -> str:
        """Whether what is left of a difference is 0 for all values of the inputs."""
        of_source: dict[int, list[int]] = {}
        for gate, factor in left.items():
            made = self.gates.gates[gate]
            if factor % modulus == 0:
                continue
            if made.source < 0:
                return "it is another sum"
            values = of_source.setdefault(made.source, [0] * VALUES)
            for value in range(VALUES):
                values[value] += factor * (made.table >> value & 1)
        for values in of_source.values():
            if any((value - values[0]) % modulus for value in values):
                return "it is another sum"
            rest += values[0]
        return "" if rest % modulus == 0 else "it is another sum"


def _ends(constant: int, terms: dict[int, int]) -> tuple[int, int]:
    return constant + sum(min(f, 0) for f in terms.values()), constant + sum(max(f, 0) for f in terms.values())
