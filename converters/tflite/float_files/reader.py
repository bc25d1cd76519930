"""A float .tflite file as an `Mlp`: its operators are walked in order, constants computed, signals becoming nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeml.errors import InputError, printable
from edgeml.frontends.mlp import Mlp
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import SUPPORTED, NotAnMlp, Value

from ..flatbuffer import Table
from ..schema import OperatorKind, TensorType, operator_name
from . import arrangement, functions, layers
from .applied import OPERATORS, Applied
from .constants import FloatTensors

__all__ = ["FloatFile", "is_float_file", "read_float_file"]

_REGISTERED = (arrangement, functions, layers)
_MOST_OPERATORS = 10_000
_MOST_INPUTS = 64
_REFUSED = {
    "WHILE": "Keras writes recurrent layers (LSTM, GRU, SimpleRNN) as loops, and they are not MLP layers: train with "
    "Conv1D or Dense on windows of the signal",
    **dict.fromkeys(
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", "RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"),
        "Recurrent layers are not MLP layers: train with Conv1D or Dense on windows of the signal",
    ),
    **dict.fromkeys(
        ("RSQRT", "SQUARED_DIFFERENCE"),
        "A normalisation over features (LayerNormalization) is computed anew for each sample: train with "
        "BatchNormalization in its place",
    ),
    "TRANSPOSE_CONV": "Convolutions of two dimensions are read, transposed ones are not",
}
"""What to do about operators that are often met."""


@dataclass(frozen=True)
class FloatFile:
    """A float file that was read.

    Parameters
    ----------
    mlp : its model.
    input_shape : of its input, None for a batch of any size.
    integer_weights : whether some weights are integers with scales; runtimes then quantize activations as they run.
    """

    mlp: Mlp
    input_shape: tuple[int | None, ...]
    integer_weights: bool


def is_float_file(root: Table) -> bool:
    """Whether a file takes and gives floats and quantizes no activation: its first subgraph."""
    if not root["subgraphs"]:
        return False
    graph, codes = root["subgraphs"][0], [_number(code) for code in root["operator_codes"]]
    used = {int(operator["opcode_index"]) for operator in graph["operators"]}
    if any(0 <= index < len(codes) and codes[index] == OperatorKind.QUANTIZE for index in used):
        return False
    tensors, ends = graph["tensors"], [*graph["inputs"][:1].tolist(), *graph["outputs"][:1].tolist()]
    within = bool(ends) and all(0 <= end < len(tensors) for end in ends)
    return within and int(tensors[ends[0]]["type"]) == TensorType.FLOAT32


def _number(code: Table) -> int:
    """Old files keep an operator's number in one byte; of a newer one the larger counts."""
    return max(int(code["builtin_code"]), int(code["deprecated_builtin_code"]))


def read_float_file(root: Table, where: str, name: str) -> FloatFile:
    """The model in a file whose input and output are floats and whose activations are, too.

    Raises
    ------
    InputError : an operator is not one of an MLP: the file, the operator and its tensor, what is wrong, what to do.
    """
    graph: Table = root["subgraphs"][0]
    tensors = FloatTensors(root, graph)
    try:
        source, target = (_only(graph, side) for side in ("inputs", "outputs"))
        shape = tensors.input_shape(source)
        builder = MlpBuilder(shape)
        values: dict[int, Value] = {source: builder.input}
        operators: list[Table] = graph["operators"]
        if not operators:
            raise NotAnMlp("holds no operators")
        _refuse_at_once(root, tensors, operators, where)
        if len(operators) > _MOST_OPERATORS:
            raise NotAnMlp(f"has {len(operators)} operators; the most is {_MOST_OPERATORS}")
        for operator in operators:
            _walk(root, builder, tensors, values, operator, where)
        if target not in values:
            raise NotAnMlp("no operator computes its output", "The file is damaged")
        builder.place("", "")
        return FloatFile(builder.build(values[target], name), shape, tensors.integer_weights)
    except NotAnMlp as error:
        raise InputError(where, error.problem, error.remedy or SUPPORTED) from error


def _refuse_at_once(root: Table, tensors: FloatTensors, operators: list[Table], where: str) -> None:
    """Operators that tell what the model is, wherever they stand."""
    codes = root["operator_codes"]
    for operator in operators[:_MOST_OPERATORS]:
        index = int(operator["opcode_index"])
        kind = operator_name(_number(codes[index])) if 0 <= index < len(codes) else ""
        if kind in _REFUSED and operator["outputs"].size:
            label = tensors.name(int(operator["outputs"][0]))
            name = next((word.upper() for word in ("lstm", "gru", "rnn") if word in label.lower()), "")
            problem = f"an {name}" if name == "LSTM" else f"a {name}" if name else "this operator"
            raise InputError(f"{where}, {kind} {label}", f"{problem} is not supported", _REFUSED[kind])


def _only(graph: Table, side: str) -> int:
    indices = graph[side]
    if indices.size != 1:
        raise NotAnMlp(f"has {indices.size} {side}", "edgeml converts models of one input and one output tensor")
    return int(indices[0])


def _walk(
    root: Table, builder: MlpBuilder, tensors: FloatTensors, values: dict[int, Value], operator: Table, where: str
) -> None:
    """Apply one operator."""
    codes, index = root["operator_codes"], int(operator["opcode_index"])
    if not 0 <= index < len(codes):
        raise NotAnMlp(f"an operator names code {index} of {len(codes)}", "The file is damaged")
    number = _number(codes[index])
    kind, outputs = operator_name(number), [int(output) for output in operator["outputs"][:_MOST_INPUTS]]
    place = f"{where}, {kind}"
    try:
        if not outputs:
            raise NotAnMlp("it has no output")
        label = tensors.name(outputs[0])
        place = f"{where}, {kind} {label}"
        builder.place(f"{kind} {label}", _hint(label))
        builder.budget.operator()
        known = OperatorKind(number) if number in set(OperatorKind) else None
        if known is None or known not in OPERATORS:
            raise NotAnMlp("this operator is not supported", _REFUSED.get(kind, ""))
        given = [_value(builder, tensors, values, int(each)) for each in operator["inputs"][:_MOST_INPUTS]]
        found = OPERATORS[known](Applied(builder, known, given, operator["builtin_options"], len(outputs)))
        results = found if isinstance(found, list) else [found]
        for output, value in zip(outputs, results, strict=False):
            if output in values or tensors.is_constant(output):
                raise NotAnMlp(f"it writes tensor {output} a second time", "The file is damaged")
            values[output] = value
    except NotAnMlp as error:
        raise InputError(place, error.problem, error.remedy or SUPPORTED) from error
    except (TypeError, ValueError, IndexError, OverflowError, KeyError) as error:
        raise InputError(place, f"its tensors or options do not fit it ({printable(error)})") from error


def _value(builder: MlpBuilder, tensors: FloatTensors, values: dict[int, Value], index: int) -> Value:
    """What an operator takes; None for −1, which stands for nothing."""
    if index == -1:
        return None
    if index not in values:
        if not tensors.is_constant(index):
            raise NotAnMlp(f"it takes tensor {index}, which no operator before it computes", "The file is damaged")
        values[index] = np.asarray(tensors.constant(index, builder.budget))
    return values[index]


def _hint(label: str) -> str:
    """A name for a layer out of Keras's name of its tensor: model/dense_1/MatMul;… gives dense_1."""
    first = label.partition(";")[0]
    parts = [part for part in first.split("/") if part]
    return parts[-2] if len(parts) > 1 else first
