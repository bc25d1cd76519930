"""A network's firmware followed from its inputs to its outputs, for all inputs, stage after stage.

Where a stage begins and ends is known by its function. When it has ended, each value that it left in the arena is
compared with what its layers say of it, and an integer within the range of that value takes its place: a stage takes
those before it for granted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.proof.words.claims import Claim, Source, claim_of
from edgeml.proof.words.dataflow import Dataflow, Node, Operand
from edgeml.proof.words.label import label_claim
from edgeml.proof.words.packed import PackedClaims

from .emulated_core import EmulatedCore
from .followed_stage import FollowedStage
from .instruction_sets import instruction_set
from .kept_stages import Entry, KeptStage, key_of
from .machine import Machine, Stopped
from .memory import Memory, OutsideObject, Region
from .mve import clear_vectors

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram
    from edgeml.targets.c.tensor import Tensor

__all__ = ["Followed", "FollowedStage"]

_ON_BITS = ("bits_pairs", "bits_single")
_STORED = {"uint8_t": "<u1", "int16_t": "<i2", "int32_t": "<i4"}


class Followed:
    """Follows `NAME_invoke` of an image in an emulator.

    q : the sample whose instructions are compared with the emulator's, int32 [inputs]. keep : whether stages that are
    proved are kept for another time, and those that were are taken.
    """

    def __init__(self, emulator: EmulatedCore, program: CProgram, q: npt.NDArray[np.int32], keep: bool = False) -> None:
        self._keep = keep
        self.flow = Dataflow()
        self.layout = program.layout
        self.network = program.layout.network
        self.flow.space.maxima = any(node.layer.kind == "maximum" for node in self.network.nodes)
        self._emulator = emulator
        self._image = emulator.image
        quantizer = self.network.quantizer
        self._input = emulator.allocate(self.network.input_size, 1)
        self._output = emulator.allocate(4 * self.network.output_size)
        self._arena = emulator.allocate(program.arena_bytes, program.layout.dialect.alignment)
        self._arena_bytes = program.arena_bytes
        self.stages: list[FollowedStage] = []
        self.sources: dict[str, list[Node]] = {}
        self.variables: dict[int, tuple[str, int]] = {}
        self.raw: list[Node] = []
        self.label = Claim(0, 0, False)
        emulator.write(self._input, q.astype(np.int8 if quantizer.signed else np.uint8).tobytes())
        name = f"{self.layout.name}_invoke"
        self._steps = emulator.blocks(name, self._input, self._output, self._arena)
        self._step = self._left_in_block = 0
        self.machine = self._machine(name)
        for place, value in enumerate(q):
            low, high = (-128, 127) if quantizer.signed else (0, 255)
            node = self._new("", place, low, high, int(value))
            self.raw.append(node)
            self.machine.memory.store(self._input + place, 1, node)

    def _new(self, tensor: str, channel: int, low: int, high: int, sample: int) -> Node:
        self.variables[len(self.flow.space.low)] = (tensor, channel)
        return self.flow.input(low, high, sample)

    def _machine(self, function: str) -> Machine:
        flash = {segment.address: segment.content for segment in self._image.segments}
        memory = Memory(self.flow, flash)
        core = instruction_set(self._emulator.core)
        machine = Machine(core, self.flow, memory)
        first = self._steps[0]
        machine.registers = list(first[2:])
        machine.pc = first[0]
        machine.returns = [(self._emulator.returns_to, machine.stack_pointer())]
        machine.watch = self._compare
        memory.regions = [*self._constant_regions(), *self._around()]
        if self._emulator.core.mve:
            clear_vectors(memory)
        return machine

    def _constant_regions(self) -> Iterator[Region]:
        for symbol in self._image.symbols.values():
            if symbol.size:
                yield Region(symbol.name, symbol.address, symbol.address + symbol.size, False)

    def _around(self) -> list[Region]:
        """What all may touch but the stages."""
        outputs = 4 * self.network.output_size
        return [
            Region("stack", *self._emulator.stack, True),
            Region("input", self._input, self._input + self.network.input_size, False),
            Region("output", self._output, self._output + outputs, True),
            Region("arena", self._arena, self._arena + self._arena_bytes, True),
        ]

    def _of_stage(self, stage: Stage) -> list[Region]:
        """What a stage may touch: its tensors, its scratch memory and the stack."""
        regions = [Region("stack", *self._emulator.stack, True)]
        if not stage.job.inputs:
            regions.append(Region("input", self._input, self._input + self.network.input_size, False))
        for tensor in stage.job.inputs:
            start = self._place(tensor)
            regions.append(Region(tensor.name, start, start + tensor.bytes, False))
        start = self._arena + stage.offset
        regions.append(Region(stage.output.name, start, start + stage.output.bytes, True))
        if stage.code.scratch_bytes:
            start = self._arena + stage.scratch_offset
            regions.append(Region("scratch", start, start + stage.code.scratch_bytes, True))
        return regions

    def _place(self, tensor: Tensor) -> int:
        (offset,) = (stage.offset for stage in self.layout.stages if stage.output is tensor)
        return self._arena + offset

    def _compare(self, machine: Machine) -> None:
        """Raise CheckFailed unless address and registers are the emulator's wherever one of its blocks begins."""
        if self._left_in_block:
            self._left_in_block -= 1
            return
        if self._step == len(self._steps):
            return
        at, count, *registers = self._steps[self._step]
        self._step += 1
        self._left_in_block = count - 1
        ours = [item if isinstance(item, int) else item.sample for item in machine.registers]
        if at != machine.pc or ours != registers:
            raise CheckFailed(
                f"{self._emulator.core.title}, instruction {self._step}",
                f"read otherwise than by the emulator: {machine.at:#010x}, or what came before {machine.pc:#010x}",
                "Report this: it is a fault of edgeml",
            )

    def run(self, announce: Callable[[str], None], seconds: float) -> None:
        """Follow all of it."""
        self.machine.until = time.process_time() + seconds
        entries = self._entries()
        rest = FollowedStage("outputs", None)
        while True:
            before = self._counts()
            try:
                self.machine.run(*entries, self._emulator.returns_to)
            except (Stopped, CheckFailed) as error:
                rest.stopped = str(error)
                break
            rest.add(before, self._counts())
            if self.machine.pc == self._emulator.returns_to:
                break
            stage = entries[self.machine.pc]
            announce(f"following {stage.name}")
            self.stages.append(self._stage(stage))
        if not rest.stopped:
            if self._step != len(self._steps):
                raise CheckFailed(self._emulator.core.title, "the emulator took other ways than the proof")
            self._outputs(rest)
        self.stages.append(rest)

    def differs(self, q: npt.NDArray[np.int32]) -> str:
        """Whether the operations found give other outputs for q [samples, inputs] than the emulator, in words."""
        given: dict[int, Operand] = {}
        for found in self.stages:
            if found.stage is not None:
                nodes = self.sources[found.stage.output.name]
                given.update({node.number: claim.word for node, claim in zip(nodes, found.claims, strict=True)})
        raw = {node.number: q[:, place].astype(np.uint32) for place, node in enumerate(self.raw)}

        def column(number: int, known: Mapping[int, npt.NDArray[np.uint32]]) -> npt.NDArray[np.uint32]:
            if number in raw:
                return raw[number]
            word = given[number]
            return np.array([word], np.uint32) if isinstance(word, int) else known[word.number]

        columns = self.flow.columns(column)
        outputs = [*(claim.word for claim in self.stages[-1].claims), self.label.word]
        for row, sample in enumerate(q):
            y, label = self.answer(sample)
            ours = [w if isinstance(w, int) else int(np.broadcast_to(columns[w.number], len(q))[row]) for w in outputs]
            theirs = [*y.view(np.uint32).tolist(), label]
            if ours != theirs:
                return f"sample {row}: {ours}, in the emulator {theirs}"
        return ""

    def answer(self, sample: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], int]:
        """Outputs, int32 [outputs], and label of a sample, q [inputs], in the emulator."""
        dtype = np.int8 if self.network.quantizer.signed else np.uint8
        self._emulator.write(self._input, sample.astype(dtype).tobytes())
        called = self._emulator.call(f"{self.layout.name}_invoke", self._input, self._output, self._arena)
        return np.frombuffer(self._emulator.read(self._output, 4 * self.network.output_size), "<i4"), called.result

    def _entries(self) -> dict[int, Stage]:
        """The stages by the addresses of their functions."""
        missing = [stage.name for stage in self.layout.stages if stage.job.prefix not in self._image.symbols]
        if missing:
            raise CheckFailed("firmware image", f"has no function of its own for layer {missing[0]}")
        return {self._image.symbols[stage.job.prefix].address: stage for stage in self.layout.stages}

    def emulated(self, stage: Stage, stored: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        """What a stage of the image leaves, stored integers [channels], where it is given these stored inputs."""
        contents = {}
        for tensor, values in zip(stage.job.inputs, stored, strict=bool(stage.job.inputs)):
            padded = np.zeros(tensor.padded, np.int64)
            padded[: tensor.size] = values
            contents[self._place(tensor)] = padded.astype(_STORED[tensor.ctype]).tobytes()
        if not stage.job.inputs:
            contents[self._input] = stored[0].astype(np.uint8).tobytes()
        start, output = self._arena + stage.offset, stage.output
        found = self._emulator.call_holding(
            f"{self.layout.name}_invoke",
            self._input,
            self._output,
            self._arena,
            entry=self._image.symbols[stage.job.prefix].address,
            contents=contents,
            place=start,
            size=output.bytes,
        )
        return np.frombuffer(found, _STORED[output.ctype])[: output.size].astype(np.int64)

    def objects(self, stage: Stage) -> list[Region]:
        """What a stage may touch, constants included."""
        return [*self._constant_regions(), *self._of_stage(stage)]

    def touches(self, outside: OutsideObject, q: npt.NDArray[np.int32]) -> bool:
        """Whether the emulator makes that access for a sample q [inputs]."""
        dtype = np.int8 if self.network.quantizer.signed else np.uint8
        self._emulator.write(self._input, q.astype(dtype).tobytes())
        arguments = self._input, self._output, self._arena
        return self._emulator.makes_access(
            f"{self.layout.name}_invoke",
            *arguments,
            at=outside.at,
            address=outside.address,
            size=outside.size,
            write=outside.write,
        )

    def _counts(self) -> tuple[int, int, int, float]:
        machine = self.machine
        return machine.steps, machine.accesses, machine.forks, time.process_time()

    def _stage(self, stage: Stage) -> FollowedStage:
        machine, found = self.machine, FollowedStage(stage.name, stage)
        before, outer = self._counts(), machine.memory
        link, stack = machine.registers[machine.core.link], machine.stack_pointer()
        assert isinstance(link, int)
        entry = Entry.of(machine)
        regions = self.objects(stage)
        sources = [node for source in self._sources(stage) for node in source.nodes]
        key = self._key(stage, entry) if self._keep and stage.code.kernel not in _ON_BITS else ""
        kept = KeptStage.find(key, outer, regions, sources) if key else None
        if kept is None or not self._take(kept, found, entry, link & ~1):
            machine.memory = outer.watched()
            machine.memory.regions = regions
            facts, self.flow.facts = self.flow.facts, {}
            self._follow(found, entry, link & ~1, stack)
            found.add(before, self._counts())
            if key and not found.stopped and all(claim.proved for claim in found.claims):
                words = [(claim.word, claim.method) for claim in found.claims]
                counts = found.instructions, found.accesses, found.forks
                if (made := KeptStage.of(machine, entry, sources, words, found.padding, counts)) is not None:
                    made.keep(key)
            self.flow.facts = facts | self.flow.facts
            if not found.stopped:
                outer.written.update(machine.memory.written)
                machine.registers = entry.restored(machine.registers)
            machine.memory = outer
        self._go_on(found)
        return found

    def _follow(self, found: FollowedStage, entry: Entry, link: int, stack: int) -> None:
        """Run a stage, and compare what it left with its layers."""
        assert found.stage is not None
        step = self._step
        try:
            self.machine.run(link, stack=stack)
        except (Stopped, CheckFailed) as error:
            found.stopped = str(error)
            found.outside = error if isinstance(error, OutsideObject) else None
            self._resume_behind(link, entry.registers, step)
        sources = self._sources(found.stage)
        words, found.padding = self._left(found)
        if found.stage.code.kernel in _ON_BITS and not found.stopped:
            packed = PackedClaims(self.flow, found.stage, sources)
            found.claims = [packed.claim(channel, word) for channel, word in enumerate(words)]
            for word in found.padding:
                if isinstance(word, Node) and packed.is_zero(word.number):
                    word.value = 0
            return
        found.claims = [claim_of(self.flow, found.stage, channel, word, sources) for channel, word in enumerate(words)]

    def _key(self, stage: Stage, entry: Entry) -> str:
        """What a stage is kept by."""
        symbol = self._image.symbols[stage.job.prefix]
        code = bytes(
            byte for k in range(symbol.size) if isinstance(byte := self.machine.memory.byte(symbol.address + k), int)
        )
        places = [(self._place(tensor), tensor) for tensor in stage.job.inputs]
        places.append((self._arena + stage.offset, stage.output))
        return key_of(stage, self._emulator.core.name, entry, symbol.address, places, self._input, code)

    def _take(self, kept: KeptStage, found: FollowedStage, entry: Entry, link: int) -> bool:
        """Go on behind a stage with what was kept of it; False if it does not end as the sample does."""
        machine = self.machine
        assert found.stage is not None
        step = self._ends(link, entry.registers, self._step)
        registers = kept.registers(self.flow, entry, self._steps[step][2:])
        if registers is None:
            return False
        words, found.padding = kept.enter(self.flow, [n for s in self._sources(found.stage) for n in s.nodes])
        found.claims = [Claim(channel, word, True, method) for channel, (word, method) in enumerate(words)]
        found.instructions, found.accesses, found.forks = kept.counts
        found.kept = True
        machine.memory.written.update(kept.written(self.flow))
        self._step, self._left_in_block = step, 0
        machine.registers, machine.pc, machine.returns = registers, link, machine.returns[:1]
        return True

    def _ends(self, link: int, registers: Sequence[Operand], step: int) -> int:
        """The emulator's step at which a stage has returned that begins at `step`."""
        stack = registers[self.machine.core.stack]
        while self._steps[step][0] != link or self._steps[step][2 + self.machine.core.stack] != stack:
            step += 1
        return step

    def _resume_behind(self, link: int, registers: Sequence[Operand], step: int) -> None:
        """Go on behind a stage that could not be followed: that it keeps to calling conventions, as it does for the
        sample, is taken for granted."""
        machine = self.machine
        self._step, self._left_in_block = self._ends(link, registers, step), 0
        machine.registers = list(self._steps[self._step][2:])
        machine.pc, machine.real, machine.path, machine.depth = link, True, 1, 0
        machine.returns = machine.returns[:1]

    def _left(self, found: FollowedStage) -> tuple[list[Operand], list[Operand]]:
        """What a stage left: the word of each channel, and the bytes behind them."""
        assert found.stage is not None
        stage, tensor = found.stage, found.stage.output
        start, size = self._arena + stage.offset, tensor.item_bytes
        padding = range(tensor.size, tensor.padded) if tensor.ctype == "uint8_t" else ()
        if found.stopped:
            return [self.flow.unknown(found.stopped) for _ in range(tensor.size)], [0 for _ in padding]
        words = [self.machine.memory.load(start + channel * size, size) for channel in range(tensor.size)]
        if size == 2:
            words = [self.flow.make("sar", self.flow.make("shl", word, 16), 16) for word in words]
        return words, [self.machine.memory.load(start + place, 1) for place in padding]

    def _go_on(self, found: FollowedStage) -> None:
        """Put integers within the ranges in the place of what a stage left."""
        assert found.stage is not None
        stage, tensor = found.stage, found.stage.output
        start, size = self._arena + stage.offset, tensor.item_bytes
        samples = self._samples_of(stage) if found.stopped or found.kept else None
        nodes = []
        for channel, claim in enumerate(found.claims):
            word = claim.word if samples is None else int(samples[channel])
            sample = word if isinstance(word, int) else word.sample
            sample = sample - (1 << 32) if size > 1 and sample >> 31 else sample
            low, high = int(tensor.stored_low[channel]), int(tensor.stored_high[channel])
            node = self._new(tensor.name, channel, low, high, sample)
            nodes.append(node)
            self.machine.memory.store(start + channel * size, size, node)
        for place in range(len(found.padding)):
            self.machine.memory.store(start + tensor.size + place, 1, 0)
        self.sources[tensor.name] = nodes
        self.flow.space.forget()

    def _samples_of(self, stage: Stage) -> npt.NDArray[np.int64]:
        """What a stage that could not be followed leaves for the sample, from the emulator."""
        inputs = [self.sources[tensor.name] for tensor in stage.job.inputs] or [self.raw]
        return self.emulated(stage, [np.array([node.sample for node in nodes], np.int64) for nodes in inputs])

    def _sources(self, stage: Stage) -> list[Source]:
        if not stage.job.inputs:
            return [Source(self.raw, 0)]
        return [Source(self.sources[tensor.name], tensor.low) for tensor in stage.job.inputs]

    def _outputs(self, rest: FollowedStage) -> None:
        """The words at `output` are the integers of the last stage."""
        tensor = self.layout.stages[-1].output
        for channel, node in enumerate(self.sources[tensor.name]):
            word = self.machine.memory.load(self._output + 4 * channel, 4)
            rest.claims.append(Claim.of_copy(self.flow, channel, word, node, tensor.low))
        outputs = Source(self.sources[tensor.name], tensor.low)
        word = self.machine.registers[self.machine.core.result]
        self.label = label_claim(self.flow, word, outputs, rest.claims, self.network)
