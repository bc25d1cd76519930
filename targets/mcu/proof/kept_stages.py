"""Stages that were followed and proved before, in the user's cache.

What is kept of a stage is what following it gave: the operations on words, what the program relies on, each claim, and
what it left in registers and memory. It is taken again only where all that this follows from is the same:

- by the key: the prover's own text and that of the network's layers, versions of Python and numpy, the core, the layers
  whole, ranges and places of the stage's tensors, the function's bytes, and all registers;
- looked at again: each byte of code, constants and memory that was taken, and each object that was touched.

Only what is proved whole is kept, and only where it takes nothing from earlier stages but the stage's own inputs.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeml.proof.kept import keep, kept
from edgeml.proof.words.dataflow import Dataflow, Node, Operand
from edgeml.proof.words.kept_operations import described_layers, local_number, prover_version, renumbered
from edgeml.proof.words.values import Unknown
from edgeml.system.cache import digest_of

from .machine import Machine
from .memory import Byte, Memory, Region

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.tensor import Tensor

__all__ = ["Entry", "KeptStage", "key_of"]

_WHY = "left by a stage that was followed before"
_PROVER = "edgeml.targets.mcu.proof"


@dataclass(frozen=True, eq=False)
class Entry:
    """How a stage begins: registers, with a word of which nothing is known for each that holds one.

    Parameters
    ----------
    before : what they hold. registers : what they are taken for. first : the number of the next operation.
    """

    before: Sequence[Operand]
    registers: Sequence[Operand]
    first: int

    @classmethod
    def of(cls, machine: Machine) -> Entry:
        """Of a machine that is about to run a stage: what it holds from earlier ones is taken from it."""
        why = "what a register held before the stage"
        registers: list[Operand] = [
            item if isinstance(item, int) else machine.flow.unknown(why, item.sample) for item in machine.registers
        ]
        found = cls(list(machine.registers), registers, len(machine.flow.operations))
        machine.registers = list(registers)
        machine.anew()
        return found

    def restored(self, registers: Sequence[Operand]) -> list[Operand]:
        """Registers after the stage, with what they held before where the stage put it back."""
        held = {id(now): before for now, before in zip(self.registers, self.before, strict=True)}
        return [item if isinstance(item, int) else held.get(id(item), item) for item in registers]


def key_of(
    stage: Stage, core: str, entry: Entry, pc: int, places: Sequence[tuple[int, Tensor]], raw: int, code: bytes
) -> str:
    """What a kept stage is found by. places : addresses of its tensors, the output's last. raw : of the
    caller's bytes. code : of its function."""
    lying = [[at, t.ctype, t.low, t.size, t.padded, t.stored_low.tolist(), t.stored_high.tolist()] for at, t in places]
    registers = [item if isinstance(item, int) else None for item in entry.registers]
    head = json.dumps([core, pc, registers, raw, lying, len(stage.job.nodes), bool(stage.job.inputs)])
    return digest_of(prover_version(_PROVER), head, code, *described_layers(stage.job.nodes))


@dataclass(frozen=True)
class KeptStage:
    """What following a stage gave, as JSON holds it. Nodes have local numbers: the stage's inputs, then its operations.

    content : `operations`, `facts` [node, constant]; `words` [node or ~constant, method] of each channel, `padding`;
        `bytes` [address, hexadecimal], `taken` [address, input, byte] and `absent` addresses that were read, `regions`
        that were touched;
        `registers` and `written` [address, byte] at the end, what is unknown as None; `counts`.
    """

    content: dict[str, Any]

    @classmethod
    def find(cls, key: str, memory: Memory, regions: Collection[Region], sources: Sequence[Node]) -> KeptStage | None:
        """What was kept, if memory holds the bytes that it was made from and the objects that it touched."""

        def still(content: Any) -> KeptStage | None:
            found = cls(content)
            return found if found._still(memory, regions, sources) else None

        return kept(key, still)

    def _still(self, memory: Memory, regions: Collection[Region], sources: Sequence[Node]) -> bool:
        if not all(Region(*each) in regions for each in self.content["regions"]):
            return False
        for start, text in self.content["bytes"]:
            if any(memory.byte(start + place) != byte for place, byte in enumerate(bytes.fromhex(text))):
                return False
        if any(memory.byte(at) is not None for at in self.content["absent"]):
            return False
        return all(memory.byte(at) == (sources[k], place) for at, k, place in self.content["taken"])

    @classmethod
    def of(
        cls,
        machine: Machine,
        entry: Entry,
        sources: Sequence[Node],
        words: Sequence[tuple[Operand, str]],
        padding: Sequence[Operand],
        counts: Sequence[int],
    ) -> KeptStage | None:
        """What a stage gave that has just been followed, its memory being that of the machine still and its facts the
        flow's only ones; None if it takes what is not its own."""
        flow, memory = machine.flow, machine.memory
        for address in machine.looked_at:
            for place in range(address, address + machine.instruction(address).size):
                memory.byte(place)
        local = {node.number: k for k, node in enumerate(sources)}
        local |= {number: len(local) + k for k, number in enumerate(range(entry.first, len(flow.operations)))}
        held = {id(item): k for k, item in enumerate(entry.registers) if isinstance(item, Node)}
        try:
            content = {
                "operations": [
                    renumbered(operation, local.__getitem__) for operation in flow.operations[entry.first :]
                ],
                "facts": [[local[number], constant] for number, constant in flow.facts.items()],
                "words": [[local_number(word, local), method] for word, method in words],
                "padding": [local_number(word, local) for word in padding],
                **_read(memory.seen or {}, {node.number: k for k, node in enumerate(sources)}),
                "regions": sorted([each.name, each.start, each.end, each.writable] for each in memory.used),
                "registers": [r if isinstance(r, int) else [held.get(id(r))] for r in machine.registers],
                "written": [[at, b if isinstance(b, int) else None] for at, b in sorted(memory.written.items())],
                "counts": list(counts),
            }
        except KeyError:
            return None
        return cls(content)

    def keep(self, key: str) -> None:
        """Keep it for the next time."""
        keep(key, self.content)

    def enter(self, flow: Dataflow, sources: Sequence[Node]) -> tuple[list[tuple[Operand, str]], list[Operand]]:
        """Enter its operations and facts; (word, method) of each channel, and what lies behind them."""
        first = len(flow.operations)

        def number(local: int) -> int:
            return sources[local].number if local < len(sources) else first + local - len(sources)

        def word(local: int) -> Operand:
            if local < 0:
                return ~local
            return sources[local] if local < len(sources) else Node(number(local), Unknown(_WHY), 0)

        flow.operations += [renumbered(operation, number) for operation in self.content["operations"]]
        flow.facts |= {number(local): constant for local, constant in self.content["facts"]}
        words = [(word(local), str(method)) for local, method in self.content["words"]]
        return words, [word(local) if local < 0 else Node(number(local), 0, 0) for local in self.content["padding"]]

    def registers(self, flow: Dataflow, entry: Entry, samples: Sequence[int]) -> list[Operand] | None:
        """The registers behind it; None if they are not those of the sample."""
        found: list[Operand] = []
        for item, sample in zip(self.content["registers"], samples, strict=True):
            if isinstance(item, int):
                if item != sample:
                    return None
                found.append(item)
            else:
                found.append(flow.unknown(_WHY, sample) if item[0] is None else entry.before[item[0]])
        return found

    def written(self, flow: Dataflow) -> dict[int, Byte]:
        """The bytes that it left, by address."""
        unknown = flow.unknown(_WHY)
        return {at: (unknown, 0) if byte is None else int(byte) for at, byte in self.content["written"]}

    @property
    def counts(self) -> tuple[int, int, int]:
        """Instructions, accesses and forks."""
        instructions, accesses, forks = self.content["counts"]
        return int(instructions), int(accesses), int(forks)


def _read(seen: Mapping[int, Byte | None], sources: Mapping[int, int]) -> dict[str, Any]:
    """The bytes that were read. KeyError where one is neither a constant nor of the stage's inputs."""
    runs: list[tuple[int, bytearray]] = []
    taken, absent = [], []
    for address, byte in sorted(seen.items()):
        if byte is None:
            absent.append(address)
        elif not isinstance(byte, int):
            taken.append([address, sources[byte[0].number], byte[1]])
        elif runs and address == runs[-1][0] + len(runs[-1][1]):
            runs[-1][1].append(byte)
        else:
            runs.append((address, bytearray((byte,))))
    return {"bytes": [[start, bytes(run).hex()] for start, run in runs], "taken": taken, "absent": absent}
