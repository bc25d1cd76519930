"""Calls a network's entry points in the emulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Monitored
from edgeml.targets.c import CProgram
from edgeml.targets.c.monitor import COLUMNS

from .cycles import CycleCount, PartTime, cycles_of_call
from .emulator import Call, Emulator

__all__ = ["NetworkRunner"]


class NetworkRunner:
    """A network's C on an emulated core, with memory for its input, output, trace and arena."""

    def __init__(self, emulator: Emulator, program: CProgram) -> None:
        self.emulator = emulator
        network = program.layout.network
        self._layout = program.layout
        self._name = program.layout.name
        self._dtype = np.int8 if network.quantizer.signed else np.uint8
        self._outputs = network.output_size
        self._input = emulator.allocate(network.input_size, 1)  # the caller may have it anywhere
        self._output = emulator.allocate(4 * network.output_size)
        self._trace = emulator.allocate(4 * program.layout.trace_size)
        most = 4 * max(network.input_size, network.output_size)
        self._real = emulator.allocate(most), emulator.allocate(most)
        self._arena = emulator.allocate(program.arena_bytes, program.layout.dialect.alignment)

    def _integers(self, address: int, count: int) -> npt.NDArray[np.int32]:
        return np.frombuffer(self.emulator.read(address, 4 * count), "<i4").astype(np.int32)

    def counted(self, q: npt.NDArray[np.int32]) -> tuple[list[int], Call]:
        """Outputs for one sample q [inputs], with instructions and stack."""
        self.emulator.write(self._input, q.astype(self._dtype).tobytes())
        layers = tuple(
            stage.job.prefix for stage in self._layout.functions if stage.job.prefix in self.emulator.image.symbols
        )
        call = self.emulator.call(
            f"{self._name}_invoke", self._input, self._output, self._arena, count=True, layers=layers, watch_stack=True
        )
        return self._integers(self._output, self._outputs).tolist(), call

    def cycles(self, q: npt.NDArray[np.int32], part: PartTime) -> CycleCount:
        """Cycles by model of an inference of one sample q [inputs] on a part."""
        self.emulator.write(self._input, q.astype(self._dtype).tobytes())
        arguments = (self._input, self._output, self._arena)
        return cycles_of_call(self.emulator, part.core, f"{self._name}_invoke", *arguments, flash=part.flash)

    def invoke(self, q: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Outputs int32 [samples, outputs] for q [samples, inputs]."""
        outputs = np.empty((len(q), self._outputs), np.int32)
        for index, row in enumerate(q.astype(self._dtype)):
            self.emulator.write(self._input, row.tobytes())
            self.emulator.call(f"{self._name}_invoke", self._input, self._output, self._arena)
            outputs[index] = self._integers(self._output, self._outputs)
        return outputs

    def monitored(self, q: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], Monitored, int]:
        """Outputs as of `invoke`, what the network's monitor says, and the instructions of the first sample.

        Of an image that was built with the monitor.
        """
        outputs, said = np.empty((len(q), self._outputs), np.int32), np.zeros((len(q), COLUMNS), np.uint32)
        monitor = self._layout.network.monitor
        hidden = monitor is not None and monitor.hidden is not None
        columns = [0, 1, 2, 3, 4] if hidden else [0, 1, 2, 4]  # the members of the struct, all of 4 bytes
        place = self.emulator.allocate(4 * COLUMNS)
        instructions = 0
        for index, row in enumerate(q.astype(self._dtype)):
            self.emulator.write(self._input, row.tobytes())
            arguments = (self._input, self._output, place, self._arena)
            call = self.emulator.call(f"{self._name}_invoke_monitored", *arguments, count=not index)
            instructions = instructions or call.instructions
            outputs[index] = self._integers(self._output, self._outputs)
            said[index, columns] = np.frombuffer(self.emulator.read(place, 4 * len(columns)), "<u4")
        return outputs, Monitored.of_columns(said), instructions

    @property
    def arena(self) -> int:
        """Address of the working memory."""
        return self._arena

    def invoke_with(self, q: npt.NDArray[np.int32], at: Mapping[int, Callable[[], None]]) -> list[int]:
        """Outputs for one sample q [inputs]; before an instruction at one of these addresses its function is called."""
        self.emulator.write(self._input, q.astype(self._dtype).tobytes())
        self.emulator.call_with(f"{self._name}_invoke", self._input, self._output, self._arena, at=at)
        return list(self._integers(self._output, self._outputs).tolist())

    def trace(self, q: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], dict[str, npt.NDArray[np.int32]]]:
        """Outputs, and the integers of each layer by node name: int32 [samples, channels]."""
        outputs = np.empty((len(q), self._outputs), np.int32)
        values = np.empty((len(q), self._layout.trace_size), np.int32)
        for index, row in enumerate(q.astype(self._dtype)):
            self.emulator.write(self._input, row.tobytes())
            self.emulator.call(f"{self._name}_trace", self._input, self._output, self._trace, self._arena)
            outputs[index] = self._integers(self._output, self._outputs)
            values[index] = self._integers(self._trace, self._layout.trace_size)
        ends = np.cumsum([stage.output.size for stage in self._layout.traced])
        parts = np.split(values, ends[:-1], axis=1)
        return outputs, {stage.name: part for stage, part in zip(self._layout.traced, parts, strict=True)}

    def self_test(self) -> int:
        """What the self-test returns."""
        return self.emulator.call(f"{self._name}_self_test", self._output, self._arena).result

    def quantize(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """Input integers [samples, inputs] for floats of the same shape; of an image with its sensor's functions."""
        return self._made("quantize", x.astype("<f4"), self._dtype)

    def quantize_counts(self, counts: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Input integers [samples, inputs] for raw counts of the same shape; of an image that takes them."""
        return self._made("quantize_s16", counts.astype("<i2"), self._dtype)

    def probabilities(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
        """Probabilities [samples, outputs] of output integers of the same shape; of an image that gives them."""
        return self._made("probabilities", outputs.astype("<i4"), np.dtype("<u2")).astype(np.uint16)

    def dequantize(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Real numbers [samples, outputs] for output integers of the same shape."""
        return self._made("dequantize", outputs.astype("<i4"), np.dtype("<f4"))

    def _made(self, function: str, rows: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
        """What a function makes of each row: as many values; integers as int32."""
        made = np.empty(rows.shape, dtype)
        source, target = self._real
        for row, result in zip(rows, made, strict=True):
            self.emulator.write(source, row.tobytes())
            self.emulator.call(f"{self._name}_{function}", source, target)
            result[:] = np.frombuffer(self.emulator.read(target, result.nbytes), dtype)
        return made if made.dtype.kind == "f" else made.astype(np.int32)
