"""Operators on floats in front of a file's QUANTIZE: an input normalisation, (x − offset) / scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .schema import OperatorKind

__all__ = ["read_normalisation"]

Floats = npt.NDArray[np.float64]

_KINDS = (OperatorKind.ADD, OperatorKind.SUB, OperatorKind.MUL, OperatorKind.DIV)
_MOST = 16


def read_normalisation(
    operators: list[tuple[int, Any]], source: int, constant: Callable[[int, str], Floats]
) -> tuple[int, Floats, Floats]:
    """Take ADD, SUB, MUL and DIV with a constant off the front of `operators`: (operator kind, its table).

    `source` is the index of the file's float input, `constant(index, where)` the values of a constant float tensor.
    Gives the index of the tensor behind them, offset and scale, float64 [1] or [features]. InputError naming the
    operator where it is not a scale and shift.
    """
    offset, scale = np.zeros(1), np.ones(1)
    while operators and operators[0][0] in _KINDS:
        code, operator = operators.pop(0)
        kind = OperatorKind(code)
        where = f"{kind.name} in front of QUANTIZE"
        taken = [int(index) for index in operator["inputs"][:3]]
        options = operator["builtin_options"]
        first = kind in (OperatorKind.ADD, OperatorKind.MUL) and len(taken) == 2 and taken[1] == source
        if len(taken) != 2 or operator["outputs"].size != 1 or (taken[0] != source and not first):
            raise InputError(where, "does not take the model's input and a constant")
        if options is not None and options.kind != "ReshapeOptions" and options["fused_activation_function"]:
            raise InputError(where, "a fused activation is not supported")
        values = constant(taken[0 if first else 1], where)
        with np.errstate(all="ignore"):
            if kind == OperatorKind.SUB:
                offset = offset + scale * values
            elif kind == OperatorKind.ADD:
                offset = offset - scale * values
            else:
                scale = scale * values if kind == OperatorKind.DIV else scale / values
        if not (np.all(np.isfinite(offset)) and np.all(np.isfinite(scale)) and np.all(scale > 0)):
            raise InputError(where, "the normalisation that it is part of is not a positive, finite scale and offset")
        source = int(operator["outputs"][0])
    return source, offset, scale
