"""QKeras's quantizers as steps and limits in rational numbers (qkeras/quantizers.py, versions 0.9).

quantized_bits(bits, integer): real = step · clip(round_half_even(x / step), low, high), step = 2^(integer − n), n the
bits less the sign's, low = −2^n (one more if symmetric) and high = 2^n − 1. quantized_relu(bits, integer): the same
with n = bits and low = 0; negative numbers become 0.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import printable
from edgeml.frontends.reading.value import NotAnMlp

__all__ = ["Quantizer", "quantizer_of"]

_BITS = ("bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding")
_RELU = ("bits", "integer", "use_sigmoid", "negative_slope", "use_stochastic_rounding", "relu_upper_bound")
_WIDEST = 32
_KNOWN = "edgeml reads quantized_bits (alpha=None or 1) and quantized_relu of QKeras"
_UNUSED = {"use_variables", "use_ste", "var_name", "scale_axis", "qnoise_factor", "is_quantized_clip", "name"}


@dataclass(frozen=True)
class Quantizer:
    """real = step · clip(round_half_even(x / step), low, high)."""

    step: Fraction
    low: int
    high: int

    def of_constant(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Constants quantized; steps are powers of two, so that the products are exact."""
        step = float(self.step)
        return np.asarray(np.clip(np.rint(values / step), self.low, self.high) * step)


def quantizer_of(found: Any) -> Quantizer | None:
    """The quantizer that a setting names: as a serialized object, or as text; None where there is none.

    Raises NotAnMlp for others, and for settings that make a quantizer another function.
    """
    if found is None or found == "linear":
        return None
    name, settings = _named(found)
    if name == "quantized_bits":
        return _bits(settings)
    if name == "quantized_relu":
        return _relu(settings)
    raise NotAnMlp(f"the quantizer {printable(name, 60)}", _KNOWN)


def _named(found: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(found, dict) and isinstance(found.get("config"), dict):
        return str(found.get("class_name")), dict(found["config"])
    if isinstance(found, dict) and isinstance(found.get("config"), str):
        found = found["config"]
    if not isinstance(found, str) or len(found) > 1000:
        raise NotAnMlp(f"the quantizer {printable(found, 60)}", _KNOWN)
    # "quantized_bits(4, 0, alpha=1)": a call of constants, which is parsed and never run.
    try:
        call = ast.parse(found, mode="eval").body
        if isinstance(call, ast.Name):
            return call.id, {}
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise NotAnMlp(f"the quantizer {printable(found, 60)}", _KNOWN)
        given = [ast.literal_eval(argument) for argument in call.args]
        settings = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotAnMlp(f"the quantizer {printable(found, 60)}", _KNOWN) from error
    names = {"quantized_bits": _BITS, "quantized_relu": _RELU}.get(call.func.id, ())
    return call.func.id, {**dict(zip(names, given, strict=False)), **settings}


def _bits(settings: Mapping[str, Any]) -> Quantizer:
    _check(settings, _BITS)
    if settings.get("alpha") not in (None, 1):
        raise NotAnMlp(
            f"a quantizer with alpha = {printable(settings['alpha'], 40)}", "Train with alpha=1, steps of powers of two"
        )
    signed = bool(settings.get("keep_negative", True))
    bits, integer = _whole(settings, "bits", 8), _whole(settings, "integer", 0)
    if bits - signed < 1:
        raise NotAnMlp(f"a quantizer of {bits} bits with a sign", "Train with 2 bits or more")
    most = 2 ** (bits - signed)
    least = -most + int(bool(settings.get("symmetric", 0))) if signed else 0
    return Quantizer(Fraction(2) ** (integer - (bits - signed)), least, most - 1)


def _relu(settings: Mapping[str, Any]) -> Quantizer:
    _check(settings, _RELU)
    for name in ("use_sigmoid", "negative_slope", "relu_upper_bound"):
        if settings.get(name):
            raise NotAnMlp(f"a quantized_relu with {name} = {printable(settings[name], 40)}", "Train without it")
    bits, integer = _whole(settings, "bits", 8), _whole(settings, "integer", 0)
    return Quantizer(Fraction(2) ** (integer - bits), 0, 2**bits - 1)


def _check(settings: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if settings.get("use_stochastic_rounding"):
        raise NotAnMlp("a quantizer that rounds at random", "Train with use_stochastic_rounding=False")
    if settings.get("qnoise_factor", 1.0) != 1.0:
        raise NotAnMlp("a quantizer that is switched on in part (qnoise_factor)", "Save the model at qnoise_factor = 1")
    if unknown := sorted(set(settings) - set(known) - _UNUSED):
        raise NotAnMlp(f"a quantizer with the setting {printable(unknown[0], 40)!r}", _KNOWN)


def _whole(settings: Mapping[str, Any], name: str, default: int) -> int:
    found = settings.get(name, default)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found != int(found) or abs(found) > _WIDEST:
        raise NotAnMlp(f"a quantizer whose {name} is {printable(found, 40)}")
    return int(found)
