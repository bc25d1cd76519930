"""How models choose and put together columns of their input, and what they make of single columns.

As in `encodings.py`, values that come from layers raise `NotOfTheInput`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...reading import feature_arithmetic as features
from ...reading import feature_arrangement as arrangement
from ...reading import shapes
from ...reading.builder import MlpBuilder
from ...reading.feature_functions import FeatureFunctions
from ...reading.input_functions import functions_of
from ...reading.value import NotAnMlp, Signal, Value
from .registry import as_list, encoding


@encoding("view", "reshape", "_unsafe_view", "_reshape_alias", "view_copy")
def _view(b: MlpBuilder, self: Value, size: Any = None, shape: Any = None, stride: Any = None) -> Value:
    return arrangement.reshaped(b, self, as_list(shape if size is None else size))


@encoding("flatten")
def _flatten(b: MlpBuilder, self: Value, start_dim: Any = 0, end_dim: Any = -1) -> Value:
    return arrangement.as_signal_shape(b, self, lambda s: shapes.flatten(s, start_dim, end_dim))


@encoding("unflatten")
def _unflatten(b: MlpBuilder, self: Value, dim: Any, sizes: Any) -> Value:
    x = functions_of(b, self)
    axis = x.axis(dim) - 1
    return arrangement.reshaped(b, x, [x.shape[0] or -1, *x.features[:axis], *as_list(sizes), *x.features[axis + 1 :]])


@encoding("squeeze")
def _squeeze(b: MlpBuilder, self: Value, dim: Any = None) -> Value:
    axes = None if dim is None else as_list(dim)
    return arrangement.as_signal_shape(b, self, lambda s: shapes.squeeze(s, axes))


@encoding("unsqueeze")
def _unsqueeze(b: MlpBuilder, self: Value, dim: Any) -> Value:
    return arrangement.as_signal_shape(b, self, lambda s: shapes.unsqueeze(s, [dim]))


@encoding("permute")
def _permute(b: MlpBuilder, self: Value, dims: Any) -> Value:
    return arrangement.permuted(b, self, as_list(dims))


@encoding("transpose")
def _transpose(b: MlpBuilder, self: Value, dim0: Any, dim1: Any) -> Value:
    x = functions_of(b, self)
    order = list(range(len(x.shape)))
    first, second = (x.signal.axis(dim) for dim in (dim0, dim1))
    order[first], order[second] = order[second], order[first]
    return arrangement.permuted(b, x, order)


@encoding("select")
def _select(b: MlpBuilder, self: Value, dim: Any, index: Any) -> Value:
    return arrangement.chosen(b, self, dim, index, drop=True)


@encoding("slice")
def _slice(b: MlpBuilder, self: Value, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Value:
    return arrangement.sliced(b, self, dim, start, end, step)


@encoding("index_select")
def _index_select(b: MlpBuilder, self: Value, dim: Any, index: Value) -> Value:
    return arrangement.chosen(b, self, dim, index)


@encoding("index")
def _index(b: MlpBuilder, self: Value, indices: Any) -> Value:
    given = [(axis, index) for axis, index in enumerate(indices) if index is not None]
    if len(given) != 1:
        raise NotAnMlp("it chooses elements along several dimensions at once")
    ((axis, index),) = given
    if isinstance(index, (Signal, FeatureFunctions)):
        if axis or isinstance(self, (Signal, FeatureFunctions)):
            raise NotAnMlp("it chooses elements at places that depend on the input")
        return features.look_up(b, self, index)
    return arrangement.chosen(b, self, axis, index)


@encoding("flip")
def _flip(b: MlpBuilder, self: Value, dims: Any) -> Value:
    x = functions_of(b, self)
    axes = [x.axis(dim) for dim in as_list(dims)]
    return x.moved(lambda each: np.flip(each, tuple(axes)))


@encoding("split", "split_with_sizes")
def _split(b: MlpBuilder, self: Value, split_size: Any = None, split_sizes: Any = None, dim: Any = 0) -> Value:
    return arrangement.pieces(b, self, dim, split_size if split_sizes is None else split_sizes)


@encoding("chunk")
def _chunk(b: MlpBuilder, self: Value, chunks: Any, dim: Any = 0) -> Value:
    x = functions_of(b, self)
    return arrangement.pieces(b, x, dim, -(-x.source.shape[x.axis(dim)] // chunks))


@encoding("unbind")
def _unbind(b: MlpBuilder, self: Value, dim: Any = 0) -> Value:
    return arrangement.pieces(b, self, dim, 1, drop=True)


@encoding("cat")
def _cat(b: MlpBuilder, tensors: Any, dim: Any = 0) -> Value:
    return arrangement.concatenated(b, tensors, dim)


@encoding("stack")
def _stack(b: MlpBuilder, tensors: Any, dim: Any = 0) -> Value:
    return arrangement.stacked(b, tensors, dim)


@encoding("expand", "broadcast_to")
def _expand(b: MlpBuilder, self: Value, size: Any, implicit: Any = False) -> Value:
    return arrangement.expanded(b, self, as_list(size))
