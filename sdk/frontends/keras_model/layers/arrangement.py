"""Layers that move numbers and compute none."""

from __future__ import annotations

from typing import Any

from ....errors import printable
from ...reading import positions, shapes
from ...reading.value import BATCH, NotAnMlp
from .applied import Applied, layer


@layer("Flatten")
def _flatten(a: Applied) -> Any:
    x = a.x
    if not a.channels_last() and len(x.shape) > 2:
        x = shapes.permute(x, [0, *range(2, len(x.shape)), 1])
    return shapes.reshape(x, [BATCH, x.size])


@layer("Reshape")
def _reshape(a: Applied) -> Any:
    target = a.get("target_shape")
    if not isinstance(target, list) or any(type(size) is not int for size in target):
        raise NotAnMlp(f"its target_shape is {printable(target, 40)}")
    return shapes.reshape(a.x, [BATCH, *target])


@layer("Permute")
def _permute(a: Applied) -> Any:
    dims = a.get("dims")
    if not isinstance(dims, list) or sorted(dims) != list(range(1, len(a.x.shape))):
        raise NotAnMlp(f"its dims are {printable(dims, 40)} for a tensor of shape {a.x.text}")
    return shapes.permute(a.x, [0, *dims])


def _sides(a: Applied, name: str, dimensions: int) -> list[tuple[int, int]]:
    """What a padding or cropping says for each dimension: one number, one each, or two each."""
    found = a.get(name)
    if type(found) is int:
        found = [found] * (2 if dimensions == 1 else dimensions)
    if dimensions == 1:
        found = [found]
    if not isinstance(found, list) or len(found) != dimensions:
        raise NotAnMlp(f"its {name} is {printable(found, 40)}")
    sides = [[each, each] if type(each) is int else each for each in found]
    if any(
        not isinstance(side, list) or len(side) != 2 or any(type(n) is not int or not 0 <= n < 2**20 for n in side)
        for side in sides
    ):
        raise NotAnMlp(f"its {name} is {printable(found, 40)}")
    return [(side[0], side[1]) for side in sides]


def _padded(a: Applied, name: str, dimensions: int, sign: int) -> Any:
    x = a.x
    if len(x.features) != dimensions + 1 or x.batch_axis != 0:
        raise NotAnMlp(f"it is applied to a tensor of shape {x.text}")
    sides = [(sign * before, sign * behind) for before, behind in _sides(a, name, dimensions)]
    last = a.channels_last() or dimensions == 1
    return positions.padded(x, [*sides, (0, 0)] if last else [(0, 0), *sides])


@layer("ZeroPadding1D")
def _zero_padding_1d(a: Applied) -> Any:
    return _padded(a, "padding", 1, 1)


@layer("ZeroPadding2D")
def _zero_padding_2d(a: Applied) -> Any:
    return _padded(a, "padding", 2, 1)


@layer("Cropping1D")
def _cropping_1d(a: Applied) -> Any:
    return _padded(a, "cropping", 1, -1)


@layer("Cropping2D")
def _cropping_2d(a: Applied) -> Any:
    return _padded(a, "cropping", 2, -1)
