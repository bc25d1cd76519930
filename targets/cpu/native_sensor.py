"""The generated C that makes input integers of real numbers and raw counts, compiled for this machine."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import MissingTool
from edgeml.targets.c import CProgram

from .compiler import Compiler, find_compiler, missing_compiler
from .shared_library import build_library

__all__ = ["NativeSensor"]


class NativeSensor:
    """`<name>_quantize`, `<name>_dequantize` and, where counts are stated, `<name>_quantize_s16` on numpy arrays.

    compiler : by default the one that `find_compiler` finds; MissingTool where there is none. flags : for it.
    """

    def __init__(self, program: CProgram, compiler: Compiler | None = None, flags: Sequence[str] | None = None) -> None:
        compiler = compiler or find_compiler()
        if compiler is None:
            raise MissingTool("native", f"cannot build the generated C: {missing_compiler()}")
        self._program = program
        self._name = program.layout.name
        network = program.layout.network
        self._inputs, self._outputs = network.input_size, network.output_size
        self._integer = np.int8 if network.quantizer.signed else np.uint8
        names = [f"{self._name}_{part}.c" for part in ("sensor", "counts", "probabilities")]
        sources = [name for name in names if name in program.files]
        chosen = tuple(compiler.native_flags() if flags is None else flags)
        self._library = ctypes.CDLL(str(build_library(compiler, dict(program.files), sources, chosen)))

    def _called(self, function: str, x: npt.NDArray[Any], width: int, dtype: type) -> npt.NDArray[Any]:
        """Rows of `width` values of `dtype`, one for each row of x."""
        call = getattr(self._library, f"{self._name}_{function}")
        call.argtypes, call.restype = (ctypes.c_void_p, ctypes.c_void_p), None
        result: npt.NDArray[Any] = np.empty((len(x), width), dtype)
        for source, target in zip(x, result, strict=True):
            call(source.ctypes.data, target.ctypes.data)
        return result

    def quantize(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """Input integers [samples, inputs] for floats of the same shape."""
        x = np.ascontiguousarray(x, np.float32)
        return self._called("quantize", x, self._inputs, self._integer).astype(np.int32)

    def quantize_counts(self, counts: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """Input integers [samples, inputs] for raw counts of the same shape."""
        counts = np.ascontiguousarray(counts, np.int16)
        return self._called("quantize_s16", counts, self._inputs, self._integer).astype(np.int32)

    def probabilities(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
        """Probabilities [samples, outputs] of output integers of the same shape, where there are classes."""
        return self._called("probabilities", np.ascontiguousarray(outputs, np.int32), self._outputs, np.uint16)

    def dequantize(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Real numbers [samples, outputs] for output integers of the same shape."""
        return self._called("dequantize", np.ascontiguousarray(outputs, np.int32), self._outputs, np.float32)
