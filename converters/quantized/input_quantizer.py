"""How the model's input is quantized: scale, offset and sign, found from samples or from a range that the user gives.

A model that begins with an input normalisation has it taken into the quantizer, so that every feature uses the whole
range of integers. Without one, all features share a scale, unless their units differ so much that small ones would be
lost; then they are normalised from the data. Values with a hard lower end (pixels, background at 0 or at −mean/std)
are counted from there, unsigned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.equalization import feature_units
from edgeml.errors import InputError
from edgeml.frontends.float_operators.encode import Encode
from edgeml.frontends.float_operators.gather import joined_ties, tied_least, tied_mean
from edgeml.frontends.float_operators.weights import Weights

from .fold import FoldedMlp, normalise_input, takes_normalisation, takes_only_linear
from .model import Input
from .options import Options
from .scales import ACTIVATION_SCALE_BITS, Rounded, best_step, round_scale

__all__ = ["QuantizedInput", "quantize_input"]

Floats = npt.NDArray[np.float64]

_WORTH_AN_OFFSET = 0.7
"""An offset is used where the squared error falls below this share."""
_WORTH_NORMALISING = 0.1
_USUAL_BITS = 8
"""Of the input, where nobody asks for others."""
_LOST = 1e-4
"""Relative squared error of the first layer's sums, at 8 bits, from which on normalising the features is tried."""


@dataclass(frozen=True, eq=False)
class QuantizedInput:
    """The folded model in the units of its quantized input, and the quantizer. `note`: what the user should know."""

    folded: FoldedMlp
    input: Input
    note: str = ""


def quantize_input(folded: FoldedMlp, x: Floats, options: Options) -> QuantizedInput:
    """Choose the input quantizer for samples x [samples, features] in the user's units.

    With `options.input_range` only that range decides, and nothing is clipped within it.
    """
    if (grid := _grid(folded)) is not None:
        return _on_grid(folded, grid, x, options)
    if options.input_range is not None:
        ends = np.array([[low_or_high] * folded.mlp.input_size for low_or_high in options.input_range], np.float64)
        return _quantized(folded, folded.normalise(ends), options, cover=True)
    normal = folded.normalise(x)
    shared = _quantized(folded, normal, options)
    if folded.normalised or not takes_only_linear(folded.mlp):
        return shared
    loss = _loss(shared, x)
    if loss <= _LOST * 4.0 ** (8 - options.input_bits):
        return shared
    scaled = _normalised(folded, normal)
    if scaled is None:
        return shared
    apart = _quantized(scaled, scaled.normalise(x), options)
    if _loss(apart, x) > _WORTH_NORMALISING * loss:
        return shared
    note = "The features' units differ much: each is normalised by its mean and deviation in the data."
    return QuantizedInput(apart.folded, apart.input, note)


def _normalised(folded: FoldedMlp, normal: Floats) -> FoldedMlp | None:
    """With each feature of normal [samples, features] in units of its deviation; where weights take features at several
    positions, those of one channel alike. None where padding with 0 stands beside them."""
    first = _first_linears(folded)
    ties = _ties(folded)
    if ties is None:
        return normalise_input(folded, normal.mean(axis=0), feature_units(normal, [linear.weight for linear in first]))
    mean = tied_mean(normal.mean(axis=0), ties)
    unit = np.sqrt(tied_mean(np.mean((normal - mean) ** 2, axis=0), ties))
    unit = np.where(unit > 0, unit, 1.0)
    return normalise_input(folded, mean, unit) if takes_normalisation(folded, mean, unit) else None


def _ties(folded: FoldedMlp) -> npt.NDArray[np.int64] | None:
    """A number for each feature, the same for those that a first layer takes with the same weights at different
    positions; None where no layer does."""
    gathers = [linear.gather for linear in _first_linears(folded) if linear.gather is not None]
    if not gathers:
        return None
    return joined_ties(gathers)


def _grid(folded: FoldedMlp) -> Encode | None:
    """The first encoding that takes the input, on whose grid the input is then; else None."""
    consumers = (node.operator for node in folded.mlp.consumers("input"))
    return next((operator for operator in consumers if isinstance(operator, Encode)), None)


def _on_grid(folded: FoldedMlp, grid: Encode, x: Floats, options: Options) -> QuantizedInput:
    """The input as integers that the model states; all encodings of it must state the same."""
    size = folded.mlp.input_size
    if not options.encode and options.input_bits not in (_USUAL_BITS, grid.bits):
        raise InputError(
            "option input_bits",
            f"is {options.input_bits}, and the model itself takes its input as integers of {grid.bits} bits",
            "Leave the option out",
        )
    folded = normalise_input(folded, np.full(size, grid.offset), np.full(size, grid.scale))
    for node in folded.mlp.consumers("input"):
        operator = node.operator
        if isinstance(operator, Encode) and (operator.scale, operator.offset, operator.bits) != (1.0, 0.0, grid.bits):
            raise InputError(
                f"layer {node.name}",
                f"takes the input as integers of {operator.bits} bits, step {operator.scale:g} and offset "
                f"{operator.offset:g} beside another that takes it as {grid.bits} bits",
                "Encode all features on one grid",
            )
    scale, offset = _shortened(folded.scale), _shortened(folded.offset)
    return QuantizedInput(folded, Input(size, scale, offset, grid.bits, False, 1.0), _off_grid(folded, grid, x))


def _off_grid(folded: FoldedMlp, grid: Encode, x: Floats) -> str:
    """A note if the model takes whole numbers apart, and samples x [samples, features] are not such; else ""."""
    if np.any(folded.scale != 1.0):
        return ""
    steps = folded.normalise(x)
    wrong = (steps < 0) | (steps > grid.high) | (steps != np.rint(steps))
    if not np.any(wrong):
        return ""
    feature = int(np.argmax(wrong.any(axis=0)))
    value, offset = float(x[int(np.argmax(wrong[:, feature])), feature]), float(folded.offset[feature])
    taken = f"whole numbers in {offset:g} … {offset + grid.high:g}"
    return (
        f"WARNING: {int(wrong.any(axis=1).sum())} of {len(x)} samples looked at are not what the model takes apart, "
        f"{taken} (feature {feature} is {value:g} in one): they are rounded and clipped. Check that x is on the scale "
        "that the model was made for."
    )


def _quantized(folded: FoldedMlp, normal: Floats, options: Options, cover: bool = False) -> QuantizedInput:
    """With one step for all features of normal [samples, features], counted from 0 or from each one's lowest."""
    linear_only = takes_only_linear(folded.mlp)
    signed = bool(normal.min() < 0)
    rounded = _range(normal, options.input_bits, signed)
    step, error = _step(rounded, linear_only, cover)
    if signed and linear_only:
        lowest, ties = normal.min(axis=0), _ties(folded)
        if ties is not None:
            lowest = tied_least(lowest, ties)
        unsigned = _range(normal - lowest, options.input_bits, False)
        counted_step, counted_error = _step(unsigned, linear_only, cover)
        fits = ties is None or takes_normalisation(folded, lowest, np.ones(len(lowest)))
        if fits and counted_error < _WORTH_AN_OFFSET * error:
            folded = normalise_input(folded, lowest, np.ones(len(lowest)))
            step, signed = counted_step, False
    if linear_only:
        inner = 2.0**-options.input_bits
        folded = normalise_input(folded, np.zeros(folded.mlp.input_size), np.full(folded.mlp.input_size, step / inner))
        step = inner
    size = folded.mlp.input_size
    scale, offset = _shortened(folded.scale * step), _shortened(folded.offset)
    return QuantizedInput(folded, Input(size, scale, offset, options.input_bits, signed, step))


def _range(values: Floats, bits: int, signed: bool) -> Rounded:
    low = -(2 ** (bits - 1)) if signed else 0
    return Rounded(values, low, low + 2**bits - 1)


def _step(rounded: Rounded, linear_only: bool, cover: bool) -> tuple[float, float]:
    bits = None if linear_only else ACTIVATION_SCALE_BITS
    if not cover:
        return best_step([rounded], bits)
    step = rounded.covering() or 1.0
    if bits is not None:
        step = round_scale(step * (1 + 2.0**-bits), bits)
    return step, rounded.error(step)


def _loss(quantized: QuantizedInput, x: Floats) -> float:
    """Squared error of the first layers' sums, relative to their variance."""
    folded, quantizer = quantized.folded, quantized.input
    normal = folded.normalise(x)
    q = np.clip(np.rint(normal / quantizer.step), quantizer.low, quantizer.high)
    error, signal = 0.0, 0.0
    for linear in _first_linears(folded):
        weight = linear.weight.T
        error += float(np.mean((linear.rows(q * quantizer.step - normal) @ weight) ** 2))
        signal += float(np.mean((linear.rows(normal - normal.mean(axis=0)) @ weight) ** 2))
    return error / signal if signal > 0 else 0.0


def _first_linears(folded: FoldedMlp) -> list[Weights]:
    """The layers with weights that take the input."""
    return [folded.mlp.linears[node.name] for node in folded.mlp.consumers("input") if node.name in folded.mlp.linears]


def _shortened(values: Floats) -> Floats:
    """One value where all are the same."""
    return values[:1].copy() if np.all(values == values[0]) else values
