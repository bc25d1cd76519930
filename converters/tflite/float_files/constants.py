"""The tensors of a float file: shapes, and constants as real numbers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edgeml.errors import printable
from edgeml.frontends.reading.value import Budget, NotAnMlp

from ..flatbuffer import Table
from ..packing import unpack_weights
from ..schema import TensorType

__all__ = ["FloatTensors"]

_MOST_DIMENSIONS = 6
_WIDEST = 2**20
_DTYPES = {
    TensorType.FLOAT32: "<f4",
    TensorType.FLOAT16: "<f2",
    TensorType.INT32: "<i4",
    TensorType.INT64: "<i8",
    TensorType.INT8: "<i1",
    TensorType.UINT8: "<u1",
    TensorType.INT16: "<i2",
}
_PACKED = {TensorType.INT4: 4, TensorType.INT2: 2}
_QUANTIZED = (TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.INT4, TensorType.INT2)


class FloatTensors:
    """The tensors of one subgraph; NotAnMlp where one is not sound.

    Parameters
    ----------
    root, graph : the file's root table, and that of its only subgraph.
    """

    def __init__(self, root: Table, graph: Table) -> None:
        self._tensors: list[Table] = graph["tensors"]
        self._buffers: list[Table] = root["buffers"]
        self.integer_weights = False
        """Whether any constant that was read is one of integers with a scale."""

    def _tensor(self, index: int) -> Table:
        if not 0 <= index < len(self._tensors):
            raise NotAnMlp(f"it names tensor {index}; the file has {len(self._tensors)}", "The file is damaged")
        return self._tensors[index]

    def name(self, index: int) -> str:
        """A tensor's name in the file."""
        return printable(self._tensor(index)["name"], 60)

    def is_float(self, index: int) -> bool:
        """Whether it is a tensor of float32."""
        return int(self._tensor(index)["type"]) == TensorType.FLOAT32

    def shape(self, index: int) -> tuple[int, ...]:
        """Its sizes; the first of an input or output is 1 where the batch is free."""
        shape = self._tensor(index)["shape"]
        if shape.size > _MOST_DIMENSIONS or np.any(shape < 1) or np.any(shape > _WIDEST):
            raise NotAnMlp(f"tensor {self.name(index)!r} has shape {shape[:8].tolist()}", "The file is damaged")
        return tuple(int(size) for size in shape)

    def input_shape(self, index: int) -> tuple[int | None, ...]:
        """The shape of the model's input, None for a batch of any size."""
        shape, signature = self.shape(index), self._tensor(index)["shape_signature"]
        free = signature.size == len(shape) and signature.size and int(signature[0]) == -1
        if any(size == -1 for size in signature[1:8].tolist()):
            raise NotAnMlp(
                f"its input has shape {signature[:8].tolist()}", "Give its input a fixed size, and convert it anew"
            )
        return (None if free else shape[0], *shape[1:])

    def _data(self, index: int) -> npt.NDArray[np.uint8]:
        number = int(self._tensor(index)["buffer"])
        if not 0 <= number < len(self._buffers):
            raise NotAnMlp(f"tensor {self.name(index)!r} names buffer {number}", "The file is damaged")
        buffer = self._buffers[number]
        if buffer["offset"] or buffer["size"]:
            raise NotAnMlp("the data of a tensor lies outside of the FlatBuffer", "Files past 2 GB are not read")
        data: npt.NDArray[np.uint8] = buffer["data"]
        return data

    def is_constant(self, index: int) -> bool:
        """Whether the file has its numbers."""
        return self._data(index).size > 0

    def constant(self, index: int, budget: Budget) -> npt.NDArray[np.generic]:
        """Its numbers: of integers with scales, the real numbers that they stand for."""
        tensor, shape, data = self._tensor(index), self.shape(index), self._data(index)
        kind, where = int(tensor["type"]), f"tensor {self.name(index)!r}"
        if tensor["sparsity"] is not None or tensor["is_variable"]:
            raise NotAnMlp(f"{where} is sparse or a variable", "Convert the model without pruning or state")
        budget.constant(shape)
        count = math.prod(shape)
        if kind in _PACKED:
            bits = _PACKED[TensorType(kind)]
            if data.size != -(-count * bits // 8):
                raise NotAnMlp(f"{where} holds {data.size} bytes for {count} numbers", "The file is damaged")
            values: npt.NDArray[np.generic] = unpack_weights(data, count, bits).reshape(shape)
        elif kind in _DTYPES:
            dtype = np.dtype(_DTYPES[TensorType(kind)])
            if data.size != count * dtype.itemsize:
                raise NotAnMlp(f"{where} holds {data.size} bytes for {count} numbers", "The file is damaged")
            values = np.frombuffer(data.tobytes(), dtype).reshape(shape)
        else:
            raise NotAnMlp(f"{where} is of element type {kind}")
        quantization = tensor["quantization"]
        if kind in _QUANTIZED and quantization is not None and quantization["scale"].size:
            return self._real(values, quantization, where)
        return values

    def _real(self, values: npt.NDArray[np.generic], quantization: Table, where: str) -> npt.NDArray[np.float64]:
        """(q − zero point) · scale, of one scale or of one for each place along a dimension."""
        scale, zero = quantization["scale"].astype(np.float64), quantization["zero_point"].astype(np.float64)
        axis = int(quantization["quantized_dimension"])
        wide = scale.size > 1
        if quantization["details_type"] or not np.all(np.isfinite(scale)) or np.any(scale <= 0):
            raise NotAnMlp(f"{where} has scales that are of blocks, or not positive and finite")
        if zero.size not in (0, scale.size):
            raise NotAnMlp(f"{where} has {zero.size} zero points for {scale.size} scales")
        if wide and (not 0 <= axis < values.ndim or values.shape[axis] != scale.size):
            raise NotAnMlp(f"{where} has {scale.size} scales along dimension {axis} of shape {list(values.shape)}")
        self.integer_weights = True
        shape = [-1 if at == axis and wide else 1 for at in range(values.ndim)] or [1]
        zeros = (zero if zero.size else np.zeros(scale.size)).reshape(shape)
        result: npt.NDArray[np.float64] = (values.astype(np.float64) - zeros) * scale.reshape(shape)
        return result
