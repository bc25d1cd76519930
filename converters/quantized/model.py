"""The quantized network as Brevitas computes it: operators with float64 parameters, and integers in between.

This is what training and calibration give. The Brevitas module is built from it, the thresholds of the integer
network are derived from it, and the `brevitas` executor reads it back from a bundle.

All scales have few significant bits (`scales.py`), and biases lie on the grid of their accumulator's scale, so that
the sum Σ w·x + b of float64 numbers is exact in any order of summation, fused or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp

__all__ = ["Input", "Levels", "ModelNode", "ModelOperator", "QuantizedLinear", "QuantizedModel", "Quantizer"]

Floats = npt.NDArray[np.float64]


class Levels:
    """The integers of so many `bits`: low, high = −2^(bits−1), 2^(bits−1) − 1 if `signed`, else 0, 2^bits − 1."""

    bits: int
    signed: bool

    @property
    def low(self) -> int:
        """Smallest integer."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest integer."""
        return self.low + (1 << self.bits) - 1


@dataclass(frozen=True, eq=False)
class Input(Levels):
    """x̂ = q · step with q = clip(round_half_even((x − offset) / scale)).

    Parameters
    ----------
    size : number of features.
    scale, offset : float64 [size] or [1], in the units of the user's data; scale > 0.
    bits, signed : of the integers q.
    step : float64, a power of two: what one integer is worth inside the network.
    """

    size: int
    scale: Floats
    offset: Floats
    bits: int
    signed: bool
    step: float


@dataclass(frozen=True, eq=False)
class QuantizedLinear:
    """z[o] = Σ_i weight[o, i] · scale[o] · x̂[i] + bias[o].

    Parameters
    ----------
    weight : int32 [outputs, inputs]; of 1 bit −1 or +1; else −(2^(bits−1) − 1) … 2^(bits−1) − 1 if `narrow`,
        from −2^(bits−1) if not.
    bits : 1 to 8.
    narrow : whether the most negative integer is left out.
    scale : float64 [outputs], or [1] for one of all, positive.
    bias : float64 [outputs].
    """

    weight: npt.NDArray[np.int32]
    bits: int
    narrow: bool
    scale: Floats
    bias: Floats

    @property
    def low(self) -> int:
        """Smallest integer weight."""
        return -1 if self.bits == 1 else -(1 << (self.bits - 1)) + int(self.narrow)

    @property
    def high(self) -> int:
        """Largest integer weight."""
        return 1 if self.bits == 1 else (1 << (self.bits - 1)) - 1


@dataclass(frozen=True)
class Quantizer(Levels):
    """q = clip(round_half_even(x / scale), low, high); x̂ = q · scale.

    Parameters
    ----------
    scale : float64, positive, one for the whole tensor.
    bits, signed : of the integers q.
    """

    scale: float
    bits: int
    signed: bool


ModelOperator = Input | QuantizedLinear | Affine | Clamp | Quantizer | Add


@dataclass(frozen=True, eq=False)
class ModelNode:
    """An operator at its place; the first is the `Input`, every other takes earlier nodes by name."""

    name: str
    operator: ModelOperator
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """The quantized network; its last node, a linear layer, an addition or a quantizer, is the output.

    Parameters
    ----------
    name : of the model, and of the integer network made from it.
    nodes : in computing order.
    labels : names of the outputs, or empty.

    Raises
    ------
    InputError : a rule of the graph is broken (also by a damaged file).
    """

    name: str
    nodes: tuple[ModelNode, ...]
    labels: tuple[str, ...] = ()
    sizes: dict[str, int] = field(init=False, repr=False)
    steps: dict[str, float] = field(init=False, repr=False)
    """What one integer is worth, for every node whose values are integers: input, quantizers, additions."""

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        steps: dict[str, float] = {}
        if not self.nodes or not isinstance(self.nodes[0].operator, Input):
            raise InputError(f"model {self.name}", "does not begin with its input")
        for position, node in enumerate(self.nodes):
            if node.name in sizes or (position and isinstance(node.operator, Input)):
                raise InputError(f"layer {node.name}", "occurs twice, or is a second input")
            if missing := [name for name in node.inputs if name not in sizes]:
                raise InputError(f"layer {node.name}", f"takes {missing}, which no earlier node gives")
            if len(node.inputs) != (0 if position == 0 else 2 if isinstance(node.operator, Add) else 1):
                raise InputError(f"layer {node.name}", f"cannot take {len(node.inputs)} inputs")
            sizes[node.name] = _output_size(node, [sizes[name] for name in node.inputs])
            step = _step(node, [steps.get(name) for name in node.inputs])
            if step is not None:
                steps[node.name] = step
        if not isinstance(self.nodes[-1].operator, (QuantizedLinear, Add, Quantizer)) or len(self.nodes) < 2:
            raise InputError(f"layer {self.nodes[-1].name}", "cannot be the output: its values are no integers")
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "steps", steps)

    def node(self, name: str) -> ModelNode:
        """The node called `name`."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def input(self) -> Input:
        """The first operator."""
        operator = self.nodes[0].operator
        assert isinstance(operator, Input)
        return operator


def _output_size(node: ModelNode, given: list[int]) -> int:
    operator = node.operator
    if isinstance(operator, Input):
        return operator.size
    if isinstance(operator, QuantizedLinear):
        outputs, inputs = operator.weight.shape
        fits = given[0] == inputs and operator.bias.shape == (outputs,) and operator.scale.size in (1, outputs)
        if not fits or operator.weight.min() < operator.low or operator.weight.max() > operator.high:
            raise InputError(f"layer {node.name}", "sizes or weights do not fit its bits and inputs")
        if operator.bits == 1 and np.any(operator.weight == 0):
            raise InputError(f"layer {node.name}", "1-bit weights are −1 or +1, found 0")
        if not np.all(operator.scale > 0) or not np.all(np.isfinite([*operator.scale, *operator.bias])):
            raise InputError(f"layer {node.name}", "scales must be positive, and all numbers finite")
        return int(outputs)
    if isinstance(operator, Affine) and operator.scale.size != given[0]:
        raise InputError(f"layer {node.name}", f"has {operator.scale.size} channels, its input {given[0]}")
    if len(set(given)) != 1:
        raise InputError(f"layer {node.name}", f"cannot add sizes {given}")
    return given[0]


def _step(node: ModelNode, given: list[float | None]) -> float | None:
    operator = node.operator
    if isinstance(operator, Input):
        return operator.step
    if isinstance(operator, Quantizer):
        return operator.scale
    if isinstance(operator, Add) and (None in given or given[0] != given[1]):
        raise InputError(f"layer {node.name}", f"adds integers of the unlike scales {given}")
    if isinstance(operator, QuantizedLinear) and given[0] is None:
        raise InputError(f"layer {node.name}", "takes values that are not quantized")
    return given[0] if isinstance(operator, Add) else None
