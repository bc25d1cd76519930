"""Collects the nodes of an `Mlp` while a graph is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..float_operators.encode import Encode
from ..float_operators.pooled_sum import PooledSum
from ..float_operators.shared_linear import SharedLinear
from ..float_operators.spread import Spread
from ..mlp import Add, Affine, Clamp, FloatOperator, Linear, Mlp, MlpNode, Sigmoid, Tanh
from .input_encoding import InputEncoding
from .parts import apart
from .simplify import simplified
from .two_sided import with_two_sides_apart
from .value import Budget, Constant, NotAnMlp, Signal, as_constant, refuse_ended

__all__ = ["LARGEST_INPUT", "MlpBuilder", "identifier"]

LARGEST_INPUT = 2**23
_USUAL_BATCH = 8
Indices = npt.NDArray[np.int64]


def identifier(text: str, otherwise: str) -> str:
    """`text` as letters, digits and underscores, starting with a letter; `otherwise` goes before a digit or stands in
    for nothing."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", text[:200]).strip("_")
    if not words:
        return otherwise
    return words if words[0].isalpha() else f"{otherwise}_{words}"


class MlpBuilder:
    """Makes one `Mlp`, node by node.

    Parameters
    ----------
    input_shape : shape of the model's input, its batch dimension first; `None` there for a batch of any size.
    """

    def __init__(self, input_shape: Sequence[int | None]) -> None:
        shape = tuple(input_shape)
        if len(shape) < 2:
            raise NotAnMlp(f"its input has shape {list(shape)}", "Export it with an example of shape [batch, features]")
        if len(shape) > 16 or any(size is None or size < 1 for size in shape[1:]):
            raise NotAnMlp(
                f"its input has shape {[size if size is not None else 'dynamic' for size in shape]}, of which only "
                "the first dimension, the batch, may be dynamic",
                "Export it with a fixed number of features",
            )
        if shape[0] is not None and shape[0] < 1:
            raise NotAnMlp(f"its input has a batch of {shape[0]}")
        self.input = Signal("input", shape)
        if self.input.size > LARGEST_INPUT:
            raise NotAnMlp(f"its input has {self.input.size} features; the most is {LARGEST_INPUT}")
        self.budget = Budget(shape[0] or _USUAL_BATCH)
        self.budget.node(self.input.size)
        self.encoding = InputEncoding(self.input.size)
        self._nodes: dict[str, MlpNode] = {}
        self._names = {"input"}
        self._sizes = {"input": self.input.size}
        self._origin = self._hint = ""

    def node(self, name: str) -> MlpNode:
        """The node called so, which has been made."""
        return self._nodes[name]

    def place(self, origin: str, hint: str) -> None:
        """The nodes that follow come from one operator, at `origin` in the user's model; `hint` names them."""
        self.budget.operator()
        self._origin, self._hint = origin, hint

    def _emit(
        self, operator: FloatOperator, inputs: Sequence[Signal], features: int, otherwise: str, hint: str | None = None
    ) -> str:
        refuse_ended(*inputs)
        self.budget.node(features)
        base = name = identifier(self._hint if hint is None else hint, otherwise)
        count = 1
        while name in self._names:
            count += 1
            name = f"{base}_{count}"
        self._names.add(name)
        self._sizes[name] = features
        self._nodes[name] = MlpNode(name, operator, tuple(signal.node for signal in inputs), self._origin)
        return name

    def node_size(self, x: Signal) -> int:
        """How many values the node of `x` has, all of which or some of which are its features."""
        return self._sizes[x.node]

    def is_input(self, x: Signal) -> bool:
        """Whether `x` is made of lines in single inputs of the model, which encodings are read from."""
        name = x.node
        while name != "input" and isinstance(self._nodes[name].operator, (Affine, Spread, Clamp)):
            (name,) = self._nodes[name].inputs
        return name == "input"

    def in_order(self, x: Signal) -> Signal:
        """`x` as all values of a node in their order; a node that only moves values is made where there is none."""
        if x.order is None or np.array_equal(x.order, np.arange(self.node_size(x))):
            return replace(x, order=None)
        self.budget.constant((x.size,))
        moved = PooledSum(x.order[:, None].astype(np.float64), self.node_size(x))
        return replace(x, node=self._emit(moved, (replace(x, final=""),), x.size, "arrange", ""), order=None)

    def whole(self, x: Signal) -> Signal:
        """`x` where its features are all values of its node, in any order; else those alone, as they lie there."""
        if x.order is None or np.array_equal(np.sort(x.order), np.arange(self.node_size(x))):
            return x
        taken = np.unique(x.order)
        if taken[0] < 0 or len(taken) < x.size:
            return self.in_order(x)
        part = self.in_order(replace(x, order=taken))
        return self.plain(replace(part, order=np.searchsorted(taken, x.order)))

    def plain(self, x: Signal) -> Signal:
        """`x` without an order where that is the order of its node."""
        same = x.order is not None and np.array_equal(x.order, np.arange(self.node_size(x)))
        return replace(x, order=None) if same else x

    def made(self, operator: FloatOperator, inputs: tuple[str, ...]) -> str | None:
        """The name of a node that computes the same; None if there is none yet."""
        same = (node.name for node in self._nodes.values() if node.inputs == inputs and node.operator == operator)
        return next(same, None)

    def gathered(self, operator: FloatOperator, x: Signal, places: Indices, batch_axis: int, name: str) -> Signal:
        """An operator that takes values of the node of `x` by their numbers there; `places`, in the shape of the
        features of what it gives, are the numbers of its own values."""
        node = self._emit(operator, (x,), places.size, name)
        given = Signal(node, x.shape, x.batch_axis).moved(places, batch_axis)
        return self.plain(given)

    def _same_shape(self, operator: FloatOperator, x: Signal, otherwise: str) -> Signal:
        x = self.whole(x)
        return Signal(self._emit(operator, (x,), x.size, otherwise), x.shape, x.batch_axis, order=x.order)

    def linear(self, x: Signal, weight: Constant, bias: Constant | None, axis: int = -1) -> Signal:
        """weight [outputs, inputs] applied along dimension `axis` of `x`; bias [outputs] or None."""
        axis = x.axis(axis)
        if axis == x.batch_axis:
            raise NotAnMlp(f"a matrix product over the samples of {x.text}")
        if weight.ndim != 2 or x.shape[axis] != weight.shape[1]:
            raise NotAnMlp(f"weights of shape {list(weight.shape)} for an input of shape {x.text}")
        outputs = weight.shape[0]
        self.budget.constant(weight.shape)
        bias = np.zeros(outputs) if bias is None else self.vector("bias", bias, outputs)
        axis -= axis > x.batch_axis
        places = np.moveaxis(x.places, axis, -1)
        index = places.reshape(-1, weight.shape[1])
        given = np.moveaxis(np.arange(len(index) * outputs).reshape(*places.shape[:-1], outputs), -1, axis)
        if len(index) == 1 and np.array_equal(np.sort(index[0]), np.arange(self.node_size(x))):
            operator = _made(Linear, weight[:, np.argsort(index[0])], bias)
            return self.gathered(operator, x, given, x.batch_axis, "linear")
        return self.gathered(self.shared(x, weight, bias, index), x, given, x.batch_axis, "shared_linear")

    def shared(self, x: Signal, weight: Constant, bias: Constant, index: Indices, groups: int = 1) -> SharedLinear:
        """Weights [outputs, columns] on the values `index` [positions, columns] of the node of `x`."""
        self.budget.constant((2, *index.shape))
        found: SharedLinear = _made(SharedLinear, weight, bias, index.astype(np.float64), self.node_size(x), groups)
        return found

    def vector(self, what: str, values: Constant, size: int) -> Constant:
        """`values` as a vector float64 [size]: a scalar is repeated, dimensions of 1 are dropped."""
        self.budget.constant((size,))
        flat = np.asarray(values).reshape(-1)
        if flat.size not in (1, size) or max(np.shape(values), default=1) != flat.size:
            raise NotAnMlp(f"{what} of shape {list(np.shape(values))} for {size} channels")
        return np.array(np.broadcast_to(flat, (size,)), dtype=np.float64)

    def affine(self, x: Signal, scale: Any, shift: Any) -> Signal:
        """x · scale + shift; both broadcast against `x` as numpy does. Where that makes `x` larger, its features
        are taken several times each: a `Spread`."""
        if (features := _spread_features(x, as_constant(scale), as_constant(shift))) is not None:
            return self._spread(self.in_order(x), features, as_constant(scale), as_constant(shift))
        x, scale = self._per_feature(x, as_constant(scale))
        x, shift = self._per_feature(x, as_constant(shift))
        if np.all(scale == 1) and np.all(shift == 0):
            return x
        x = self.whole(x)
        if x.order is not None:
            scale, shift = (each[np.argsort(x.order)] for each in (scale, shift))
        return self._same_shape(_made(Affine, scale, shift), x, "affine")

    def _spread(self, x: Signal, features: tuple[int, ...], scale: Constant, shift: Constant) -> Signal:
        self.budget.constant((3, *features))
        source = np.arange(x.size).reshape(x.features)
        scale, shift = (
            np.squeeze(each, axis=x.batch_axis - len(x.shape)) if each.ndim >= len(x.shape) - x.batch_axis else each
            for each in (scale, shift)
        )
        rows = [np.array(np.broadcast_to(each, features), np.float64).reshape(-1) for each in (source, scale, shift)]
        name = self._emit(_made(Spread, *rows, x.size), (x,), rows[0].size, "spread")
        shape: list[int | None] = list(features)
        shape.insert(x.batch_axis, x.shape[x.batch_axis])
        return Signal(name, tuple(shape), x.batch_axis)

    def _per_feature(self, x: Signal, constant: Constant) -> tuple[Signal, Constant]:
        """A constant operand as one value per feature, and `x` with the leading dimensions that it brings."""
        if constant.dtype.kind not in "fib":
            raise NotAnMlp(f"arithmetic with a constant of type {constant.dtype}")
        missing = constant.ndim - len(x.shape)
        shape, batch_axis = x.shape, x.batch_axis
        if missing > 0:
            shape, batch_axis = (1,) * missing + shape, batch_axis + missing
        padded = constant.reshape((1,) * max(-missing, 0) + constant.shape)
        if padded.shape[batch_axis] != 1:
            raise NotAnMlp(
                f"a constant of shape {list(constant.shape)} differs from sample to sample of {x.text}",
                "Export the model in evaluation mode, with constants of shape [features]",
            )
        features = tuple(size for axis, size in enumerate(shape) if axis != batch_axis and size is not None)
        without_batch = np.squeeze(padded, axis=batch_axis)
        if any(mine not in (1, theirs) for mine, theirs in zip(without_batch.shape, features, strict=True)):
            raise NotAnMlp(f"a constant of shape {list(constant.shape)} does not fit a tensor of shape {x.text}")
        self.budget.constant(features)
        values = np.array(np.broadcast_to(without_batch, features), dtype=np.float64).reshape(-1)
        return replace(x, shape=shape, batch_axis=batch_axis), values

    def encoded(self, operator: Encode, batch: int | None) -> Signal:
        """An encoding of the model's input: [batch, outputs]."""
        name = self._emit(operator, (self.input,), operator.outputs, "encode", "encode")
        return Signal(name, (batch, operator.outputs))

    def batch_norm(
        self, x: Signal, gamma: Any, beta: Any, mean: Constant, variance: Constant, epsilon: float
    ) -> Signal:
        """γ · (x − μ) / √(σ² + ε) + β per channel, the channels being dimension 1; γ and β may be None."""
        channels = x.shape[1] if len(x.shape) > 1 else None
        if x.batch_axis != 0 or channels is None:
            raise NotAnMlp(f"a batch norm over a tensor of shape {x.text}", "It takes [batch, channels, positions …]")
        mean, variance = (self.vector("batch norm", value, channels) for value in (mean, variance))
        gamma = np.ones(channels) if gamma is None else self.vector("batch norm", gamma, channels)
        beta = np.zeros(channels) if beta is None else self.vector("batch norm", beta, channels)
        if np.any(variance < 0) or not epsilon >= 0:
            raise NotAnMlp(f"a batch norm with negative variance or ε = {epsilon}")
        with np.errstate(all="ignore"):
            scale = gamma / np.sqrt(variance + epsilon)
            shift = beta - mean * scale
        x = self.whole(x)
        channel = np.repeat(np.arange(channels), x.size // channels)
        if x.order is not None:
            channel = channel[np.argsort(x.order)]
        return self._same_shape(_made(Affine, scale[channel], shift[channel]), x, "batch_norm")

    def clamp(self, x: Signal, low: Any, high: Any) -> Signal:
        """min(max(x, low), high); a bound may be None."""
        bounds = [_uniform(bound, none) for bound, none in ((low, -np.inf), (high, np.inf))]
        if bounds == [-np.inf, np.inf]:
            return x
        return self._same_shape(_made(Clamp, *bounds), x, "relu" if bounds[0] == 0 else "clamp")

    def apply(self, operator: FloatOperator, *inputs: Signal) -> Signal:
        """Any operator on tensors of shape [batch, features] each; the result has that shape too."""
        for x in inputs:
            if len(x.shape) != 2 or x.batch_axis != 0:
                raise NotAnMlp(f"it takes a tensor of shape {x.text}", "Flatten it to [batch, features] first")
        inputs = tuple(self.in_order(x) for x in inputs)
        batch = inputs[0].shape[0]
        if any(x.shape[0] != batch for x in inputs):
            raise NotAnMlp(f"tensors of shapes {', '.join(x.text for x in inputs)} together")
        try:
            features = operator.output_size(*(x.size for x in inputs))
        except InputError as error:
            raise NotAnMlp(f"{error.where} {error.problem}", error.remedy) from error
        return Signal(self._emit(operator, inputs, features, operator.kind), (batch, features))

    def each_value(self, operator: FloatOperator, x: Signal, name: str) -> Signal:
        """An operator that gives one value for each value of `x`, whatever its shape; `name` is for its node."""
        return self._same_shape(operator, x, name)

    def sigmoid(self, x: Signal) -> Signal:
        """1 / (1 + exp(−x))."""
        return self._same_shape(Sigmoid(), x, "sigmoid")

    def tanh(self, x: Signal) -> Signal:
        """tanh(x)."""
        return self._same_shape(Tanh(), x, "tanh")

    def add(self, a: Signal, b: Signal) -> Signal:
        """a + b, two tensors of one shape: a residual path."""
        if a.batch_axis - len(a.shape) != b.batch_axis - len(b.shape) or a.features != b.features:
            shorter, longer = sorted((a, b), key=lambda signal: len(signal.shape))
            extra = len(longer.shape) - len(shorter.shape)
            padded = replace(shorter, shape=(1,) * extra + shorter.shape, batch_axis=shorter.batch_axis + extra)
            if padded.batch_axis != longer.batch_axis or padded.features != longer.features:
                raise NotAnMlp(f"a sum of tensors of shapes {a.text} and {b.text}", "A residual path keeps the shape")
        largest = max(a, b, key=lambda signal: len(signal.shape))
        a, b = self.whole(a), self.whole(b)
        if not np.array_equal(a.places.ravel(), b.places.ravel()):
            b = self.in_order(replace(b, order=b.places.ravel()[np.argsort(a.places.ravel())]))
        if a.node == b.node:
            return self.affine(replace(largest, node=a.node, order=a.order), 2.0, 0.0)
        name = self._emit(Add(), (a, b), a.size, "add")
        return Signal(name, largest.shape, largest.batch_axis, order=a.order)

    def final(self, x: Signal, kind: str, axis: Any, keep_axis: bool = True) -> Signal:
        """The end of the model: "softmax", "log_softmax" or "argmax" over the features, along `axis`."""
        if x.final and kind != "argmax":
            raise NotAnMlp(f"{x.final} is followed by {kind}", "Only one may stand at the end")
        if x.final == "argmax":
            raise NotAnMlp("an argmax of an argmax")
        if x.axis(axis) == x.batch_axis or x.shape[x.axis(axis)] != x.size:
            raise NotAnMlp(f"{kind} over dimension {axis} of a tensor of shape {x.text}", "Take it over the features")
        x = self.in_order(x)
        if kind != "argmax":
            return Signal(x.node, x.shape, x.batch_axis, kind)
        axis = x.axis(axis)
        shape = [1 if i == axis else size for i, size in enumerate(x.shape)]
        if not keep_axis:
            del shape[axis]
        return Signal(x.node, tuple(shape), x.batch_axis - (not keep_axis and axis < x.batch_axis), "argmax")

    def build(self, output: Any, name: str) -> Mlp:
        """The finished model, whose output is the signal `output`."""
        if not isinstance(output, Signal):
            raise NotAnMlp("its output does not depend on its input")
        output = self.in_order(output)
        if output.node == "input":
            raise NotAnMlp("it has no layer between its input and its output")
        leading = any(size != 1 for size in output.shape[: output.batch_axis])
        if leading or max(output.features, default=1) != output.size:
            raise NotAnMlp(f"its output has shape {output.text}", "An MLP's output has shape [batch, outputs]")
        nodes = simplified([self._finished(node) for node in self._nodes.values()], output.node)
        nodes = simplified(apart(nodes, nodes[-1].name), nodes[-1].name)
        nodes = with_two_sides_apart(nodes, nodes[-1].name)
        values = np.minimum(self.encoding.limits, 1 << self.encoding.bits)
        used = any(isinstance(node.operator, Encode) for node in nodes)
        return Mlp(name, self.input.size, nodes, output.final, values=tuple(values.tolist()) if used else ())

    def _finished(self, node: MlpNode) -> MlpNode:
        """An encoding with the bits that all together need, which are known at the end."""
        if not isinstance(node.operator, Encode):
            return node
        return replace(node, operator=replace(node.operator, bits=self.encoding.bits))


def _spread_features(x: Signal, *constants: Constant) -> tuple[int, ...] | None:
    """The features that `x` has beside constants which make some of its dimensions of 1 larger; None if none do."""
    aligned = all(each.dtype.kind in "fib" and each.ndim <= len(x.shape) for each in constants)
    if not aligned:
        return None
    padded = [(1,) * (len(x.shape) - each.ndim) + each.shape for each in constants]
    if any(shape[x.batch_axis] != 1 for shape in padded):
        return None
    without = [tuple(size for axis, size in enumerate(shape) if axis != x.batch_axis) for shape in padded]
    try:
        features = np.broadcast_shapes(x.features, *without)
    except ValueError:
        return None
    return features if features != x.features else None


def _made(kind: Any, *arguments: Any) -> Any:
    """An operator, its own checks told as NotAnMlp, so that the place in the model is added."""
    try:
        return kind(*arguments)
    except InputError as error:
        raise NotAnMlp(f"{error.where} {error.problem}", error.remedy) from error


def _uniform(bound: Any, none: float) -> float:
    """A bound of a clamp as one number."""
    if bound is None:
        return none
    values = np.asarray(bound)
    if values.dtype.kind not in "fib" or values.size == 0 or np.any(values != values.reshape(-1)[0]):
        raise NotAnMlp("a clamp whose bounds differ from feature to feature or are not numbers")
    result = float(values.reshape(-1)[0])
    if np.isnan(result):
        raise NotAnMlp("a clamp with a bound that is NaN")
    return result
