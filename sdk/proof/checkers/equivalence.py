"""The second look at a certificate that two circuits give the same outputs: every pair followed again, all rows.

This file shares no code with what writes Verilog, synthesizes it or proves: it takes the files of a bundle and numpy.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from ...system.regular_file import read_regular
from .statements import integer, integers, need

__all__ = ["check_certificate"]

_LARGEST, _MOST_GATES, _MOST_LEAVES = 2**28, 2**22, 20
_UNSOUND = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError, MemoryError)
_Gate = tuple[tuple[int, ...], tuple[int, ...]]
_Rows = npt.NDArray[np.int64]


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`: of the outputs how many there are, and how many are proved equal.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    own, verilog = f"proof/{prover}", "proof/unrolled"
    names = [f"{place}/{name}.json" for place in (own, verilog) for name in ("certificate", "circuit")]
    content, other, of_verilog, known = (read_regular(folder / name, _LARGEST) for name in names)
    try:
        said = json.loads(content)
        need((said["format"], said["kind"]) == (1, "equivalence"), "format", "is not 1, of equivalence")
        need(said["circuit"] == hashlib.sha256(other).hexdigest(), "circuit", "is another")
        need(said["known"] == hashlib.sha256(known).hexdigest(), "circuit of the Verilog", "is another")
        about = json.loads(of_verilog)
        of_network = (about["format"], about["kind"], about["circuit"]) == (1, "circuit", said["known"])
        need(of_network, "circuit of the Verilog", "is not that of proof/unrolled, which says what the Verilog is")
        need(integer(said["latency"]) == integer(said["known_latency"]), "latency", "is not that of the Verilog")
        return _Pairs(_Circuit(json.loads(known)), _Circuit(json.loads(other))).check(said)
    except _UNSOUND as error:
        raise CheckFailed("certificate", f"is not sound ({type(error).__name__}: {str(error)[:200]})") from error


def _plain(bit: int) -> int:
    return bit if bit >= 0 else ~bit


class _Circuit:
    """Gates as (inputs, value for each number that they are); sums are taken apart: sum 0, carry 0, sum 1, carry 1 …

    Constants are put in, inputs that do not matter are left out, and no gate is there twice.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.inputs = integer(content["input_bits"])
        need(0 <= self.inputs < _MOST_GATES and len(content["gates"]) < _MOST_GATES, "circuit", "is too large")
        self.gates: list[_Gate] = []
        self.there: dict[_Gate, int] = {}
        number = list(range(self.inputs + 2))
        for first, second in content["gates"]:
            if isinstance(first, str):
                need(len(second) <= 12 and len(first) <= 1024, "circuit", "has a table of too many inputs")
                rows = 1 << len(second)
                table = tuple((int(first, 16) >> x) & 1 for x in range(rows))
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
        self.outputs = [number[self._bit(bit, number)] for bit in content["outputs"]]

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
        following = self.inputs + 2 + len(self.gates)
        if self.there.setdefault((inputs, table), following) == following:
            self.gates.append((inputs, table))
        return self.there[inputs, table]

    def rows(self, targets: list[int], given: dict[int, _Rows]) -> dict[int, _Rows]:
        """The rows of targets, from the given ones alone."""
        known, needed, waiting = dict(given), set(), [bit for bit in targets if bit not in given]
        while waiting:
            bit = waiting.pop()
            need(bit >= self.inputs + 2, "pair", f"depends on input {bit}, which is not among its leaves")
            if bit not in needed:
                needed.add(bit)
                waiting += [each for each in self.gates[bit - self.inputs - 2][0] if each not in given]
        for bit in sorted(needed):
            taken, table = self.gates[bit - self.inputs - 2]
            chosen = sum((known[each] << k for k, each in enumerate(taken)), np.zeros_like(known[1]))
            known[bit] = np.array(table, np.int64)[chosen]
        return known


class _Pairs:
    """Bits of the second circuit that are bits of the first (`~`: complements)."""

    def __init__(self, known: _Circuit, other: _Circuit) -> None:
        need(known.inputs == other.inputs, "circuit", "has other inputs")
        self.known, self.other = known, other
        self.equal = {bit: bit for bit in range(known.inputs + 2)}
        self.proved = set(self.equal.items())

    def check(self, said: dict[str, Any]) -> dict[str, tuple[int, int]]:
        """Follow all pairs in their order; then count the outputs that are among them."""
        for found, equal, leaves, through in said["pairs"]:
            self._pair(integer(found), integer(equal), integers(leaves), integers(through))
        outputs = list(zip(self.other.outputs, self.known.outputs, strict=True))
        proved = sum(pair in self.proved for pair in outputs)
        need(proved == integer(said["proved"]), "outputs", f"are proved {proved} times")
        return {"out_data": (len(outputs), proved)}

    def _pair(self, found: int, equal: int, leaves: list[int], through: list[int]) -> None:
        need(len(set(leaves)) == len(leaves) <= _MOST_LEAVES and min(leaves, default=2) > 1, "pair", "has other leaves")
        rows = np.arange(1 << len(leaves))
        given = {0: 0 * rows, 1: 0 * rows + 1} | {bit: (rows >> k) & 1 for k, bit in enumerate(leaves)}
        need(self.equal.keys() >= set(through), "pair", "follows from what comes later, or from itself")
        ends = {bit: self.equal[bit] for bit in through}
        known = self.known.rows([_plain(equal), *map(_plain, ends.values())], given)
        value = {bit: known[end] if end >= 0 else 1 - known[~end] for bit, end in ends.items()}
        there = self.other.rows([found], {0: given[0], 1: given[1]} | value)[found]
        wanted = known[equal] if equal >= 0 else 1 - known[~equal]
        need(bool((there == wanted).all()), f"pair {found}", "is not equal")
        self.equal.setdefault(found, equal)
        self.proved.add((found, equal))
