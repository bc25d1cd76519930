"""The tensors of a .tflite file: activations, weights and other constants, checked before memory is taken."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .flatbuffer import Table
from .metadata import METADATA_NAME, own_metadata
from .operators.tensor_info import TensorInfo
from .packing import unpack_weights
from .schema import TensorType

__all__ = ["FileTensors", "identifier"]

_MOST_WEIGHTS = 2**26
_WIDEST = 2**20
_LARGEST_METADATA = 2**20
_WEIGHT_BITS = {TensorType.INT8: 8, TensorType.INT4: 4, TensorType.INT2: 2}


def identifier(text: str, fallback: str = "model") -> str:
    """`text` as a name of letters, digits and underscores."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if name and not name[0].isdigit() else f"{fallback}_{name}"


class FileTensors:
    """The tensors of one file; each is looked at when somebody names it.

    Parameters
    ----------
    root, graph : the file's root table, and that of its only subgraph.

    Every method raises InputError naming the tensor, or `where`, if it is not sound.
    """

    def __init__(self, root: Table, graph: Table) -> None:
        self._root = root
        self._tensors: list[Table] = graph["tensors"]
        self._buffers: list[Table] = root["buffers"]
        self._infos: dict[int, TensorInfo] = {}
        self._weights = 0
        self.computed: set[int] = set()
        """Activations that have been given or computed already."""
        self.metadata = self._read_metadata()
        self.own = own_metadata(self.metadata)
        """What edgeml wrote into the metadata."""

    def _read_metadata(self) -> dict[str, bytes]:
        entries: dict[str, bytes] = {}
        total = 0
        for entry in self._root["metadata"]:
            data = self._buffer(int(entry["buffer"]), f"metadata {entry['name']!r}")
            total += data.size
            if total > _LARGEST_METADATA:
                raise InputError("metadata", f"more than {_LARGEST_METADATA} bytes")
            entries[entry["name"]] = data.tobytes()
        return entries

    def _buffer(self, index: int, where: str) -> npt.NDArray[np.uint8]:
        if not 0 <= index < len(self._buffers):
            raise InputError(where, f"names buffer {index}; the file has {len(self._buffers)}")
        buffer = self._buffers[index]
        if buffer["offset"] or buffer["size"]:
            raise InputError(where, "its data lies outside of the FlatBuffer", "Files past 2 GB are not supported")
        data: npt.NDArray[np.uint8] = buffer["data"]
        return data

    def _tensor(self, index: int) -> Table:
        if not 0 <= index < len(self._tensors):
            raise InputError("subgraph", f"names tensor {index}; the file has {len(self._tensors)}")
        return self._tensors[index]

    def label(self, index: int) -> str:
        """How errors name a tensor."""
        return f"tensor {index} {self._tensor(index)['name']!r}"

    def shape(self, index: int) -> list[int]:
        """Sizes of a tensor, each of 1 or more."""
        shape: npt.NDArray[np.int32] = self._tensor(index)["shape"]
        if shape.size > 8 or np.any(shape < 1) or np.any(shape > _WIDEST):
            raise InputError(self.label(index), f"shape {shape[:8].tolist()} is not sound")
        return [int(size) for size in shape]

    def features(self, index: int) -> int:
        """Channels of an activation tensor [1, size]; TensorFlow may put further dimensions of 1 before."""
        shape = self.shape(index)
        size = int(np.prod(shape, dtype=np.float64))
        if not shape or size > _WIDEST or (shape[0] != 1 and size != shape[-1]):
            raise InputError(self.label(index), f"shape {shape} is not one sample", "Export the model for batch size 1")
        return size

    def _sample(self, index: int) -> tuple[int, tuple[int, ...]]:
        """Size and shape of one sample of an activation: [1, …], or behind the first tensor [positions, channels]."""
        shape = tuple(self.shape(index))
        if self._infos and len(shape) == 2 and shape[0] != 1 and (size := math.prod(shape)) <= _WIDEST:
            return size, shape
        size = self.features(index)
        return size, shape[1:] if math.prod(shape[1:]) == size and shape[1:] != (size,) else ()

    def _scales(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], int]:
        quantization = self._tensor(index)["quantization"]
        if quantization is None or quantization["scale"].size == 0:
            raise InputError(self.label(index), "has no scale: it is not quantized", "Quantize the model to int8 first")
        if quantization["details_type"]:
            raise InputError(self.label(index), "uses custom or blockwise quantization, which is not supported")
        scale = quantization["scale"].astype(np.float32)
        if not np.all(np.isfinite(scale)) or np.any(scale <= 0):
            raise InputError(self.label(index), "a scale is not positive and finite")
        zero_point = quantization["zero_point"].astype(np.int64)
        if zero_point.size not in (0, scale.size):
            raise InputError(self.label(index), f"{zero_point.size} zero points for {scale.size} scales")
        return scale, zero_point, int(quantization["quantized_dimension"])

    def activation(self, index: int) -> TensorInfo:
        """An activation; its name is unique in the file."""
        if index not in self._infos:
            tensor = self._tensor(index)
            kind = int(tensor["type"])
            if kind not in (TensorType.INT8, TensorType.UINT8):
                found = "has 16-bit activations" if kind == TensorType.INT16 else f"is of element type {kind}"
                raise InputError(
                    self.label(index),
                    f"{found}; int8 or uint8 are supported",
                    "Convert it with target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8], or without "
                    "quantization: edgeml quantizes a float file itself",
                )
            if self._buffer(int(tensor["buffer"]), self.label(index)).size or tensor["is_variable"]:
                raise InputError(self.label(index), "is a constant or a variable where an activation is expected")
            scale, zero_point, _ = self._scales(index)
            if scale.size != 1:
                raise InputError(self.label(index), f"an activation has one scale, found {scale.size}")
            name = identifier(tensor["name"], "tensor")[:80]
            taken = {info.name for info in self._infos.values()}
            if name in taken or name == "input":
                name = f"{name}_{index}"
            zero = int(zero_point[0]) if zero_point.size else 0
            signed = kind == TensorType.INT8
            size, shape = self._sample(index)
            self._infos[index] = TensorInfo(name, size, float(scale[0]), zero, signed, shape)
        return self._infos[index]

    @property
    def indices(self) -> dict[str, int]:
        """Index of each activation tensor that was read, by name."""
        return {info.name: index for index, info in self._infos.items()}

    @property
    def activations(self) -> Mapping[str, TensorInfo]:
        """Each activation tensor that was read, by name."""
        return {info.name: info for info in self._infos.values()}

    def is_real(self, index: int) -> bool:
        """Whether a tensor is of float32."""
        return int(self._tensor(index)["type"]) == TensorType.FLOAT32

    def float_constant(self, index: int, where: str, size: int) -> npt.NDArray[np.float64]:
        """A constant of 1 or `size` floats."""
        tensor = self._tensor(index)
        data = self._buffer(int(tensor["buffer"]), where)
        if int(tensor["type"]) != TensorType.FLOAT32 or data.size not in (4, 4 * size):
            raise InputError(where, f"takes 1 or {size} constant floats, found {data.size} bytes")
        return np.frombuffer(data.tobytes(), "<f4").astype(np.float64)

    def integers(self, index: int, where: str, most: int) -> npt.NDArray[np.int32]:
        """A constant of at most so many int32 integers, in its shape."""
        tensor, shape = self._tensor(index), [int(size) for size in self._tensor(index)["shape"][:8]]
        data = self._buffer(int(tensor["buffer"]), where)
        count = math.prod(shape)
        if int(tensor["type"]) != TensorType.INT32 or not 0 < count <= most or data.size != 4 * count:
            raise InputError(where, f"takes 1 to {most} constant int32 integers, found {data.size} bytes of {shape}")
        return np.frombuffer(data.tobytes(), "<i4").astype(np.int32).reshape(shape)

    def guard_bits(self, layer: str, weight: npt.NDArray[np.int8], bias: npt.NDArray[np.int32]) -> int:
        """Guard bits that our metadata states for a layer, if the integers bear it out."""
        stated = self.own.get("guard_bits", {})
        bits = stated.get(layer, 0) if isinstance(stated, dict) else 0
        if not isinstance(bits, int) or isinstance(bits, bool) or not 0 <= bits <= 6:
            raise InputError(f"metadata {METADATA_NAME!r}", f"guard bits of {layer} must be 0 … 6, found {bits!r}")
        mask = (1 << bits) - 1
        if bits and (np.any(weight & np.int8(mask)) or np.any((bias & mask) != 1)):
            raise InputError(
                f"layer {layer}", f"its integers do not have the {bits} guard bits that the metadata states"
            )
        return bits

    def weight(self, index: int, where: str) -> tuple[npt.NDArray[np.int8], int, npt.NDArray[np.float32]]:
        """Weights int8 [outputs, inputs], their bits in the file, and their scales [outputs] or [1]."""
        tensor, shape = self._tensor(index), self.shape(index)
        kind = int(tensor["type"])
        bits = next((bits for known, bits in _WEIGHT_BITS.items() if known == kind), 0)
        if not bits or tensor["sparsity"] is not None or index in self.computed:
            raise InputError(where, "weights must be constant, dense int8, int4 or int2", "Quantize to full int8")
        if len(shape) != 2:
            raise InputError(where, f"weights must have 2 dimensions, found {shape}")
        count = shape[0] * shape[1]
        self._weights += count
        if self._weights > _MOST_WEIGHTS:
            raise InputError(where, f"the model has more than {_MOST_WEIGHTS} weights")
        data = self._buffer(int(tensor["buffer"]), where)
        if data.size != -(-count * bits // 8):
            raise InputError(where, f"{count} weights of {bits} bits in a buffer of {data.size} bytes")
        scale, zero_point, dimension = self._scales(index)
        if scale.size not in (1, shape[0]) or (scale.size > 1 and dimension != 0) or np.any(zero_point):
            raise InputError(where, "weights need one scale, or one per output channel, and zero point 0")
        return unpack_weights(data, count, bits).reshape(shape), bits, scale

    def filters(self, index: int, axis: int, where: str) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """int8 weights of a convolution, whose outputs are dimension `axis` of 4, and their scales [outputs] or [1]."""
        tensor, shape = self._tensor(index), self.shape(index)
        if int(tensor["type"]) != TensorType.INT8 or tensor["sparsity"] is not None or index in self.computed:
            raise InputError(where, "weights must be constant, dense int8", "Quantize to full int8")
        if len(shape) != 4:
            raise InputError(where, f"weights must have 4 dimensions, found {shape}")
        data = self._counted(index, shape, where)
        scale, zero_point, dimension = self._scales(index)
        if scale.size not in (1, shape[axis]) or (scale.size > 1 and dimension != axis) or np.any(zero_point):
            raise InputError(where, "weights need one scale, or one per output channel, and zero point 0")
        return np.frombuffer(data.tobytes(), np.int8).reshape(shape), scale

    def _counted(self, index: int, shape: list[int], where: str) -> npt.NDArray[np.uint8]:
        """The bytes of a constant of 8-bit integers, counted among the weights."""
        count = int(np.prod(shape, dtype=np.float64))
        self._weights += count
        if self._weights > _MOST_WEIGHTS:
            raise InputError(where, f"the model has more than {_MOST_WEIGHTS} weights")
        data = self._buffer(int(self._tensor(index)["buffer"]), where)
        if data.size != count:
            raise InputError(where, f"{count} integers of 8 bits in a buffer of {data.size} bytes")
        return data

    def is_constant(self, index: int) -> bool:
        """Whether the file has its numbers."""
        return index >= 0 and self._buffer(int(self._tensor(index)["buffer"]), self.label(index)).size > 0

    def is_shape(self, index: int) -> bool:
        """Whether it is a tensor of 32-bit integers, as sizes are."""
        return int(self._tensor(index)["type"]) == TensorType.INT32

    def operand(self, index: int, where: str) -> tuple[TensorInfo, npt.NDArray[np.int64]]:
        """A constant of 8-bit integers with one scale: what an activation of them would be, and the integers."""
        tensor, shape = self._tensor(index), self.shape(index)
        kind = int(tensor["type"])
        if kind not in (TensorType.INT8, TensorType.UINT8) or index in self.computed:
            raise InputError(where, f"a constant of element type {kind}", "Quantize to full int8")
        scale, zero_point, _ = self._scales(index)
        if scale.size != 1:
            raise InputError(where, f"a constant of {scale.size} scales where one is expected")
        signed = kind == TensorType.INT8
        info = TensorInfo("constant", 1, float(scale[0]), int(zero_point[0]) if zero_point.size else 0, signed)
        data = self._counted(index, shape, where)
        values = np.frombuffer(data.tobytes(), np.int8 if signed else np.uint8)
        return info, values.reshape(shape).astype(np.int64)

    def bias(self, index: int, outputs: int, where: str) -> npt.NDArray[np.int32]:
        """A bias int32 [outputs]; zeros for index −1, which stands for none."""
        if index == -1:
            return np.zeros(outputs, np.int32)
        tensor = self._tensor(index)
        data = self._buffer(int(tensor["buffer"]), where)
        if int(tensor["type"]) != TensorType.INT32 or data.size != 4 * outputs:
            raise InputError(where, f"the bias must be {outputs} constant int32 values, found {data.size} bytes")
        return np.frombuffer(data.tobytes(), "<i4").astype(np.int32)
