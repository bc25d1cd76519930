"""Stages that may access memory wrongly or do what C does not define, run in a process of their own to see it.

Inputs are those where the proof gave up, the ends of ranges, the stage's extremes, and seeded ones: each by itself,
then as all samples of a block, and the network as a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.errors import ToolFailed
from edgeml.network import Network, simulate
from edgeml.network.decisions import decisions
from edgeml.network.task import VALUES
from edgeml.targets.c.hard_inputs import HardInputs, Stored

from .bodies import Body
from .followed import Followed, FollowedStage
from .sandbox import NETWORK, Case, Outcome, Sandbox
from .sanitizers import find_sanitizers

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram

__all__ = ["Trials", "Tried", "said"]

_STORED = {"uint8_t": np.uint8, "int16_t": np.int16, "int32_t": np.int32}
_MOST, _BATCHES = 48, 24


@dataclass
class Tried:
    """What was seen.

    Parameters
    ----------
    memory, undefined : a report of a bad access, of undefined behaviour, with the inputs; empty if there was none.
        wrong : by part (`Followed.stages`' place; -1 the network), inputs that it computes wrongly. label : a sample
        that is taken for something else. why : why nothing was tried, or what was not checked.
    """

    memory: str = ""
    undefined: str = ""
    wrong: dict[int, str] = field(default_factory=dict)
    label: str = ""
    why: str = ""


class Trials:
    """Runs what the prover did not see to be safe."""

    def __init__(self, followed: Followed, program: CProgram, body: Body) -> None:
        self._followed, self._program, self._body = followed, program, body
        self._network: Network = followed.network

    @cached_property
    def _sandbox(self) -> Sandbox | str:
        """The program with checks, or why there is none."""
        sanitizers = find_sanitizers()
        if sanitizers is None:
            return "no C compiler runs here, which could build the C with checks"
        try:
            return Sandbox(self._program, sanitizers, self._body.native)
        except ToolFailed as error:
            return f"it does not compile with checks: {str(error).strip().splitlines()[-1][:120]}"

    def of(self, stages: Sequence[int]) -> Tried:
        """Run these of the followed stages, alone and as a block, then the network."""
        tried, sandbox = Tried(), self._sandbox
        if isinstance(sandbox, str):
            return Tried(why=sandbox)
        tried.why = sandbox.sanitizers.lacks
        for place in stages:
            found = self._followed.stages[place]
            if found.stage is not None:
                self._try_stage(sandbox, place, found, found.stage, tried)
        self._try_network(sandbox, tried)
        return tried

    def _try_stage(self, sandbox: Sandbox, place: int, found: FollowedStage, stage: Stage, tried: Tried) -> None:
        """One stage, for as many samples at once as it was followed for."""
        count, position = len(found.samples), self._program.layout.stages.index(stage)
        candidates = list(islice(self._candidates(found, stage), _MOST))
        cases = [Case(position, _repeated(stored, stage, count)) for stored in candidates]
        outcome = sandbox.run(cases)
        for stored, runs in zip(candidates, outcome.given, strict=True):
            expected = self._expected(stage, stored)
            for given in runs:
                values = given[:, : len(expected)].astype(np.int64) + stage.output.low
                if (wrong := np.argwhere(values != expected)).size and place not in tried.wrong:
                    sample, channel = map(int, wrong[0])
                    tried.wrong[place] = (
                        f"for stored inputs {_all_said(stored)} {stage.name}[{channel}] must be {expected[channel]}, "
                        f"and is {values[sample, channel]} in the library"
                    )
        if outcome.report is not None:
            stored = candidates[outcome.report.case]
            alone = "alone" if count == 1 else f"in each sample of a block of {count}"
            self._enter(tried, outcome, f"for stored inputs {_all_said(stored)} of {stage.name} {alone}")

    def _enter(self, tried: Tried, outcome: Outcome, where: str) -> None:
        assert outcome.report is not None
        text = f"{where}: {outcome.report.text} in the library"
        if outcome.report.memory:
            tried.memory = tried.memory or text
        else:
            tried.undefined = tried.undefined or text

    def _candidates(self, found: FollowedStage, stage: Stage) -> Iterator[Stored]:
        """Stored inputs [channels] of each tensor that a stage takes."""
        if not stage.job.inputs:
            ends = (-128, 127) if self._network.quantizer.signed else (0, 255)
            for row in _drawn(np.array([self._network.quantizer.low, self._network.quantizer.high, *ends]), stage):
                yield (row,)
            return
        open_ = [claim for row in found.claims for claim in row if not claim.proved]
        variables = {each: (tensor, channel) for each, (tensor, _, channel) in self._followed.variables.items()}
        yield from HardInputs(stage, open_, self._followed.flow.space, variables).candidates()

    def _expected(self, stage: Stage, stored: Stored) -> npt.NDArray[np.int64]:
        if stage.job.inputs:
            return HardInputs.expected(stage, stored)
        quantizer = self._network.quantizer
        return np.clip(stored[0], quantizer.low, quantizer.high)

    def _try_network(self, sandbox: Sandbox, tried: Tried) -> None:
        quantizer, count = self._network.quantizer, self._followed.count
        generator = np.random.default_rng(0)
        kind = np.int8 if quantizer.signed else np.uint8
        batches = []
        for number in range(_BATCHES):
            low, high = (quantizer.low, quantizer.high) if number % 2 else _ends(quantizer.signed)
            q = generator.integers(low, high, (count, self._network.input_size), endpoint=True)
            batches.append(np.where(generator.random(q.shape) < 0.5, q, low if number % 4 < 2 else high))
        outcome = sandbox.run([Case(NETWORK, (q.astype(kind),)) for q in batches])
        for q, runs in zip(batches, outcome.given, strict=True):
            clipped = np.clip(q, quantizer.low, quantizer.high).astype(np.int32)
            expected = np.asarray(simulate(self._network, clipped))
            labels = None if self._network.task == VALUES else decisions(self._network, expected)
            for given in runs:
                if (wrong := np.argwhere(given[:, :-1] != expected)).size:
                    sample, channel = map(int, wrong[0])
                    tried.wrong.setdefault(
                        -1,
                        f"for inputs {said(q[sample])} as sample {sample} of {count} output {channel} must be "
                        f"{expected[sample, channel]}, and is {given[sample, channel]} in the library",
                    )
                elif labels is not None and (differs := np.flatnonzero(given[:, -1] != labels)).size:
                    sample = int(differs[0])
                    tried.label = tried.label or (
                        f"for inputs {said(q[sample])} as sample {sample} of {count}, outputs "
                        f"{expected[sample].tolist()}, it is {given[sample, -1]} in the library, not {labels[sample]}"
                    )
        if outcome.report is not None:
            first = said(batches[outcome.report.case].ravel())
            self._enter(tried, outcome, f"for a batch of {count} samples {first}")


def _ends(signed: bool) -> tuple[int, int]:
    return (-128, 127) if signed else (0, 255)


def _drawn(ends: npt.NDArray[np.int64], stage: Stage) -> Iterator[npt.NDArray[np.int64]]:
    """Inputs of the network: all at one end, then any."""
    generator = np.random.default_rng(0)
    for end in ends:
        yield np.full(stage.output.size, end)
    while True:
        yield generator.integers(ends.min(), ends.max(), stage.output.size, endpoint=True)


def _repeated(stored: Stored, stage: Stage, count: int) -> tuple[npt.NDArray[np.generic], ...]:
    """The same stored inputs for so many samples, as they lie in memory."""
    if not stage.job.inputs:
        return tuple(np.tile(values, (count, 1)).astype(np.uint8) for values in stored)
    rows = []
    for values, tensor in zip(stored, stage.job.inputs, strict=True):
        padded = np.zeros((count, tensor.padded), _STORED[tensor.ctype])
        padded[:, : tensor.size] = values
        rows.append(padded)
    return tuple(rows)


def _all_said(stored: Stored) -> str:
    return " and ".join(said(values) for values in stored)


def said(sample: npt.NDArray[np.int64]) -> str:
    """The first integers of a sample in words."""
    return ", ".join(map(str, sample[:24])) + (" …" if len(sample) > 24 else "")
