"""Whether a word is the answer of the network, for all outputs: the first of the largest, or a comparison.

A search for the largest goes from output to output with the place of the largest so far, `y[k] > y[place] ? k : place`.
Each step is followed for each place j that may come into it, with j in the place's place: it must take k where
y_j < y_k and keep j elsewhere. By induction the last place is that of the first of the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...network import Network
from ...network.task import BINARY, VALUES
from .claims import Claim, Source, claim_of_function
from .concrete import OPERATIONS
from .dataflow import Dataflow, Operand

__all__ = ["label_claim"]

_CHAIN = "chain"


@dataclass(frozen=True)
class _Output:
    channel: int


@dataclass(frozen=True)
class _Less:
    """Whether one output is less than another, or (`holds` 0) is not; a constant stands for an output that is one."""

    one: int | _Output
    other: int | _Output
    holds: int


_Found = int | _Output | _Less | None


def label_claim(flow: Dataflow, word: Operand, outputs: Source, words: Sequence[Claim], network: Network) -> Claim:
    """Whether a word is the network's answer for the stored integers of its outputs.

    words : of each output the claim that its word at `output` is the stored integer + low.
    """
    if network.task == VALUES:
        same = word == 0 or (not isinstance(word, int) and word.value == 0)
        return Claim(0, word, same, _CHAIN if same else "", "" if same else "it is not 0")
    if network.task == BINARY:
        threshold = network.output.decision_threshold
        return claim_of_function(flow, 0, word, outputs, 0, lambda y: (y > threshold).astype(int))
    if not all(claim.proved for claim in words):
        return Claim(0, word, False, "", "not all outputs are proved")
    search = _Search(flow, outputs, [claim.word for claim in words])
    detail = search.wrong(word if isinstance(word, int) else word.number, isinstance(word, int))
    return Claim(0, word, not detail, "" if detail else _CHAIN, detail)


class _Search:
    def __init__(self, flow: Dataflow, outputs: Source, words: Sequence[Operand]) -> None:
        self._operations = flow.operations
        self._channels = {word.number: k for k, word in enumerate(words) if not isinstance(word, int)}
        self._constants = [word if isinstance(word, int) else None for word in words]
        ranges = [flow.operations[node.number][1:3] for node in outputs.nodes]
        self._least, self._most = [low for low, _ in ranges], [high for _, high in ranges]

    def wrong(self, word: int, constant: bool) -> str:
        """Why a word is not shown to be the place of the first of the largest; empty if it is shown."""
        steps: dict[int, tuple[int, int, Any]] = {}
        place = ~word if constant else self._plain(word)
        while place >= 0:
            name, *operands = self._operations[place]
            if name == "slt":  # 1 or 0 itself
                name, operands = "select", [place, ~1, ~0]
            if name != "select" or min(operands[1:]) >= 0:
                return "it is not found by a step for each output"
            taken = int(operands[1] == min(operands[1:]))  # a constant c stands there as ~c
            number, before = (operands[1], operands[2]) if taken else (operands[2], operands[1])
            if ~number in steps or (steps and ~number > min(steps)):
                return "it does not go through the outputs in their order"
            before = self._plain(before)
            steps[~number] = (operands[0], taken, before)
            place = before
        first = ~place
        if first >= len(self._least) or any(self._most[j] >= self._least[first] for j in range(first)):
            return f"output {first} is not always the largest of those before it"
        return self._steps(first, steps)

    def _steps(self, first: int, steps: dict[int, tuple[int, int, Any]]) -> str:
        may = [first]
        for k in range(first + 1, len(self._least)):
            if k not in steps:
                if not any(self._least[j] >= self._most[k] for j in range(k)):
                    return f"output {k} is not looked at"
                continue
            condition, taken, before = steps[k]
            for j in may:
                if not self._takes(self._at(condition, before, j, {}), j, k, taken):
                    return f"where output {j} is the largest before it, it does not take {k} just where that is larger"
            may.append(k)
        return "" if all(first < k < len(self._least) for k in steps) else "it is the place of no output"

    def _takes(self, condition: _Found, j: int, k: int, taken: int) -> bool:
        """Whether a condition, 1 or 0 as `taken` says, is that output j is less than output k."""
        if isinstance(condition, _Less):
            sides = ((condition.one, j), (condition.other, k))
            return condition.holds == taken and all(
                side == (_Output(c) if self._constants[c] is None else self._constants[c]) for side, c in sides
            )
        less, never = self._most[j] < self._least[k], self._least[j] >= self._most[k]
        return (condition == taken and less) or (condition == 1 - taken and never)

    def _plain(self, place: int) -> int:
        """A word without what adds 0 to it."""
        while place >= 0 and self._operations[place][0] == "add" and ~0 in self._operations[place][1:]:
            place = next((each for each in self._operations[place][1:] if each != ~0), ~0)
        return place

    def _at(self, word: int, place: int, at: int, known: dict[int, _Found]) -> _Found:
        """A word where the place of the largest so far is `at`."""
        if word < 0:
            return ~word
        if word == place:
            return at
        if word in self._channels:
            return _Output(self._channels[word])
        if word not in known:
            name, *operands = self._operations[word]
            if name == "select":
                condition = self._at(operands[0], place, at, known)
                chosen = isinstance(condition, int)
                known[word] = self._at(operands[1 if condition else 2], place, at, known) if chosen else None
            elif name in OPERATIONS:
                known[word] = self._made(name, [self._at(each, place, at, known) for each in operands])
            else:
                known[word] = None
        return known[word]

    def _made(self, name: str, taken: list[_Found]) -> _Found:
        one, other = taken
        if isinstance(one, int) and isinstance(other, int):
            return OPERATIONS[name](one, other)
        if name == "slt" and isinstance(one, int | _Output) and isinstance(other, int | _Output):
            return _Less(one, other, 1)
        one, other = (other, one) if isinstance(one, int) else (one, other)
        if name == "xor" and isinstance(one, _Less) and other == 1:
            return _Less(one.one, one.other, 1 - one.holds)
        if name == "add" and other == 0:
            return one
        return None
