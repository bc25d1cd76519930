"""Inputs for which the library that this machine's compiler builds does not give the network's integers."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, simulate
from edgeml.proof.statement import Affine, statement_of
from edgeml.proof.words.claims import Claim
from edgeml.targets.c.alone import StageCase, stage_function
from edgeml.targets.c.emitter import layer_emitter

from ..compiler import missing_compiler
from ..native_network import NativeNetwork
from .bodies import Body
from .followed import Followed, FollowedStage

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram

__all__ = ["Counterexamples", "runs_here"]

_DRAWN, _MOST, _BATCHES = 24, 400, 64
_STORED = {"uint8_t": np.uint8, "int16_t": np.int16, "int32_t": np.int32}
Stored = tuple[npt.NDArray[np.int64], ...]


def runs_here(body: Body) -> str:
    """Empty if this machine can run a body; else why not."""
    if body.machine and body.machine != platform.machine():
        return f"this machine is no {body.machine}"
    try:
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        known = []
    missing = [feature for feature in body.features if feature not in known]
    return f"this processor has no {missing[0]}" if missing else missing_compiler()


class Counterexamples:
    """Looks for them on a library built from the program's own files."""

    def __init__(self, followed: Followed, program: CProgram, body: Body) -> None:
        self._followed, self._network = followed, followed.network
        self._native: NativeNetwork | None = None
        self._program, self._body = program, body

    @property
    def native(self) -> NativeNetwork:
        """The library, built when it is first asked for."""
        if self._native is None:
            flags = ("-O1", *self._body.native)
            self._native = NativeNetwork(self._network, self._followed.layout.dialect, None, flags, self._program.files)
        return self._native

    def of_stage(self, found: FollowedStage) -> str:
        """Inputs within range for which a stage is wrong, in words; empty if none was found."""
        stage = found.stage
        if stage is None or not stage.job.inputs or runs_here(self._body):
            return ""
        for tried, stored in enumerate(self._candidates(found, stage)):
            if tried == _MOST:
                break
            expected = _expected(stage, stored)
            given = self._given(stage, stored, expected)
            wrong = np.flatnonzero(given != expected)
            if wrong.size:
                channel = int(wrong[0])
                values = " and ".join(
                    ", ".join(map(str, item[:24])) + (" …" if len(item) > 24 else "") for item in stored
                )
                return (
                    f"for stored inputs {values} {found.name}[{channel}] must be {expected[channel]}, and is "
                    f"{given[channel]} in the library"
                )
        return ""

    def of_network(self) -> str:
        """Samples of the network's inputs, run as batches, for which its outputs are wrong."""
        if runs_here(self._body):
            return ""
        quantizer, count = self._network.quantizer, self._followed.count
        ends = (-128, 127) if quantizer.signed else (0, 255)
        generator = np.random.default_rng(0)
        for tried in range(_BATCHES):
            low, high = ends if tried % 2 else (quantizer.low, quantizer.high)
            shape = (count, self._network.input_size)
            q = generator.integers(low, high, shape, endpoint=True)
            q = np.where(generator.random(shape) < 0.5, q, np.where(generator.random(shape) < 0.5, low, high))
            given = self.native.invoke(q)
            clipped = np.clip(q, quantizer.low, quantizer.high).astype(np.int32)
            expected = golden(self._network, clipped)
            wrong = np.argwhere(given != expected)
            if len(wrong):
                sample, channel = map(int, wrong[0])
                values = ", ".join(map(str, q[sample, :24])) + (" …" if q.shape[1] > 24 else "")
                return (
                    f"for inputs {values} as sample {sample} of {count} output {channel} must be "
                    f"{expected[sample, channel]}, and is {given[sample, channel]} in the library"
                )
        return ""

    def _given(self, stage: Stage, stored: Stored, expected: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        rows = []
        for values, tensor in zip(stored, stage.job.inputs, strict=True):
            padded = np.zeros((1, tensor.padded), _STORED[tensor.ctype])
            padded[0, : tensor.size] = values
            rows.append(padded)
        function = stage_function(self._followed.layout, self._followed.layout.stages.index(stage))
        case = StageCase(stage, function, tuple(rows), expected[None].astype(np.int32))
        return np.asarray(self.native.run_alone(case)[0], np.int64)

    def _candidates(self, found: FollowedStage, stage: Stage) -> Iterator[Stored]:
        """Where the proof gave up, corners of channels that are open, then the stage's own extremes, then drawn."""
        low = tuple(tensor.stored_low for tensor in stage.job.inputs)
        high = tuple(tensor.stored_high for tensor in stage.job.inputs)
        open_ = [claim for row in found.claims for claim in row if not claim.proved]
        for claim in open_[:16]:
            yield from self._of_claim(stage, claim, low, high)
        for channel in sorted({claim.channel for claim in open_})[:64]:
            yield from _corners(stage, channel, low, high)
        if len(stage.job.inputs) == 1:
            for row in layer_emitter(stage.job.nodes[0]).extremes(stage.job):
                yield (row - stage.job.inputs[0].low,)
        generator = np.random.default_rng(0)
        for _ in range(_DRAWN):
            yield tuple(generator.integers(a, b, endpoint=True) for a, b in zip(low, high, strict=True))

    def _of_claim(self, stage: Stage, claim: Claim, low: Stored, high: Stored) -> Iterator[Stored]:
        if isinstance(claim.corner, tuple):
            _, terms, target = claim.corner
            yield self._placed(stage, self._reaching(terms, target), low)
        elif claim.corner:
            yield self._placed(stage, claim.corner, low)
            yield self._placed(stage, claim.corner, high)

    def _placed(self, stage: Stage, values: Mapping[int, int], rest: Stored) -> Stored:
        """Stored inputs with these values of variables, the rest as given."""
        rows = tuple(item.copy() for item in rest)
        names = [tensor.name for tensor in stage.job.inputs]
        for variable, value in values.items():
            tensor, _, channel = self._followed.variables.get(variable, ("", 0, 0))
            if tensor in names:
                rows[names.index(tensor)][channel] = value
        return rows

    def _reaching(self, terms: Mapping[int, int], target: int) -> dict[int, int]:
        """Values of variables whose weighted sum is, or comes near, a number: the largest weights first."""
        space = self._followed.flow.space
        values = {v: (space.low if c > 0 else space.high)[v] for v, c in terms.items()}
        left = target - sum(c * values[v] for v, c in terms.items())
        for v, c in sorted(terms.items(), key=lambda item: -abs(item[1])):
            step = min(left // abs(c), space.high[v] - space.low[v])
            values[v] += step if c > 0 else -step
            left -= step * abs(c)
        return values


def golden(network: Network, q: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The outputs of the golden simulator."""
    return np.asarray(simulate(network, q))


def _expected(stage: Stage, stored: Stored) -> npt.NDArray[np.int64]:
    values: list[npt.NDArray[np.int32]] = [
        (item + tensor.low).astype(np.int32)[None] for item, tensor in zip(stored, stage.job.inputs, strict=True)
    ]
    for node in stage.job.nodes:
        values = [node.layer.evaluate(*values)]
    return np.asarray(values[0][0], np.int64)


def _corners(stage: Stage, channel: int, low: Stored, high: Stored) -> Iterator[Stored]:
    """Where the sum of a channel is largest and smallest."""
    statement = statement_of(stage.job.nodes[0], channel)
    if not isinstance(statement, Affine):
        return
    for largest in (True, False):
        rows = tuple(item.copy() for item in low)
        for (tensor, place), weight in statement.weights.items():
            rows[tensor][place] = (high if (weight > 0) == largest else low)[tensor][place]
        yield rows
