"""A network's C, compiled for this machine and called on numpy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgeml.errors import MissingTool
from edgeml.network import Network
from edgeml.targets.c import CProgram, Dialect, generate

from .build_cache import build_library
from .compiler import MISSING_COMPILER, Compiler, find_compiler
from .dialect import CPU_DIALECT

__all__ = ["NativeNetwork"]

_TRACED = """/* The traced entry point for many samples. */
#define {macro}_WITH_TRACE
#include "{name}.c"

void edgeml_native_trace(const {ctype} *input, size_t samples, int32_t *output, int32_t *trace, void *arena);
void edgeml_native_trace(const {ctype} *input, size_t samples, int32_t *output, int32_t *trace, void *arena)
{{
    for (size_t i = 0; i < samples; i++) {{
        {name}_trace(input + i * {macro}_INPUTS, output + i * {macro}_OUTPUTS, trace + i * {macro}_TRACE_SIZE, arena);
    }}
}}
"""
_SAMPLES_TRACED_AT_ONCE = 4096


class NativeNetwork:
    """The generated C of a network as a function on numpy arrays.

    Parameters
    ----------
    network : what to run.
    dialect : which C.
    compiler : by default the one that `find_compiler` finds; MissingTool where there is none.
    flags : for the compiler; by default those for this very machine.
    """

    def __init__(
        self,
        network: Network,
        dialect: Dialect = CPU_DIALECT,
        compiler: Compiler | None = None,
        flags: Sequence[str] | None = None,
    ) -> None:
        compiler = compiler or find_compiler()
        if compiler is None:
            raise MissingTool("native", "cannot build the generated C", MISSING_COMPILER)
        self.network = network
        self.program: CProgram = generate(network, dialect)
        self.compiler = compiler
        self.flags = tuple(compiler.native_flags() if flags is None else flags)
        self._dtype = np.int8 if network.quantizer.signed else np.uint8
        ctype = "int8_t" if network.quantizer.signed else "uint8_t"
        wrapper = _TRACED.format(name=network.name, macro=network.name.upper(), ctype=ctype)
        files = {**self.program.files, "native_trace.c": wrapper}
        library = ctypes.CDLL(str(build_library(compiler, files, ["native_trace.c"], self.flags)))
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        self._batch = getattr(library, f"{network.name}_invoke_batch")
        self._batch.argtypes, self._batch.restype = (pointer, size, pointer, pointer, pointer), None
        self._trace = library.edgeml_native_trace
        self._trace.argtypes, self._trace.restype = (pointer, size, pointer, pointer, pointer), None
        self._arena_bytes = self.program.arena_bytes * max(1, dialect.tile)
        self._alignment = dialect.alignment

    def _arena(self) -> tuple[npt.NDArray[np.uint8], int]:
        """Fresh working memory (so that threads may call at once) and its aligned address."""
        memory = np.empty(self._arena_bytes + self._alignment, np.uint8)
        return memory, -(-memory.ctypes.data // self._alignment) * self._alignment

    def invoke(self, q: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """Output integers int32 [samples, outputs] for input integers q [samples, inputs], which must fit the
        network's input (`Network.check_input`)."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        outputs = np.empty((len(x), self.network.output_size), np.int32)
        memory, arena = self._arena()
        self._batch(x.ctypes.data, len(x), outputs.ctypes.data, None, arena)
        del memory
        return outputs

    def trace(self, q: npt.NDArray[np.integer]) -> dict[str, npt.NDArray[np.int32]]:
        """The integers of every layer that the C computes, by node name: int32 [samples, channels] each."""
        x = np.ascontiguousarray(q, dtype=self._dtype)
        steps = self.program.plan.traced
        parts: dict[str, list[npt.NDArray[np.int32]]] = {step.name: [] for step in steps}
        memory, arena = self._arena()
        for start in range(0, max(1, len(x)), _SAMPLES_TRACED_AT_ONCE):
            rows = x[start : start + _SAMPLES_TRACED_AT_ONCE]
            outputs = np.empty((len(rows), self.network.output_size), np.int32)
            values = np.empty((len(rows), self.program.plan.trace_size), np.int32)
            self._trace(rows.ctypes.data, len(rows), outputs.ctypes.data, values.ctypes.data, arena)
            column = 0
            for step in steps:
                parts[step.name].append(values[:, column : column + step.output.size])
                column += step.output.size
        del memory
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}
