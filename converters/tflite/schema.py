"""The part of the TensorFlow Lite file format that edgeml reads and writes, as data: tables, their fields and slots.

Slots and numbers are those of the published schema, version 3 (file identifier `TFL3`). `flatbuffer` reads and
writes any table described here; nothing else in this package knows how a FlatBuffer is laid out.

A field's kind is one of: a scalar (`i1 u1 i4 u4 i8 u8 f4`: signed, unsigned or float, with its bytes), a vector of
scalars (`[u1]`), `text`, a table (`Tensor`), a vector of tables (`[Tensor]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

__all__ = [
    "FILE_IDENTIFIER",
    "OPTIONS",
    "SCHEMA_VERSION",
    "TABLES",
    "Activation",
    "Field",
    "OperatorKind",
    "TensorType",
    "operator_name",
]

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3


@dataclass(frozen=True)
class Field:
    """A field of a table: its slot, its kind (see above), and the value of a scalar that is not stored."""

    slot: int
    kind: str
    default: int | float = 0


TABLES: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "Model": {
            "version": Field(0, "u4"),
            "operator_codes": Field(1, "[OperatorCode]"),
            "subgraphs": Field(2, "[SubGraph]"),
            "description": Field(3, "text"),
            "buffers": Field(4, "[Buffer]"),
            "metadata": Field(6, "[Metadata]"),
        },
        "OperatorCode": {
            "deprecated_builtin_code": Field(0, "i1"),
            "custom_code": Field(1, "text"),
            "version": Field(2, "i4", 1),
            "builtin_code": Field(3, "i4"),
        },
        "SubGraph": {
            "tensors": Field(0, "[Tensor]"),
            "inputs": Field(1, "[i4]"),
            "outputs": Field(2, "[i4]"),
            "operators": Field(3, "[Operator]"),
            "name": Field(4, "text"),
        },
        "Tensor": {
            "shape": Field(0, "[i4]"),
            "type": Field(1, "i1"),
            "buffer": Field(2, "u4"),
            "name": Field(3, "text"),
            "quantization": Field(4, "QuantizationParameters"),
            "is_variable": Field(5, "u1"),
            "sparsity": Field(6, "SparsityParameters"),
            "shape_signature": Field(7, "[i4]"),
            "external_buffer": Field(10, "u4"),
        },
        "QuantizationParameters": {
            "min": Field(0, "[f4]"),
            "max": Field(1, "[f4]"),
            "scale": Field(2, "[f4]"),
            "zero_point": Field(3, "[i8]"),
            "details_type": Field(4, "u1"),
            "quantized_dimension": Field(6, "i4"),
        },
        "SparsityParameters": {},
        "Operator": {
            "opcode_index": Field(0, "u4"),
            "inputs": Field(1, "[i4]"),
            "outputs": Field(2, "[i4]"),
            "builtin_options_type": Field(3, "u1"),
            "builtin_options": Field(4, "options"),
        },
        "Buffer": {"data": Field(0, "[u1]"), "offset": Field(1, "u8"), "size": Field(2, "u8")},
        "Metadata": {"name": Field(0, "text"), "buffer": Field(1, "u4")},
        "FullyConnectedOptions": {
            "fused_activation_function": Field(0, "i1"),
            "weights_format": Field(1, "i1"),
            "keep_num_dims": Field(2, "u1"),
            "asymmetric_quantize_inputs": Field(3, "u1"),
            "quantized_bias_type": Field(4, "i1"),
        },
        "SoftmaxOptions": {"beta": Field(0, "f4")},
        "AddOptions": {"fused_activation_function": Field(0, "i1"), "pot_scale_int16": Field(1, "u1", 1)},
        "ReshapeOptions": {"new_shape": Field(0, "[i4]")},
        "GatherOptions": {"axis": Field(0, "i4"), "batch_dims": Field(1, "i4")},
        "PadOptions": {},
        "Pool2DOptions": {
            "padding": Field(0, "i1"),
            "stride_w": Field(1, "i4"),
            "stride_h": Field(2, "i4"),
            "filter_width": Field(3, "i4"),
            "filter_height": Field(4, "i4"),
            "fused_activation_function": Field(5, "i1"),
        },
        "SubOptions": {"fused_activation_function": Field(0, "i1"), "pot_scale_int16": Field(1, "u1", 1)},
        "DivOptions": {"fused_activation_function": Field(0, "i1")},
        "MulOptions": {"fused_activation_function": Field(0, "i1")},
        "DequantizeOptions": {},
        "QuantizeOptions": {},
        "Conv2DOptions": {
            "padding": Field(0, "i1"),
            "stride_w": Field(1, "i4"),
            "stride_h": Field(2, "i4"),
            "fused_activation_function": Field(3, "i1"),
            "dilation_w_factor": Field(4, "i4", 1),
            "dilation_h_factor": Field(5, "i4", 1),
        },
        "DepthwiseConv2DOptions": {
            "padding": Field(0, "i1"),
            "stride_w": Field(1, "i4"),
            "stride_h": Field(2, "i4"),
            "depth_multiplier": Field(3, "i4"),
            "fused_activation_function": Field(4, "i1"),
            "dilation_w_factor": Field(5, "i4", 1),
            "dilation_h_factor": Field(6, "i4", 1),
        },
        "ReducerOptions": {"keep_dims": Field(0, "u1")},
        "SqueezeOptions": {"squeeze_dims": Field(0, "[i4]")},
        "LeakyReluOptions": {"alpha": Field(0, "f4")},
        "GeluOptions": {"approximate": Field(0, "u1")},
        "PackOptions": {"values_count": Field(0, "i4"), "axis": Field(1, "i4")},
        "StridedSliceOptions": {
            "begin_mask": Field(0, "i4"),
            "end_mask": Field(1, "i4"),
            "ellipsis_mask": Field(2, "i4"),
            "new_axis_mask": Field(3, "i4"),
            "shrink_axis_mask": Field(4, "i4"),
        },
        "ConcatenationOptions": {"axis": Field(0, "i4"), "fused_activation_function": Field(1, "i1")},
        "SplitOptions": {"num_splits": Field(0, "i4")},
    }
)

OPTIONS: Mapping[int, str] = MappingProxyType(
    {
        1: "Conv2DOptions",
        2: "DepthwiseConv2DOptions",
        5: "Pool2DOptions",
        8: "FullyConnectedOptions",
        9: "SoftmaxOptions",
        10: "ConcatenationOptions",
        11: "AddOptions",
        17: "ReshapeOptions",
        21: "MulOptions",
        22: "PadOptions",
        23: "GatherOptions",
        27: "ReducerOptions",
        28: "SubOptions",
        29: "DivOptions",
        30: "SqueezeOptions",
        32: "StridedSliceOptions",
        35: "SplitOptions",
        38: "DequantizeOptions",
        59: "PackOptions",
        75: "LeakyReluOptions",
        89: "QuantizeOptions",
        116: "GeluOptions",
    }
)
"""Members of the union `builtin_options` by their number in `builtin_options_type`."""


class TensorType(IntEnum):
    """Element types of tensors."""

    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    INT16 = 7
    INT8 = 9
    INT4 = 17
    INT2 = 19


class OperatorKind(IntEnum):
    """Built-in operators that edgeml reads in a float or an int8 file."""

    ADD = 0
    AVERAGE_POOL_2D = 1
    CONCATENATION = 2
    CONV_2D = 3
    DEPTHWISE_CONV_2D = 4
    DEQUANTIZE = 6
    FULLY_CONNECTED = 9
    LOGISTIC = 14
    MAX_POOL_2D = 17
    MUL = 18
    RELU = 19
    RELU_N1_TO_1 = 20
    RELU6 = 21
    RESHAPE = 22
    SOFTMAX = 25
    TANH = 28
    PAD = 34
    GATHER = 36
    TRANSPOSE = 39
    MEAN = 40
    SUB = 41
    DIV = 42
    SQUEEZE = 43
    STRIDED_SLICE = 45
    EXP = 47
    SPLIT = 49
    LOG_SOFTMAX = 50
    PRELU = 54
    MAXIMUM = 55
    ARG_MAX = 56
    MINIMUM = 57
    NEG = 59
    SLICE = 65
    SIN = 66
    EXPAND_DIMS = 70
    SUM = 74
    SHAPE = 77
    PACK = 83
    LEAKY_RELU = 98
    ABS = 101
    COS = 108
    ELU = 111
    QUANTIZE = 114
    HARD_SWISH = 117
    BATCH_MATMUL = 126
    GELU = 150
    RELU_0_TO_1 = 152


class Activation(IntEnum):
    """Activation functions that are fused into an operator."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3


def operator_name(code: int) -> str:
    """Name of a built-in operator, for messages; its number where no installed package knows the name."""
    try:
        return OperatorKind(code).name
    except ValueError:
        pass
    try:
        from ai_edge_litert.schema_py_generated import BuiltinOperator
    except ImportError:
        return f"operator {code}"
    return next((name for name, value in vars(BuiltinOperator).items() if value == code), f"operator {code}")
