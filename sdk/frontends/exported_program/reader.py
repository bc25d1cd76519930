"""An exported program as an `Mlp`: its calls are walked in order, constants computed, signals becoming nodes."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import InputError, printable
from ..mlp import Mlp
from ..reading.builder import MlpBuilder
from ..reading.input_functions import settled, whole_input
from ..reading.operator_reading import read_operator
from ..reading.unread_layers import ATTENTION, normalisation, recurrent
from ..reading.value import SUPPORTED, NotAnMlp, Signal, Value
from .operators import ALIASING, ENCODINGS, HINTS, IGNORED, is_known, readers_of
from .program import INTEGERS, Call, Graph, Program, Reference, Unknown

__all__ = ["program_to_mlp", "simple_name"]

_ATTENTION = ("scaled_dot_product_attention", "_native_multi_head_attention")
_INLINED = ("higher_order.wrap_with_set_grad_enabled", "higher_order.wrap_with_autocast")


def simple_name(operator: str) -> tuple[str, bool]:
    """ "aten.add_.Tensor" → ("add", True): the name in `OPERATORS`, and whether it changes its first argument."""
    namespace, _, rest = operator.partition(".")
    name = rest.split(".", 1)[0]
    if namespace != "aten":
        return operator, False
    in_place = name.endswith("_") and not name.endswith("__")
    return (name[:-1] if in_place else name), in_place


def program_to_mlp(
    program: Program, where: str, name: str, foreign: Mapping[str, Callable[..., Any]] | None = None
) -> Mlp:
    """`program` as an `Mlp`; InputError with operator, place and remedy where it is none.

    `foreign` are operators that are not aten's, or stand in for aten's own, by the names that `simple_name` gives.
    """
    try:
        builder = MlpBuilder(program.input_shape)
    except NotAnMlp as error:
        raise InputError(where, error.problem, error.remedy) from error
    reading = _Reading(program, builder, where, foreign or {})
    whole = program.input_type in INTEGERS
    reading.values[program.input] = whole_input(builder) if whole else builder.input
    reading.run(program.graph)
    try:
        return builder.build(settled(builder, reading.value(Reference(program.graph.outputs[0]))), name)
    except NotAnMlp as error:
        raise InputError(where, error.problem, error.remedy or SUPPORTED) from error


class _Reading:
    """The values of a program while its calls are walked.

    In-place operators are followed through storages: all names of one storage get the new values, each in its own
    shape, since every view that an MLP may take is a reshape of the whole.

    Attributes
    ----------
    values : by name, as they were when they were made.
    storages : the name of the tensor whose memory a name shares, where it is not its own.
    sharing : how many names share a storage, besides its own.
    contents : node and end of what a storage holds since it was changed.
    """

    def __init__(
        self, program: Program, builder: MlpBuilder, where: str, foreign: Mapping[str, Callable[..., Any]]
    ) -> None:
        self.program = program
        self.builder = builder
        self.where = where
        self.foreign = foreign
        self.values: dict[str, Value] = {}
        self.storages: dict[str, str] = {}
        self.sharing: Counter[str] = Counter()
        self.contents: dict[str, tuple[str, str]] = {}

    def value(self, argument: Any) -> Any:
        """An argument with its references resolved."""
        if isinstance(argument, list):
            return [self.value(entry) for entry in argument]
        if not isinstance(argument, Reference):
            return argument
        name = argument.name
        if name not in self.values:
            if name not in self.program.tensors:
                raise NotAnMlp(f"it takes {printable(name)!r}, which nothing before it gives")
            tensor = self.program.tensors[name]
            self.builder.budget.constant(tensor.sizes)
            self.values[name] = tensor.array()
        value = self.values[name]
        if isinstance(value, Signal):
            node, final = self.contents.get(self.storages.get(name, name), (value.node, value.final))
            return replace(value, node=node, final=final)
        return value

    def run(self, graph: Graph) -> None:
        """Walk the calls of a graph."""
        for call in graph.calls:
            try:
                self.builder.place(call.origin, call.hint)
                self.call(call)
            except NotAnMlp as error:
                place = f"{self.where}, {call.origin}" if call.origin else self.where
                if "(MultiheadAttention)" in call.origin:
                    raise InputError(place, *ATTENTION) from error
                remedy = error.remedy or HINTS.get(simple_name(call.operator)[0], "") or SUPPORTED
                raise InputError(place, f"{printable(call.operator)}: {error.problem}", remedy) from error

    def call(self, call: Call) -> None:
        """Walk one call."""
        if call.operator in _INLINED:
            self.inline(call)
            return
        name, in_place = simple_name(call.operator)
        if name in IGNORED:
            return
        own = self.foreign.get(name)
        if own is None and not is_known(name):
            self.refuse_unknown(name, call)
        arguments = {key: self.value(argument) for key, argument in call.arguments.items()}
        if unknown := [key for key, argument in arguments.items() if isinstance(argument, Unknown)]:
            raise NotAnMlp(f"its argument {printable(unknown[0])!r} is of a kind that is not supported")
        result = read_operator(
            readers_of(name) if own is None else (own,),
            ENCODINGS.get(name) if own is None else None,
            lambda reader, given: self.applied(reader, given),
            self.builder,
            arguments,
        )
        if not call.results:
            raise NotAnMlp("it gives nothing")
        first = next((a.name for a in call.arguments.values() if isinstance(a, Reference)), "")
        if in_place:
            self.change(first, result)
        results = result if isinstance(result, list) else [result]
        self.values.update(zip(call.results, results, strict=False))
        if in_place or name in ALIASING:
            storage = self.storages[call.results[0]] = self.storages.setdefault(first, first)
            self.sharing[storage] += 1

    def refuse_unknown(self, name: str, call: Call) -> None:
        """NotAnMlp for an operator that nothing reads: what kind of layer it is, where people have a name for it."""
        taken = [self.value(argument) for argument in call.arguments.values()]
        at_input = any(isinstance(each, Signal) and self.builder.is_input(each) for each in taken)
        told = recurrent(name) or (ATTENTION if name in _ATTENTION else None) or normalisation(name, at_input)
        if told:
            raise NotAnMlp(f"it {told[0]}", told[1])
        raise NotAnMlp("this operator is not supported")

    def applied(self, reader: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """What a reader makes of a call; NotAnMlp if it does not take its arguments."""
        try:
            inspect.signature(reader).bind(self.builder, **arguments)
        except TypeError as error:
            raise NotAnMlp(f"its arguments {printable(sorted(arguments))} are not supported") from error
        try:
            return reader(self.builder, **arguments)
        except (TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
            raise NotAnMlp(f"its arguments are not as torch defines them ({printable(error)})") from error

    def change(self, name: str, result: Value) -> None:
        """The tensor `name` now holds `result`, and so do all that share its memory."""
        if name in self.program.tensors:
            target = self.program.targets.get(name, name)
            raise NotAnMlp(
                f"it changes the model's own {printable(target)!r}", "Call model.eval() before torch.export.export"
            )
        before, storage = self.value(Reference(name)), self.storages.get(name, name)
        both = isinstance(before, Signal) and isinstance(result, Signal) and before.size == result.size
        if both and (not self.sharing[storage] or np.array_equal(before.places.ravel(), result.places.ravel())):
            self.contents[storage] = (result.node, result.final)
        elif before is not result and self.sharing[storage]:
            raise NotAnMlp("it changes a tensor in place that is used in another shape")
        self.values[name] = result

    def inline(self, call: Call) -> None:
        """A part of the graph under `torch.no_grad()` or autocast: its calls are walked as if they stood here."""
        graphs = [argument for argument in call.arguments.values() if isinstance(argument, Graph)]
        after = [
            argument
            for position, argument in enumerate(call.arguments.values())
            if any(isinstance(earlier, Graph) for earlier in list(call.arguments.values())[:position])
        ]
        if len(graphs) != 1 or len(after) != len(graphs[0].inputs):
            raise NotAnMlp("its arguments are not supported")
        (graph,) = graphs
        inner = _Reading(self.program, self.builder, self.where, self.foreign)
        for name, argument in zip(graph.inputs, after, strict=True):
            inner.values[name] = self.value(argument)
        inner.run(graph)
        if len(graph.outputs) != len(call.results):
            raise NotAnMlp("its results are not supported")
        for name, output in zip(call.results, graph.outputs, strict=True):
            self.values[name] = inner.value(Reference(output))
