"""Loops of C that make the outputs of an `Encode`: one for each rule, over tables of places, inputs and operands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode

from .arrays import ConstantArray
from .dense_kernels.bits import narrowest, stored_operand
from .tensor import Tensor

__all__ = ["rule_loops"]

_NAMES = {VALUE: "values", BIT: "bits", LEVEL: "levels", EQUAL: "equalities"}


def rule_loops(
    layer: Encode, x: Tensor, y: Tensor, prefix: str, source: str = "x", target: str = "y"
) -> tuple[tuple[str, ...], tuple[ConstantArray, ...]]:
    """Statements that make y, at `target`, of x, at `source`, and the arrays that they read."""
    statements: list[str] = []
    constants: list[ConstantArray] = []
    for rule, name in _NAMES.items():
        places = np.flatnonzero(layer.rule == rule)
        if places.size:
            loop, arrays = _loop(layer, rule, places, f"{prefix}_{name}", (x, y), (source, target))
            statements += loop
            constants += arrays
    return tuple(statements), tuple(constants)


def _loop(
    layer: Encode,
    rule: int,
    places: npt.NDArray[np.intp],
    name: str,
    tensors: tuple[Tensor, Tensor],
    variables: tuple[str, str],
) -> tuple[list[str], list[ConstantArray]]:
    """The outputs of one rule."""
    x, y = tensors
    given, made = variables
    source = layer.source[places].astype(np.int64)
    constants: list[ConstantArray] = []

    def at(what: str, values: npt.NDArray[np.int64], comment: str) -> str:
        """An expression for values[i]; an array only where they are not consecutive."""
        first = int(values[0])
        if np.array_equal(values, first + np.arange(values.size)):
            return f"{first}u + i" if first else "i"
        constants.append(narrowest(f"{name}_{what}", values, comment))
        return f"{name}_{what}[i]"

    place = at("place", places.astype(np.int64), "outputs")
    stored = f"{given}[{at('source', source, 'inputs')}]"
    if rule == VALUE:
        value = f"(int32_t){stored} + ({x.low - y.low})"
    else:
        operand = layer.operand[places].astype(np.int64) if rule == BIT else stored_operand(layer, x, places)
        against = narrowest(f"{name}_operand", operand, "bits" if rule == BIT else "integers to compare with")
        constants.append(against)
        if rule == BIT:
            value = f"(int32_t)(((uint32_t)((int32_t){stored} + ({x.low})) >> {against.name}[i]) & 1u)"
        else:
            sign = ">=" if rule == LEVEL else "=="
            value = f"((int32_t){stored} {sign} (int32_t){against.name}[i])"
        value = f"{value} - ({y.low})" if y.low else value
    loop = [f"for (size_t i = 0; i < {places.size}u; i++) {{", f"    {made}[{place}] = ({y.ctype})({value});", "}"]
    return loop, constants
