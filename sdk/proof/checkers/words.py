"""The second look at a certificate of operations on words: every word followed again, every claim from the network.

This file shares no code with what writes C, with what reads machine code or with what proves. What it does not look at
is the machine code: that the operations are those of the instructions is the prover's word (docs/proofs.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...network import Network
from .statements import Claims, check_statements, integer, integers, need
from .word_values import ALL, Form, Known, Words, centred, form_of

__all__ = ["check_certificate"]

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
        own = {name: claims[name + behind] for name in [*last, "outputs"]}
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
    words = Words(content, {integer(word) for word in wanted if word is not None} | set(variables))
    ends = (-128, 127) if network.quantizer.signed else (0, 255)
    need(all(words.ends(value) == ends for value in raw), "input", "leaves out some integers")
    of_tensor = {"": (raw, 0)} | {stage.names[-1]: (stage.values, stage.low) for stage in stages}
    for stage in stages:
        stage.check(words, claims[stage.names[-1]], of_tensor)
    values, low = of_tensor[network.nodes[-1].name]
    for channel, claim in enumerate(claims["outputs"]):
        need(not _is_proved(claim) or len(claims["outputs"]) == len(values), "outputs", "are not all")
        stated = words.add(words.value(values[channel]), low & ALL)
        need(
            not _is_proved(claim) or words.same(words.value(claim["word"]), stated), "outputs", f"{channel} is another"
        )
    return {stage.names[-1]: len(stage.values) + bool(stage.padded) for stage in stages} | {"outputs": len(values)}


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

    def check(self, words: Words, claims: Claims, of_tensor: dict[str, tuple[list[int], int]]) -> None:
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
                zero = len(padding) == self.padded and all(words.value(word) == 0 for word in padding)
                need(zero, name, "leaves something behind its integers")
                continue
            found = words.value(integer(claim["word"]))
            need(self._holds(words, found, channel, taken), name, f"{channel} is not what the network says")

    def _holds(self, words: Words, found: Known, channel: int, taken: list[tuple[list[int], int]]) -> bool:
        """Whether a word is the stored integer of a channel."""
        first: Any = self.nodes[0].layer
        last: Any = self.nodes[-1].layer
        terms: dict[int, int] = {}
        constant, weights = 0, [{int(first.source[channel]) if first.kind == "encode" else channel: 1}]
        if first.kind == "dense":
            weights = [dict(enumerate(first.weight[channel].tolist()))]
            constant = int(first.bias[channel]) - first.input_zero_point * sum(weights[0].values())
        elif first.kind == "add":
            weights = [weights[0], weights[0]]
        for tensor, weight in zip(taken, weights, strict=True):
            constant += _add_line(words, tensor, weight, terms)
        if first.kind in ("dense", "add") and len(self.nodes) == 1:
            return words.same(found, form_of(terms, constant - self.low))
        function = _function(last, channel)
        if function is None or len(self.nodes) > 2 or (len(self.nodes) == 2 and first.kind != "dense"):
            return False
        terms = {v: c for v, c in terms.items() if c}
        if not terms:
            return found == int(function(np.array([constant]))[0] - self.low) & ALL
        base, factor = words.base(terms)
        column = None if base is None else words.over(found, base)
        if base is None or column is None:
            return False
        values = function(factor * np.arange(base.low, base.high + 1) + constant) - self.low
        return bool(np.array_equal(np.broadcast_to(column, values.shape), (values & ALL).astype(np.uint32)))


def _add_line(words: Words, tensor: tuple[list[int], int], weight: dict[int, int], terms: dict[int, int]) -> int:
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


def _function(layer: Any, channel: int) -> Callable[[Column], Column] | None:
    """What a layer says of one channel: of integers [rows] the integers."""
    if layer.kind == "input_quantizer":
        return lambda x: np.clip(x, layer.low, layer.high)
    if layer.kind == "threshold":
        row = np.sort(layer.thresholds[channel].astype(np.int64))
        return lambda x: np.searchsorted(row, x, side="right") + layer.base
    alone = layer
    if layer.kind == "requantize" and layer.per_channel:
        parts = ("multiplier", "shift", "fraction")
        alone = replace(layer, **{p: w[[channel]] for p in parts if (w := getattr(layer, p)) is not None})
    if layer.kind == "encode":
        alone = type(layer)(np.zeros(1, np.int32), layer.rule[[channel]], layer.operand[[channel]], 1)
    known = layer.kind in ("requantize", "lookup", "encode")
    return (lambda x: alone.evaluate(x[:, None])[:, 0].astype(np.int64)) if known else None
