"""Inputs for which the library that this machine's compiler builds does not give the network's integers."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, simulate
from edgeml.targets.c.alone import StageCase, stage_function
from edgeml.targets.c.hard_inputs import HardInputs, Stored

from ..compiler import missing_compiler
from ..native_network import NativeNetwork
from .bodies import Body
from .followed import Followed, FollowedStage

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage
    from edgeml.targets.c.program import CProgram

__all__ = ["Counterexamples", "runs_here"]

_BATCHES = 64
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
