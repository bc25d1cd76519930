"""Stages of C that were followed and proved before, in the user's cache.

What is kept of a stage is what following it gave: operations on words, what the program relies on, each claim. It is
found by all that this follows from: the prover's own text and that of the network's layers, versions of Python and
numpy, the layers whole, ranges and types of the stage's tensors, how many samples, and each function and constant that
the stage's own function leads to. It is taken only where memory holds the stage's inputs and nothing else.

Addresses are no part of it: no more is done with them than to read, to write, and to compare those of one object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeml.proof.kept import keep, kept
from edgeml.proof.words.claims import Claim
from edgeml.proof.words.concrete import OPERATIONS
from edgeml.proof.words.dataflow import Dataflow, Node, Operand, looked_up
from edgeml.proof.words.kept_operations import described_layers, local_number, prover_version, renumbered
from edgeml.proof.words.values import Unknown
from edgeml.system.cache import digest_of

from .ir_module import Constant, Function, Module, Symbol

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.tensor import Tensor

__all__ = ["KeptStage", "digest_of_function", "key_of"]

_PROVER = "edgeml.targets.cpu.proof"
_WHY = "left by a stage that was followed before"
_NAMES = re.compile(r'@([\w.$-]+|"[^"]*")')
_ATTRIBUTES = re.compile(r" #\d+$")


def digest_of_function(module: Module, name: str) -> str | None:
    """A digest of a function and of all functions and constants that it leads to; None where one may be written."""
    parts: list[str] = [repr(sorted(module.types.items()))]
    seen, waiting = {name}, [name]
    while waiting:
        here = waiting.pop()
        if here in module.functions:
            text = _text(module.functions[here])
            names = [each.strip('"') for each in _NAMES.findall(text)]
        elif here in module.globals:
            held = module.globals[here]
            if not held.constant:
                return None
            text = repr([held.type, held.value, held.alignment])
            names = _symbols(held.value)
        else:
            text, names = "", []
        parts += [here, text]
        fresh = sorted(set(names) - seen, reverse=True)
        seen.update(fresh)
        waiting += fresh
    return digest_of(*parts)


def _text(function: Function) -> str:
    """A function as it was read, without the numbers of its attributes, which count those of others."""
    lines = [repr([(name, type_) for name, type_ in function.parameters])]
    for block in function.blocks:
        lines.append(f"{block.name}:")
        lines += [_ATTRIBUTES.sub("", each.text) for each in block.instructions]
    return "\n".join(lines)


def _symbols(value: Any) -> list[str]:
    """The names of other objects in a constant."""
    if isinstance(value, Symbol):
        return [value.name]
    if isinstance(value, Constant):
        return _symbols(value.value)
    return [name for each in value for name in _symbols(each)] if isinstance(value, list) else []


def key_of(stage: Stage, samples: int, function: str, scratch: int, tensors: Sequence[Tensor]) -> str:
    """What a kept stage is found by. function : the digest of its C. scratch : bytes. tensors : the output's last."""
    lying = [[t.ctype, t.low, t.size, t.padded, t.stored_low.tolist(), t.stored_high.tolist()] for t in tensors]
    head = json.dumps([samples, scratch, lying, len(stage.job.nodes), bool(stage.job.inputs)])
    return digest_of(prover_version(_PROVER), head, function, *described_layers(stage.job.nodes))


@dataclass(frozen=True)
class KeptStage:
    """What following a stage gave, as JSON holds it. Nodes have local numbers: the stage's inputs, then its operations.

    content : `operations`, `facts` [node, constant]; of each sample `words` [node or ~constant, method] of each channel
        and `padding`; `counts` of steps, accesses, forks and obligations.
    """

    content: dict[str, Any]

    @classmethod
    def find(cls, key: str) -> KeptStage | None:
        """What was kept."""
        return kept(key, cls)

    @classmethod
    def of(
        cls,
        flow: Dataflow,
        first: int,
        sources: Sequence[Node],
        claims: Sequence[Sequence[Claim]],
        padding: Sequence[Sequence[Operand]],
        counts: Sequence[int],
    ) -> KeptStage | None:
        """What a stage gave that has just been followed, its operations from `first` on and the flow's facts its own;
        None if it takes what is not its own."""
        local = {node.number: k for k, node in enumerate(sources)}
        local |= {number: len(local) + k for k, number in enumerate(range(first, len(flow.operations)))}
        try:
            content = {
                "operations": [renumbered(operation, local.__getitem__) for operation in flow.operations[first:]],
                "facts": [[local[number], constant] for number, constant in flow.facts.items()],
                "words": [[[local_number(claim.word, local), claim.method] for claim in row] for row in claims],
                "padding": [[local_number(word, local) for word in row] for row in padding],
                "counts": list(counts),
            }
        except KeyError:
            return None
        return cls(content)

    def keep(self, key: str) -> None:
        """Keep it for the next time."""
        keep(key, self.content)

    def enter(self, flow: Dataflow, sources: Sequence[Node]) -> tuple[list[list[Claim]], list[list[Operand]]]:
        """Enter its operations and facts; of each sample the claims, and what lies behind the channels."""
        nodes = list(sources)
        for operation in self.content["operations"]:
            made = renumbered(operation, lambda local: nodes[local].number)
            sample = _sample(operation, nodes)
            nodes.append(Node(len(flow.operations), Unknown(_WHY), sample))
            flow.operations.append(made)
        flow.facts |= {nodes[local].number: constant for local, constant in self.content["facts"]}
        words = self.content["words"]
        claims = [
            [Claim(channel, _word(local, nodes), True, str(method)) for channel, (local, method) in enumerate(row)]
            for row in words
        ]
        padding = [
            [0 if local < 0 else Node(nodes[local].number, 0, 0) for local in row] for row in self.content["padding"]
        ]
        return claims, padding

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Steps, accesses, forks and obligations."""
        steps, accesses, forks, obligations = map(int, self.content["counts"])
        return steps, accesses, forks, obligations


def _word(local: int, nodes: Sequence[Node]) -> Operand:
    return ~local if local < 0 else nodes[local]


def _sample(operation: Sequence[Any], nodes: Sequence[Node]) -> int:
    """What an operation gives for the sample that is run beside."""
    name, *operands = operation
    if name == "unknown":
        return 0
    if name == "lookup":
        at, first, step, entries = operands
        return int(looked_up(np.array([nodes[at].sample], np.uint32), first, step, entries)[0])
    return OPERATIONS[name](*(~each if each < 0 else nodes[each].sample for each in operands))
