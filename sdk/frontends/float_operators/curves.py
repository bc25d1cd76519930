"""The functions of one number that a `Formula` can be: their equations, and where they rise and fall."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .arrays import ArrayLibrary

__all__ = ["CURVES", "FUNCTIONS", "Curve"]

_SQRT_HALF = math.sqrt(0.5)
_GELU_LINE, _GELU_CUBE = math.sqrt(2.0 / math.pi), 0.044715
_FAR = 40.0
"""Beyond it eˣ · (eˣ + 2) / (eˣ · (eˣ + 2) + 2) is 1 in float64."""


@dataclass(frozen=True)
class Curve:
    """f of each value by itself.

    Parameters
    ----------
    compute : (arrays, x, a) → f(x), in the functions that numpy, torch and `elementary` have; a is the parameter.
    left, right : what f tends to at −∞ and ∞, for a.
    turns : where f changes between rising and falling, in rising order; between them and beyond it never turns.
    period : distance at which the turns come again; 0: they do not.
    takes : the least and the largest a that there may be, or None for functions without.
    """

    compute: Callable[[ArrayLibrary, Any, float], Any]
    left: Callable[[float], float]
    right: Callable[[float], float]
    turns: tuple[float, ...] = ()
    period: float = 0.0
    takes: tuple[float, float] | None = None

    def turns_within(self, low: float, high: float) -> list[float]:
        """The turns between two ends, themselves left out; of a function that repeats, one of each height."""
        if not self.period:
            return [turn for turn in self.turns if low < turn < high]
        if high - low >= 2 * self.period:
            return list(self.turns)
        found = []
        for turn in self.turns:
            first = turn + self.period * (math.floor((low - turn) / self.period) + 1)
            found += [first] if first < high else []
        return found


def _zero(a: float) -> float:
    return 0.0


def _infinite(a: float) -> float:
    return math.inf


def _gelu(f: ArrayLibrary, x: Any, a: float) -> Any:
    return x * 0.5 * (1.0 + f.erf(x * _SQRT_HALF))


def _gelu_tanh(f: ArrayLibrary, x: Any, a: float) -> Any:
    return 0.5 * x * (1.0 + f.functions.tanh(_GELU_LINE * (x + _GELU_CUBE * x * x * x)))


def _mish(f: ArrayLibrary, x: Any, a: float) -> Any:
    """x · tanh(ln(1 + eˣ)), and tanh(ln(1 + e)) = e(e + 2) / (e(e + 2) + 2)."""
    e = f.functions.exp(f.functions.clip(x, -math.inf, _FAR))
    n = e * (e + 2.0)
    return x * (n / (n + 2.0))


def _softplus(f: ArrayLibrary, x: Any, a: float) -> Any:
    return f.functions.clip(x, 0.0, math.inf) + f.functions.log1p(f.functions.exp(-f.functions.abs(x)))


def _elu(f: ArrayLibrary, x: Any, a: float) -> Any:
    return f.functions.where(x > 0.0, x, a * f.functions.expm1(f.functions.clip(x, -math.inf, 0.0)))


def _hard_swish(f: ArrayLibrary, x: Any, a: float) -> Any:
    return x * (f.functions.clip(x + 3.0, 0.0, 6.0) / 6.0)


def _soft_shrink(f: ArrayLibrary, x: Any, a: float) -> Any:
    return x - f.functions.clip(x, -a, a)


CURVES: Mapping[str, Curve] = {
    "abs": Curve(lambda f, x, a: f.functions.abs(x), _infinite, _infinite, (0.0,)),
    "cos": Curve(lambda f, x, a: f.functions.cos(x), _zero, _zero, (0.0, math.pi), 2 * math.pi),
    "cube": Curve(lambda f, x, a: x * x * x, lambda a: -math.inf, _infinite),
    "elu": Curve(_elu, lambda a: -a, _infinite, takes=(0.0, 2.0**20)),
    "erf": Curve(lambda f, x, a: f.erf(x), lambda a: -1.0, lambda a: 1.0),
    "exp": Curve(lambda f, x, a: f.functions.exp(x), _zero, _infinite),
    "gelu": Curve(_gelu, _zero, _infinite, (-0.7517915246935645,)),
    "gelu_tanh": Curve(_gelu_tanh, _zero, _infinite, (-0.7524614220710162,)),
    "hard_swish": Curve(_hard_swish, _zero, _infinite, (-1.5,)),
    "mish": Curve(_mish, _zero, _infinite, (-1.1924312145154143,)),
    "silu": Curve(lambda f, x, a: x * f.sigmoid(x), _zero, _infinite, (-1.2784645427610738,)),
    "sin": Curve(lambda f, x, a: f.functions.sin(x), _zero, _zero, (-math.pi / 2, math.pi / 2), 2 * math.pi),
    "soft_shrink": Curve(_soft_shrink, lambda a: -math.inf, _infinite, takes=(0.0, 2.0**20)),
    "softplus": Curve(_softplus, _zero, _infinite),
    "softsign": Curve(lambda f, x, a: x / (1.0 + f.functions.abs(x)), lambda a: -1.0, lambda a: 1.0),
    "square": Curve(lambda f, x, a: f.functions.square(x), _infinite, _infinite, (0.0,)),
    "tanh_shrink": Curve(lambda f, x, a: x - f.functions.tanh(x), lambda a: -math.inf, _infinite),
}
"""By name. `elu` is x above 0 and a · (eˣ − 1) below, `soft_shrink` x less what of it lies within ±a."""

FUNCTIONS = ("tanh", "sigmoid", "leaky_relu", *CURVES)
"""All functions of one number that are no clamps, for people."""
