"""Writes an int8 model as a .tflite file, without TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .flatbuffer import write_root
from .model import Model
from .operators.operator import FileWriter, TfliteOperator
from .operators.tensor_info import TensorInfo
from .schema import OPTIONS, SCHEMA_VERSION, OperatorKind, TensorType

__all__ = ["write"]

_MOST_IN_A_BYTE = 127
"""What old readers, which keep an operator's number in one byte, find for all from here on."""
_OPTION_NUMBERS = {name: number for number, name in OPTIONS.items()}


class _File(FileWriter):
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
                shape=list(info.stored),
                shape_signature=[-1, *info.stored[1:]],
                type=TensorType.INT8 if info.signed else TensorType.UINT8,
                buffer=0,
                quantization={"scale": [info.scale], "zero_point": [info.zero_point]},
            )
        return self.index[info.name]

    def real(self, name: str, stored: tuple[int, ...]) -> int:
        shape, signature = list(stored), [-1, *stored[1:]]
        return self.tensor(name, shape=shape, shape_signature=signature, type=TensorType.FLOAT32, buffer=0)

    def operator(
        self,
        kind: OperatorKind,
        version: int,
        inputs: list[int],
        output: int,
        options: tuple[str, dict[str, Any]] | None = None,
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

    def constant(
        self, name: str, content: bytes, shape: list[int], kind: TensorType, quantization: dict[str, Any]
    ) -> int:
        return self.tensor(name, shape=shape, type=kind, buffer=self.buffer(content), quantization=quantization)

    def integers(self, name: str, values: npt.NDArray[np.integer]) -> int:
        content = self.buffer(values.astype("<i4").tobytes())
        return self.tensor(name, shape=list(values.shape), type=TensorType.INT32, buffer=content)

    def activation_info(self, name: str) -> TensorInfo:
        return self.model.tensors[name]

    def add(self, operator: TfliteOperator) -> None:
        sources = [self.activation(self.model.tensors[name]) for name in operator.inputs]
        operator.write(self, sources, self.activation(self.model.tensors[operator.output]))

    def normalised(self, source: int) -> int:
        """SUB and DIV of the input normalisation behind the float tensor `source`, where there is one."""
        stored = self.model.tensors[self.model.input].stored
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
            target = self.real(f"input_by_{name}", stored)
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
        outer = file.real("input_real", source_info.stored)
        file.operator(OperatorKind.QUANTIZE, 1, [file.normalised(outer)], source, ("QuantizeOptions", {}))
        source = outer
    for operator in model.operators:
        file.add(operator)
    target = file.index[model.output]
    if model.float_output:
        outer = file.real("output_real", target_info.stored)
        file.operator(OperatorKind.DEQUANTIZE, 2, [target], outer, ("DequantizeOptions", {}))
        target = outer
    metadata = file.metadata()
    return write_root(
        {
            "version": SCHEMA_VERSION,
            "operator_codes": [
                {"deprecated_builtin_code": min(kind, _MOST_IN_A_BYTE), "version": version, "builtin_code": kind}
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
            "description": _description(model),
            "buffers": file.buffers,
            "metadata": metadata,
        }
    )


def _description(model: Model) -> str:
    said = f"; {model.encoded.said}" if model.encoded is not None else ""
    return f"{model.name}, written by edgeml{said}"
