"""The second look at a certificate that two circuits give the same outputs: equal bits and lemmas followed again.

This file shares no code with what writes Verilog, synthesizes it, proves or solves: it takes the files of a bundle.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ...errors import CheckFailed
from ...system.regular_file import read_regular
from .statements import integer, integers, need

__all__ = ["check_certificate"]

_LARGEST, _MOST_GATES, _MOST_LEAVES, _MOST_INPUTS = 2**28, 2**22, 20, 12
_UNSOUND = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError, MemoryError)
_Gate = tuple[tuple[int, ...], tuple[int, ...]]


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`: of the outputs how many there are, and how many are proved equal.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    own, verilog = f"proof/{prover}", "proof/unrolled"
    names = [f"{place}/{name}.json" for place in (own, verilog) for name in ("certificate", "circuit")]
    content, other, of_verilog, known = (read_regular(folder / name, _LARGEST) for name in names)
    try:
        said = json.loads(content)
        need((said["format"], said["kind"]) == (2, "equivalence"), "format", "is not 2, of equivalence")
        need(said["circuit"] == hashlib.sha256(other).hexdigest(), "circuit", "is another")
        need(said["known"] == hashlib.sha256(known).hexdigest(), "circuit of the Verilog", "is another")
        about = json.loads(of_verilog)
        of_network = (about["format"], about["kind"], about["circuit"]) == (1, "circuit", said["known"])
        need(of_network, "circuit of the Verilog", "is not that of proof/unrolled, which says what the Verilog is")
        need(integer(said["latency"]) == integer(said["known_latency"]), "latency", "is not that of the Verilog")
        gates = _Gates()
        outputs = [gates.append(json.loads(circuit)) for circuit in (known, other)]
        return _Pairs(gates).check(said, *outputs)
    except _UNSOUND as error:
        raise CheckFailed("certificate", f"is not sound ({type(error).__name__}: {str(error)[:200]})") from error


class _Gates:
    """Gates of several circuits over the same inputs as (inputs, value for each number that they are), by the bit that
    they give; constants and inputs have none.

    Sums are taken apart: sum 0, carry 0, sum 1, carry 1 …; constants are put in, inputs that do not matter left out.
    """

    def __init__(self) -> None:
        self.inputs = -1
        self.gates: list[_Gate | None] = []

    def append(self, content: dict[str, Any]) -> list[int]:
        """Read the file of a circuit; the bits that its outputs are."""
        inputs = integer(content["input_bits"])
        need(0 <= inputs < _MOST_GATES and len(content["gates"]) < _MOST_GATES, "circuit", "is too large")
        need(self.inputs in (-1, inputs), "circuit", "has other inputs")
        if self.inputs < 0:
            self.inputs, self.gates = inputs, [None] * (inputs + 2)
        number = list(range(inputs + 2))
        for first, second in content["gates"]:
            if isinstance(first, str):
                need(len(second) <= _MOST_INPUTS and len(first) <= 1024, "circuit", "has a table of too many inputs")
                table = tuple((int(first, 16) >> x) & 1 for x in range(1 << len(second)))
                number.append(self._add(tuple(number[self._bit(bit, number)] for bit in second), table))
                continue
            need(0 < len(first) == len(second) <= 60, "circuit", "adds numbers of different widths")
            sides = [[number[self._bit(bit, number)] for bit in side] for side in (first, second)]
            carry: tuple[int, ...] = ()
            for k, pair in enumerate(zip(*sides, strict=True)):
                taken = tuple(sorted((*pair, *carry)))
                ones = [x.bit_count() for x in range(1 << len(taken))]
                number.append(self._add(taken, tuple(count & 1 for count in ones)))
                carry = (self._add(taken, tuple(count >> 1 for count in ones)),) if k + 1 < len(first) else ()
        return [number[self._bit(bit, number)] for bit in content["outputs"]]

    @staticmethod
    def _bit(bit: Any, number: list[int]) -> int:
        need(0 <= integer(bit) < len(number), "circuit", "takes a bit before it is there")
        return int(bit)

    def _add(self, inputs: tuple[int, ...], table: tuple[int, ...]) -> int:
        for k in reversed(range(len(inputs))):
            halves = [tuple(v for x, v in enumerate(table) if (x >> k) & 1 == side) for side in (0, 1)]
            if inputs[k] < 2 or halves[0] == halves[1]:
                inputs, table = inputs[:k] + inputs[k + 1 :], halves[inputs[k] == 1]
        if not inputs:
            return table[0]
        if table == (0, 1):
            return inputs[0]
        self.gates.append((inputs, table))
        return len(self.gates) - 1

    def gate(self, bit: int) -> _Gate:
        """The gate of a bit."""
        found = self.gates[bit] if 0 <= bit < len(self.gates) else None
        need(found is not None, "pair", f"takes bit {bit} for a gate's")
        assert found is not None
        return found


class _Pairs:
    """Bits that were shown to be earlier ones. A literal is a bit, or `~bit` for its complement."""

    def __init__(self, gates: _Gates) -> None:
        self.gates = gates
        self.equal: dict[int, int] = {}

    def check(self, said: dict[str, Any], known: list[int], other: list[int]) -> dict[str, tuple[int, int]]:
        """Follow all pairs in their order; then count the outputs that are the same."""
        for found, equal, leaves, *lemmas in said["pairs"]:
            need(0 <= (integer(equal) if equal >= 0 else ~integer(equal)) < integer(found), "pair", "is of a later bit")
            need(found not in self.equal, "pair", "is there twice")
            if lemmas:
                self._by_lemmas(found, self._literal(equal), lemmas[0])
            else:
                self._by_rows(found, self._literal(equal), integers(leaves))
            self.equal[found] = self._literal(equal)
        same = sum(self._literal(a) == self._literal(b) for a, b in zip(known, other, strict=True))
        need(same == integer(said["proved"]), "outputs", f"are proved {same} times")
        return {"out_data": (len(known), same)}

    def _literal(self, literal: int) -> int:
        """What a literal equals as far as is known: of `~0` and `~1` the other constant."""
        bit = literal if literal >= 0 else ~literal
        found = self.equal.get(bit, bit)
        found = found if literal >= 0 else ~found
        return 1 - ~found if found in (~0, ~1) else found

    def _by_rows(self, found: int, equal: int, leaves: list[int]) -> None:
        """All rows of the leaves, one of them at each place of an integer."""
        need(len(set(leaves)) == len(leaves) <= _MOST_LEAVES and min(leaves, default=2) > 1, "pair", "has other leaves")
        every = (1 << (1 << len(leaves))) - 1
        rows = {0: 0, 1: every}
        for k, leaf in enumerate(leaves):
            need(leaf < found, "pair", "follows from a later bit")
            half = 1 << k
            rows[leaf] = every // ((1 << half) + 1) << half
        goal = equal if equal >= 0 else ~equal
        order = self._between([*([] if goal in rows else [goal]), found], rows)
        for bit in order:
            inputs, table = self.gates.gate(bit)
            values = [every if value else 0 for value in table]
            for each in inputs:
                literal = self._literal(each)
                chosen = rows[literal] if literal >= 0 else every ^ rows[~literal]
                pairs = zip(values[::2], values[1::2], strict=True)
                values = [zero if zero == one else zero ^ (chosen & (zero ^ one)) for zero, one in pairs]
            rows[bit] = values[0]
        need(rows[found] == (rows[goal] if equal >= 0 else every ^ rows[goal]), f"pair {found}", "is not equal")

    def _between(self, targets: list[int], rows: dict[int, int]) -> list[int]:
        """The bits from leaves to targets, each behind what it takes."""
        needed: set[int] = set()
        waiting = list(targets)
        while waiting:
            bit = waiting.pop()
            if bit in needed or (bit in rows and bit not in targets):
                continue
            needed.add(bit)
            for each in self.gates.gate(bit)[0]:
                literal = self._literal(each)
                waiting.append(literal if literal >= 0 else ~literal)
        return sorted(needed)

    def _by_lemmas(self, found: int, equal: int, lemmas: list[Any]) -> None:
        """Were the bit the complement of what it is said to be, each lemma would hold, and the last holds never."""
        self.equal[found] = ~equal
        shown: list[list[int]] = []
        for literals, hints in lemmas:
            clause = integers(literals)
            need(
                self._conflict([~each for each in clause], integers(hints), shown),
                f"pair {found}",
                "has a lemma that does not follow",
            )
            shown.append(clause)
        need(not shown[-1], f"pair {found}", "is not shown by its lemmas")
        del self.equal[found]

    def _conflict(self, assumed: list[int], hints: list[int], shown: list[list[int]]) -> bool:
        """Whether literals lead to a contradiction by what gates and earlier clauses say in their order."""
        holds = {1, ~0}
        for literal in assumed:
            if not self._assign(literal, holds):
                return True
        for hint in hints:
            if hint >= 0:
                if not self._gate_says(hint, holds):
                    return True
                continue
            left = {self._literal(each) for each in shown[~hint] if ~self._literal(each) not in holds}
            if not left:
                return True
            if len(left) == 1 and not self._assign(left.pop(), holds):
                return True
        return False

    def _assign(self, literal: int, holds: set[int]) -> bool:
        """Let a literal hold; False where its complement does."""
        literal = self._literal(literal)
        holds.add(literal)
        return ~literal not in holds

    def _gate_says(self, bit: int, holds: set[int]) -> bool:
        """Let those of a gate's literals hold that hold in all of its rows that are left; False if none is left."""
        inputs, table = self.gates.gate(bit)
        pins = [self._literal(each) for each in (*inputs, bit)]
        common: set[int] | None = None
        for x, value in enumerate(table):
            row = {
                pin if one else ~pin
                for pin, one in zip(pins, [(x >> k) & 1 for k in range(len(inputs))] + [value], strict=True)
            }
            if not any(~each in holds or ~each in row for each in row):
                common = row if common is None else common & row
        holds |= common or set()
        return common is not None
