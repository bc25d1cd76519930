"""An int8 model as a .tflite file states it: integers together with the scales they stand for.

The integer network knows multipliers and shifts only; a file states float32 scales, from which every runtime derives
factors of its own. This is the common ground: the converter makes a `Model`, `writer` writes one, `reader` reads one,
and `lowering` makes the integer network that a runtime computes out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

__all__ = ["Add", "FullyConnected", "Function", "Model", "Operator", "Relu", "Retype", "Softmax", "TensorInfo"]

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TensorInfo:
    """An activation tensor [samples, size] of 8-bit integers q, which stand for (q − zero_point) · scale.

    Parameters
    ----------
    scale : a float32 value, positive and finite.
    signed : int8 if true, else uint8.
    """

    name: str
    size: int
    scale: float
    zero_point: int
    signed: bool = True

    def __post_init__(self) -> None:
        where = f"tensor {self.name}"
        if not (np.isfinite(self.scale) and self.scale > 0 and float(np.float32(self.scale)) == self.scale):
            raise InputError(where, f"scale must be a positive float32 number, found {self.scale}")
        if not self.low <= self.zero_point <= self.high:
            raise InputError(where, f"zero point must lie in {self.low} … {self.high}, found {self.zero_point}")

    @property
    def low(self) -> int:
        """Smallest value of the element type."""
        return -128 if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value of the element type."""
        return 127 if self.signed else 255


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """FULLY_CONNECTED: acc = W·(x − zero_point) + b, rescaled to the output's scale, clipped by the activation.

    Parameters
    ----------
    weight : int8 [outputs, inputs], zero point 0.
    weight_bits : 8, 4 or 2: the element type in the file.
    weight_scale : float32 [outputs], or [1] for one scale per tensor.
    bias : int32 [outputs], of scale input scale · weight scale.
    activation : "none", "relu" or "relu6".
    guard_bits : g ≥ 0: weight and bias were multiplied by 2^g and 1 was added to the bias, so that no rounding rule can
        meet a tie; `weight` and `bias` are those before, and the scales are those of the file.
    """

    output: str
    inputs: tuple[str]
    weight: npt.NDArray[np.int8]
    weight_bits: int
    weight_scale: Float32s
    bias: npt.NDArray[np.int32]
    activation: str = "none"
    guard_bits: int = 0

    def __post_init__(self) -> None:
        outputs = self.weight.shape[0]
        if self.weight_scale.dtype != np.float32 or self.weight_scale.shape not in ((1,), (outputs,)):
            raise InputError(f"layer {self.output}", f"needs 1 or {outputs} weight scales")
        if not (np.all(np.isfinite(self.weight_scale)) and np.all(self.weight_scale > 0)):
            raise InputError(f"layer {self.output}", "weight scales must be positive and finite")

    @property
    def stored_weight(self) -> npt.NDArray[np.int8]:
        """The weights as the file stores them."""
        return (self.weight.astype(np.int32) << self.guard_bits).astype(np.int8)

    @property
    def stored_bias(self) -> npt.NDArray[np.int32]:
        """The bias as the file stores it."""
        if not self.guard_bits:
            return self.bias
        return ((self.bias.astype(np.int64) << self.guard_bits) + 1).astype(np.int32)


@dataclass(frozen=True)
class Relu:
    """RELU or RELU6 as an operator of its own; `limit` is infinity or 6."""

    output: str
    inputs: tuple[str]
    limit: float


@dataclass(frozen=True)
class Function:
    """LOGISTIC or TANH by its `name` in the file."""

    output: str
    inputs: tuple[str]
    name: str


@dataclass(frozen=True)
class Softmax:
    """SOFTMAX over all channels: exp(beta · x) normalised."""

    output: str
    inputs: tuple[str]
    beta: float = 1.0


@dataclass(frozen=True)
class Retype:
    """RESHAPE, or QUANTIZE between int8 and uint8 of one scale: the same real values in another type."""

    output: str
    inputs: tuple[str]


@dataclass(frozen=True)
class Add:
    """ADD of two tensors; exact in every runtime where all three scales are equal."""

    output: str
    inputs: tuple[str, str]


Operator = FullyConnected | Relu | Function | Softmax | Retype | Add


@dataclass(frozen=True, eq=False)
class Model:
    """Operators in computing order, the tensors between them by name, and what the file's user feeds and gets.

    Parameters
    ----------
    float_input, float_output : the file itself quantizes its input, or dequantizes its output (QUANTIZE, DEQUANTIZE).
    input_offset, input_scale : float64 [size] or [1], values of float32: a file with float inputs computes
        (x − offset) / scale (SUB, DIV) before it quantizes; 0 and 1 where it does not.
    metadata : further entries of the file's metadata, name to bytes.
    task : classes, binary or values, or "" where nobody says so. threshold : of a binary model, what its real output
        must pass.
    """

    name: str
    tensors: Mapping[str, TensorInfo]
    operators: tuple[Operator, ...]
    input: str
    output: str
    float_input: bool = False
    float_output: bool = False
    input_offset: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    input_scale: npt.NDArray[np.float64] = field(default_factory=lambda: np.ones(1))
    labels: tuple[str, ...] = ()
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    task: str = ""
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not self.float_input and (self.input_offset.any() or np.any(self.input_scale != 1)):
            raise InputError("model", "normalises integers, which no int8 file can; its input must be float")
