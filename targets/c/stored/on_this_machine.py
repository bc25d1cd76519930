"""Generated C on this machine, its constants in memory that can be written: stage by stage, so that tensors can be."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.faults.stored_form import Bytes, Disturbed

from ..alone import stage_function
from .meaning import Ints
from .network import StoredConstants

__all__ = ["WritableLibrary"]


class WritableLibrary:
    """A shared library of a program's stages.

    Parameters
    ----------
    stored : the program's constants.
    library : where it lies; it exports all constants as arrays that are not const, and what `alone.entry_points` gives.
    """

    def __init__(self, stored: StoredConstants, library: Path) -> None:
        self._stored, self._library = stored, ctypes.CDLL(str(library))

    def run(self, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None) -> Ints:
        """Outputs for input integers q; the input's own stage, which has no constants, is the definition's."""
        for array in self._stored.arrays:
            memory = (ctypes.c_uint8 * array.bytes).in_dll(self._library, array.name)
            start = self._stored.starts[array.name]
            ctypes.memmove(memory, content[start : start + array.bytes].tobytes(), array.bytes)
        tensors: dict[str, npt.NDArray[Any]] = {}
        for position, stage in enumerate(self._stored.layout.stages):
            if stage.job.inputs:
                raw = self._called(position, tensors[stage.job.inputs[0].name])
            else:
                raw = self._stored.raw_input(q)
            if disturbed and stage.name in disturbed:
                mask = disturbed[stage.name]
                raw[:, : mask.shape[1]] ^= mask
            tensors[stage.name] = raw
        return self._stored.values(raw)

    def _called(self, position: int, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """What a stage writes, bytes [samples, padded], of each row of x."""
        stage = self._stored.layout.stages[position]
        function = getattr(self._library, stage_function(self._stored.layout, position))
        function.argtypes, function.restype = (ctypes.c_void_p,) * 4, None
        found = np.zeros((len(x), stage.output.bytes), np.uint8)
        sizes = (x.shape[1], stage.output.bytes, max(stage.code.scratch_bytes, 1))
        source, target, scratch = (_aligned(size, self._stored.layout.dialect.alignment) for size in sizes)
        for row, result in zip(x, found, strict=True):
            source[:] = row
            function(source.ctypes.data, source.ctypes.data, target.ctypes.data, scratch.ctypes.data)
            result[:] = target
        return found


def _aligned(size: int, alignment: int) -> npt.NDArray[np.uint8]:
    memory = np.zeros(size + alignment, np.uint8)
    first = -memory.ctypes.data % alignment
    return memory[first : first + size]
