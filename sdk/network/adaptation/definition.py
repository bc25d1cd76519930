"""What of a network can adapt on the device that runs it: offsets of sums without labels, the last layer with them.

Everything here is fixed when the model is converted. What changes on a device is the state of `AdaptingNetwork`, whose
size and ranges follow from this alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, integer_array, integer_scalar
from ..value_range import ValueRange

__all__ = ["Adaptation", "LastLayer", "Offsets"]

_MOST_WINDOWS = 15
_SIXTEENTHS = 16
_MOST_FRACTION = 12
_MOST_SLOTS = 127
_MOST_REPLAYED = 2**16
_MOST_CLASSES = 255
_MOST_LAYERS = 255
_OFFSET_END = 2**15 - 1
_OUTPUTS_END = 2**30
"""Outputs of a learned layer stay below this, so that their differences fit 32 bits."""


@dataclass(frozen=True, eq=False)
class Offsets:
    """Offsets of dense layers' sums, from means over windows of the device's own: δ = clip(((m − m₀) · num + 8) >> 4).

    A dense layer that feeds thresholds alone gives acc[c] − δ[c] to them. m₀ are the means of the training data, m
    those of 2^k windows on the device: m = (Σ acc) >> k. Layers follow one another: sums of the second are taken with
    the new offsets of the first. Nothing is shifted unless Σ_c |m − m₀| of the first layer is above `limit`: people
    differ, and their difference is not a drift.

    Parameters
    ----------
    means : m₀ of each layer by the name of its node, in the network's order: int32 [channels].
    numerator : num, in sixteenths of the shift that is undone: 1 … 16.
    windows_log2 : k, 0 … 15.
    limit : the largest sum of shifts that is left alone, 0 … 2^31 − 1.
    """

    means: Mapping[str, npt.NDArray[np.int32]]
    numerator: int
    windows_log2: int
    limit: int

    def __post_init__(self) -> None:
        where = "adaptation, offsets"
        if not 1 <= len(self.means) <= _MOST_LAYERS:
            raise NetworkError(where, f"must be of 1 to {_MOST_LAYERS} layers, found {len(self.means)}")
        means = {name: integer_array(f"{where}, means of {name}", each, 1) for name, each in self.means.items()}
        object.__setattr__(self, "means", means)
        integer_scalar(f"{where}, numerator", self.numerator, 1, _SIXTEENTHS)
        integer_scalar(f"{where}, windows_log2", self.windows_log2, 0, _MOST_WINDOWS)
        integer_scalar(f"{where}, limit", self.limit, 0, INT32_HIGH)

    @property
    def windows(self) -> int:
        """2^k, the windows that the means of a layer are taken over."""
        return 1 << self.windows_log2

    def check(self, ranges: Mapping[str, ValueRange]) -> None:
        """NetworkError where sums of windows, or sums less offsets, may pass 32 bits."""
        for name, means in self.means.items():
            where, (low, high) = f"layer {name}", ranges[name].bounds
            if means.size != ranges[name].channels:
                raise NetworkError(where, f"has {ranges[name].channels} channels, its means are {means.size}")
            if not ranges[name].contains(means):
                raise NetworkError(where, "its means lie outside the range of its sums")
            if max(-low, high, 1) << self.windows_log2 > INT32_HIGH:
                raise NetworkError(
                    where, f"sums of {self.windows} windows may pass 32 bits", "Take means over fewer windows"
                )
            most = self.most(ranges[name])
            if high + most > INT32_HIGH or low - most < -INT32_HIGH:
                raise NetworkError(where, "its sums less an offset may pass 32 bits", "Use fewer bits for this layer")

    def most(self, values: ValueRange) -> int:
        """The largest magnitude of an offset: the widest range of a channel, at most 2^15 − 1."""
        return min(int((values.high - values.low).max()), _OFFSET_END)

    def adapted_range(self, values: ValueRange) -> ValueRange:
        """What sums with a range of `values` can be when an offset is taken from them."""
        most = self.most(values)
        return ValueRange(values.low - most, values.high + most)


@dataclass(frozen=True, eq=False)
class LastLayer:
    """A last dense layer that learns from labelled windows, in weights of `fraction` more bits below the point.

    With h the levels in front of it less its zero point, S = w · 2^F and B = b · 2^F at first:
    o = (S >> F) · h + (B >> F). For a window of class t, and r the largest other output (the lowest of equals): if
    o[t] − o[r] < margin, then S[t] += h, S[r] −= h, B[t] += 1, B[r] −= 1, all clipped to their bits.

    Parameters
    ----------
    fraction : F, 0 … 12: a step moves a weight by h / 2^F.
    margin : at least 0; the 20th percentile of the training data's margins.
    slots : windows of each class that the device keeps to rehearse, 1 … 127.
    weight_bits, bias_bits : of S (8 or 16) and of B (16 or 32).
    replay_levels : uint8 [windows, inputs of the layer], windows of the training data as stored levels, less their
        threshold's base; none: [0, inputs].
    replay_classes : uint8 [windows], the class of each.
    """

    fraction: int
    margin: int
    slots: int
    weight_bits: int
    bias_bits: int
    replay_levels: npt.NDArray[np.uint8]
    replay_classes: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        where = "adaptation, last layer"
        integer_scalar(f"{where}, fraction", self.fraction, 0, _MOST_FRACTION)
        integer_scalar(f"{where}, margin", self.margin, 0, _OUTPUTS_END)
        integer_scalar(f"{where}, slots", self.slots, 1, _MOST_SLOTS)
        if (self.weight_bits, self.bias_bits) not in [(w, b) for w in (8, 16) for b in (16, 32)]:
            raise NetworkError(where, f"keeps weights in 8 or 16 bits, found {self.weight_bits} and {self.bias_bits}")
        levels, classes = np.asarray(self.replay_levels), np.asarray(self.replay_classes)
        if (
            levels.dtype != np.uint8
            or levels.ndim != 2
            or classes.dtype != np.uint8
            or classes.shape != levels.shape[:1]
        ):
            raise NetworkError(f"{where}, replay", "must be uint8 [windows, inputs] and uint8 [windows]")
        if len(levels) > _MOST_REPLAYED:
            raise NetworkError(f"{where}, replay", f"holds {len(levels)} windows; at most {_MOST_REPLAYED}")
        for name, array in (("replay_levels", levels.copy()), ("replay_classes", classes.copy())):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def check(self, weight: npt.NDArray[Any], bias: npt.NDArray[Any], zero_point: int, levels: int, base: int) -> None:
        """NetworkError where weights, outputs or levels may pass their bits: those of the last layer [outputs, inputs],
        behind a threshold of so many levels above its base."""
        where, (outputs, inputs) = "adaptation, last layer", weight.shape
        if not 2 <= outputs <= _MOST_CLASSES:
            raise NetworkError(where, f"needs 2 to {_MOST_CLASSES} classes, found {outputs}")
        if self.replay_levels.shape[1] != inputs:
            raise NetworkError(where, f"takes {inputs} levels, replayed windows have {self.replay_levels.shape[1]}")
        if len(self.replay_levels) and (
            int(self.replay_levels.max()) > levels or int(self.replay_classes.max()) >= outputs
        ):
            raise NetworkError(f"{where}, replay", f"has levels above {levels} or classes of {outputs} and more")
        for what, values, bits in (("weights", weight, self.weight_bits), ("biases", bias, self.bias_bits)):
            low, high = (int(end) << self.fraction for end in (values.min(), values.max()))
            if low < -(1 << (bits - 1)) or high >= 1 << (bits - 1):
                raise NetworkError(where, f"its {what} need more than {bits} bits with a fraction of {self.fraction}")
        if self.largest_output(inputs, zero_point, levels, base) >= _OUTPUTS_END:
            raise NetworkError(where, "its outputs may pass 30 bits", "Use fewer bits for its weights")

    def largest_output(self, inputs: int, zero_point: int, levels: int, base: int) -> int:
        """A bound of |o|, whatever was learned."""
        most = max(abs(base - zero_point), abs(base + levels - zero_point))
        return inputs * most * (1 << (self.weight_bits - 1 - self.fraction)) + (
            1 << (self.bias_bits - 1 - self.fraction)
        )


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What can adapt: offsets, the last layer, or both. NetworkError where it is neither."""

    offsets: Offsets | None = None
    last_layer: LastLayer | None = None

    def __post_init__(self) -> None:
        if self.offsets is None and self.last_layer is None:
            raise NetworkError("adaptation", "states nothing that adapts")

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """As (JSON attributes, tensors by name), for a file."""
        attributes: dict[str, Any] = {}
        tensors: dict[str, npt.NDArray[Any]] = {}
        if (offsets := self.offsets) is not None:
            numbers = {name: getattr(offsets, name) for name in ("numerator", "windows_log2", "limit")}
            attributes["offsets"] = {"layers": list(offsets.means), **numbers}
            tensors |= {f"means.{name}": means for name, means in offsets.means.items()}
        if (last := self.last_layer) is not None:
            names = ("fraction", "margin", "slots", "weight_bits", "bias_bits")
            replay = {"replayed": len(last.replay_classes), "inputs": last.replay_levels.shape[1]}
            attributes["last_layer"] = {**{name: getattr(last, name) for name in names}, **replay}
            if len(last.replay_classes):
                tensors |= {"replay_levels": last.replay_levels, "replay_classes": last.replay_classes}
        return attributes, tensors

    @classmethod
    def from_parts(cls, attributes: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> Adaptation:
        """Inverse of `parts`; NetworkError where a part is unknown, missing or wrong."""
        if unknown := sorted(set(attributes) - {"offsets", "last_layer"}):
            raise NetworkError("adaptation", f"unknown parts {unknown}")
        offsets = last = None
        try:
            if "offsets" in attributes:
                given = dict(attributes["offsets"])
                layers = _names(given.pop("layers"))
                offsets = Offsets({name: tensors[f"means.{name}"] for name in layers}, **given)
            if "last_layer" in attributes:
                last = _last_layer(dict(attributes["last_layer"]), tensors)
        except (KeyError, TypeError, AttributeError) as error:
            raise NetworkError("adaptation", f"lacks a part or has one too many ({error})") from error
        return cls(offsets, last)


def _names(names: Any) -> Sequence[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise NetworkError("adaptation, layers", "must be a list of different names")
    return names


def _last_layer(given: dict[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> LastLayer:
    replayed = integer_scalar("adaptation, replayed", given.pop("replayed"), 0, _MOST_REPLAYED)
    inputs = integer_scalar("adaptation, inputs", given.pop("inputs"), 1, _MOST_REPLAYED)
    levels, classes = np.zeros((0, inputs), np.uint8), np.zeros(0, np.uint8)
    if replayed:
        levels, classes = tensors["replay_levels"], tensors["replay_classes"]
    return LastLayer(**given, replay_levels=levels, replay_classes=classes)
