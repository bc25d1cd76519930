"""A network of Boolean functions followed for all inputs: its stage bit by bit, what decides as words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Network
from edgeml.proof.words.claims import Claim
from edgeml.proof.words.dataflow import Node

from ..followed import Followed, FollowedStage
from ..ir_module import Module
from ..numbers import Stopped
from .chain_proof import ChainProof
from .gates import VALUES
from .stage import ChainRun, ChainStage, Form

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram

__all__ = ["COUNTS", "Chain", "FollowedSlices"]

COUNTS = (2, 3, 4, 5, 11)
"""Numbers of samples that the stage is followed for beside a block and one alone: the last one of a call is written in
other ways than those before it, by how many are left."""
_FEWEST = 4
_GATES = "gates"


class Chain:
    """The stage for numbers of samples that are computed in the same way, with gates of its own."""

    def __init__(self, stage: ChainStage) -> None:
        self.stage = stage
        self.runs: dict[int, ChainRun] = {}
        self.proof: ChainProof | None = None

    def follow(self, network: Network, samples: int, until: float) -> list[list[str]]:
        """Of each sample and output, why it is not shown to be the network's; empty where it is."""
        run = self.runs[samples] = self.stage.run(samples, until)
        self.proof = ChainProof(self.stage.gates, network)  # of all gates so far
        known: dict[tuple[int, Form], str] = {}

        def why(output: int, form: Form | str) -> str:
            if isinstance(form, str):
                return form
            if (output, form) not in known:
                assert self.proof is not None
                known[output, form] = self.proof.why(form, output)
            return known[output, form]

        return [[why(output, form) for output, form in enumerate(forms)] for forms in run.forms]


class FollowedSlices(Followed):
    """Follows `NAME_invoke_batch` of a module whose network is one stage of many samples at once.

    q : the samples that are run beside, int32 [samples, inputs]: a block and one more, or less than a block.
    counts : for how many samples the stage is followed besides.

    Attributes
    ----------
    chains : the stage for fewer samples than are computed side by side, and for more.
    """

    def __init__(
        self,
        module: Module,
        program: CProgram,
        q: npt.NDArray[np.int32],
        *,
        keep: bool = False,
        counts: Sequence[int] = COUNTS,
    ) -> None:
        self._q, self._others = q, counts
        super().__init__(module, program, q)
        (stage,) = self.layout.stages
        alignment, size = self.layout.dialect.alignment, self.network.input_size
        scratch = -(-stage.code.scratch_bytes // alignment) * alignment
        made = (stage.job.prefix, size, stage.output.size, scratch, self.layout.sliced_tile)
        self.chains = [Chain(ChainStage(module, *made)) for _ in range(2)]

    def _raw(self, q: npt.NDArray[np.int32]) -> list[list[Node]]:
        """What calls the stage reads no input."""
        return []

    def run(self, announce: Callable[[str], None], seconds: float) -> None:
        """Follow all of it."""
        machine, (stage,) = self.machine, self.layout.stages
        machine.until = time.process_time() + seconds
        machine.calls[stage.job.prefix] = self._hook(stage, announce)
        rest, before = FollowedStage("outputs", None, range(self.count)), self._counts()
        arguments = [self._input, self._output, self._labels, self._arena]
        x, y, labels, arena = (each.address for each in arguments)
        try:
            machine.run(f"{self.layout.name}_invoke_batch", [x, self.count, y, labels, arena])
        except Stopped as error:
            rest.stopped = str(error)
        self._count(rest, before)
        rest.seconds -= sum(found.seconds for found in self.stages)
        for count in self._others:
            announce(f"following {stage.name}, {count} samples")
            self.stages.append(self._chain(stage, range(count)))
        if not rest.stopped:
            self._outputs(rest)
        self.stages.append(rest)

    def _stage(self, stage: Stage, samples: range, arguments: list[Any]) -> FollowedStage:
        size, outputs = self.network.input_size, stage.output.size
        count = self.layout.sliced_tile if len(samples) > 1 else 1
        self._must_be(arguments[0], self._input.address + samples[0] * size, "the input")
        self._must_be(arguments[1], self._output.address + 4 * samples[0] * outputs, "the output")
        self._must_be(arguments[2], self._at(stage.scratch_offset, count), "scratch memory")
        found = self._chain(stage, samples)
        self._give(stage, samples)
        return found

    def _chain(self, stage: Stage, samples: range) -> FollowedStage:
        """What was found of the stage for so many samples."""
        begun, count = time.process_time(), len(samples)
        found, chain = FollowedStage(stage.name, stage, samples), self.chains[count >= _FEWEST]
        whys = chain.follow(self.network, count, self.machine.until)
        run = chain.runs[count]
        found.stopped, found.broken = run.stopped, list(dict.fromkeys(run.broken))
        found.steps, found.accesses, found.obligations = run.steps, run.accesses, run.obligations
        nothing = self.flow.unknown("followed bit by bit")
        if run.stopped:
            whys = [[run.stopped] * stage.output.size for _ in samples]
        found.claims = [
            [Claim(channel, nothing, not why, "" if why else _GATES, why) for channel, why in enumerate(of_sample)]
            for of_sample in whys
        ]
        found.seconds = time.process_time() - begun
        return found

    def _give(self, stage: Stage, samples: range) -> None:
        """Put integers within the ranges in the place of what the stage left."""
        tensor, values = stage.output, self._values(samples)
        size = tensor.size
        for order, sample in enumerate(samples):
            nodes = []
            for channel in range(size):
                low, high = int(tensor.stored_low[channel]), int(tensor.stored_high[channel])
                value = min(max(int(values[order, channel]), low), high)
                nodes.append(self._new(tensor.name, sample, channel, low, high, value))
            self.sources[tensor.name, sample] = nodes
            cells = [(node, place) for node in nodes for place in range(tensor.item_bytes)]
            self._output.cells[4 * sample * size : 4 * (sample + 1) * size] = cells

    def _values(self, samples: range) -> npt.NDArray[np.int64]:
        """What the stage gives for the samples that are run beside, int64 [samples, outputs]."""
        chain = self.chains[len(samples) >= _FEWEST]
        raw, count = self._q[samples.start : samples.stop].astype(np.int64) % VALUES, len(samples)

        def column(source: int, table: int) -> int:
            bits = np.array([table >> value & 1 for value in range(VALUES)], np.uint8)[raw[:, source]]
            return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")

        columns = chain.stage.gates.columns(column, (1 << count) - 1)
        found = np.zeros((count, self.network.output_size), np.int64)
        for order, forms in enumerate(chain.runs[count].forms):
            found[order] = [_value(form, columns, order) for form in forms]
        return found


def _value(form: Form | str, columns: Sequence[int], order: int) -> int:
    if isinstance(form, str):
        return 0
    value = form.constant + sum(factor * (columns[gate] >> order & 1) for gate, factor in form.terms)
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)
