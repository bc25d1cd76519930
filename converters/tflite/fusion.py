"""A float MLP as the few operators that int8 runtimes have: scales and shifts folded, activations fused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.clamp import Clamp
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.multiply import Multiply
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.frontends.float_operators.sigmoid import Sigmoid
from edgeml.frontends.graph_walk import walk
from edgeml.frontends.mlp import Mlp, MlpNode

from .lines import line
from .stages import (
    FUNCTIONS,
    JOINS,
    ConcatStage,
    FunctionStage,
    LinearStage,
    MoveStage,
    MultiplyStage,
    ReluStage,
    Stage,
)

__all__ = ["GATES", "INPUT", "FloatGraph", "fuse"]

Floats = npt.NDArray[np.float64]

INPUT = "input"

GATES: Mapping[str, float] = {"silu": 1.0, "gelu": 1.702, "gelu_tanh": 1.702}
"""Functions x · sigmoid(factor · x) by name, their factors: SiLU is that, GELU within 0.021 of it."""


@dataclass(frozen=True, eq=False)
class FloatGraph:
    """Stages in computing order; the last one is the output.

    Parameters
    ----------
    input_offset, input_scale : the input enters as (x − offset) / scale, float64 [1] or [features].
    of_bits : whether the input is 0 and 1, and enters as these integers.
    """

    stages: tuple[Stage, ...]
    input_size: int
    input_offset: Floats
    input_scale: Floats
    of_bits: bool = False

    def normalised(self, x: npt.NDArray[np.floating]) -> Floats:
        """Features as the first stage takes them."""
        return (np.asarray(x, dtype=np.float64) - self.input_offset) / self.input_scale

    def trace(self, x: npt.NDArray[np.floating], known: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Every stage's output in float64 for features x, and the normalised input; stages in `known` have the values
        there."""
        return walk(self.stages, {INPUT: self.normalised(x)}, lambda stage, given: stage.evaluate(*given), known)

    def consumers(self, name: str) -> list[Stage]:
        """The stages that take the output of `name`."""
        return [stage for stage in self.stages if name in stage.inputs]

    @cached_property
    def linears(self) -> Mapping[str, LinearStage]:
        """The linear stages by name, in computing order."""
        return {stage.name: stage for stage in self.stages if isinstance(stage, LinearStage)}

    @cached_property
    def trained(self) -> Mapping[str, LinearStage]:
        """Those of them whose weights are parameters of the model."""
        return {name: stage for name, stage in self.linears.items() if stage.trained}

    @property
    def takes_only_linear(self) -> bool:
        """Whether everything that takes the input is a linear stage."""
        return all(stage.name in self.linears for stage in self.consumers(INPUT))

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Number of channels of each stage's output, and of the input."""
        return walk(self.stages, {INPUT: self.input_size}, lambda stage, given: stage.operator.output_size(*given))

    def with_stages(self, stages: tuple[Stage, ...]) -> FloatGraph:
        """The same graph with other stages, of the same names."""
        return replace(self, stages=stages)


@dataclass(frozen=True, eq=False)
class _Value:
    """What a node gives: a stage's output, times a scale plus a shift where those wait for a linear layer."""

    stage: str
    scale: Floats | None = None
    shift: Floats | None = None


def fuse(mlp: Mlp) -> FloatGraph:
    """Fold every scale and shift of `mlp` into a linear layer and every clamp into what stands before it.

    A normalisation of the input stays with the input quantizer, so that features of any unit use all integers.
    Raises InputError naming the node where a scale and shift cannot be folded or a clamp has no int8 operator.
    """
    return _Fusion(mlp).graph()


class _Fusion:
    def __init__(self, mlp: Mlp) -> None:
        self._mlp = mlp
        self._stages: dict[str, Stage] = {}
        self._values = {INPUT: _Value(INPUT)}
        self._offset, self._scale = np.zeros(1), np.ones(1)
        self._origin = ""
        self._lines: dict[tuple[int, bool], str] = {}
        self._by_kind: Mapping[str, Callable[[MlpNode, Any], _Value]] = {
            Linear.kind: self._linear,
            SharedLinear.kind: self._shared_linear,
            PooledSum.kind: self._pooled_sum,
            Affine.kind: self._affine,
            Clamp.kind: self._clamp,
            Formula.kind: self._formula,
            **dict.fromkeys(FUNCTIONS, self._function),
            **dict.fromkeys(JOINS, self._join),
        }

    def graph(self) -> FloatGraph:
        for node in self._mlp.nodes:
            self._origin = node.origin
            self._values[node.name] = self._value(node)
        last = self._mlp.nodes[-1]
        value = self._plain(last, self._values[last.name])
        stages = list(self._stages.values())
        if stages[-1].name != value:
            raise InputError(self._where(last), "the model's output is not computed by its last layer")
        return FloatGraph(tuple(stages), self._mlp.input_size, self._offset, self._scale)

    @staticmethod
    def _where(node: MlpNode) -> str:
        return node.origin or f"layer {node.name}"

    def _plain(self, node: MlpNode, value: _Value) -> str:
        """The stage of a value; where a scale and shift wait on it, of a linear layer of these alone."""
        return value.stage if value.scale is None else self._line(node, value)

    def _line(self, node: MlpNode, value: _Value, own: bool = False) -> str:
        """A linear layer of the scale and shift that wait on `value`, or of 1 and 0; `own` : each value its own."""
        key = id(value), own
        if key not in self._lines:
            size = self._size(value.stage)
            scale = np.ones(size) if value.scale is None else np.broadcast_to(value.scale, (size,))
            shift = np.zeros(size) if value.shift is None else np.broadcast_to(value.shift, (size,))
            operator = line(scale, shift, own)
            if operator is None:
                raise InputError(
                    self._where(node),
                    f"takes a scale and shift (batch norm) of {size} values that cannot be merged into a linear layer",
                    "Place the batch norm directly behind or before a linear layer",
                )
            self._lines[key] = self._new(LinearStage, "line", operator, (value.stage,), trained=False).stage
        return self._lines[key]

    def _size(self, name: str) -> int:
        """Number of channels of a stage's output."""
        if name == INPUT:
            return self._mlp.input_size
        stage = self._stages[name]
        return stage.operator.output_size(*(self._size(source) for source in stage.inputs))

    def _root(self, name: str) -> str:
        """The stage whose integers those of `name` are."""
        while name in self._stages and self._stages[name].keeps_integers:
            (name,) = self._stages[name].inputs
        return name

    def _new(self, kind: type[Stage], word: str, operator: Any, inputs: tuple[str, ...], **more: Any) -> _Value:
        name = f"{word}{len(self._stages)}"
        self._stages[name] = kind(name, inputs, operator, origin=self._origin, **more)
        return _Value(name)

    def _alone(self, node: MlpNode) -> Stage | None:
        """The stage before `node`, if nothing else takes its output and it clips nothing yet."""
        value = self._values[node.inputs[0]]
        stage = self._stages.get(value.stage)
        users = sum(len(self._mlp.consumers(name)) for name, other in self._values.items() if other is value)
        if stage is None or value.scale is not None or users != 1 or stage.low > -np.inf or stage.high < np.inf:
            return None
        return stage

    def _value(self, node: MlpNode) -> _Value:
        fuse = self._by_kind.get(node.operator.kind)
        if fuse is None:
            raise self._no_operator(node, str(node.operator.constants.get("function", node.operator.kind)))
        return fuse(node, node.operator)

    def _no_operator(self, node: MlpNode, name: str) -> InputError:
        return InputError(self._where(node), f"{name} has no int8 operator", "Use the quantized form, or leave it out")

    def _plain_inputs(self, node: MlpNode) -> tuple[str, ...]:
        return tuple(self._plain(node, self._values[name]) for name in node.inputs)

    def _linear(self, node: MlpNode, operator: Linear) -> _Value:
        value = self._values[node.inputs[0]]
        if value.scale is not None and value.shift is not None:
            operator = Linear(operator.weight * value.scale, operator.bias + operator.weight @ value.shift)
        return self._new(LinearStage, "dense", operator, (value.stage,))

    def _shared_linear(self, node: MlpNode, operator: SharedLinear) -> _Value:
        value = self._values[node.inputs[0]]
        if value.scale is not None and value.shift is not None:
            merged = operator.of_scaled_and_shifted(*self._over_all(node, value))
            if merged is None:
                return self._new(LinearStage, "shared", operator, (self._line(node, value),))
            assert isinstance(merged, SharedLinear)
            operator = merged
        return self._new(LinearStage, "shared", operator, (value.stage,))

    def _pooled_sum(self, node: MlpNode, operator: PooledSum) -> _Value:
        """Of one column what moves values; else sums by weights of 1, which a scale behind them makes means."""
        value = self._values[node.inputs[0]]
        gather = operator.gather
        if not operator.moves_only:
            ones = SharedLinear(np.ones((1, gather.columns)), np.zeros(1), operator.source, operator.inputs)
            moved = self._shared_linear(node, ones)
            stage = self._stages[moved.stage]
            assert isinstance(stage, LinearStage)
            self._stages[stage.name] = replace(stage, trained=False)
            return moved
        found = self._new(MoveStage, "moved", operator, (value.stage,))
        if value.scale is None or value.shift is None:
            return found
        scale, shift = self._over_all(node, value)
        return _Value(found.stage, gather.at_positions(scale, 1.0)[:, 0], gather.at_positions(shift)[:, 0])

    def _over_all(self, node: MlpNode, value: _Value) -> tuple[Floats, Floats]:
        """The scale and shift that wait on `value`, of every channel."""
        assert value.scale is not None
        assert value.shift is not None
        size = self._mlp.sizes[node.inputs[0]]
        return np.broadcast_to(value.scale, (size,)), np.broadcast_to(value.shift, (size,))

    def _function(self, node: MlpNode, operator: FloatOperator) -> _Value:
        return self._new(FunctionStage, operator.kind, operator, self._plain_inputs(node))

    def _join(self, node: MlpNode, operator: FloatOperator) -> _Value:
        kind = JOINS[operator.kind]
        if kind not in (ConcatStage, MultiplyStage):
            return self._new(kind, operator.kind, operator, self._plain_inputs(node))
        inputs = tuple(self._beside(node, self._values[name], kind) for name in node.inputs)
        return self._new(kind, operator.kind, operator, inputs)

    def _beside(self, node: MlpNode, value: _Value, kind: type[Stage]) -> str:
        """The stage that a concatenation or a product takes for `value`: not the model's input, whose scale and zero
        point are its own, and beside others no function whose scale the runtimes prescribe."""
        plain = self._plain(node, value)
        root = self._root(plain)
        if root == INPUT:
            return self._line(node, value, own=True)
        if kind is ConcatStage and isinstance(self._stages[root], FunctionStage):
            return self._line(node, value)
        return plain

    def _formula(self, node: MlpNode, operator: Formula) -> _Value:
        """x · sigmoid(factor · x), of those that are."""
        factor = GATES.get(operator.function)
        if factor is None:
            raise self._no_operator(node, operator.function)
        x = gate = self._beside(node, self._values[node.inputs[0]], MultiplyStage)
        size = self._size(x)
        if factor != 1:
            steeper = line(np.full(size, factor), np.zeros(size))
            gate = self._new(LinearStage, "line", steeper, (x,), trained=False).stage
        opened = self._new(FunctionStage, Sigmoid.kind, Sigmoid(), (gate,))
        return self._new(MultiplyStage, Multiply.kind, Multiply(), (x, opened.stage))

    def _affine(self, node: MlpNode, operator: Affine) -> _Value:
        scale, shift = operator.scale, operator.shift
        value = self._values[node.inputs[0]]
        if value.stage == INPUT and not self._stages and len(self._mlp.consumers(INPUT)) == 1 and np.all(scale > 0):
            # (x − o)/s·scale + shift = (x − (o − s·shift/scale)) / (s/scale)
            self._offset = self._offset - self._scale * shift / scale
            self._scale = self._scale / scale
            return _Value(INPUT)
        stage = self._alone(node)
        merged = None if stage is None else stage.operator.scaled_and_shifted(scale, shift)
        if stage is not None and merged is not None:
            self._stages[stage.name] = replace(stage, operator=merged)
            return _Value(stage.name)
        if value.scale is not None and value.shift is not None:
            return _Value(value.stage, value.scale * scale, value.shift * scale + shift)
        return _Value(value.stage, scale, shift)

    def _clamp(self, node: MlpNode, operator: Clamp) -> _Value:
        low, high = operator.low, operator.high
        stage = self._alone(node)
        if not (low <= 0 <= high):
            raise InputError(
                self._where(node),
                f"clips to {low} … {high}; an int8 tensor must be able to hold zero",
                "Clip around zero",
            )
        if stage is not None and stage.clips and (not isinstance(stage, MultiplyStage) or _is_relu(low, high)):
            self._stages[stage.name] = replace(stage, low=low, high=high)
            return _Value(stage.name)
        if not _is_relu(low, high):
            raise InputError(
                self._where(node), f"clips a shared tensor to {low} … {high}; int8 runtimes have ReLU and ReLU6 there"
            )
        return self._new(ReluStage, "relu", operator, self._plain_inputs(node), low=low, high=high)


def _is_relu(low: float, high: float) -> bool:
    """Whether a clip is a ReLU or ReLU6, which kernels fuse into any operator."""
    return low == 0 and high in (6.0, np.inf)
