"""What a way to pack and multiply weights must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["DenseKernel", "DenseProblem"]


@dataclass(frozen=True, eq=False)
class DenseProblem:
    """A dense layer on stored integers: acc[o] = Σ_i weight[o, i] · x[i] + bias[o].

    Parameters
    ----------
    weight : int32 [outputs, inputs].
    weight_bits : 1 to 8.
    bias : int64 [outputs]; the input's offset and zero point are folded into it.
    thresholds : int32 [outputs, levels] if the stage also computes the thresholds behind the layer, else None.
    input, output : tensors.
    low, high : int64 [outputs], bounds of acc.
    partial_low, partial_high : int64 [outputs], bounds of bias and every partial sum in any order of addition.
    padding, prefix : as in `Dialect`, as in `LayerJob`.
    events : whether a population of spiking neurons feeds the layer, so that most inputs may be silent.
    """

    weight: npt.NDArray[np.int32]
    weight_bits: int
    bias: npt.NDArray[np.int64]
    thresholds: npt.NDArray[np.int32] | None
    input: Tensor
    output: Tensor
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    partial_low: npt.NDArray[np.int64]
    partial_high: npt.NDArray[np.int64]
    padding: int
    prefix: str
    events: bool = False

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[1])

    @property
    def fits_int32(self) -> bool:
        """Whether bias and every partial sum fit 32 bits, in any order of addition."""
        return int(self.partial_low.min()) >= -(2**31) and int(self.partial_high.max()) < 2**31

    def summary(self) -> str:
        """One line for the comment above the stage's function."""
        text = f"dense {self.inputs} -> {self.outputs}, {self.weight_bits}-bit weights"
        return text if self.thresholds is None else f"{text}, {self.thresholds.shape[1]} thresholds"


class DenseKernel(ABC):
    """A way to pack weights and the C that multiplies them; holds no state."""

    name: ClassVar[str] = ""
    """As reported to the user."""

    @abstractmethod
    def applies(self, problem: DenseProblem) -> bool:
        """Whether it can compute this layer exactly, with the thresholds behind it if the problem has any."""

    def cost(self, problem: DenseProblem) -> float:
        """Estimated time, in a unit common to the kernels of a dialect."""
        return 0.0

    @abstractmethod
    def emit(self, problem: DenseProblem) -> LayerCode:
        """The stage's code: y = acc as int32_t, or the numbers of thresholds reached as uint8_t."""
