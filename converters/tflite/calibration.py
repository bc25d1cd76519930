"""Scales and zero points of activations, from what a float graph does on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .fusion import INPUT, FloatGraph
from .operators.tensor_info import TensorInfo
from .stages import Stage
from .tables import tie_distance

__all__ = ["METHODS", "Calibration", "activation_tensors"]

Floats = npt.NDArray[np.float64]

METHODS = ("minmax", "percentile", "mse")
"""How a range is found: all values; all but the outermost; the least squared error of the quantized values."""

_MOST_VALUES = 65_536
_SMALLEST_RANGE = 1e-30
"""Values that span less do not span anything: their scale would be no normal float32 number."""
_CLEAR_OF_TIES = 2.0**-12
"""A sigmoid or tanh table is taken only if no entry is nearer to a tie: float32 tables of all runtimes agree then."""


@dataclass(frozen=True)
class Calibration:
    """How ranges are found.

    Parameters
    ----------
    method : one of `METHODS`.
    percentile : share of values, in percent, that the range must hold on either side, for that method.
    powers_of_two : whether every scale must be a power of two.
    """

    method: str = "mse"
    percentile: float = 99.99
    powers_of_two: bool = False

    def range_of(self, values: Floats, low: float, high: float) -> tuple[float, float]:
        """Ends of the range of some values that are clipped to [low, high]; it holds zero, and is never empty."""
        flat = values.ravel()
        flat = flat[:: -(-flat.size // _MOST_VALUES)]
        ends = min(float(flat.min()), 0.0), max(float(flat.max()), 0.0)
        if self.method == "percentile":
            share = 100.0 - self.percentile
            found = np.percentile(flat, [share, self.percentile])
            ends = min(float(found[0]), 0.0), max(float(found[1]), 0.0)
        elif self.method == "mse":
            ends = _least_error(flat, *ends)
        # A finite bound of the activation is the end itself, so that int8 saturates where the float model clips.
        ends = (low if np.isfinite(low) else ends[0]), (min(high, ends[1]) if np.isfinite(high) else ends[1])
        return ends if ends[1] - ends[0] > _SMALLEST_RANGE else (min(ends[0], -1e-6), max(ends[1], 1e-6))

    def rounded_scale(self, scale: float) -> float:
        """`scale` as float32, or the power of two at or above it (one step below, if that loses hardly any range)."""
        if not self.powers_of_two:
            with np.errstate(over="ignore"):  # infinity is refused by the tensor's name
                return float(np.float32(scale))
        return float(2.0 ** np.ceil(np.log2(scale) - 0.1))


def _least_error(values: Floats, low: float, high: float) -> tuple[float, float]:
    """The ends, scaled down together, whose 8-bit quantization of `values` has the least squared error."""
    best, least = (low, high), np.inf
    for share in np.linspace(1.0, 0.3, 36):
        scale = max((high - low) * share / 255, _SMALLEST_RANGE / 255)
        zero_point = np.rint(-128 - low * share / scale)
        levels = np.clip(np.rint(values / scale) + zero_point, -128, 127)
        error = float(np.square((levels - zero_point) * scale - values).sum())
        if error < least:
            best, least = (low * share, high * share), error
    return best


def _kept(graph: FloatGraph) -> dict[str, str]:
    """Of each tensor whose integers are some of another's, which one that is."""
    found: dict[str, str] = {}
    for stage in graph.stages:
        if stage.keeps_integers:
            found[stage.name] = found.get(stage.inputs[0], stage.inputs[0])
    return found


def _groups(graph: FloatGraph, kept: Mapping[str, str]) -> dict[str, str]:
    """The representative of each tensor's group of one scale: what an addition or a ReLU of its own ties together."""
    parent = {name: name for name in (INPUT, *(stage.name for stage in graph.stages))}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for stage in graph.stages:
        if stage.ties_scales:
            for name in stage.inputs:
                parent[root(kept.get(name, name))] = root(stage.name)
    return {name: root(name) for name in parent}


def _range(graph: FloatGraph, stage: Stage | None, name: str, values: Floats, how: Calibration) -> tuple[float, float]:
    low, high = how.range_of(values, *((stage.low, stage.high) if stage else (-np.inf, np.inf)))
    users = [user.traits for user in graph.consumers(name)]
    limits = [traits.reach for traits in users if traits is not None]
    if limits and len(limits) == len(users):
        low, high = max(low, -max(limits)), min(high, max(limits))
    return low, high


def activation_tensors(
    graph: FloatGraph, values: Mapping[str, Floats], how: Calibration, floors: Mapping[str, float]
) -> dict[str, TensorInfo]:
    """Scale and zero point of each tensor of `graph`, whose real values on data are `values`.

    `floors` gives a least scale for some tensors. Raises InputError where an addition takes a sigmoid or tanh, whose
    scale is prescribed: it could not have the one scale that makes additions exact in every runtime.
    """
    stages = {stage.name: stage for stage in graph.stages}
    kept = _kept(graph)
    groups = {name: group for name, group in _groups(graph, kept).items() if name not in kept}
    ranges = {name: _range(graph, stages.get(name), name, values[name], how) for name in groups}
    scales: dict[str, float] = {}
    for name, (low, high) in ranges.items():
        scale = max((high - low) / 255, floors.get(name, 0.0))
        scales[groups[name]] = max(scales.get(groups[name], 0.0), how.rounded_scale(scale))
    tensors: dict[str, TensorInfo] = {}
    for name, (low, _) in ranges.items():
        size = graph.sizes[name]
        if name == INPUT and graph.of_bits:
            tensors[name] = TensorInfo(name, size, 1.0, 0)
            continue
        stage = stages.get(name)
        traits = None if stage is None else stage.traits
        if traits is not None:
            if list(groups.values()).count(groups[name]) > 1:
                raise InputError(
                    f"layer {name}",
                    "an addition takes its output, whose scale the runtimes prescribe: the sum would be rounded, "
                    "and each runtime rounds it in another way",
                    "Put a linear layer between them",
                )
            tensors[name] = TensorInfo(name, size, traits.scale, traits.zero_point)
            continue
        scale = scales[groups[name]]
        zero_point = int(np.clip(np.rint(-128 - low / scale), -128, 127))
        tensors[name] = TensorInfo(name, size, scale, zero_point)
    tensors = _clear_of_ties(graph, tensors, groups, kept, how)
    return tensors | {name: replace(tensors[of], name=name, size=graph.sizes[name]) for name, of in kept.items()}


def _clear_of_ties(
    graph: FloatGraph,
    tensors: dict[str, TensorInfo],
    groups: Mapping[str, str],
    kept: Mapping[str, str],
    how: Calibration,
) -> dict[str, TensorInfo]:
    """Widen a scale that feeds a sigmoid or tanh until no entry of its table is near a tie."""
    for stage in graph.stages:
        if stage.traits is None:
            continue
        source, target = tensors[kept.get(stage.inputs[0], stage.inputs[0])], tensors[stage.name]
        group = [name for name, root in groups.items() if root == groups[source.name]]
        for _ in range(64):
            if tie_distance(stage.traits.name, source, target) >= _CLEAR_OF_TIES:
                break
            factor = 2.0 if how.powers_of_two else 1.0 + 2.0**-9
            for name in group:
                info = tensors[name]
                scale = float(np.float32(info.scale * factor))
                zero_point = int(np.clip(np.rint(-128 + (info.zero_point + 128) / factor), -128, 127))
                tensors[name] = TensorInfo(name, info.size, scale, zero_point)
            source = tensors[source.name]
        else:
            raise InputError(f"layer {stage.name}", "no input scale keeps its table clear of ties")
    return tensors
