"""C of inputs as bits, levels, equalities and values: a loop for each rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode

from ..arrays import ConstantArray
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "EncodeEmitter"]

_NAMES = {VALUE: "values", BIT: "bits", LEVEL: "levels", EQUAL: "equalities"}
_MOST_DRIVEN = 64
"""Operands that are driven from both sides when the step runs alone."""


class EncodeEmitter(LayerEmitter):
    """The outputs of each rule in a loop of their own, over tables of their places, inputs and operands."""

    kind = "encode"

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        """Values at a level or an equality of each input and just below it, and bits one after the other."""
        layer = job.nodes[0].layer
        assert isinstance(layer, Encode)
        low, high = job.inputs[0].ends
        rows = []
        for place in range(0, layer.outputs, -(-layer.outputs // _MOST_DRIVEN)):
            operand = int(layer.operand[place])
            at = 1 << operand if layer.rule[place] == BIT else operand
            rows += [np.clip(np.full_like(low, at + step), low, high) for step in (-1, 0, 1)]
        return rows

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[0].layer
        assert isinstance(layer, Encode)
        statements: list[str] = []
        constants: list[ConstantArray] = []
        for rule, name in _NAMES.items():
            places = np.flatnonzero(layer.rule == rule)
            if places.size:
                loop, arrays = _loop(job, layer, rule, places, f"{job.prefix}_{name}")
                statements += loop
                constants += arrays
        return LayerCode(statements=tuple(statements), comment=layer.summary(), constants=tuple(constants))


def narrowest(name: str, values: npt.NDArray[np.int64], comment: str) -> ConstantArray:
    """The values as an array of the smallest type that holds them."""
    low, high = int(values.min()), int(values.max())
    types = (("uint8_t", 0, 2**8 - 1), ("int16_t", -(2**15), 2**15 - 1), ("uint16_t", 0, 2**16 - 1))
    ctype = next((ctype for ctype, least, most in types if least <= low and high <= most), "int32_t")
    return ConstantArray(name, ctype, values, comment)


def stored_operand(layer: Encode, x: Tensor, places: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """What stored integers are compared with: of an operand outside of their range, the nearest integer out there."""
    operand = layer.operand[places].astype(np.int64) - x.low
    if x.ctype == "int32_t":
        return operand
    return np.clip(operand, int(x.stored_low.min()) - 1, int(x.stored_high.max()) + 1)


def _loop(
    job: LayerJob, layer: Encode, rule: int, places: npt.NDArray[np.intp], name: str
) -> tuple[list[str], list[ConstantArray]]:
    """The outputs of one rule."""
    (x,), y = job.inputs, job.output
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
    stored = f"x[{at('source', source, 'inputs')}]"
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
    loop = [f"for (size_t i = 0; i < {places.size}u; i++) {{", f"    y[{place}] = ({y.ctype})({value});", "}"]
    return loop, constants


EMITTER = EncodeEmitter()
