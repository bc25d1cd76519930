"""The operators of QONNX as the ONNX frontend applies them: constants are quantized, signals get a staircase."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.frontends.onnx_model.operators import Applied
from edgeml.frontends.reading.value import NotAnMlp, Signal, Value

from .staircases import ROUNDINGS, Bipolar, Comparison, Rounding, Staircase, Truncation

__all__ = ["QuantizedConstants", "foreign_operators"]

_MOST_BITS = 8
_MOST_LEVELS = 255
_WIDEST_CONSTANT = 32
_ROUND: Mapping[str, Callable[[Any], Any]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.fix,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + np.float32(0.5)),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5)),
}


@dataclass
class QuantizedConstants:
    """The scales that constants were quantized with: what weights are integers times."""

    scales: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def note(self, scale: npt.NDArray[np.float64]) -> None:
        """Remember a scale [1] or [channels]."""
        flat = scale.reshape(-1)
        if not any(np.array_equal(flat, known) for known in self.scales):
            self.scales.append(flat)


def foreign_operators(constants: QuantizedConstants) -> dict[str, Callable[[Applied], Value]]:
    """Operators by kind, for one reading of one file."""
    return {
        "Quant": lambda a: _quant(a, constants),
        "IntQuant": lambda a: _quant(a, constants),
        "BipolarQuant": lambda a: _bipolar(a, constants),
        "MultiThreshold": _multi_threshold,
        "Trunc": _trunc,
    }


def _scale(a: Applied, position: int) -> npt.NDArray[np.float64]:
    values = a.constant(position).astype(np.float64)
    if values.size == 0 or not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise NotAnMlp("its scale is not positive and finite")
    return values


def _one(values: npt.NDArray[np.float64], what: str) -> Fraction:
    if np.any(values != values.reshape(-1)[0]):
        raise NotAnMlp(f"a {what} that differs from channel to channel", f"Export activations with one {what}")
    return Fraction(float(values.reshape(-1)[0]))


def _whole(a: Applied, position: int, what: str, low: int, high: int) -> int:
    values = a.constant(position)
    value = float(values.reshape(-1)[0]) if values.size == 1 and values.dtype.kind in "fib" else float("nan")
    if not (low <= value <= high and value == int(value)):
        raise NotAnMlp(f"its {what} is not one whole number of {low} … {high}")
    return int(value)


def _flag(a: Applied, name: str) -> bool:
    value = a.get(name)
    if value not in (0, 1):
        raise NotAnMlp(f"its attribute {name} must be 0 or 1, found {value!r}")
    return bool(value)


def _mode(a: Applied, otherwise: str) -> str:
    mode = a.get("rounding_mode", otherwise)
    text = (mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)).upper()
    if text not in ROUNDINGS:
        raise NotAnMlp(f"the rounding mode {text[:40]!r}", f"Known: {', '.join(sorted(ROUNDINGS))}")
    return text


def _ends(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Least and largest integer."""
    if signed:
        return -(2 ** (bits - 1)) + int(narrow), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - int(narrow)


def _staircase(a: Applied, x: Signal, stairs: Staircase) -> Signal:
    return a.builder.each_value(stairs, x, "quantizer")


def _quant(a: Applied, constants: QuantizedConstants) -> Value:
    x, scale = a.needed(0), _scale(a, 1)
    zero = _whole(a, 2, "zero point", -(2**31), 2**31)
    bits = _whole(a, 3, "bit width", 1, _WIDEST_CONSTANT)
    signed, narrow, mode = _flag(a, "signed"), _flag(a, "narrow"), _mode(a, "ROUND")
    # qonnx takes a signed quantizer of one bit for a bipolar one.
    bipolar = bits == 1 and signed
    low, high = _ends(bits, signed, narrow)
    if not isinstance(x, Signal):
        constants.note(scale)
        return _constant(a, scale, lambda y: _sign(y + zero) if bipolar else _rounded(y + zero, mode, low, high), zero)
    if bits > _MOST_BITS:
        raise NotAnMlp(f"an activation of {bits} bits; edgeml's networks have at most {_MOST_BITS}")
    step = _one(scale, "scale")
    if bipolar:
        if zero:
            raise NotAnMlp("a bipolar quantizer with a zero point")
        return _staircase(a, x, Bipolar(step))
    if low == high:
        raise NotAnMlp("a quantizer with a single level")
    return _staircase(a, x, Rounding(step, zero, low, high, mode))


def _rounded(y: Any, mode: str, low: int, high: int) -> Any:
    return _ROUND[mode](np.clip(y, np.float32(low), np.float32(high)))


def _sign(y: Any) -> Any:
    return np.where(y >= 0, np.float32(1), np.float32(-1))


def _constant(a: Applied, scale: Any, quantize: Callable[[Any], Any], zero: int) -> Value:
    """A constant quantized as qonnx does it, in float32; the product with the scale in float64, which is exact."""
    x = a.constant(0)
    if x.dtype.kind not in "fib":
        raise NotAnMlp(f"a quantizer of a constant of type {x.dtype}")
    try:
        shape = np.broadcast_shapes(x.shape, scale.shape)
    except ValueError as error:
        raise NotAnMlp(f"a scale of shape {list(scale.shape)} for a constant of shape {list(x.shape)}") from error
    a.builder.budget.constant(shape)
    with np.errstate(all="ignore"):
        integers = quantize(x.astype(np.float32) / scale.astype(np.float32)) - zero
        return np.asarray(integers, np.float64) * scale


def _bipolar(a: Applied, constants: QuantizedConstants) -> Value:
    x, scale = a.needed(0), _scale(a, 1)
    if isinstance(x, Signal):
        return _staircase(a, x, Bipolar(_one(scale, "scale")))
    constants.note(scale)
    # BipolarQuant looks at the sign of x itself, which a positive scale keeps.
    return _constant(a, scale, _sign, 0)


def _multi_threshold(a: Applied) -> Value:
    x, thresholds = a.needed(0), a.constant(1)
    out_scale, out_bias = a.get("out_scale", 1.0), a.get("out_bias", 0.0)
    a.get("out_dtype")
    layout = a.get("data_layout", b"")
    if not isinstance(x, Signal):
        raise NotAnMlp("it is applied to a constant")
    if not all(isinstance(value, float) and np.isfinite(value) for value in (out_scale, out_bias)) or out_scale <= 0:
        raise NotAnMlp("its out_scale must be positive and its out_bias finite")
    if len(x.shape) != 2 or layout not in (b"", b"NC"):
        raise NotAnMlp(f"thresholds over a tensor of shape {x.text}", "An MLP's tensors are [batch, channels]")
    if thresholds.ndim != 2 or thresholds.shape[0] not in (1, x.size) or not 1 <= thresholds.shape[1] <= _MOST_LEVELS:
        raise NotAnMlp(f"thresholds of shape {list(thresholds.shape)} for {x.size} channels")
    values = thresholds.astype(np.float64)
    if not np.all(np.isfinite(values)):
        raise NotAnMlp("its thresholds are not finite")
    return _staircase(a, x, Comparison(values, Fraction(out_scale), Fraction(out_bias)))


def _trunc(a: Applied) -> Value:
    """Version 1 has five inputs and no limits; version 2 has six: a scale of its output too, and limits."""
    x, scale = a.needed(0), _one(_scale(a, 1), "scale")
    zero = _whole(a, 2, "zero point", -(2**31), 2**31)
    mode = _mode(a, "FLOOR")
    bits_in = _whole(a, 3, "input bit width", 1, _WIDEST_CONSTANT)
    if not isinstance(x, Signal):
        raise NotAnMlp("it is applied to a constant")
    if len(a.inputs) < 6:
        bits = _whole(a, 4, "output bit width", 1, bits_in)
        return _staircase(a, x, Truncation(scale, zero, bits_in - bits, mode, scale, -scale * zero))
    out_scale = _one(_scale(a, 4), "scale")
    bits = _whole(a, 5, "output bit width", 1, _MOST_BITS)
    shift = round(np.log2(float(out_scale / scale)))
    if not 0 <= shift <= _WIDEST_CONSTANT:
        raise NotAnMlp(f"its scales differ by 2^{shift}")
    signed, narrow = a.get("signed", 1), a.get("narrow", 0)
    low, high = _ends(bits, bool(signed), bool(narrow))
    stairs = Truncation(scale, zero, shift, mode, out_scale, -out_scale * zero / 2**shift)
    return _staircase(a, x, replace(stairs, low=low, high=high))
