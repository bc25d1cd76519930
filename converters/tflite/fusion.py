"""A float MLP as the few operators that int8 runtimes have: scales and shifts folded, activations fused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh

__all__ = ["FloatGraph", "Stage", "fuse"]

Floats = npt.NDArray[np.float64]

INPUT = "input"


@dataclass(frozen=True, eq=False)
class Stage:
    """One operator of the int8 file, still in real numbers.

    Parameters
    ----------
    kind : "linear" (clip(W·x + b, low, high)), "add" (clip(a + b, low, high)), "relu" (clip(x, low, high)),
        "LOGISTIC" or "TANH".
    origin : where it stands in the user's model, see `MlpNode`.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    weight: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    bias: Floats = field(default_factory=lambda: np.zeros(0))
    low: float = -np.inf
    high: float = np.inf
    origin: str = ""

    def evaluate(self, values: Mapping[str, Floats]) -> Floats:
        """The stage in float64, [samples, channels]."""
        x = values[self.inputs[0]]
        if self.kind == "LOGISTIC":
            return Sigmoid().evaluate(x)
        if self.kind == "TANH":
            return Tanh().evaluate(x)
        if self.kind == "linear":
            x = x @ self.weight.T + self.bias
        elif self.kind == "add":
            x = x + values[self.inputs[1]]
        return np.clip(x, self.low, self.high)


@dataclass(frozen=True, eq=False)
class FloatGraph:
    """Stages in computing order; the last one is the output.

    Parameters
    ----------
    input_offset, input_scale : the input enters as (x − offset) / scale, float64 [1] or [features].
    """

    stages: tuple[Stage, ...]
    input_size: int
    input_offset: Floats
    input_scale: Floats

    def normalised(self, x: npt.NDArray[np.floating]) -> Floats:
        """Features as the first stage takes them."""
        return (np.asarray(x, dtype=np.float64) - self.input_offset) / self.input_scale

    def trace(self, x: npt.NDArray[np.floating], known: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Every stage's output in float64 for features x, and the normalised input; stages in `known` have the values
        there."""
        values = {INPUT: self.normalised(x)}
        for stage in self.stages:
            given = None if known is None else known.get(stage.name)
            values[stage.name] = stage.evaluate(values) if given is None else given
        return values

    def consumers(self, name: str) -> list[Stage]:
        """The stages that take the output of `name`."""
        return [stage for stage in self.stages if name in stage.inputs]

    def size(self, name: str) -> int:
        """Number of channels of a stage's output, or of the input."""
        if name == INPUT:
            return self.input_size
        stage = next(stage for stage in self.stages if stage.name == name)
        return stage.weight.shape[0] if stage.kind == "linear" else self.size(stage.inputs[0])

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
        """The stage of a value that no scale and shift wait on."""
        if value.scale is not None:
            raise InputError(
                self._where(node),
                "takes a scale and shift (batch norm) that cannot be merged into a linear layer",
                "Place the batch norm directly behind or before a linear layer",
            )
        return value.stage

    def _new(self, kind: str, inputs: tuple[str, ...], **fields: object) -> _Value:
        word = {"linear": "dense", "LOGISTIC": "sigmoid", "TANH": "tanh"}.get(kind, kind)
        name = f"{word}{len(self._stages)}"
        self._stages[name] = Stage(name, kind, inputs, origin=self._origin, **fields)  # type: ignore[arg-type]
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
        given = [self._values[name] for name in node.inputs]
        match node.operator:
            case Linear(weight=weight, bias=bias):
                value = given[0]
                if value.scale is not None and value.shift is not None:
                    weight, bias = weight * value.scale, bias + weight @ value.shift
                return self._new("linear", (value.stage,), weight=weight, bias=bias)
            case Affine(scale=scale, shift=shift):
                return self._affine(node, scale, shift)
            case Clamp(low=low, high=high):
                return self._clamp(node, low, high)
            case Sigmoid():
                return self._new("LOGISTIC", (self._plain(node, given[0]),))
            case Tanh():
                return self._new("TANH", (self._plain(node, given[0]),))
            case Add():
                return self._new("add", (self._plain(node, given[0]), self._plain(node, given[1])))
        raise InputError(self._where(node), f"{type(node.operator).__name__} has no int8 operator")

    def _affine(self, node: MlpNode, scale: Floats, shift: Floats) -> _Value:
        value = self._values[node.inputs[0]]
        if value.stage == INPUT and not self._stages and len(self._mlp.consumers(INPUT)) == 1 and np.all(scale > 0):
            # (x − o)/s·scale + shift = (x − (o − s·shift/scale)) / (s/scale)
            self._offset = self._offset - self._scale * shift / scale
            self._scale = self._scale / scale
            return _Value(INPUT)
        stage = self._alone(node)
        if stage is not None and stage.kind == "linear":
            folded = replace(stage, weight=stage.weight * scale[:, None], bias=stage.bias * scale + shift)
            self._stages[stage.name] = folded
            return _Value(stage.name)
        if value.scale is not None and value.shift is not None:
            return _Value(value.stage, value.scale * scale, value.shift * scale + shift)
        return _Value(value.stage, scale, shift)

    def _clamp(self, node: MlpNode, low: float, high: float) -> _Value:
        stage = self._alone(node)
        if not (low <= 0 <= high):
            raise InputError(
                self._where(node),
                f"clips to {low} … {high}; an int8 tensor must be able to hold zero",
                "Clip around zero",
            )
        if stage is not None and stage.kind in ("linear", "add"):
            self._stages[stage.name] = replace(stage, low=low, high=high)
            return _Value(stage.name)
        if low != 0 or high not in (6.0, np.inf):
            raise InputError(
                self._where(node), f"clips a shared tensor to {low} … {high}; int8 runtimes have ReLU and ReLU6 there"
            )
        return self._new("relu", (self._plain(node, self._values[node.inputs[0]]),), low=low, high=high)
