"""Reads an int8 .tflite file of anybody's: fully connected layers and what stands between them.

The file is taken as hostile. `flatbuffer` follows no offset out of the file; here shapes, sizes, types and scales are
checked before memory is taken, and an operator that an MLP does not have is refused by name.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.system.regular_file import read_regular

from .flatbuffer import Table, read_root
from .float_head import read_normalisation
from .lowering import RoundingRule, lower
from .metadata import METADATA_NAME, labels, own_metadata, refuse_stated_normalisation, task
from .model import Add, FullyConnected, Function, Model, Operator, Relu, Retype, Softmax, TensorInfo
from .packing import unpack_weights
from .runtimes import rounding_rule
from .schema import SCHEMA_VERSION, Activation, OperatorKind, TensorType, operator_name

__all__ = [
    "DEFAULT_ROUNDING",
    "LARGEST_FILE",
    "ending_at",
    "identifier",
    "own_metadata",
    "read_model",
    "read_network",
    "rule_of",
    "tensor_indices",
]

DEFAULT_ROUNDING = "double_rounding"
"""The rule for a file that names none: that of TFLite Micro and CMSIS-NN."""

LARGEST_FILE = 2**30
"""Bytes of a .tflite file that are read."""
_MOST_WEIGHTS = 2**26
_WIDEST = 2**20
_MOST_ACTIVATIONS = 2**23
_MOST_OPERATORS = 1000
_LARGEST_METADATA = 2**20
_WEIGHT_BITS = {TensorType.INT8: 8, TensorType.INT4: 4, TensorType.INT2: 2}
_ACTIVATIONS = {Activation.NONE: "none", Activation.RELU: "relu", Activation.RELU6: "relu6"}


def read_network(path: Path, rounding: str = "") -> Network:
    """The integer network in a .tflite file, by its own rounding rule where it names one (as those of edgeml do).

    `rounding` names another rule or runtime; a file that names none is read by the rule of TFLite Micro and CMSIS-NN.
    Raises InputError naming the file where it cannot be read or is not an int8 MLP.
    """
    content = read_regular(path, LARGEST_FILE)
    try:
        model = read_model(content, path.stem)
        return lower(model, rule_of(model, rounding))
    except InputError as error:
        raise InputError(str(path), str(error)) from error


def rule_of(model: Model, asked: str = "") -> RoundingRule:
    """The rounding rule that is asked for by name, or else that which the file names, or else the default."""
    return rounding_rule(asked or str(own_metadata(model.metadata).get("rounding", DEFAULT_ROUNDING)))


def identifier(text: str, fallback: str = "model") -> str:
    """`text` as a name of letters, digits and underscores."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if name and not name[0].isdigit() else f"{fallback}_{name}"


def read_model(content: bytes, name: str = "model") -> Model:
    """The model in the bytes of a .tflite file; InputError where it is damaged or no int8 MLP."""
    return _Reader(content, name).model()


def tensor_indices(content: bytes) -> dict[str, int]:
    """Index in the file of each activation tensor, by its name in the model."""
    reader = _Reader(content, "model")
    reader.model()
    return reader.indices


def ending_at(content: bytes, index: int) -> bytes:
    """The same file with the tensor of that index as its output."""
    outputs = read_root(content)["subgraphs"][0]["outputs"]
    whole = np.frombuffer(content, np.uint8)
    offset = outputs.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return content[:offset] + np.array([index], "<i4").tobytes() + content[offset + 4 :]


class _Reader:
    """One pass over a file: tensors are looked at when an operator names them."""

    def __init__(self, content: bytes, name: str) -> None:
        self._root = read_root(content)
        self._name = name
        if self._root["version"] != SCHEMA_VERSION:
            raise InputError("header", f"schema version {self._root['version']}; edgeml reads {SCHEMA_VERSION}")
        subgraphs = self._root["subgraphs"]
        if len(subgraphs) != 1:
            raise InputError("model", f"has {len(subgraphs)} subgraphs; edgeml reads models of one")
        self._graph: Table = subgraphs[0]
        self._tensors: list[Table] = self._graph["tensors"]
        self._buffers: list[Table] = self._root["buffers"]
        self._codes = [self._code(code) for code in self._root["operator_codes"]]
        self._infos: dict[int, TensorInfo] = {}
        self._weights = self._activations = 0
        self._metadata = self._read_metadata()
        self._own = own_metadata(self._metadata)

    @staticmethod
    def _code(code: Table) -> int:
        """Old files keep the number in one byte; of a newer one the larger counts."""
        return max(int(code["builtin_code"]), int(code["deprecated_builtin_code"]))

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

    def _label(self, index: int) -> str:
        return f"tensor {index} {self._tensor(index)['name']!r}"

    def _shape(self, index: int) -> list[int]:
        shape: npt.NDArray[np.int32] = self._tensor(index)["shape"]
        if shape.size > 8 or np.any(shape < 1) or np.any(shape > _WIDEST):
            raise InputError(self._label(index), f"shape {shape[:8].tolist()} is not sound")
        return [int(size) for size in shape]

    def _features(self, index: int) -> int:
        """Channels of an activation tensor [1, size]; TensorFlow may put further dimensions of 1 before."""
        shape = self._shape(index)
        size = int(np.prod(shape, dtype=np.float64))
        if not shape or size > _WIDEST or (shape[0] != 1 and size != shape[-1]):
            raise InputError(
                self._label(index), f"shape {shape} is not one sample", "Export the model for batch size 1"
            )
        return size

    def _scales(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], int]:
        quantization = self._tensor(index)["quantization"]
        if quantization is None or quantization["scale"].size == 0:
            raise InputError(
                self._label(index), "has no scale: it is not quantized", "Quantize the model to int8 first"
            )
        if quantization["details_type"]:
            raise InputError(self._label(index), "uses custom or blockwise quantization, which is not supported")
        scale = quantization["scale"].astype(np.float32)
        if not np.all(np.isfinite(scale)) or np.any(scale <= 0):
            raise InputError(self._label(index), "a scale is not positive and finite")
        zero_point = quantization["zero_point"].astype(np.int64)
        if zero_point.size not in (0, scale.size):
            raise InputError(self._label(index), f"{zero_point.size} zero points for {scale.size} scales")
        return scale, zero_point, int(quantization["quantized_dimension"])

    def _activation(self, index: int) -> TensorInfo:
        if index not in self._infos:
            tensor = self._tensor(index)
            kind = int(tensor["type"])
            if kind not in (TensorType.INT8, TensorType.UINT8):
                raise InputError(
                    self._label(index), f"element type {kind}; int8 or uint8 are supported", "Quantize to full int8"
                )
            if self._buffer(int(tensor["buffer"]), self._label(index)).size or tensor["is_variable"]:
                raise InputError(self._label(index), "is a constant or a variable where an activation is expected")
            scale, zero_point, _ = self._scales(index)
            if scale.size != 1:
                raise InputError(self._label(index), f"an activation has one scale, found {scale.size}")
            name = identifier(tensor["name"], "tensor")[:80]
            taken = {info.name for info in self._infos.values()}
            if name in taken or name == "input":
                name = f"{name}_{index}"
            zero = int(zero_point[0]) if zero_point.size else 0
            signed = kind == TensorType.INT8
            self._infos[index] = TensorInfo(name, self._features(index), float(scale[0]), zero, signed)
        return self._infos[index]

    @property
    def indices(self) -> dict[str, int]:
        """Index of each activation tensor that was read, by name."""
        return {info.name: index for index, info in self._infos.items()}

    def _is_real(self, index: int) -> bool:
        return int(self._tensor(index)["type"]) == TensorType.FLOAT32

    def _only(self, indices: npt.NDArray[np.int32], where: str) -> int:
        if indices.size != 1:
            raise InputError(where, f"{indices.size} tensors where one is expected")
        return int(indices[0])

    def model(self) -> Model:
        """The whole model."""
        operators: list[Table] = self._graph["operators"]
        if not 0 < len(operators) <= _MOST_OPERATORS:
            raise InputError("subgraph", f"has {len(operators)} operators; edgeml reads 1 to {_MOST_OPERATORS}")
        kinds = [self._kind(operator) for operator in operators]
        self._refuse_others(kinds)
        source = self._only(self._graph["inputs"], "subgraph inputs")
        target = self._only(self._graph["outputs"], "subgraph outputs")
        self._computed = {source}
        float_input, float_output = self._is_real(source), self._is_real(target)
        steps = list(zip(kinds, operators, strict=True))
        offset, scale = np.zeros(1), np.ones(1)
        if float_input:
            size = self._features(source)
            source, offset, scale = read_normalisation(
                steps, source, lambda index, where: self._float_constant(index, where, size)
            )
            source = self._edge(steps, 0, OperatorKind.QUANTIZE, source)
        if float_output:
            target = self._edge(steps, -1, OperatorKind.DEQUANTIZE, target)
        first = self._activation(source)
        self._computed.add(source)
        read = tuple(self._operator(OperatorKind(kind), operator) for kind, operator in steps)
        if target not in self._computed:
            raise InputError("subgraph outputs", f"no operator computes {self._label(target)}")
        own = self._own
        refuse_stated_normalisation(own)
        return Model(
            identifier(self._name),
            {info.name: info for info in self._infos.values()},
            read,
            first.name,
            self._activation(target).name,
            float_input,
            float_output,
            offset,
            scale,
            labels(own.get("labels", [])),
            self._metadata,
            *task(own),
        )

    def _float_constant(self, index: int, where: str, size: int) -> npt.NDArray[np.float64]:
        tensor = self._tensor(index)
        data = self._buffer(int(tensor["buffer"]), where)
        if int(tensor["type"]) != TensorType.FLOAT32 or data.size not in (4, 4 * size):
            raise InputError(where, f"takes 1 or {size} constant floats, found {data.size} bytes")
        return np.frombuffer(data.tobytes(), "<f4").astype(np.float64)

    def _kind(self, operator: Table) -> int:
        index = int(operator["opcode_index"])
        if not 0 <= index < len(self._codes):
            raise InputError("operator", f"names operator code {index}; the file has {len(self._codes)}")
        return self._codes[index]

    def _refuse_others(self, kinds: list[int]) -> None:
        known = {int(kind) for kind in OperatorKind}
        if others := sorted({operator_name(kind) for kind in kinds if kind not in known}):
            supported = ", ".join(kind.name for kind in OperatorKind)
            raise InputError(
                "model",
                f"holds operators that edgeml has no integers for: {', '.join(others)}",
                f"Supported: {supported}",
            )

    def _edge(self, steps: list[tuple[int, Table]], place: int, kind: OperatorKind, outer: int) -> int:
        """Take the QUANTIZE or DEQUANTIZE at an end off; gives the integer tensor on its inner side."""
        found, operator = steps.pop(place) if steps else (-1, None)
        where = f"{kind.name} at the model's end"
        if found != kind or operator is None:
            raise InputError(
                self._label(outer),
                "is float32, but no QUANTIZE or DEQUANTIZE stands there",
                "Quantize the model to full int8",
            )
        inside, outside = ("outputs", "inputs") if place == 0 else ("inputs", "outputs")
        if self._only(operator[outside], where) != outer:
            raise InputError(where, "is not connected to the model's input or output")
        return self._only(operator[inside], where)

    def _operator(self, kind: OperatorKind, operator: Table) -> Operator:
        """One operator; its activations must have been computed before."""
        output = self._only(operator["outputs"], kind.name)
        indices = [int(index) for index in operator["inputs"][:8]]
        count = 2 if kind == OperatorKind.ADD else 1
        if len(indices) < count:
            raise InputError(kind.name, f"takes {count} tensors, found {len(indices)}")
        for index in indices[:count]:
            if index not in self._computed:
                raise InputError(kind.name, f"takes tensor {index}, which no earlier operator computes")
        if output in self._computed:
            raise InputError(kind.name, f"writes tensor {output} a second time")
        inputs = tuple(self._activation(index).name for index in indices[:count])
        target = self._activation(output)
        self._computed.add(output)
        self._activations += target.size
        if self._activations > _MOST_ACTIVATIONS:
            raise InputError(kind.name, f"the model's tensors hold more than {_MOST_ACTIVATIONS} values")
        options = operator["builtin_options"]
        if kind == OperatorKind.FULLY_CONNECTED:
            return self._fully_connected(indices, target, options)
        sizes = {self._activation(index).size for index in indices[:count]} | {target.size}
        if len(sizes) > 1:
            raise InputError(f"{kind.name} {target.name}", f"cannot be between tensors of sizes {sorted(sizes)}")
        if kind == OperatorKind.ADD:
            if options is not None and options.kind == "AddOptions" and options["fused_activation_function"]:
                raise InputError(f"ADD {target.name}", "a fused activation is not supported")
            return Add(target.name, (inputs[0], inputs[1]))
        one = (inputs[0],)
        if kind in (OperatorKind.LOGISTIC, OperatorKind.TANH):
            return Function(target.name, one, kind.name)
        if kind in (OperatorKind.RELU, OperatorKind.RELU6):
            return Relu(target.name, one, 6.0 if kind == OperatorKind.RELU6 else float("inf"))
        if kind == OperatorKind.SOFTMAX:
            beta = float(options["beta"]) if options is not None and options.kind == "SoftmaxOptions" else 1.0
            return Softmax(target.name, one, beta)
        if kind in (OperatorKind.RESHAPE, OperatorKind.QUANTIZE):
            return Retype(target.name, one)
        raise InputError(kind.name, "stands inside the model: floats cannot be part of an integer network")

    def _fully_connected(self, indices: list[int], target: TensorInfo, options: Table | None) -> FullyConnected:
        where = f"FULLY_CONNECTED {target.name}"
        if len(indices) not in (2, 3):
            raise InputError(where, f"takes 2 or 3 tensors, found {len(indices)}")
        source = self._activation(indices[0])
        if not (source.signed and target.signed):
            raise InputError(where, "unsigned activations are the old uint8 scheme", "Quantize to int8")
        weight, bits, scale = self._weight(indices[1], where)
        if weight.shape != (target.size, source.size):
            raise InputError(where, f"weights {list(weight.shape)} between {source.size} and {target.size} channels")
        bias = self._bias(indices[2] if len(indices) == 3 else -1, weight.shape[0], where)
        activation = Activation.NONE
        if options is not None and options.kind == "FullyConnectedOptions":
            if options["weights_format"]:
                raise InputError(where, "shuffled weights are not supported")
            number = int(options["fused_activation_function"])
            if number not in _ACTIVATIONS:
                raise InputError(where, f"fused activation {number}; none, RELU and RELU6 are supported")
            activation = Activation(number)
        guard = self._guard_bits(target.name, weight, bias)
        if guard:
            weight, bias = weight >> guard, bias >> guard
        return FullyConnected(target.name, (source.name,), weight, bits, scale, bias, _ACTIVATIONS[activation], guard)

    def _guard_bits(self, layer: str, weight: npt.NDArray[np.int8], bias: npt.NDArray[np.int32]) -> int:
        """Guard bits that our metadata states for a layer, if the integers bear it out."""
        stated = self._own.get("guard_bits", {})
        bits = stated.get(layer, 0) if isinstance(stated, dict) else 0
        if not isinstance(bits, int) or isinstance(bits, bool) or not 0 <= bits <= 6:
            raise InputError(f"metadata {METADATA_NAME!r}", f"guard bits of {layer} must be 0 … 6, found {bits!r}")
        mask = (1 << bits) - 1
        if bits and (np.any(weight & np.int8(mask)) or np.any((bias & mask) != 1)):
            raise InputError(
                f"layer {layer}", f"its integers do not have the {bits} guard bits that the metadata states"
            )
        return bits

    def _weight(self, index: int, where: str) -> tuple[npt.NDArray[np.int8], int, npt.NDArray[np.float32]]:
        tensor, shape = self._tensor(index), self._shape(index)
        kind = int(tensor["type"])
        bits = next((bits for known, bits in _WEIGHT_BITS.items() if known == kind), 0)
        if not bits or tensor["sparsity"] is not None or index in self._computed:
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

    def _bias(self, index: int, outputs: int, where: str) -> npt.NDArray[np.int32]:
        if index == -1:
            return np.zeros(outputs, np.int32)
        tensor = self._tensor(index)
        data = self._buffer(int(tensor["buffer"]), where)
        if int(tensor["type"]) != TensorType.INT32 or data.size != 4 * outputs:
            raise InputError(where, f"the bias must be {outputs} constant int32 values, found {data.size} bytes")
        return np.frombuffer(data.tobytes(), "<i4").astype(np.int32)
