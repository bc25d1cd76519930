"""The second look at a certificate of operations on words: every word followed again, every claim from the network.

This file shares no code with what writes C, with what reads machine code or with what proves. What it does not look at
is the machine code: that the operations are those of the instructions is the prover's word (docs/proofs.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial, reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...network import Network
from ...network.task import BINARY, VALUES
from .statements import Claims, check_statements, integer, integers, need
from .word_bits import Planes
from .word_functions import JointWords
from .word_joined import largest, product
from .word_label import is_first_of_largest
from .word_statements import function_of, said_of
from .word_values import ALL, Form, Known, centred, form_of

__all__ = ["check_certificate"]

_LABEL = "the label"
_ITEMS = {1: (0, 255), 2: (-(2**15), 2**15 - 1), 4: (-(2**31), 2**31 - 1)}
Column = Any


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_statements(folder, prover, "words", partial(_places, f"proof/{prover}/operations.json"))


def _places(file: str, network: Network, files: dict[str, bytes], claims: dict[str, Claims]) -> dict[str, int]:
    need(file in files and any(name.endswith(".c") for name in files), "artifacts", "lack the operations or the C")
    content = json.loads(files[file])
    wanted: dict[str, int] = {}
    for number, program in enumerate(content.get("programs", [content])):  # of samples that are computed in other ways
        behind = f", program {number}" if number else ""
        last = [str(stage["nodes"][-1]) for stage in program["stages"]]
        label = [_LABEL] if _LABEL + behind in claims else []
        own = {name: claims[name + behind] for name in [*last, "outputs", *label]}
        wanted |= {name + behind: count for name, count in _program(program, network, own).items()}
    return wanted


def _program(content: dict[str, Any], network: Network, claims: dict[str, Claims]) -> dict[str, int]:
    stages = [_Stage(network, stage) for stage in content["stages"]]
    covered = sorted(name for stage in stages for name in stage.names)
    need(covered == sorted(node.name for node in network.nodes), "stages", "are not each node of the network once")
    need(stages[0].names == [network.nodes[0].name], "stages", "do not begin with the input")
    need(stages[-1].names[-1] == network.nodes[-1].name, "stages", "do not end with the network")
    raw = integers(content["raw"])
    variables = [*raw, *(value for stage in stages for value in stage.values)]
    need(len(set(variables)) == len(variables), "variables", "stand for two integers")
    wanted = {word for said in claims.values() for claim in said for word in claim.get("padding", [claim.get("word")])}
    # In networks without maxima choices are searches.
    content = {**content, "maxima": any(node.layer.kind == "maximum" for node in network.nodes)}
    words = JointWords(content, {integer(word) for word in wanted if word is not None} | set(variables))
    ends = (-128, 127) if network.quantizer.signed else (0, 255)
    need(all(words.ends(value) == ends for value in raw), "input", "leaves out some integers")
    of_tensor = {"": (raw, 0)} | {stage.names[-1]: (stage.values, stage.low) for stage in stages}
    of_planes = Planes(content["operations"])
    for stage in stages:
        stage.check(words, claims[stage.names[-1]], of_tensor, of_planes)
    values, low = of_tensor[network.nodes[-1].name]
    for channel, claim in enumerate(claims["outputs"]):
        need(not _is_proved(claim) or len(claims["outputs"]) == len(values), "outputs", "are not all")
        stated = words.add(words.value(values[channel]), low & ALL)
        need(
            not _is_proved(claim) or words.same(words.value(claim["word"]), stated), "outputs", f"{channel} is another"
        )
    for claim in claims.get(_LABEL, []):
        known = [integer(each["word"]) for each in claims["outputs"] if _is_proved(each)]
        operations = content["operations"]
        holds = not _is_proved(claim) or _is_label(words, operations, integer(claim["word"]), stages[-1], known)
        need(holds, "label", "is not what the network decides")
    counts = {stage.names[-1]: len(stage.values) + bool(stage.padded) for stage in stages}
    return counts | {"outputs": len(values)} | ({_LABEL: 1} if _LABEL in claims else {})


def _is_label(words: JointWords, operations: list[Any], word: int, last: _Stage, outputs: list[int]) -> bool:
    """Whether a word is the network's decision: 0 of values, above the threshold or not, the first of the largest."""
    network, found = last.network, words.value(word)
    if network.task == VALUES:
        return found == 0
    if network.task == BINARY:
        terms: dict[int, int] = {}
        constant = _add_line(words, (last.values, last.low), {0: 1}, terms)
        threshold = network.output.decision_threshold
        return _is_function(words, found, terms, constant, lambda y: (y > threshold).astype(np.int64))
    ranges = [words.ends(value) for value in last.values]
    return len(outputs) == len(ranges) and is_first_of_largest(operations, word, outputs, ranges)


def _is_function(words: JointWords, found: Known, terms: dict[int, int], constant: int, function: Any) -> bool:
    """Whether a word is a function of Σ terms + constant, for all of its values."""
    terms = {v: c for v, c in terms.items() if c}
    if not terms:
        return found == int(function(np.array([constant]))[0]) & ALL
    base, factor = words.base(terms)
    column = None if base is None else words.over(found, base)
    if base is None or column is None:
        return False
    values = function(factor * np.arange(base.low, base.high + 1) + constant)
    return bool(np.array_equal(np.broadcast_to(column, values.shape), (values & ALL).astype(np.uint32)))


def _is_proved(claim: dict[str, Any]) -> bool:
    return bool(claim["status"] == "proved")


class _Stage:
    """The layers that one function computes, and where it leaves its integers: stored = value − low."""

    def __init__(self, network: Network, content: dict[str, Any]) -> None:
        self.network = network
        self.names = [str(name) for name in content["nodes"]]
        self.nodes = [next(node for node in network.nodes if node.name == name) for name in self.names]
        self.values, self.low = integers(content["values"]), integer(content["low"])
        self.item, self.padded = _ITEMS[integer(content["bytes"])], integer(content["padded"])
        chain = all(later.inputs == (first.name,) for first, later in pairwise(self.nodes))
        need(chain and self.names != [], self.names[0], "is not one layer behind the other")

    def check(
        self, words: JointWords, claims: Claims, of_tensor: dict[str, tuple[list[int], int]], counts: Planes
    ) -> None:
        """CheckFailed where a claim that is called proved does not follow."""
        name, reach = self.names[-1], self.network.ranges[self.names[-1]]
        need(len(self.values) == reach.channels, name, "has another number of channels")
        for value, low, high in zip(self.values, reach.low - self.low, reach.high - self.low, strict=True):
            need(words.ends(value) == (low, high), name, "is followed for other integers than come")
            need(self.item[0] <= low and high <= self.item[1], name, "does not fit its items")
        taken = [of_tensor[each] for each in self.nodes[0].inputs] or [of_tensor[""]]
        for channel, claim in enumerate(claims):
            if not _is_proved(claim):
                continue
            if channel == len(self.values):
                padding = integers(claim["padding"])
                zero = all(words.value(word) == 0 or counts.is_zero(word) for word in padding)
                need(len(padding) == self.padded and zero, name, "leaves something behind its integers")
                continue
            if "planes" in claim:
                holds = self._is_counted(words, counts, claim, channel, taken[0])
            else:
                holds = self._holds(words, words.value(integer(claim["word"])), channel, taken)
            need(holds, name, f"{channel} is not what the network says")

    def _is_counted(
        self,
        words: JointWords,
        counts: Planes,
        claim: dict[str, Any],
        channel: int,
        taken: tuple[list[int], int],
    ) -> bool:
        """Whether a word is made of planes that count a dense layer's sum, behind features that are packed or not."""
        encode = self.nodes[0] if self.nodes[0].layer.kind == "encode" else None
        layers: list[Any] = [node.layer for node in (self.nodes[1:] if encode else self.nodes)]
        dense, *last = layers
        function = function_of(last[0], channel) if last else lambda z: z
        if dense.kind != "dense" or len(last) > 1 or function is None:
            return False
        row = dense.weight[channel].astype(np.int64)
        bias = int(dense.bias[channel]) - dense.input_zero_point * int(row.sum())
        terms = []
        for place in np.flatnonzero(row).tolist():
            layer: Any = encode.layer if encode else None
            source, of = (int(layer.source[place]), function_of(layer, place)) if encode else (place, None)
            first, end = words.ends(taken[0][source])
            x = np.arange(first, end + 1) + taken[1]
            terms.append((taken[0][source], row[place] * (of(x) if of else x)))
        ends = tuple(bias + sum(int(at(column)) for _, column in terms) for at in (np.min, np.max))
        planes, word = (integers(claim["planes"]), integer(claim["lane"])), integer(claim["word"])
        bits = 8 if self.item == _ITEMS[1] else 32
        line = terms, bias
        return counts.holds(word, bits, planes, line, (ends[0], ends[1]), lambda z: function(z) - self.low)

    def _holds(self, words: JointWords, found: Known, channel: int, taken: list[tuple[list[int], int]]) -> bool:
        """Whether a word is the stored integer of a channel."""
        first: Any = self.nodes[0].layer
        last: Any = self.nodes[-1].layer
        if first.kind == "logic":
            return len(self.nodes) == 1 and self._looks_up(words, found, channel, taken[0])
        if first.kind == "tables":
            return len(self.nodes) == 1 and self._adds(words, found, taken[0], *_entries_of(first, channel))
        if (first.kind, last.kind, len(self.nodes)) == ("encode", "dense", 2):
            return self._adds(words, found, taken[0], *_counts_of(first, last, channel))
        if first.kind in ("multiply", "maximum"):
            return len(self.nodes) == 1 and self._joins(words, found, channel, taken)
        said = said_of([node.layer for node in self.nodes], channel)
        if said is None:
            return False
        terms: dict[int, int] = {}
        constant = said.constant
        for (tensor, place), weight in said.weights.items():
            constant += _add_line(words, taken[tensor], {place: weight}, terms)
        if not said.functions:
            return words.same(found, form_of(terms, constant - self.low))
        return _is_function(words, found, terms, constant, lambda x: said(x) - self.low)

    def _joins(self, words: JointWords, found: Known, channel: int, taken: list[tuple[list[int], int]]) -> bool:
        """Whether a word is a product or a maximum: the same variable, or the same for all values of the inputs."""
        layer: Any = self.nodes[0].layer
        multiplies = layer.kind == "multiply"
        looked_at = [(0, channel), (1, channel)] if multiplies else [(0, each) for each in set(layer.gather[channel])]
        lines = []
        for tensor, place in looked_at:
            terms: dict[int, int] = {}
            lines.append((terms, _add_line(words, taken[tensor], {int(place): 1}, terms)))
        ordered = [(tuple(sorted(terms.items())), constant) for terms, constant in lines]
        made, common = (product(words, ordered)[0], 0) if multiplies else largest(words, ordered)
        if made != -1 and found == form_of({} if made is None else {made: 1}, common - self.low):
            return True
        base, given = words.assigned({v for terms, _ in lines for v in terms}, 2**16)
        column = None if base is None else words.at(found, given)
        if column is None:
            return False
        values = [constant + sum((c * given[v] for v, c in terms.items()), np.int64(0)) for terms, constant in lines]
        wanted = reduce(np.multiply if multiplies else np.maximum, values)
        return bool(np.all(column == (wanted - self.low & ALL)))

    def _looks_up(self, words: JointWords, found: Known, channel: int, taken: tuple[list[int], int]) -> bool:
        """Whether a word is the entry of a Boolean function for all values of its inputs."""
        layer: Any = self.nodes[0].layer
        lines = []
        for source in layer.sources[channel].tolist():
            terms: dict[int, int] = {}
            constant = _add_line(words, taken, {source: 1}, terms)
            lines.append((terms, constant))
        base, given = words.assigned({v for terms, _ in lines for v in terms}, 2**16)
        column = None if base is None else words.at(found, given)
        if column is None:
            return False
        inputs = [constant + sum((c * given[v] for v, c in terms.items()), np.int64(0)) for terms, constant in lines]
        entry = sum(x << k for k, x in enumerate(inputs))
        return bool(np.all(column == (layer.tables[channel].astype(np.int64)[entry] - self.low & ALL)))

    def _adds(
        self,
        words: JointWords,
        found: Known,
        taken: tuple[list[int], int],
        bias: int,
        gains: dict[int, Callable[[Column], Column]],
    ) -> bool:
        """Whether a word is the bias and what each input adds: of each input the same, less a constant."""
        parts = words.terms_of(found)
        if parts is None:
            return False
        left = int(parts.pop(-1)) - bias + self.low
        for source, gain in gains.items():
            terms: dict[int, int] = {}
            constant = _add_line(words, taken, {source: 1}, terms)
            there: Column = np.int64(0)
            x = np.array([constant])
            for v in terms:
                x, there = np.arange(words.low[v], words.high[v] + 1) + constant, parts.pop(v, np.int64(0))
            gone = there - gain(x) & ALL
            if np.any(gone != gone[0]):
                return False
            left += int(gone[0])
        left += sum(int(column[0]) for column in parts.values())
        return left & ALL == 0 and not any(np.ptp(column) for column in parts.values())


def _entries_of(layer: Any, channel: int) -> tuple[int, dict[int, Callable[[Column], Column]]]:
    """What sums of tables add for a channel: the bias, and of each input the entries that it picks."""
    entries = layer.entries[layer.rows, channel].astype(np.int64)
    picked = {source: entries[layer.source == source].sum(axis=0) for source in np.unique(layer.source).tolist()}
    return int(layer.bias[channel]), {source: column.__getitem__ for source, column in picked.items()}


def _counts_of(encode: Any, dense: Any, channel: int) -> tuple[int, dict[int, Callable[[Column], Column]]]:
    """The same of a dense layer's sum of what `encode` makes of single inputs."""
    row = dense.weight[channel].astype(np.int64)
    functions = [(int(encode.source[k]), int(row[k]), function_of(encode, k)) for k in np.flatnonzero(row).tolist()]

    def gain(of: int, x: Column) -> Column:
        return sum((w * f(x) for source, w, f in functions if source == of and f is not None), np.int64(0))

    bias = int(dense.bias[channel]) - dense.input_zero_point * int(row.sum())
    return bias, {source: partial(gain, source) for source in {source for source, _, _ in functions}}


def _add_line(words: JointWords, tensor: tuple[list[int], int], weight: dict[int, int], terms: dict[int, int]) -> int:
    """Add Σ weight · value to terms, and give its constant; a value is a stored integer + low."""
    constant = 0
    for place, factor in weight.items():
        stored = words.value(tensor[0][place])
        constant += factor * tensor[1]
        if isinstance(stored, int):
            constant += factor * centred(stored)
        elif isinstance(stored, Form):
            for v in stored.terms:
                terms[v] = terms.get(v, 0) + factor
    return constant
