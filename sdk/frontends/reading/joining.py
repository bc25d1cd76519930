"""Two tensors as one: side by side, or multiplied value by value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..float_operators.concat import Concat
from ..float_operators.multiply import Multiply
from .builder import MlpBuilder
from .value import NotAnMlp, Signal, Value, refuse_ended

__all__ = ["concatenated", "multiplied"]


def concatenated(builder: MlpBuilder, parts: Sequence[Value], axis: int) -> Signal:
    """One behind the other along dimension `axis`, which is not that of the samples.

    The values of all nodes lie one behind the other in one node, whatever the dimension; the signal knows the order.
    """
    signals = [part for part in parts if isinstance(part, Signal)]
    if not signals or len(signals) != len(parts):
        raise NotAnMlp(
            "a concatenation of constants with tensors that depend on the input",
            "Concatenate outputs of layers, and put constants into a bias",
        )
    refuse_ended(*signals)
    if all(builder.is_input(each) for each in signals):
        raise NotAnMlp("a concatenation of the model's own inputs")
    first = signals[0]
    along = first.axis(axis)
    if along == first.batch_axis:
        raise NotAnMlp(f"a concatenation along the samples of {first.text}", "Give it the dimension: cat(…, dim=1)")
    for each in signals:
        others = [size for at, size in enumerate(each.shape) if at != along]
        if each.batch_axis != first.batch_axis or others != [s for at, s in enumerate(first.shape) if at != along]:
            raise NotAnMlp(f"a concatenation of tensors of shapes {first.text} and {each.text}")
    if len({each.node for each in signals}) > 1:
        signals = [builder.whole(each) for each in signals]
    starts: dict[str, int] = {}
    joined, size = "", 0
    for each in signals:
        if each.node in starts:
            continue
        starts[each.node] = size
        count = builder.node_size(each)
        joined = each.node if not joined else _beside(builder, joined, size, each.node, count, first.shape)
        size += count
    places = [np.where(each.places < 0, -1, each.places + starts[each.node]) for each in signals]
    given = Signal(joined, first.shape, first.batch_axis).moved(
        np.concatenate(places, axis=along - (along > first.batch_axis)), first.batch_axis
    )
    return builder.plain(given)


def _beside(builder: MlpBuilder, a: str, first: int, b: str, second: int, shape: Sequence[int | None]) -> str:
    """The node of the values of `a` and then those of `b`; the same one wherever a model puts these together again."""
    operator = Concat(first, second)
    if (found := builder.made(operator, (a, b))) is not None:
        return found
    batch = next((size for size in shape if size is None), shape[0])
    return builder.apply(operator, Signal(a, (batch, first)), Signal(b, (batch, second))).node


def multiplied(builder: MlpBuilder, a: Signal, b: Signal) -> Signal:
    """a · b, value by value; where one has a dimension of 1, or lacks it, its values are taken several times."""
    refuse_ended(a, b)
    if builder.is_input(a) and builder.is_input(b):
        raise NotAnMlp("a product of two of the model's own inputs", "Compute it before the model, as a feature")
    rank = max(len(a.shape), len(b.shape))
    a, b = (_of_rank(each, rank) for each in (a, b))
    if a.batch_axis != b.batch_axis:
        raise NotAnMlp(f"a product of tensors of shapes {a.text} and {b.text}", "Give both the samples first")
    try:
        features = np.broadcast_shapes(a.features, b.features)
    except ValueError as error:
        raise NotAnMlp(f"a product of tensors of shapes {a.text} and {b.text}") from error
    builder.budget.constant((2, *features))
    if a.features != features:
        a, b = b, a
    a = builder.whole(_repeated(a, features))
    b = _repeated(b, features)
    if b.node != a.node or not np.array_equal(a.places, b.places):
        b = builder.in_order(replace(b, order=b.places.ravel()[np.argsort(a.places.ravel())]))
    batch = a.shape[a.batch_axis]
    sides = (Signal(each.node, (batch, a.size)) for each in (a, b))
    return Signal(builder.apply(Multiply(), *sides).node, a.shape, a.batch_axis, order=a.order)


def _of_rank(x: Signal, rank: int) -> Signal:
    """`x` with dimensions of 1 in front, as arithmetic adds them."""
    missing = rank - len(x.shape)
    return replace(x, shape=(1,) * missing + x.shape, batch_axis=x.batch_axis + missing) if missing else x


def _repeated(x: Signal, features: tuple[int, ...]) -> Signal:
    """`x` with its values taken as often as larger dimensions want them."""
    return x if x.features == features else x.moved(np.broadcast_to(x.places, features), x.batch_axis)
