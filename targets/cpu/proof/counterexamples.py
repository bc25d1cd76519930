"""Inputs for which the library that this machine's compiler builds does not give the network's integers."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, simulate
from edgeml.network.decisions import decisions
from edgeml.network.task import BINARY, VALUES
from edgeml.targets.c.alone import StageCase, stage_function
from edgeml.targets.c.hard_inputs import HardInputs, Stored

from ..compiler import missing_compiler
from ..native_network import NativeNetwork
from .bodies import Body
from .followed import Followed, FollowedStage
from .trials import Trials, Tried, said

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram

__all__ = ["Counterexamples", "runs_here"]

_BATCHES, _DRAWN = 64, 1 << 14
_STORED = {"uint8_t": np.uint8, "int16_t": np.int16, "int32_t": np.int32}


def runs_here(body: Body) -> str:
    """Empty if this machine can run a body; else why not."""
    if body.machine and body.machine != platform.machine():
        return f"this machine is not of kind {body.machine}"
    try:
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        known = []
    missing = [feature for feature in body.features if feature not in known]
    return f"this processor lacks {missing[0]}" if missing else missing_compiler()


class Counterexamples:
    """Looks for them on a library built from the program's own files."""

    def __init__(self, followed: Followed, program: CProgram, body: Body) -> None:
        self._followed, self._network = followed, followed.network
        self._native: NativeNetwork | None = None
        self._program, self._body = program, body

    def tried(self, stages: Sequence[int]) -> Tried:
        """What is seen where these of the followed stages run in a process of their own, with checks."""
        if why := runs_here(self._body):
            return Tried(why=why)
        return Trials(self._followed, self._program, self._body).of(stages)

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
        open_ = [claim for row in found.claims for claim in row if not claim.proved]
        variables = {each: (tensor, channel) for each, (tensor, _, channel) in self._followed.variables.items()}
        hard = HardInputs(stage, open_, self._followed.flow.space, variables)
        return hard.wrong(lambda stored: self._given(stage, stored), "library")

    def of_network(self) -> str:
        """Samples of the network's inputs, run as batches, for which its outputs are wrong."""
        if runs_here(self._body):
            return ""
        for q, expected in self._batches():
            given = self.native.invoke(q)
            wrong = np.argwhere(given != expected)
            if len(wrong):
                sample, channel = map(int, wrong[0])
                return (
                    f"for inputs {said(q[sample])} as sample {sample} of {len(q)} output {channel} must be "
                    f"{expected[sample, channel]}, and is {given[sample, channel]} in the library"
                )
        return ""

    def of_label(self) -> str:
        """A sample of the network's inputs that is taken for something else than the network decides."""
        if runs_here(self._body) or self._network.task == VALUES:
            return ""
        quantizer, count = self._network.quantizer, self._followed.count
        shape = (_DRAWN, self._network.input_size)
        drawn = np.random.default_rng(0).integers(quantizer.low, quantizer.high, shape, endpoint=True)
        nearest = self._nearest_to_equal(drawn.astype(np.int32))
        q = np.concatenate([nearest[: count * _BATCHES], drawn[: count * _BATCHES].astype(np.int32)])
        outputs = golden(self._network, q)
        expected = decisions(self._network, outputs)
        given = np.concatenate([self.native.decide(q[k : k + count]) for k in range(0, len(q), count)])
        for sample in np.flatnonzero(given != expected).tolist():
            return (
                f"for inputs {said(q[sample])} as sample {sample % count} of {count}, outputs "
                f"{outputs[sample].tolist()}, it is {given[sample]} in the library, not {expected[sample]}"
            )
        return ""

    def _nearest_to_equal(self, q: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Samples, those first whose two largest outputs are nearest to each other, or the one output to its bound."""
        y = np.sort(golden(self._network, q).astype(np.int64), axis=1)
        threshold = self._network.output.decision_threshold if self._network.task == BINARY else 0
        gap = y[:, -1] - y[:, -2] if y.shape[1] > 1 else np.abs(y[:, 0] - threshold)
        return q[np.argsort(gap, kind="stable")]

    def _batches(self) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]]:
        """Samples of the network's inputs, and what its outputs are for them."""
        quantizer, generator = self._network.quantizer, np.random.default_rng(0)
        shape = (self._followed.count, self._network.input_size)
        for tried in range(_BATCHES):
            ends = (-128, 127) if quantizer.signed else (0, 255)
            low, high = ends if tried % 2 else (quantizer.low, quantizer.high)
            q = generator.integers(low, high, shape, endpoint=True)
            q = np.where(generator.random(shape) < 0.5, q, np.where(generator.random(shape) < 0.5, low, high))
            yield q, golden(self._network, np.clip(q, quantizer.low, quantizer.high).astype(np.int32))

    def _given(self, stage: Stage, stored: Stored) -> npt.NDArray[np.int64]:
        rows = []
        for values, tensor in zip(stored, stage.job.inputs, strict=True):
            padded = np.zeros((1, tensor.padded), _STORED[tensor.ctype])
            padded[0, : tensor.size] = values
            rows.append(padded)
        function = stage_function(self._followed.layout, self._followed.layout.stages.index(stage))
        case = StageCase(stage, function, tuple(rows), np.zeros((1, stage.output.size), np.int32))
        return np.asarray(self.native.run_alone(case)[0], np.int64)


def golden(network: Network, q: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The outputs of the golden simulator."""
    return np.asarray(simulate(network, q))
