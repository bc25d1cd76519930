"""The C of a network followed from its inputs to its outputs, for all inputs: a block of samples, then one alone.

`NAME_invoke_batch` is run on one sample more than its block holds. Where a stage begins and ends is known by its
function: it is given its tensors as objects of their own, and when it has ended, each value that it left is compared
with what its layers say of it. An integer within the range of that value takes its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.proof.statement import statement_of
from edgeml.proof.words.claims import UNTRIED, Claim, Source, claim_of
from edgeml.proof.words.dataflow import Dataflow, Node, Operand
from edgeml.proof.words.label import label_claim

from .ir_module import Module
from .ir_types import Integer
from .kept_stages import KeptStage, digest_of_function, key_of
from .machine import Machine
from .memory import FIRST, Byte, Object
from .numbers import NotFollowed, Numbers, Stopped

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram
    from edgeml.targets.c.tensor import Tensor

__all__ = ["Followed", "FollowedStage", "followable", "samples_of"]

_TYPES = {"uint8_t": Integer(8), "int16_t": Integer(16), "int32_t": Integer(32)}


@dataclass
class FollowedStage:
    """What was found of a stage for some samples.

    Parameters
    ----------
    stage : None for what runs around the stages. samples : their numbers. claims, padding : of each sample, of each
        channel of its output, and the words that must be zero behind it. steps, accesses, forks, obligations : what was
        run. stopped : why it could not be followed to its end; untried : it does what is not followed at all. broken :
        undefined behaviour that may be. kept : it was followed before, and what that gave was taken.
    """

    name: str
    stage: Stage | None
    samples: range
    claims: list[list[Claim]] = field(default_factory=list)
    padding: list[list[Operand]] = field(default_factory=list)
    steps: int = 0
    accesses: int = 0
    forks: int = 0
    obligations: int = 0
    seconds: float = 0.0
    stopped: str = ""
    untried: bool = False
    broken: list[str] = field(default_factory=list)
    kept: bool = False


def followable(program: CProgram) -> str:
    """Empty if a program can be followed; else why not."""
    unknown = [node.layer.kind for node in program.layout.network.nodes[1:] if statement_of(node, 0) is None]
    return f"{UNTRIED} layers of kind {unknown[0]}" if unknown else ""


def samples_of(program: CProgram) -> int:
    """How many samples are followed: a block, and one alone."""
    return program.layout.tile + 1


class Followed:
    """Follows `NAME_invoke_batch` of a module.

    q : the samples that are run beside, int32 [block + 1, inputs], as many as `samples_of` says.
    keep : whether stages that are proved are kept for another time, and those that were are taken.
    """

    def __init__(self, module: Module, program: CProgram, q: npt.NDArray[np.int32], *, keep: bool = False) -> None:
        self.program, self.layout, self._keep, self._module = program, program.layout, keep, module
        self.network = self.layout.network
        self.count = len(q)
        self.flow = Dataflow()
        self.flow.space.maxima = any(node.layer.kind == "maximum" for node in self.network.nodes)
        self.numbers = Numbers(self.flow)
        self.machine = Machine(module, self.numbers)
        self.stages: list[FollowedStage] = []
        self.labels: list[Claim] = []
        self.sources: dict[tuple[str, int], list[Node]] = {}
        self.variables: dict[int, tuple[str, int, int]] = {}
        self._of_samples = 0
        self.raw = self._raw(q)
        new = self.machine.memory.new
        cells: list[Byte] = [(node, 0) for row in self.raw for node in row]
        self._input = new("input", cells or [None] * (self.network.input_size * self.count), writable=False)
        self._output = new("output", [None] * (4 * self.network.output_size * self.count), 4)
        self._labels = new("labels", [None] * (4 * self.count), 4)
        alignment, tile = self.layout.dialect.alignment, samples_of(program) - 1
        self._arena = new("the arena", [None] * (program.arena_bytes * tile), alignment)

    def _raw(self, q: npt.NDArray[np.int32]) -> list[list[Node]]:
        """What the caller gives, of each sample."""
        low, high = (-128, 127) if self.network.quantizer.signed else (0, 255)
        return [
            [self._new("", sample, place, low, high, int(q[sample, place])) for place in range(self.network.input_size)]
            for sample in range(self.count)
        ]

    def _new(self, tensor: str, sample: int, channel: int, low: int, high: int, value: int) -> Node:
        self.variables[len(self.flow.space.low)] = (tensor, sample, channel)
        return self.flow.input(low, high, value)

    def run(self, announce: Callable[[str], None], seconds: float) -> None:
        """Follow all of it."""
        machine, name = self.machine, self.layout.name
        machine.until = time.process_time() + seconds
        for stage in self.layout.stages:
            machine.calls[stage.job.prefix] = self._hook(stage, announce)
        rest = FollowedStage("outputs", None, range(self.count))
        before = self._counts()
        try:
            machine.run(
                f"{name}_invoke_batch",
                [self._input.address, self.count, self._output.address, self._labels.address, self._arena.address],
            )
        except Stopped as error:
            rest.stopped = str(error)
        self._count(rest, before)
        for found in self.stages:
            rest.steps, rest.accesses = rest.steps - found.steps, rest.accesses - found.accesses
            rest.obligations, rest.seconds = rest.obligations - found.obligations, rest.seconds - found.seconds
        if not rest.stopped:
            self._outputs(rest)
        self.stages.append(rest)

    def _counts(self) -> tuple[int, int, int, int, float, int]:
        machine, numbers = self.machine, self.numbers
        counts = machine.steps, machine.memory.accesses, machine.forks, numbers.obligations
        return (*counts, time.process_time(), len(numbers.broken))

    def _count(self, found: FollowedStage, before: tuple[int, int, int, int, float, int]) -> None:
        steps, accesses, forks, obligations, seconds, _ = (b - a for a, b in zip(before, self._counts(), strict=True))
        found.steps, found.accesses, found.forks = int(steps), int(accesses), int(forks)
        found.obligations, found.seconds = int(obligations), seconds
        found.broken = self.numbers.broken[before[-1] :]
        del self.numbers.broken[before[-1] :]

    # Stages

    def _hook(self, stage: Stage, announce: Callable[[str], None]) -> Callable[[list[Any]], None]:
        def run(arguments: list[Any]) -> None:
            count = self.machine.constant(arguments[-1], "the number of samples")
            samples = range(count) if count > 1 else range(self.count - 1, self.count)
            if self.numbers.path != 1:
                raise Stopped("a stage is called in a branch")
            announce(f"following {stage.name}")
            self.stages.append(self._stage(stage, samples, arguments))

        return run

    def _stage(self, stage: Stage, samples: range, arguments: list[Any]) -> FollowedStage:
        found, before = FollowedStage(stage.name, stage, samples), self._counts()
        tile, first = len(samples), len(self.flow.operations)
        taken = self._taken(stage, samples, arguments)
        output = self._object(stage.output, samples, writable=True)
        scratch = []
        if padded := self._scratch(stage):
            left: list[Byte] = [(self.flow.unknown("what lay in scratch memory"), 0) for _ in range(padded * tile)]
            scratch = [self.machine.memory.new(f"the scratch memory of {stage.name}", left, 64)]
            self._must_be(arguments[-2], self._at(stage.scratch_offset, tile), "scratch memory")
        place = len(taken)
        self._must_be(arguments[place], self._at(stage.offset, tile), f"tensor {stage.name}")
        objects = [*taken, output, *scratch]
        key = self._key(stage, samples, taken)
        if not key or not self._take(KeptStage.find(key), found):
            facts, self.flow.facts = self.flow.facts, {}
            try:
                self.machine.run(stage.job.prefix, [*(each.address for each in objects), tile])
            except (Stopped, RecursionError) as error:
                found.stopped, found.untried = str(error), isinstance(error, NotFollowed)
            self._left(found, output)
            claims = [claim for row in found.claims for claim in row]
            found.untried |= bool(found.stopped) and all(claim.detail.startswith(UNTRIED) for claim in claims)
            if key and self._is_proved(found, before):
                self._keep_stage(key, found, first, before)
            self.flow.facts = facts | self.flow.facts
        for each in objects:
            if each is not self._input:
                self.machine.memory.end(each)
        self._count(found, before)
        self._go_on(found)
        return found

    def _key(self, stage: Stage, samples: range, taken: Sequence[Object]) -> str:
        """What a stage is kept by; empty where its inputs are not those that the plan says, or may be written."""
        expected = [
            [cell for sample in samples for cell in self._cells(tensor, self.sources[tensor.name, sample])]
            for tensor in stage.job.inputs
        ]
        function = digest_of_function(self._module, stage.job.prefix) if self._keep else None
        if function is None or (stage.job.inputs and [each.cells for each in taken] != expected):
            return ""
        return key_of(stage, len(samples), function, self._scratch(stage), [*stage.job.inputs, stage.output])

    def _nodes_taken(self, found: FollowedStage) -> list[Node]:
        """The integers that a stage takes, sample by sample."""
        assert found.stage is not None
        return [
            node for sample in found.samples for source in self._sources(found.stage, sample) for node in source.nodes
        ]

    def _take(self, kept: KeptStage | None, found: FollowedStage) -> bool:
        """Enter what following a stage gave before; False if there is nothing."""
        if kept is None:
            return False
        steps, accesses, forks, obligations = kept.counts
        self.machine.steps += steps
        self.machine.memory.accesses += accesses
        self.machine.forks += forks
        self.numbers.obligations += obligations
        found.claims, found.padding = kept.enter(self.flow, self._nodes_taken(found))
        found.kept = True
        return True

    def _is_proved(self, found: FollowedStage, before: tuple[int, int, int, int, float, int]) -> bool:
        """Whether nothing of a stage is open."""
        words = [word if isinstance(word, int) else word.value for row in found.padding for word in row]
        proved = all(claim.proved for row in found.claims for claim in row) and not any(word != 0 for word in words)
        return proved and not found.stopped and len(self.numbers.broken) == before[-1]

    def _keep_stage(
        self, key: str, found: FollowedStage, first: int, before: tuple[int, int, int, int, float, int]
    ) -> None:
        counts = [int(now - then) for now, then in zip(self._counts()[:4], before[:4], strict=True)]
        made = KeptStage.of(self.flow, first, self._nodes_taken(found), found.claims, found.padding, counts)
        if made is not None:
            made.keep(key)

    def _scratch(self, stage: Stage) -> int:
        """Bytes of scratch memory that a stage has for each sample."""
        alignment = self.layout.dialect.alignment
        return -(-stage.code.scratch_bytes // alignment) * alignment

    def _at(self, offset: int, tile: int) -> int:
        return self._arena.address + offset * tile

    def _must_be(self, address: Any, wanted: int, what: str) -> None:
        """A stage is called with other memory than the plan says: nothing that follows would be of this network."""
        if address != wanted:
            raise Stopped(f"a stage is called with another place for {what} than the plan says")

    def _taken(self, stage: Stage, samples: range, arguments: list[Any]) -> list[Object]:
        """The objects that a stage reads."""
        if not stage.job.inputs:
            size = self.network.input_size
            self._must_be(arguments[0], self._input.address + samples[0] * size, "the input")
            cells = [(node, 0) for sample in samples for node in self.raw[sample]]
            return [self.machine.memory.new("the input of the samples", cells, writable=False)]
        objects = []
        for tensor, address in zip(stage.job.inputs, arguments, strict=False):
            (offset,) = (each.offset for each in self.layout.stages if each.output is tensor)
            self._must_be(address, self._at(offset, len(samples)), f"tensor {tensor.name}")
            found = self._object(tensor, samples, writable=False)
            start = (self._at(offset, len(samples)) & 0xFFFF_FFFF) - FIRST
            found.cells[:] = self._arena.cells[start : start + len(found.cells)]
            objects.append(found)
        return objects

    def _object(self, tensor: Tensor, samples: range, *, writable: bool) -> Object:
        cells = [None] * (tensor.bytes * len(samples))
        return self.machine.memory.new(f"tensor {tensor.name}", cells, 64, writable=writable)

    def _sources(self, stage: Stage, sample: int) -> list[Source]:
        if not stage.job.inputs:
            return [Source(self.raw[sample], 0)]
        return [Source(self.sources[tensor.name, sample], tensor.low) for tensor in stage.job.inputs]

    def _left(self, found: FollowedStage, output: Object) -> None:
        """Compare what a stage left with its layers."""
        assert found.stage is not None
        tensor = found.stage.output
        for order, sample in enumerate(found.samples):
            start = order * tensor.bytes
            words = [self._word(found, output, start + c * tensor.item_bytes, tensor) for c in range(tensor.size)]
            sources = self._sources(found.stage, sample)
            found.claims.append(
                [claim_of(self.flow, found.stage, channel, word, sources) for channel, word in enumerate(words)]
            )
            behind = range(tensor.size, tensor.padded) if tensor.ctype == "uint8_t" else ()
            found.padding.append([self._word(found, output, start + place, tensor) for place in behind])

    def _word(self, found: FollowedStage, output: Object, at: int, tensor: Tensor) -> Operand:
        """A stored integer as a word; one of which nothing is known where it was not come to."""
        if found.stopped:
            return self.flow.unknown(f"{UNTRIED} {found.stopped}" if found.untried else found.stopped)
        size = tensor.item_bytes
        word = self.machine.memory.load(_TYPES[tensor.ctype], output.address + at, 1)
        if word is None:
            return self.flow.unknown("nobody wrote it")
        cut = self.numbers.signs if size > 1 else self.numbers.zeros
        return cut(word, 8 * size)

    def _go_on(self, found: FollowedStage) -> None:
        """Put integers within the ranges in the place of what a stage left."""
        assert found.stage is not None
        stage, tensor = found.stage, found.stage.output
        size, tile = tensor.item_bytes, len(found.samples)
        start = (self._at(stage.offset, tile) & 0xFFFF_FFFF) - FIRST
        cells: list[Byte] = []
        for sample, claims in zip(found.samples, found.claims, strict=True):
            nodes = []
            for channel, claim in enumerate(claims):
                low, high = int(tensor.stored_low[channel]), int(tensor.stored_high[channel])
                value = claim.word if isinstance(claim.word, int) else claim.word.sample
                value = value - (1 << 32) if size > 1 and value >> 31 else value
                nodes.append(self._new(tensor.name, sample, channel, low, high, min(max(value, low), high)))
            self.sources[tensor.name, sample] = nodes
            cells += self._cells(tensor, nodes)
        self._arena.cells[start : start + len(cells)] = cells
        self.flow.space.forget()
        self.numbers.forget()

    @staticmethod
    def _cells(tensor: Tensor, nodes: Sequence[Node]) -> list[Byte]:
        """The bytes of a tensor that holds these integers."""
        cells: list[Byte] = [(node, place) for node in nodes for place in range(tensor.item_bytes)]
        rest = tensor.bytes - len(cells)
        return [*cells, *[0 if tensor.ctype == "uint8_t" else None] * rest]

    def _outputs(self, rest: FollowedStage) -> None:
        """The words at `output` are the integers of the last stage, those at `labels` what the network decides."""
        tensor = self.layout.stages[-1].output
        size = self.network.output_size
        for sample in range(self.count):
            claims = []
            for channel, node in enumerate(self.sources[tensor.name, sample]):
                at = self._output.address + 4 * (sample * size + channel)
                claims.append(Claim.of_copy(self.flow, channel, self._written(at), node, tensor.low))
            rest.claims.append(claims)
            outputs, label = Source(self.sources[tensor.name, sample], tensor.low), self._labels.address + 4 * sample
            self.labels.append(label_claim(self.flow, self._written(label), outputs, claims, self.network))

    def _written(self, address: int) -> Operand:
        """A word that the program left."""
        word: Operand | None = self.machine.memory.load(Integer(32), address, 4)
        return self.flow.unknown("nobody wrote it") if word is None else word

    def samples_of_outputs(self) -> npt.NDArray[np.int64]:
        """The outputs for the samples that were run beside, int64 [samples, outputs]."""
        rows: Sequence[list[Claim]] = self.stages[-1].claims
        words = [[c.word if isinstance(c.word, int) else c.word.sample for c in row] for row in rows]
        return np.array(words, np.uint32).astype(np.int32).astype(np.int64)

    def check_samples(self, golden: npt.NDArray[np.int32]) -> None:
        """Raise CheckFailed where all is proved and the samples' outputs are not those of the golden simulator."""
        if self.stages[-1].claims and not np.array_equal(self.samples_of_outputs(), golden):
            raise CheckFailed("the C", "is read otherwise than it runs", "Report this: it is a fault of edgeml")
