"""The second look at C that computes a bit of each of many samples in a word: functions, sums, decisions.

A program of the certificate is what one sample leaves: gates (tables of an input's byte, or of gates before), which
of them are functions of layers, and outputs as sums of gates. Functions are compared row by row with the network's
tables, sums are taken back through their adders. What the checker does not look at is the C: that these are the gates
that its words are made of is the prover's word. Shares no code with provers, or with what writes C.
"""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...network import Network
from ...network.task import BINARY, VALUES
from .layer_formulas import READ
from .statements import Claims, check_statements, integer, integers, need
from .word_label import is_first_of_largest
from .word_operations import COLUMNS

__all__ = ["check_certificate"]

_MOST_ROWS, _MOST_INPUTS, _MOST_VALUES = 2**14, 8, 2**20
Rows = Any
"""A truth value for each row, bool."""


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_statements(folder, prover, "slices", partial(_places, f"proof/{prover}/operations.json"))


def _places(file: str, network: Network, files: dict[str, bytes], claims: dict[str, Claims]) -> dict[str, int]:
    need(file in files and any(name.endswith(".c") for name in files), "artifacts", "lack the operations or the C")
    content = json.loads(files[file])
    need(content["programs"] != [] and content["labels"] != [], "programs", "are none")
    wanted: dict[str, int] = {}
    for number, program in enumerate(content["programs"]):
        name = f"outputs {number}"
        wanted[name] = network.output_size
        need(len(program["outputs"]) == network.output_size, name, "are not all")
        followed = _Program(network, program)
        for output, (claim, form) in enumerate(zip(claims[name], program["outputs"], strict=False)):
            if claim["status"] == "proved":
                need(followed.gives(output, form), name, f"{output} is not what the network says")
    wanted["the label"] = len(content["labels"])
    for claim, label in zip(claims["the label"], content["labels"], strict=False):
        holds = claim["status"] != "proved" or _decides(network, label)
        need(holds, "the label", "is not what the network decides")
    return wanted


class _Gate(NamedTuple):
    """A table of the byte of an input, or (source −1) of gates before."""

    table: Rows
    inputs: list[int]
    source: int


class _Program:
    def __init__(self, network: Network, content: dict[str, Any]) -> None:
        self.network = network
        self.gates = [_Gate(np.zeros(1, bool), [], -1)]
        for entry in content["gates"]:
            self.gates.append(self._gate(*entry))
        self.levels: list[int] = []
        for gate in self.gates:
            self.levels.append(1 + max((self.levels[each] for each in gate.inputs), default=-1))
        nodes = list(network.nodes)
        need(all(b.inputs == (a.name,) for a, b in pairwise(nodes)), "layers", "are not a chain")
        layers: list[Any] = [node.layer for node in nodes[1:]]
        self.encode = layers.pop(0) if layers[0].kind == "encode" else None
        self.dense = layers.pop() if layers[-1].kind == "dense" else None
        self.logic = layers
        need(all(each.kind == "logic" for each in layers), "layers", "are of another kind")
        need(len(content["layers"]) == len(layers) + 1, "layers", "are not all there")
        self.known: list[dict[int, int]] = []
        """Of each layer by function the literal that is it."""
        for depth, said in enumerate(content["layers"]):
            self.known.append({})
            for place, literal in map(integers, said):
                need(0 <= literal < 2 * len(self.gates), "literal", "is of no gate")
                holds = self._is_bit(place, literal) if depth == 0 else self._is_function(depth, place, literal)
                need(holds, f"layer {depth}, function {place}", "is another")
                self.known[depth][place] = literal

    def _gate(self, table: Any, of: Any) -> _Gate:
        inputs = [] if isinstance(of, int) else integers(of)
        source = integer(of) if isinstance(of, int) else -1
        need(0 <= source < self.network.input_size if not inputs else source == -1, "gate", "is of no input")
        need(len(inputs) <= _MOST_INPUTS and len(table) <= 64, "gate", "is too large")
        need(all(0 <= each < len(self.gates) for each in inputs), "gate", "takes one behind it")
        size = 2 ** len(inputs) if inputs else 256
        value = int(str(table), 16)
        need(value >> size == 0, "gate", "has too large a table")
        return _Gate(np.array([value >> row & 1 for row in range(size)], bool), inputs, source)

    def _is_bit(self, place: int, literal: int) -> bool:
        """Whether a literal is a bit that the first functions take, for each byte that the caller may give."""
        quantizer = self.network.quantizer
        byte = np.arange(256)
        values = np.clip(np.where((byte > 127) & quantizer.signed, byte - 256, byte), quantizer.low, quantizer.high)
        source = place
        if self.encode is not None:
            source = int(self.encode.source[place])
            values = READ[int(self.encode.rule[place])](values, int(self.encode.operand[place]))
        values = np.asarray(values).astype(np.int64)
        gate = self.gates[literal >> 1]
        there = np.broadcast_to(gate.table, 256) ^ bool(literal & 1)
        of_it = literal <= 1 or (gate.source == source and not gate.inputs)
        return of_it and bool(np.array_equal(values, there.astype(np.int64)))

    def _is_function(self, depth: int, place: int, literal: int) -> bool:
        """Whether a literal is a function of the layer before, in all rows that can be."""
        layer = self.logic[depth - 1]
        need(0 <= place < layer.outputs, f"layer {depth}", f"has no function {place}")
        fan_in, sources = layer.fan_in, [int(each) for each in layer.sources[place]]
        table = layer.tables[place].reshape([2] * fan_in)  # the last axis is the first input
        taken: list[int | None] = []
        for k, source in enumerate(sources):
            axis = fan_in - 1 - k
            zero, one = np.take(table, 0, axis), np.take(table, 1, axis)
            taken.append(self.known[depth - 1].get(source) if not np.array_equal(zero, one) else 0)
        if any(each is None for each in taken):
            return False
        used = [each for each in taken if each is not None]
        cut = {each >> 1 for each in used} - {0}
        columns = self._rows(self._leaves(literal >> 1, cut))
        if columns is None:
            return False
        number = sum((columns[each >> 1] ^ bool(each & 1)).astype(np.int64) << k for k, each in enumerate(used))
        wanted = layer.tables[place].astype(bool)[np.asarray(number)]
        found = self._at(literal >> 1, columns) ^ bool(literal & 1)
        return bool(np.array_equal(found, wanted))

    def _leaves(self, gate: int, cut: set[int]) -> list[int]:
        """Gates of a cut, and gates of inputs beside them, of which a gate is made."""
        names, seen, waiting = set(cut), set(), [gate]
        while waiting:
            here = waiting.pop()
            if here in seen or here == 0 or here in cut:
                continue
            seen.add(here)
            if self.gates[here].inputs:
                waiting += self.gates[here].inputs
            else:
                names.add(here)
        return sorted(names)

    def _at(self, gate: int, columns: dict[int, Rows]) -> Rows:
        if gate not in columns:
            of = self.gates[gate]
            number = sum(self._at(each, columns).astype(np.int64) << k for k, each in enumerate(of.inputs))
            columns[gate] = of.table[number]
        return columns[gate]

    def _rows(self, names: list[int]) -> dict[int, Rows] | None:
        """Gates in all rows that can be: of an input as its bytes make them, others both ways; None of too many."""
        parts: list[tuple[list[int], Any]] = [([name], np.array([[0], [1]])) for name in names if not self._is_of(name)]
        for source in sorted({self.gates[name].source for name in names if self._is_of(name)}):
            own = [name for name in names if self.gates[name].source == source]
            parts.append((own, np.unique(np.stack([self.gates[name].table for name in own], axis=1), axis=0)))
        count = 1
        for _, each in parts:
            count *= len(each)
            if count > _MOST_ROWS:
                return None
        columns, left = {0: np.zeros(count, bool)}, np.arange(count)
        for own, each in parts:
            for k, name in enumerate(own):
                columns[name] = each[left % len(each), k].astype(bool)
            left = left // len(each)
        return columns

    def _is_of(self, gate: int) -> bool:
        return self.gates[gate].source >= 0

    # Sums

    def gives(self, output: int, form: Any) -> bool:
        """Whether constant + Σ factor · gate is an output of the network."""
        wanted = self._wanted(output)
        if wanted is None:
            return False
        base, terms = wanted
        rest, found = integer(form[0]), {integer(gate): integer(factor) for gate, factor in form[1]}
        need(all(0 <= gate < len(self.gates) for gate in found), "sum", "is of no gate")
        ends = []
        for start, factors in ((rest, found.values()), (base, terms.values())):
            ends += [start + sum(f for f in factors if f < 0), start + sum(f for f in factors if f > 0)]
        modulus = 2 ** (max(ends) - min(ends)).bit_length()
        left = dict(found)
        rest -= base
        while open_ := [gate for gate in left if gate not in terms and self.gates[gate].inputs]:
            inputs = self.gates[max(open_, key=lambda gate: self.levels[gate])].inputs
            sums = np.zeros(2 ** len(inputs), object)
            for gate in [gate for gate in open_ if self.gates[gate].inputs == inputs]:
                sums += left.pop(gate) * self.gates[gate].table.astype(object)
            rows, line = range(len(sums)), sums[0]
            slopes = [sums[1 << k] - line for k in range(len(inputs))]
            if any((sums[x] - line - sum(s for k, s in enumerate(slopes) if x >> k & 1)) % modulus for x in rows):
                return False
            rest += line
            for gate, slope in zip(inputs, slopes, strict=True):
                left[gate] = left.get(gate, 0) + slope
            left = {gate: factor for gate, factor in left.items() if factor % modulus}
        for gate, factor in terms.items():
            left[gate] = left.get(gate, 0) - factor
        return self._is_nothing({gate: factor for gate, factor in left.items() if factor % modulus}, rest, modulus)

    def _is_nothing(self, left: dict[int, int], rest: int, modulus: int) -> bool:
        """Whether rest + Σ factor · gate is 0, for all bytes of each input."""
        if any(self.gates[gate].source < 0 for gate in left):
            return False
        for source in {self.gates[gate].source for gate in left}:
            own = [factor * self.gates[gate].table.astype(object) for gate, factor in left.items()
                   if self.gates[gate].source == source]  # fmt: skip
            column = sum(own)
            if any((value - column[0]) % modulus for value in column):
                return False
            rest += column[0]
        return rest % modulus == 0

    def _wanted(self, output: int) -> tuple[int, dict[int, int]] | None:
        """What the network gives, as a sum of gates; None where a function is not among those that were looked at."""
        weights, constant = {output: 1}, 0
        if self.dense is not None:
            row = self.dense.weight[output]
            weights = {int(place): int(row[place]) for place in np.flatnonzero(row)}
            constant = int(self.dense.bias[output]) - self.dense.input_zero_point * sum(weights.values())
        terms: dict[int, int] = {}
        for place, weight in weights.items():
            literal = self.known[-1].get(place)
            if literal is None:
                return None
            constant += weight * (literal & 1)
            if literal > 1:
                terms[literal >> 1] = terms.get(literal >> 1, 0) + (-weight if literal & 1 else weight)
        return constant, terms


def _decides(network: Network, content: dict[str, Any]) -> bool:
    """Whether a word is the network's decision by its outputs: 0 of values, above the threshold or not, the first of
    the largest."""
    operations, word, outputs = content["operations"], integer(content["word"]), integers(content["outputs"])
    reach = network.ranges[network.nodes[-1].name]
    ranges = list(zip(reach.low.tolist(), reach.high.tolist(), strict=True))
    need([operations[each] for each in outputs] == [["input", *ends] for ends in ranges], "outputs", "are others")
    need(len(set(outputs)) == len(outputs), "outputs", "stand for each other")
    if network.task == VALUES:
        return word == ~0
    if network.task != BINARY:
        return is_first_of_largest(operations, word, outputs, ranges)
    low, high = ranges[0]
    need(high - low < _MOST_VALUES, "outputs", "are too many to be looked at")
    y = np.arange(low, high + 1)
    found: list[Any] = []
    for place, (name, *taken) in enumerate(operations):
        if place == outputs[0]:
            found.append((y & 0xFFFFFFFF).astype(np.uint32))
            continue
        need(name in COLUMNS and all(each < place for each in taken), "label", "is of another kind")
        found.append(COLUMNS[name](*(np.full(1, ~e, np.uint32) if e < 0 else found[e] for e in taken)))
    given = np.full(1, ~word, np.uint32) if word < 0 else found[word]
    threshold = network.output.decision_threshold
    return bool(np.all(np.broadcast_to(given, y.shape) == (y > threshold)))
