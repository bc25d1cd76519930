"""HGQ2's fixed-point quantizers (versions 0.2 of hgq2, 1.2 of quantizers): what their variables and settings mean.

A number has k sign bits (0 or 1), i integer bits and f fractional bits, each by its own of these, rounded half to even:

    real = 2^−f · round(x · 2^f), then within −k · 2^i … 2^i − 2^−f

by saturation (SAT), with the lower end as far as the upper one (SAT_SYM), or by wrapping around (WRAP). i is at least
−f; of k + i + f ≤ 0 bits the number is 0. `kif` quantizers learn i and f, `kbi` ones learn b = i + f and i. Variables
that learn come first in files: (i, f, k) or (b, i, k), of WRAP (f, k, i, decay) or (b, k, i, decay).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import printable
from edgeml.frontends.keras_model.weights import Weights
from edgeml.frontends.reading.value import NotAnMlp

__all__ = ["FixedPoint", "Settings", "settings_of"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_ROUNDINGS: Mapping[str, Callable[[Float32], Float32]] = {
    "RND": lambda x: np.floor(x + np.float32(0.5)),
    "RND_CONV": np.rint,
    "TRN": np.floor,
}
_OVERFLOWS = ("SAT", "SAT_SYM", "WRAP")
_WIDEST = 24
"""Bits before and behind the point that HGQ2 lets its quantizers learn."""
_KNOWN = (
    f"edgeml reads HGQ2's kif and kbi quantizers with round_mode {', '.join(_ROUNDINGS)} and overflow_mode "
    f"{', '.join(_OVERFLOWS)}"
)


@dataclass(frozen=True)
class Settings:
    """What a layer's configuration says of a quantizer; `is_weight`: of a kernel."""

    kind: str
    rounding: str
    overflow: str
    is_weight: bool

    def of_file(self, weights: Weights, layer: str, name: str, shape: Sequence[int]) -> FixedPoint:
        """The quantizer `name` ("iq") of a layer for a tensor of `shape`, with its variables in the file."""
        learnt = "f" if self.kind == "kif" else "b"
        order = (learnt, "k", "i", "decay") if self.overflow == "WRAP" else ("i", "f", "k")
        if self.kind == "kbi" and self.overflow != "WRAP":
            order = ("b", "i", "k")
        stored = dict(zip(order, weights.below(layer, (name, "quantizer"), order), strict=True))
        try:
            bits = {key: np.broadcast_to(stored[key], shape).astype(np.float64) for key in (learnt, "k", "i")}
        except ValueError as error:
            raise NotAnMlp(f"the bits of its quantizer {name} do not fit a tensor of shape {list(shape)}") from error
        k, i, other = (np.rint(bits[key]) for key in ("k", "i", learnt))
        f = other if self.kind == "kif" else other - i
        if np.any(np.abs(i) > _WIDEST) or np.any(np.abs(f) > _WIDEST) or np.any((k != 0) & (k != 1)):
            raise NotAnMlp(f"its quantizer {name} has more than {_WIDEST} bits on one side of the point")
        k, i, f = (each.astype(np.int64) for each in (k, i, f))
        return FixedPoint(k, np.maximum(i, -f), f, k + i + f <= 0, self)


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """Bits of each number of a tensor, int64 in its shape: sign, integer and fractional ones; `nothing`: those that are
    always 0."""

    k: Int64
    i: Int64
    f: Int64
    nothing: npt.NDArray[np.bool_]
    settings: Settings

    @property
    def low(self) -> Int64:
        """The least integer n of each n · 2^−f."""
        least = -self.k << (self.i + self.f)
        least = least + self.k if self.settings.overflow == "SAT_SYM" else least
        return np.where(self.nothing, 0, least)

    @property
    def high(self) -> Int64:
        """The largest one."""
        return (np.int64(1) << (self.i + self.f)) - 1

    def of_constant(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Constants as HGQ2 quantizes them, in float32; the results are exact."""
        scale = np.exp2(self.f.astype(np.float32))
        x = values.astype(np.float32)
        wraps = self.settings.overflow == "WRAP"
        n = _ROUNDINGS[self.settings.rounding](x * scale).astype(np.float64)
        if wraps and self.settings.is_weight and self.settings.rounding == "RND":
            # HGQ2 takes a kernel for one that its bits hold, and neither wraps it nor makes it 0.
            return np.asarray(n / scale.astype(np.float64))
        if wraps:
            span = np.exp2((self.i + self.f + self.k).astype(np.float64))
            bias = self.k * span / 2
            n = np.mod(n + bias, span) - bias
        else:
            n = np.clip(n, self.low, self.high)
        return np.asarray(np.where(self.nothing, 0.0, n / scale.astype(np.float64)))


def settings_of(found: Any, name: str) -> Settings:
    """The quantizer that a setting of a layer ("iq_conf") describes; NotAnMlp for one that edgeml does not read."""
    config = found.get("config") if isinstance(found, dict) else None
    if not isinstance(config, dict):
        raise NotAnMlp(f"its {name} is {printable(found, 60)}, not the configuration of a quantizer", _KNOWN)
    kind, rounding, overflow = (str(config.get(key)) for key in ("q_type", "round_mode", "overflow_mode"))
    rounding, overflow = rounding.upper().removeprefix("S_"), overflow.upper()
    overflow = {"SYM": "SAT_SYM"}.get(overflow, overflow)
    if kind not in ("kif", "kbi") or rounding not in _ROUNDINGS or overflow not in _OVERFLOWS:
        asked = {"q_type": kind, "round_mode": rounding, "overflow_mode": overflow}
        raise NotAnMlp(f"its {name} has {printable(asked)}", _KNOWN)
    for key in ("scaler", "affine", "bw_mapper"):
        if config.get(key) is not None:
            raise NotAnMlp(f"its {name} has {key} = {printable(config[key], 40)}", f"Train without it. {_KNOWN}")
    return Settings(kind, rounding, overflow, bool(config.get("is_weight", False)))
