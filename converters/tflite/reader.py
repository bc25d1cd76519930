"""Reads an int8 .tflite file of anybody's: fully connected layers and what stands between them.

The file is taken as hostile. `flatbuffer` follows no offset out of the file; here shapes, sizes, types and scales are
checked before memory is taken, and an operator that an MLP does not have is refused by name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Network
from edgeml.system.regular_file import read_regular

from .encoded_input import encoded_input
from .file_tensors import FileTensors, identifier
from .flatbuffer import Table, read_root
from .float_head import read_normalisation
from .lowering import lower
from .metadata import labels, own_metadata, refuse_stated_normalisation, task
from .model import Model
from .operators.float_function import Between, FloatFunction, merged
from .operators.fully_connected import RoundingRule
from .operators.operator import BY_KIND, Found, TfliteOperator
from .operators.with_constant import WithConstant
from .runtimes import rounding_rule
from .schema import SCHEMA_VERSION, OperatorKind, operator_name

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
_MOST_ACTIVATIONS = 2**23
_MOST_OPERATORS = 1000
_MOST_INPUTS = 64
_AT_ENDS = (OperatorKind.QUANTIZE, OperatorKind.DEQUANTIZE, OperatorKind.DIV)
_OF_SHAPES = (OperatorKind.SHAPE, OperatorKind.STRIDED_SLICE, OperatorKind.PACK)


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
        raise InputError(f"{path}, {error.where}", error.problem, error.remedy) from error


def rule_of(model: Model, asked: str = "") -> RoundingRule:
    """The rounding rule that is asked for by name, or else that which the file names, or else the default."""
    return rounding_rule(asked or str(own_metadata(model.metadata).get("rounding", DEFAULT_ROUNDING)))


def read_model(content: bytes, name: str = "model") -> Model:
    """The model in the bytes of a .tflite file; InputError where it is damaged or no int8 MLP."""
    return _Reader(content, name).model()


def tensor_indices(content: bytes) -> dict[str, int]:
    """Index in the file of each activation tensor, by its name in the model."""
    reader = _Reader(content, "model")
    reader.model()
    return reader.tensors.indices


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
        self.tensors = FileTensors(self._root, self._graph)
        self._codes = [self._code(code) for code in self._root["operator_codes"]]
        self._values = 0

    @staticmethod
    def _code(code: Table) -> int:
        """Old files keep the number in one byte; of a newer one the larger counts."""
        return max(int(code["builtin_code"]), int(code["deprecated_builtin_code"]))

    def _only(self, indices: npt.NDArray[np.int32], where: str) -> int:
        if indices.size != 1:
            raise InputError(where, f"{indices.size} tensors where one is expected")
        return int(indices[0])

    def model(self) -> Model:
        """The whole model."""
        tables: list[Table] = self._graph["operators"]
        if not 0 < len(tables) <= _MOST_OPERATORS:
            raise InputError("subgraph", f"has {len(tables)} operators; edgeml reads 1 to {_MOST_OPERATORS}")
        tables = [table for table in tables if not self._computes_a_shape(table)]
        operators = merged([(self._kind(table), table) for table in tables])
        self._refuse_others([kind for kind, table in operators if not isinstance(table, Between)])
        source = self._only(self._graph["inputs"], "subgraph inputs")
        target = self._only(self._graph["outputs"], "subgraph outputs")
        computed = self.tensors.computed
        computed.add(source)
        float_input, float_output = self.tensors.is_real(source), self.tensors.is_real(target)
        offset, scale = np.zeros(1), np.ones(1)
        if float_input:
            size = self.tensors.features(source)
            source, offset, scale = read_normalisation(
                operators, source, lambda index, where: self.tensors.float_constant(index, where, size)
            )
            source = self._edge(operators, 0, OperatorKind.QUANTIZE, source)
        if float_output:
            target = self._edge(operators, -1, OperatorKind.DEQUANTIZE, target)
        first = self.tensors.activation(source)
        computed.add(source)
        read = tuple(self._operator(OperatorKind(kind), operator) for kind, operator in operators)
        if target not in computed:
            raise InputError("subgraph outputs", f"no operator computes {self.tensors.label(target)}")
        own = self.tensors.own
        refuse_stated_normalisation(own)
        return Model(
            identifier(self._name),
            self.tensors.activations,
            read,
            first.name,
            self.tensors.activation(target).name,
            float_input,
            float_output,
            offset,
            scale,
            labels(own.get("labels", [])),
            self.tensors.metadata,
            *task(own),
            encoded_input(own.get("encoded_input"), first.size),
        )

    def _kind(self, operator: Table) -> int:
        index = int(operator["opcode_index"])
        if not 0 <= index < len(self._codes):
            raise InputError("operator", f"names operator code {index}; the file has {len(self._codes)}")
        return self._codes[index]

    def _computes_a_shape(self, operator: Table) -> bool:
        """Whether an operator gives sizes alone (Keras's Flatten of a free batch asks for them), which are 1 and more
        here: the file is read for one sample, whose values keep their order in any RESHAPE."""
        outputs = operator["outputs"]
        return self._kind(operator) in _OF_SHAPES and outputs.size == 1 and self.tensors.is_shape(int(outputs[0]))

    def _refuse_others(self, kinds: list[int]) -> None:
        known = {*BY_KIND, *_AT_ENDS, *WithConstant.kinds_of_files}
        if others := sorted({operator_name(kind) for kind in kinds if kind not in known}):
            supported = ", ".join(sorted(kind.name for kind in known))
            raise InputError(
                "model",
                f"holds operators that edgeml has no integers for: {', '.join(others)}",
                "Convert the model without quantization (no converter.optimizations) and pass that file: edgeml "
                f"quantizes it itself. In int8 files these are read: {supported}",
            )

    def _edge(self, operators: list[tuple[int, Table]], place: int, kind: OperatorKind, outer: int) -> int:
        """Take the QUANTIZE or DEQUANTIZE at an end off; gives the integer tensor on its inner side."""
        found, operator = operators.pop(place) if operators else (-1, None)
        where = f"{kind.name} at the model's end"
        if found != kind or operator is None:
            raise InputError(
                self.tensors.label(outer),
                "is float32, but no QUANTIZE or DEQUANTIZE stands there",
                "Quantize the model to full int8",
            )
        inside, outside = ("outputs", "inputs") if place == 0 else ("inputs", "outputs")
        if self._only(operator[outside], where) != outer:
            raise InputError(where, "is not connected to the model's input or output")
        return self._only(operator[inside], where)

    def _operator(self, kind: OperatorKind, operator: Table) -> TfliteOperator:
        """One operator; its activations must have been computed before."""
        tensors, computed = self.tensors, self.tensors.computed
        output = self._only(operator["outputs"], kind.name)
        indices = tuple(int(index) for index in operator["inputs"][: _MOST_INPUTS + 1])
        read_as = FloatFunction if isinstance(operator, Between) else self._read_as(kind, indices)
        count = read_as.input_count if read_as is not None else 1
        count = max(len(indices), 1) if count is None else count
        if len(indices) > _MOST_INPUTS:
            raise InputError(kind.name, f"takes more than {_MOST_INPUTS} tensors")
        if len(indices) < count:
            raise InputError(kind.name, f"takes {count} tensors, found {len(indices)}")
        taken = indices[:count]
        if read_as is WithConstant:
            taken = tuple(index for index in indices[:2] if not tensors.is_constant(index))[:1]
        for index in taken:
            if index not in computed:
                raise InputError(kind.name, f"takes tensor {index}, which no earlier operator computes")
        if output in computed:
            raise InputError(kind.name, f"writes tensor {output} a second time")
        inputs = [tensors.activation(index) for index in taken]
        target = tensors.activation(output)
        computed.add(output)
        self._values += target.size
        if self._values > _MOST_ACTIVATIONS:
            raise InputError(kind.name, f"the model's tensors hold more than {_MOST_ACTIVATIONS} values")
        sizes = {info.size for info in (*inputs, target)}
        if len(sizes) > 1 and (read_as is None or read_as.one_size):
            raise InputError(f"{kind.name} {target.name}", f"cannot be between tensors of sizes {sorted(sizes)}")
        if read_as is None:
            raise InputError(kind.name, "stands inside the model: floats cannot be part of an integer network")
        names = tuple(info.name for info in inputs)
        return read_as.read(Found(kind, target, names, indices, operator["builtin_options"], tensors, taken))

    def _read_as(self, kind: OperatorKind, indices: tuple[int, ...]) -> type[TfliteOperator] | None:
        """The class that reads an operator; None where there is none inside a model."""
        if kind in WithConstant.kinds_of_files and any(self.tensors.is_constant(index) for index in indices[:2]):
            return WithConstant
        return BY_KIND.get(kind)
