"""What the checker of `tflite` reads of a file, by itself: operators, tensors with their scales, and constants."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .statements import need

__all__ = ["FileOperator", "FileTensor", "TfliteFile"]

_MOST = 2**20
_BITS = {9: 8, 17: 4, 19: 2}


class _Table:
    """A table of the file at a position."""

    def __init__(self, content: bytes, position: int) -> None:
        self.content, self.position = content, position
        self.fields = position - self._read("<i", position)
        self.size = self._read("<H", self.fields)

    def _read(self, code: str, position: int) -> int:
        need(0 <= position < len(self.content), "file", "points out of itself")
        return int(struct.unpack_from(code, self.content, position)[0])

    def _at(self, slot: int) -> int:
        offset = self._read("<H", self.fields + 4 + 2 * slot) if 4 + 2 * slot < self.size else 0
        return self.position + offset if offset else 0

    def number(self, slot: int, code: str, otherwise: int = 0) -> int:
        """A number in a slot."""
        return self._read(code, at) if (at := self._at(slot)) else otherwise

    def _target(self, slot: int) -> int:
        return at + self._read("<I", at) if (at := self._at(slot)) else 0

    def table(self, slot: int) -> _Table | None:
        """A table in a slot."""
        return _Table(self.content, at) if (at := self._target(slot)) else None

    def tables(self, slot: int) -> list[_Table]:
        """A list of tables."""
        if not (at := self._target(slot)):
            return []
        count = self._read("<I", at)
        need(count < _MOST, "file", "has too many tables")
        places = [at + 4 + 4 * index for index in range(count)]
        return [_Table(self.content, place + self._read("<I", place)) for place in places]

    def array(self, slot: int, kind: str) -> npt.NDArray[Any]:
        """A list of numbers."""
        if not (at := self._target(slot)):
            return np.zeros(0, kind)
        return np.frombuffer(self.content, kind, self._read("<I", at), at + 4)


@dataclass(frozen=True, eq=False)
class FileTensor:
    """A tensor: element type, scales, zero point (0 where none is stated), and its bytes if it is a constant."""

    kind: int
    shape: tuple[int, ...]
    scale: npt.NDArray[np.float32]
    zero_point: int
    data: bytes

    @property
    def weights(self) -> npt.NDArray[np.int64]:
        """Integers of 8, 4 or 2 bits, the first of a byte in its lowest bits."""
        bits = _BITS[self.kind]
        packed = np.frombuffer(self.data, np.uint8).astype(np.int64)
        codes = (packed[:, None] >> np.arange(0, 8, bits)) & ((1 << bits) - 1)
        signed = np.where(codes >> bits - 1, codes - (1 << bits), codes).ravel()
        return signed[: int(np.prod(self.shape))].reshape(self.shape)


@dataclass(frozen=True)
class FileOperator:
    """An operator by its number, the tensors that it takes and gives, and the number of its fused activation."""

    kind: int
    inputs: tuple[int, ...]
    output: int
    activation: int


class TfliteFile:
    """A file: its operators in order, and its tensors by index."""

    def __init__(self, content: bytes) -> None:
        root = _Table(content, struct.unpack_from("<I", content)[0])
        (graph,) = root.tables(2)
        codes = [max(code.number(0, "<b"), code.number(3, "<i")) for code in root.tables(1)]
        self._buffers = root.tables(4)
        self._tensors = graph.tables(0)
        self.input = int(graph.array(1, "<i4")[0])
        self.output = int(graph.array(2, "<i4")[0])
        self.operators = []
        for table in graph.tables(3):
            options = table.table(4)
            kind = codes[table.number(0, "<I")]
            activation = options.number(0, "<b") if kind == 9 and options is not None else 0
            inputs = tuple(int(index) for index in table.array(1, "<i4"))
            self.operators.append(FileOperator(kind, inputs, int(table.array(2, "<i4")[0]), activation))

    def tensor(self, index: int) -> FileTensor:
        """The tensor of that index."""
        table = self._tensors[index]
        quantization = table.table(4)
        zeros = np.zeros(0) if quantization is None else quantization.array(3, "<i8")
        return FileTensor(
            table.number(1, "<b"),
            tuple(int(size) for size in table.array(0, "<i4")),
            np.zeros(0, np.float32) if quantization is None else quantization.array(2, "<f4"),
            int(zeros[0]) if len(zeros) else 0,
            self._buffers[table.number(2, "<I")].array(0, "<u1").tobytes(),
        )
