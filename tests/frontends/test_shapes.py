"""Reshapes and permutations of signals: what is allowed keeps every sample's features apart, as numpy itself has it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgeml.frontends.reading import shapes
from edgeml.frontends.reading.value import BATCH, NotAnMlp, Signal

SIZES = st.sampled_from([1, 1, 2, 3])


def real(signal: Signal, batch: int) -> np.ndarray:
    """Numbers for a signal: value f of its node is 100 s + f for sample s."""
    first = np.arange(batch)[:, None] * 100 + signal.places.reshape(-1)
    shape = [size for axis, size in enumerate(signal.shape) if axis != signal.batch_axis]
    return np.moveaxis(first.reshape([batch, *shape]), 0, signal.batch_axis)


@st.composite
def signals(draw: st.DrawFn) -> tuple[Signal, int]:
    features = draw(st.lists(SIZES, max_size=3))
    batch = draw(st.sampled_from([1, 2, 3, 5]))
    dynamic = draw(st.booleans())
    axis = draw(st.integers(0, len(features)))
    shape = [*features[:axis], None if dynamic else batch, *features[axis:]]
    return Signal("input", tuple(shape), axis), batch


def check(before: Signal, after: Signal, batch: int, moved: np.ndarray) -> None:
    """`moved`, which numpy made of the numbers of `before`, are the numbers of `after`."""
    assert after.size == before.size
    assert after.shape[after.batch_axis] == before.shape[before.batch_axis]
    assert np.array_equal(moved, real(after, batch))


@given(signals(), st.data())
@settings(max_examples=200)
def test_reshape(given_signal: tuple[Signal, int], data: st.DataObject) -> None:
    signal, batch = given_signal
    size = signal.size
    target = data.draw(
        st.one_of(
            st.lists(st.sampled_from([-1, 1, 2, 3, 5, 6, batch, size, BATCH]), max_size=4),
            st.permutations([BATCH, *signal.features]),
            st.permutations([batch, *signal.features]),
            st.sampled_from(
                [[BATCH, -1], [-1, size], [batch, -1], [BATCH, size], [1, BATCH, -1], [-1, *signal.features]]
            ),
        )
    )
    numbers = real(signal, batch)
    try:
        after = shapes.reshape(signal, target)
    except NotAnMlp:
        assume(False)
        raise
    check(signal, after, batch, numbers.reshape([batch if entry is BATCH else entry for entry in target]))


def test_the_usual_reshapes_are_allowed() -> None:
    for shape, target in (
        ((None, 1, 28, 28), [-1, 784]),
        ((None, 1, 28, 28), [BATCH, -1]),
        ((7, 1, 28, 28), [7, -1]),
        ((1, 1, 28, 28), [1, -1]),
        ((1, 1, 28, 28), [-1, 784]),
        ((None, 784), [-1, 1, 28, 28]),
        ((None, 1), [-1]),
        ((None, 5), [BATCH, 5, 1]),
        ((3, 3), [3, 3]),
    ):
        shapes.reshape(Signal("input", shape), target)


@given(signals(), st.data())
@settings(max_examples=200)
def test_permute_squeeze_unsqueeze_and_flatten(given_signal: tuple[Signal, int], data: st.DataObject) -> None:
    signal, batch = given_signal
    numbers = real(signal, batch)
    rank = len(signal.shape)
    axes = st.integers(-rank, rank - 1)
    kind = data.draw(st.sampled_from(["permute", "squeeze", "unsqueeze", "flatten"]))
    try:
        if kind == "permute":
            order = data.draw(st.permutations(range(rank)))
            after, moved = shapes.permute(signal, order), numbers.transpose(order)
        elif kind == "squeeze":
            chosen = data.draw(st.lists(axes, max_size=3))
            after = shapes.squeeze(signal, chosen)
            # A batch that may be of any size is never squeezed, so neither is it here where it happens to be 1.
            kept = {axis % rank for axis in chosen if numbers.shape[axis] == 1} - {signal.batch_axis}
            moved = np.squeeze(numbers, tuple(kept))
        elif kind == "unsqueeze":
            place = data.draw(st.integers(-rank - 1, rank))
            after, moved = shapes.unsqueeze(signal, [place]), np.expand_dims(numbers, place)
        else:
            start, end = sorted(data.draw(axes) % rank for _ in range(2))
            after = shapes.flatten(signal, start, end)
            sizes = numbers.shape
            moved = numbers.reshape([*sizes[:start], math.prod(sizes[start : end + 1]), *sizes[end + 1 :]])
    except NotAnMlp:
        assume(False)
        raise
    check(signal, after, batch, moved)
