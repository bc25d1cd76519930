"""From signals to functions of single features, and back: where a model begins and ends to encode its input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..float_operators.affine import Affine
from ..float_operators.clamp import Clamp
from ..float_operators.encode import Encode
from ..float_operators.spread import Spread
from .builder import MlpBuilder
from .encoding_of_functions import expansion
from .feature_functions import POINTS, VALUES, FeatureFunctions, NotOfTheInput
from .value import Constant, NotAnMlp, Signal, Value, as_constant

__all__ = ["functions_of", "linear", "settled", "taken_lines", "whole_input"]

_MOST_LEVELS = 254
_EVEN = 1e-6


def functions_of(builder: MlpBuilder, value: Value, levels: Constant | None = None) -> FeatureFunctions:
    """A signal that is the model's input, or lines in it, as functions of its features.

    Parameters
    ----------
    levels : what it is going to be compared with: tells the grid where nothing else has.

    Raises
    ------
    NotOfTheInput : it is a constant or comes from layers.
    """
    if isinstance(value, FeatureFunctions):
        if value.flat:
            raise NotAnMlp("samples and features are one dimension")
        return value
    if not isinstance(value, Signal) or value.final or value.batch_axis != 0:
        raise NotOfTheInput("it is not made of single features of the model's input")
    chain: list[Any] = []
    name = value.node
    while name != "input":
        node = builder.node(name)
        if not isinstance(node.operator, (Affine, Spread, Clamp)):
            raise NotOfTheInput("it is not made of single features of the model's input")
        chain.insert(0, node.operator)
        (name,) = node.inputs
    encoding = builder.encoding
    if encoding.grid is None:
        encoding.grid = _grid_of(chain, levels)
    scale, offset = encoding.grid
    builder.budget.constant((8, value.size))
    size = builder.input.size
    source, function = np.arange(size), np.zeros(size, np.int64)
    tables = (POINTS * scale + offset)[None]
    for operator in chain:
        source, function, tables = _behind(builder, operator, source, function, tables)
    if value.order is not None:
        if value.order.min() < 0:
            raise NotOfTheInput("it holds padding")
        source, function = source[value.order], function[value.order]
    near = np.rint(tables)
    tables = np.where(np.abs(tables - near) <= 1e-12 * np.abs(near), near, tables)
    places, kinds = (each.reshape((1, *value.features)) for each in (source, function))
    return FeatureFunctions(places, kinds, tables, value.shape, "float", False)


def whole_input(builder: MlpBuilder) -> FeatureFunctions:
    """The input of a model that takes integers."""
    x = functions_of(builder, builder.input)
    return replace(x, number="int")


def _behind(builder: MlpBuilder, operator: Any, source: Any, function: Any, tables: Any) -> tuple[Any, Any, Any]:
    """Sources, functions and tables behind one operator."""
    if isinstance(operator, Clamp):
        return source, function, np.clip(tables, operator.low, operator.high)
    shift = operator.shift
    if isinstance(operator, Spread):
        source, function = source[operator.indices], function[operator.indices]
    rows = np.stack([function.astype(np.float64), operator.scale, shift], axis=1)
    kinds, function = np.unique(rows, axis=0, return_inverse=True)
    builder.budget.constant((3 * len(rows) + len(kinds) * len(POINTS),))
    tables = tables[kinds[:, 0].astype(np.int64)] * kinds[:, 1:2] + kinds[:, 2:]
    return source, function.reshape(-1), tables


def _grid_of(chain: list[Any], levels: Constant | None) -> tuple[float, float]:
    """(scale, offset) of the integers that a model's input becomes."""
    first = chain[0] if chain else None
    if isinstance(first, Affine) and first.scale[0] > 1 and not np.any(first.scale != first.scale[0]):
        # x · 255 before it is rounded: the integers are what comes out.
        if np.any(first.shift != first.shift[0]):
            raise NotAnMlp("features are shifted by different amounts before they become integers")
        return 1.0 / float(first.scale[0]), -float(first.shift[0]) / float(first.scale[0])
    if chain or levels is None:
        return 1.0, 0.0
    found = np.unique(np.asarray(levels, np.float64))
    if not np.all(np.isfinite(found)):
        raise NotAnMlp("a comparison with a number that is not finite")
    whole = np.unique(np.ceil(found))
    if found[0] >= 0 and found[-1] < VALUES and whole.size == found.size and np.all(found * 2 == np.rint(found * 2)):
        return 1.0, 0.0
    if found[0] >= 0 and np.all(found == np.rint(found)):
        return 1.0, 0.0
    # Levels of real numbers: a grid with a boundary at each, as far as they are evenly spaced.
    step = float(np.diff(found).min()) if found.size > 1 else max(abs(float(found[0])), 1.0) / 128
    ratio = (found - found[0]) / step
    if ratio[-1] > _MOST_LEVELS or np.abs(ratio - np.rint(ratio)).max() > _EVEN:
        step = float(found[-1] - found[0]) / (_MOST_LEVELS - 1)
    below = (VALUES - 1 - round((found[-1] - found[0]) / step)) // 2
    return step, float(found[0]) - (below + 0.5) * step


def settled(builder: MlpBuilder, value: Value) -> Value:
    """Functions as the signal of a node that computes them; any other value as it is."""
    if isinstance(value, list):
        return [settled(builder, entry) for entry in value]
    if not isinstance(value, FeatureFunctions):
        return value
    if value.flat:
        raise NotAnMlp("samples and features are one dimension")
    kept = builder.encoding.kept(value)
    if kept is None:
        kept = builder.encoding.kept(value, _settled(builder, value))
    assert kept is not None
    return kept


def _settled(builder: MlpBuilder, x: FeatureFunctions) -> Signal:
    if not x.rounded:
        _check_lines(x)
        if (plain := _lines(builder, x)) is not None:
            return plain
    found = expansion(builder.budget, x, builder.encoding.limits)
    if x.rounded and found.one_each:
        encode = _encode(builder, x, found)
        return builder.affine(
            Signal(encode.node, x.shape), found.gain.reshape(x.features), found.shift.reshape(x.features)
        )
    builder.budget.constant((x.size, x.size))
    flat = linear(builder, x, np.eye(x.size), np.zeros(x.size), found)
    return Signal(flat.node, x.shape)


def _check_lines(x: FeatureFunctions) -> None:
    """That unrounded functions are lines: clamped columns would be, only of whole numbers, tables."""
    f = x.tables[np.unique(x.function), :VALUES]
    line = f[:, :1] + (f[:, 1:2] - f[:, :1]) * np.arange(VALUES)
    if np.any(np.abs(line - f) > 1e-9 * np.abs(f).max(axis=1, keepdims=True)):
        raise NotAnMlp("it takes a part of, or moves, real numbers that are clamped", "Clamp them behind that")


def _lines(builder: MlpBuilder, x: FeatureFunctions) -> Signal | None:
    """Unrounded functions that stand in the order of the features, as they are; else None."""
    if x.terms > 1 or x.size != builder.input.size or np.any(x.source.reshape(-1) != np.arange(x.size)):
        return None
    assert builder.encoding.grid is not None
    scale, offset = builder.encoding.grid
    function = x.function.reshape(-1)
    slope = (x.tables[:, 1] - x.tables[:, 0])[function] / scale
    shift = x.tables[:, 0][function] - slope * offset
    return builder.affine(Signal("input", x.shape), slope.reshape(x.features), shift.reshape(x.features))


def taken_lines(builder: MlpBuilder, x: FeatureFunctions) -> Signal | None:
    """Unrounded functions, each a line in one feature and the same line wherever that feature stands, as a signal that
    takes the features in their order; else None."""
    source, function = x.source.reshape(-1), x.function.reshape(-1)
    if x.rounded or x.flat or x.terms > 1 or source.min() < 0:
        return None
    _check_lines(x)
    used, first = np.unique(source, return_index=True)
    at = np.zeros(builder.input.size, np.int64)
    at[used] = function[first]
    if np.any(function != at[source]):
        return None
    assert builder.encoding.grid is not None
    scale, offset = builder.encoding.grid
    slope = (x.tables[:, 1] - x.tables[:, 0])[at] / scale
    shift = x.tables[:, 0][at] - slope * offset
    whole = builder.affine(Signal("input", (x.shape[0], builder.input.size)), slope, shift)
    return whole.moved(source.reshape(x.features), 0)


def _encode(builder: MlpBuilder, x: FeatureFunctions, found: Any) -> Signal:
    if not found.source.size:
        raise NotAnMlp("what it makes of the input does not depend on the input")
    assert builder.encoding.grid is not None
    builder.encoding.used = True
    source, rule, operand = (each.astype(np.float64) for each in (found.source, found.rule, found.operand))
    operator = Encode(source, rule, operand, builder.input.size, 8, *builder.encoding.grid)
    return builder.encoded(operator, x.shape[0])


def linear(
    builder: MlpBuilder, x: FeatureFunctions, weight: Constant, bias: Constant | None, found: Any = None
) -> Signal:
    """weight [outputs, elements] · x + bias, with the constants of `x` multiplied into the weights."""
    weight = as_constant(weight)
    if weight.ndim != 2 or weight.dtype.kind not in "fib" or weight.shape[1] != x.size:
        raise NotAnMlp(f"weights of shape {list(weight.shape)} for an input of shape {x.signal.text}")
    shift = np.zeros(len(weight)) if bias is None else builder.vector("bias", bias, len(weight))
    if not x.rounded:
        _check_lines(x)
    if not x.rounded and (plain := _lines(builder, x)) is not None:
        return builder.linear(Signal(plain.node, (x.shape[0], x.size)), weight, shift)
    found = found if found is not None else expansion(builder.budget, x, builder.encoding.limits)
    weight, shift = found.weights(builder.budget, weight.astype(np.float64), shift)
    if x.rounded:
        encode = _encode(builder, x, found)
        return builder.linear(encode, weight, shift)
    # Lines alone: the features are chosen and moved by weights, and stay the real numbers that they are.
    assert builder.encoding.grid is not None
    scale, offset = builder.encoding.grid
    builder.budget.constant((len(weight), builder.input.size))
    whole = np.zeros((builder.input.size, len(weight)))
    np.add.at(whole, found.source, weight.T / scale)
    shift = shift - np.einsum("oi->o", whole.T) * offset
    return builder.linear(Signal("input", (x.shape[0], builder.input.size)), whole.T, shift)
