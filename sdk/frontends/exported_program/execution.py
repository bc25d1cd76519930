"""An exported program computed by torch itself, in float64: what an `Mlp` read from it is checked against.

Only operators that the reader knows are called, so a file cannot name one that does more than compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..self_check import in_batches
from .operators import IGNORED, is_known
from .program import INTEGERS, Call, DataType, Graph, Ignored, Program, Reference
from .reader import simple_name

__all__ = ["run_program"]


def run_program(program: Program, x: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """The program's output for x [samples, features], by torch's operators in float64."""
    import torch

    # Only what the graph takes: that alone has been read, and its size been checked.
    used = {name for name in _names(program.graph) if name in program.tensors}
    values: dict[str, Any] = {name: torch.from_numpy(np.array(program.tensors[name].array())) for name in used}

    def run(shaped: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        with torch.no_grad():
            given = torch.from_numpy(shaped)
            if program.input_type in INTEGERS:
                given = given.to(getattr(torch, program.input_type))
            return np.asarray(_run(program.graph, {**values, program.input: given})[0].numpy())

    return in_batches(run, x, program.input_shape)


def _names(graph: Graph) -> Iterator[str]:
    """Names of all values that a graph's calls take."""
    for call in graph.calls:
        if simple_name(call.operator)[0] in IGNORED:
            continue
        for argument in call.arguments.values():
            if isinstance(argument, Graph):
                yield from _names(argument)
            for entry in argument if isinstance(argument, list) else [argument]:
                if isinstance(entry, Reference):
                    yield entry.name


def _run(graph: Graph, values: dict[str, Any]) -> list[Any]:
    for call in graph.calls:
        inner = [argument for argument in call.arguments.values() if isinstance(argument, Graph)]
        if inner:
            given = list(call.arguments.values())
            given = given[given.index(inner[0]) + 1 :]
            bound = {name: _argument(argument, values) for name, argument in zip(inner[0].inputs, given, strict=True)}
            results = _run(inner[0], {**values, **bound})
        elif simple_name(call.operator)[0] in IGNORED:
            continue
        else:
            results = _call(call, values)
        values.update(zip(call.results, results, strict=False))
    return [values[name] for name in graph.outputs]


def _call(call: Call, values: dict[str, Any]) -> list[Any]:
    import torch

    if not is_known(simple_name(call.operator)[0]):
        raise InputError(call.origin, f"{call.operator} is not supported")
    packet, _, overload = call.operator.removeprefix("aten.").partition(".")
    function = getattr(getattr(torch.ops.aten, packet), overload or "default")
    arguments = {
        name: _argument(argument, values)
        for name, argument in call.arguments.items()
        if not isinstance(argument, Ignored)
    }
    result = function(**arguments)
    return _flat(result) if isinstance(result, (tuple, list)) else [result]


def _flat(results: Any) -> list[Any]:
    """Results one by one, as a call names them."""
    return [part for each in results for part in (_flat(each) if isinstance(each, (tuple, list)) else [each])]


def _argument(argument: Any, values: dict[str, Any]) -> Any:
    """An argument for torch: every real number type becomes float64."""
    import torch

    if isinstance(argument, list):
        return [_argument(entry, values) for entry in argument]
    if isinstance(argument, Reference):
        return values[argument.name]
    if isinstance(argument, DataType):
        real = argument.name in ("float16", "bfloat16", "float32")
        return torch.float64 if real else getattr(torch, argument.name)
    return argument
