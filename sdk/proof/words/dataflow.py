"""A program without jumps: operations on words, each of operands before it, and what is known of each result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from .arithmetic import result
from .concrete import COLUMN_OPERATIONS, OPERATIONS
from .values import Form, Space, Unknown, Value

__all__ = ["MOST_AMONG", "Dataflow", "Node", "Operand", "looked_up"]


class Node:
    """The result of an operation.

    Parameters
    ----------
    number : its place. value : what is known of it. sample : what it is for the inputs that were run.
    among : a few constants one of which it is, where nothing else is known.
    """

    __slots__ = ("__weakref__", "among", "number", "sample", "value")

    def __init__(self, number: int, value: Value, sample: int, among: frozenset[int] = frozenset()) -> None:
        self.number, self.value, self.sample, self.among = number, value, sample, among


Operand = int | Node
"""A constant 0 … 2^32 − 1, or the result of an operation."""

Column = npt.NDArray[np.uint32]
MOST_AMONG = 256
"""Constants one of which a word is known to be: the elements of an array at an address that depends on inputs, as
the outputs are in a search for the largest."""


def looked_up(addresses: Column, first: int, step: int, entries: Sequence[int]) -> Column:
    """entries[(address − first) / step] of each address, and 0 for one beyond them."""
    places = (addresses.astype(np.int64) - first) // step
    inside = (places >= 0) & (places < len(entries))
    return np.where(inside, np.array(entries, np.uint32)[np.where(inside, places, 0)], np.uint32(0))


class Dataflow:
    """Operations in order, and what the program relies on.

    Attributes
    ----------
    operations : (name, operands …) of each node, a constant c as ~c and a node as its number; of `input` its range, of
        `lookup` an address, the first address, the step between addresses and the entries.
    facts : (number of a node, constant that it always is).
    """

    def __init__(self) -> None:
        self.space = Space()
        self.operations: list[tuple[Any, ...]] = []
        self.facts: dict[int, int] = {}
        self._found: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()

    def _enter(
        self, operation: tuple[Any, ...], value: Value, sample: int, among: frozenset[int] = frozenset()
    ) -> Node:
        node = Node(len(self.operations), value, sample, among)
        self.operations.append(operation)
        return node

    def input(self, low: int, high: int, sample: int) -> Node:
        """A new input within low … high, as a word."""
        variable = self.space.variable(low, high)
        value: Value = Form({variable: 1}, 0) if low < high else low & 0xFFFF_FFFF
        return self._enter(("input", low, high), value, sample & 0xFFFF_FFFF)

    def unknown(self, why: str, sample: int = 0) -> Node:
        """A word of which nothing is known."""
        return self._enter(("unknown", why), Unknown(why), sample)

    def make(self, name: str, *operands: Operand) -> Operand:
        """The result of an operation."""
        samples = [operand if isinstance(operand, int) else operand.sample for operand in operands]
        if all(isinstance(operand, int) for operand in operands):
            return OPERATIONS[name](*samples)
        key = (name, *(~operand if isinstance(operand, int) else operand.number for operand in operands))
        node = self._found.get(key)
        if node is None:
            value = result(self.space, name, tuple(item if isinstance(item, int) else item.value for item in operands))
            among = self._among(name, operands) if isinstance(value, Unknown) else frozenset()
            node = self._enter(key, value, OPERATIONS[name](*samples), among)
            self._found[key] = node
        return node

    def columns(self, given: Callable[[int, Mapping[int, Column]], Column]) -> dict[int, Column]:
        """What each node is, of several inputs at once: by number columns uint32 [samples].

        given : the column of an input, by its number and the columns before it.
        """
        found: dict[int, Column] = {}
        for number, (name, *operands) in enumerate(self.operations):
            if name == "input":
                found[number] = given(number, found)
            elif name == "lookup":
                at, first, step, entries = operands
                found[number] = looked_up(found[at], first, step, entries)
            elif name != "unknown" and all(operand < 0 or operand in found for operand in operands):
                taken = [np.array([~item], np.uint32) if item < 0 else found[item] for item in operands]
                found[number] = COLUMN_OPERATIONS[name](*taken)
        return found

    def lookup(self, address: Node, first: int, step: int, entries: Sequence[int]) -> Node:
        """entries[(address − first) / step], and 0 for an address beyond them: in a branch that is not taken then."""
        value: Value = Unknown("a table at an address of which too little is known")
        base, column = self.column(address)
        if base is not None and column is not None:
            value = self.space.looked_up(base, looked_up(column, first, step, entries))
        sample = int(looked_up(np.array([address.sample], np.uint32), first, step, entries)[0])
        return self._enter(("lookup", address.number, first, step, tuple(entries)), value, sample)

    def column(self, node: Node) -> tuple[Any, Any]:
        """The sum that a node is a function of, and its values; (None, None) if there is none."""
        value = node.value
        if isinstance(value, Unknown | int):
            return None, None
        base = self.space.base_of(value) if isinstance(value, Form) else value.base
        return (None, None) if base is None else (base, self.space.over(value, base))

    def constant(self, operand: Operand) -> int | None:
        """The constant that an operand is, for all inputs; the program then relies on it. None if it is none."""
        if isinstance(operand, int):
            return operand
        if isinstance(operand.value, int):
            self.facts[operand.number] = operand.value
            return operand.value
        return next(iter(operand.among)) if len(operand.among) == 1 else None

    def choices(self, operand: Operand) -> frozenset[int]:
        """A few constants one of which an operand is; empty if they are not few, or not known."""
        if isinstance(operand, int):
            return frozenset((operand,))
        if not operand.among:
            _, column = self.column(operand)
            few = [] if column is None else np.unique(column).tolist()
            operand.among = frozenset(few if len(few) <= MOST_AMONG else ())
        return operand.among

    def _among(self, name: str, operands: Sequence[Operand]) -> frozenset[int]:
        """A few constants one of which a result is; empty if they are not few, or not known."""
        chosen = name == "select"
        sets = [self.choices(operand) for operand in operands[chosen:]]
        if not all(sets) or (not chosen and np.prod([len(each) for each in sets]) > MOST_AMONG):
            return frozenset()
        found = sets[0] | sets[1] if chosen else frozenset(OPERATIONS[name](*each) for each in product(*sets))
        return found if len(found) <= MOST_AMONG else frozenset()
