"""Layers that take several tensors."""

from __future__ import annotations

from typing import Any

from ....errors import printable
from ...reading import arithmetic
from ...reading.joining import concatenated
from ...reading.value import NotAnMlp
from .applied import Applied, layer


def _sum(a: Applied) -> Any:
    first, *rest = a.several
    for each in rest:
        first = arithmetic.add(a.builder, first, each)
    return first


@layer("Add")
def _add(a: Applied) -> Any:
    return _sum(a)


@layer("Average")
def _average(a: Applied) -> Any:
    return arithmetic.divide(a.builder, _sum(a), float(len(a.several)))


@layer("Subtract")
def _subtract(a: Applied) -> Any:
    tensors = a.several
    if len(tensors) != 2:
        raise NotAnMlp(f"it takes {len(tensors)} tensors")
    return arithmetic.subtract(a.builder, *tensors)


@layer("Concatenate")
def _concatenate(a: Applied) -> Any:
    tensors, axis = a.several, a.get("axis", -1)
    if type(axis) is not int:
        raise NotAnMlp(f"its axis is {printable(axis, 40)}")
    return concatenated(a.builder, tensors, axis) if len(tensors) > 1 else tensors[0]


@layer("Multiply")
def _multiply(a: Applied) -> Any:
    first, *rest = a.several
    for each in rest:
        first = arithmetic.multiply(a.builder, first, each)
    return first
