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

from .encoded_input import EncodedInput
from .operators.fully_connected import FullyConnected
from .operators.operator import TfliteOperator
from .operators.tensor_info import TensorInfo

__all__ = ["Model"]


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
    encoded : what stands before the file, if it takes bits of the features; None if it takes the features.
    """

    name: str
    tensors: Mapping[str, TensorInfo]
    operators: tuple[TfliteOperator, ...]
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
    encoded: EncodedInput | None = None

    def __post_init__(self) -> None:
        if not self.float_input and (self.input_offset.any() or np.any(self.input_scale != 1)):
            raise InputError("model", "normalises integers, which no int8 file can; its input must be float")

    def fed(self, q: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """What the file takes for input integers q [samples, features]."""
        return q if self.encoded is None else self.encoded.layer.evaluate(q)

    @property
    def fully_connected(self) -> tuple[FullyConnected, ...]:
        """The linear layers in computing order."""
        return tuple(operator for operator in self.operators if isinstance(operator, FullyConnected))

    @property
    def behind(self) -> TfliteOperator | None:
        """The operator at its end that no integer network has (a softmax), maybe with a change of type behind it."""
        for operator in reversed(self.operators):
            if operator.behind_integers:
                return operator
            if not operator.keeps_values:
                return None
        return None

    @property
    def ends_behind_integers(self) -> bool:
        """Whether it ends in an operator that no integer network has."""
        return self.behind is not None

    @property
    def logits(self) -> TensorInfo:
        """The tensor that the integer network ends with: the output, or the input of a final softmax."""
        return self.tensors[self.output if self.behind is None else self.behind.inputs[0]]
