"""Writes an int8 model as a .tflite file, without TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flatbuffer import write_root
from .model import Add, FullyConnected, Function, Model, Operator, Relu, Retype, Softmax, TensorInfo
from .packing import pack_weights
from .schema import OPTIONS, SCHEMA_VERSION, Activation, OperatorKind, TensorType

__all__ = ["write"]

_OPTION_NUMBERS = {name: number for number, name in OPTIONS.items()}
_WEIGHT_TYPES = {8: TensorType.INT8, 4: TensorType.INT4, 2: TensorType.INT2}
_ACTIVATIONS = {"none": Activation.NONE, "relu": Activation.RELU, "relu6": Activation.RELU6}


def _fully_connected_version(operator: FullyConnected) -> int:
    """Versions as the runtimes ask for them: 4 for int8, 10 for 4-bit and 14 for 2-bit weights, 12 where weights of
    8 bits have a scale per channel (older readers know that as 4 too, and the runtimes take it)."""
    return {8: 4, 4: 10, 2: 14}[operator.weight_bits]


class _File:
    """The tables of the file while they are gathered."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.buffers: list[dict[str, Any]] = [{}]
        self.tensors: list[dict[str, Any]] = []
        self.codes: list[tuple[OperatorKind, int]] = []
        self.operators: list[dict[str, Any]] = []
        self.index: dict[str, int] = {}

    def buffer(self, content: bytes) -> int:
        self.buffers.append({"data": np.frombuffer(content, np.uint8)})
        return len(self.buffers) - 1

    def tensor(self, name: str, **fields: Any) -> int:
        self.tensors.append({"name": name, **fields})
        return len(self.tensors) - 1

    def activation(self, info: TensorInfo) -> int:
        if info.name not in self.index:
            self.index[info.name] = self.tensor(
                info.name,
                shape=[1, info.size],
                shape_signature=[-1, info.size],
                type=TensorType.INT8 if info.signed else TensorType.UINT8,
                buffer=0,
                quantization={"scale": [info.scale], "zero_point": [info.zero_point]},
            )
        return self.index[info.name]

    def real(self, name: str, size: int) -> int:
        return self.tensor(name, shape=[1, size], shape_signature=[-1, size], type=TensorType.FLOAT32, buffer=0)

    def operator(
        self,
        kind: OperatorKind,
        version: int,
        inputs: list[int],
        output: int,
        options: tuple[str, dict[str, Any]] | None,
    ) -> None:
        if (kind, version) not in self.codes:
            self.codes.append((kind, version))
        entry: dict[str, Any] = {
            "opcode_index": self.codes.index((kind, version)),
            "inputs": inputs,
            "outputs": [output],
        }
        if options:
            entry |= {"builtin_options_type": _OPTION_NUMBERS[options[0]], "builtin_options": options[1]}
        self.operators.append(entry)

    def fully_connected(self, operator: FullyConnected, source: int, target: int) -> None:
        scale = operator.weight_scale
        zeros = np.zeros(scale.size, np.int64)
        weight = self.tensor(
            f"{operator.output}_weight",
            shape=list(operator.weight.shape),
            type=_WEIGHT_TYPES[operator.weight_bits],
            buffer=self.buffer(pack_weights(operator.stored_weight, operator.weight_bits).tobytes()),
            quantization={"scale": scale, "zero_point": zeros, "quantized_dimension": 0},
        )
        input_scale = np.float32(self.model.tensors[operator.inputs[0]].scale)
        bias = self.tensor(
            f"{operator.output}_bias",
            shape=[operator.bias.size],
            type=TensorType.INT32,
            buffer=self.buffer(operator.stored_bias.astype("<i4").tobytes()),
            quantization={"scale": input_scale * scale, "zero_point": zeros, "quantized_dimension": 0},
        )
        options = {"fused_activation_function": _ACTIVATIONS[operator.activation]}
        version = _fully_connected_version(operator)
        self.operator(
            OperatorKind.FULLY_CONNECTED, version, [source, weight, bias], target, ("FullyConnectedOptions", options)
        )

    def add(self, operator: Operator) -> None:
        sources = [self.activation(self.model.tensors[name]) for name in operator.inputs]
        target = self.activation(self.model.tensors[operator.output])
        match operator:
            case FullyConnected():
                self.fully_connected(operator, sources[0], target)
            case Relu():
                kind = OperatorKind.RELU6 if operator.limit == 6 else OperatorKind.RELU
                self.operator(kind, 2, sources, target, None)
            case Function():
                self.operator(OperatorKind[operator.name], 2, sources, target, None)
            case Softmax():
                options = ("SoftmaxOptions", {"beta": operator.beta})
                self.operator(OperatorKind.SOFTMAX, 2, sources, target, options)
            case Add():
                self.operator(OperatorKind.ADD, 2, sources, target, ("AddOptions", {}))
            case Retype():
                self.operator(OperatorKind.QUANTIZE, 2, sources, target, ("QuantizeOptions", {}))

    def normalised(self, source: int) -> int:
        """SUB and DIV of the input normalisation behind the float tensor `source`, where there is one."""
        size = self.model.tensors[self.model.input].size
        for kind, name, values, neutral in (
            (OperatorKind.SUB, "offset", self.model.input_offset, 0.0),
            (OperatorKind.DIV, "scale", self.model.input_scale, 1.0),
        ):
            if np.all(values == neutral):
                continue
            content = values.astype("<f4")
            constant = self.tensor(
                f"input_{name}", shape=[content.size], type=TensorType.FLOAT32, buffer=self.buffer(content.tobytes())
            )
            target = self.real(f"input_by_{name}", size)
            self.operator(kind, 1, [source, constant], target, (f"{kind.name.capitalize()}Options", {}))
            source = target
        return source

    def metadata(self) -> list[dict[str, Any]]:
        entries = []
        for name, content in self.model.metadata.items():
            entries.append({"name": name, "buffer": self.buffer(content)})
        return entries


def write(model: Model) -> bytes:
    """The .tflite file of `model`; the same model gives the same bytes."""
    file = _File(model)
    source_info, target_info = model.tensors[model.input], model.tensors[model.output]
    source = file.activation(source_info)
    if model.float_input:
        outer = file.real("input_real", source_info.size)
        file.operator(OperatorKind.QUANTIZE, 1, [file.normalised(outer)], source, ("QuantizeOptions", {}))
        source = outer
    for operator in model.operators:
        file.add(operator)
    target = file.index[model.output]
    if model.float_output:
        outer = file.real("output_real", target_info.size)
        file.operator(OperatorKind.DEQUANTIZE, 2, [target], outer, ("DequantizeOptions", {}))
        target = outer
    metadata = file.metadata()
    return write_root(
        {
            "version": SCHEMA_VERSION,
            "operator_codes": [
                {"deprecated_builtin_code": kind, "version": version, "builtin_code": kind}
                for kind, version in file.codes
            ],
            "subgraphs": [
                {
                    "tensors": file.tensors,
                    "inputs": [source],
                    "outputs": [target],
                    "operators": file.operators,
                    "name": "main",
                }
            ],
            "description": f"{model.name}, written by edgeml",
            "buffers": file.buffers,
            "metadata": metadata,
        }
    )
