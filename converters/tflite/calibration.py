"""Scales and zero points of activations, from what a float graph does on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .fusion import INPUT, FloatGraph
from .operators.tensor_info import TensorInfo
from .products import LEAST_SHIFT, carried_scales
from .stages import MultiplyStage, Stage
from .tables import tie_distance
from .ties import kept_integers, tied

__all__ = ["METHODS", "Calibration", "activation_tensors"]

Floats = npt.NDArray[np.float64]

METHODS = ("minmax", "percentile", "mse")
"""How a range is found: all values; all but the outermost; the least squared error of the quantized values."""

_MOST_VALUES = 65_536
_SMALLEST_RANGE = 1e-30
"""Values that span less do not span anything: their scale would be no normal float32 number."""
_MOST_TRIES = 64
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
    scale is prescribed: it could not have the one scale that makes additions exact in every runtime; and where no scale
    of a product's, or none in front of a table, keeps it clear of ties.
    """
    return _Scales(graph, values, how, floors).tensors()


class _Scales:
    """The scales of a graph's tensors while they are found: one for each group of tensors that must have one."""

    def __init__(
        self, graph: FloatGraph, values: Mapping[str, Floats], how: Calibration, floors: Mapping[str, float]
    ) -> None:
        self._graph, self._how = graph, how
        self._stages = {stage.name: stage for stage in graph.stages}
        self._kept = kept_integers(graph)
        self._groups = tied(graph, self._kept, "ties_scales")
        self._ranges = {name: _range(graph, self._stages.get(name), name, values[name], how) for name in self._groups}
        self._products = [stage for stage in graph.stages if isinstance(stage, MultiplyStage)]
        self._carried = how.powers_of_two and any(stage.carrier for stage in self._products)
        self._centred: set[str] = set()
        """Tensors whose zero point must be 0."""
        self._join()
        self._scale: dict[str, float] = {}
        for name, (low, high) in self._ranges.items():
            scale = max((high - low) / 255, floors.get(name, 0.0))
            group = self._groups[name]
            self._scale[group] = max(self._scale.get(group, 0.0), how.rounded_scale(scale))

    def _join(self) -> None:
        """Tensors of one zero point get one range; those of products in universal mode one around 0."""
        members: dict[str, list[str]] = {}
        for name, group in tied(self._graph, self._kept, "ties_zero_points").items():
            members.setdefault(group, []).append(name)
        products = {stage.name for stage in self._products if self._carried}
        for names in members.values():
            low, high = min(self._ranges[name][0] for name in names), max(self._ranges[name][1] for name in names)
            if products.intersection(names):
                self._centred.update(names)
                high = max(high, -low * 127 / 128)
                low = -high * 128 / 127
            self._ranges.update(dict.fromkeys(names, (low, high)))

    def tensors(self) -> dict[str, TensorInfo]:
        """All of them, once products and tables are clear of ties."""
        widened: dict[str, int] = {}
        while True:
            self._raise_products()
            tensors = self._tensors()
            near = self._near_a_tie(tensors)
            if near is None:
                return tensors
            widened[near.name] = widened.get(near.name, 0) + 1
            if widened[near.name] > _MOST_TRIES:
                raise InputError(f"layer {near.name}", "no input scale keeps its table clear of ties")
            self._scale[self._group(near.inputs[0])] *= 2.0 if self._how.powers_of_two else 1.0 + 2.0**-9

    def _group(self, name: str) -> str:
        return self._groups[self._kept.get(name, name)]

    def _scale_of(self, name: str) -> float:
        """Of a stage's output, or of the one whose integers it has."""
        stage = self._stages.get(self._kept.get(name, name))
        traits = None if stage is None else stage.traits
        return self._scale[self._group(name)] if traits is None else traits.scale

    def _raise_products(self) -> None:
        """Scales of products that are shifted by as much as they must be; with free scales by nothing, as where a
        product is always 0, whose scale would be next to nothing."""
        shift = LEAST_SHIFT if self._carried else 0
        for _ in range(_MOST_TRIES):
            low = False
            for stage in self._products:
                a, b = (self._scale_of(name) for name in stage.inputs)
                if self._scale_of(stage.name) < (least := a * b * 2.0**shift):
                    self._scale[self._group(stage.name)] = least
                    low = True
            if not low:
                return
        raise InputError(
            f"layer {self._products[0].name}",
            "is a product that has the scale of one of its own factors, through additions or concatenations: no scale "
            "suits both",
            "Put a linear layer behind the product",
        )

    def _tensors(self) -> dict[str, TensorInfo]:
        tensors: dict[str, TensorInfo] = {}
        for name, (low, _) in self._ranges.items():
            size, stage = self._graph.sizes[name], self._stages.get(name)
            traits = None if stage is None else stage.traits
            if name == INPUT and self._graph.of_bits:
                tensors[name] = TensorInfo(name, size, 1.0, 0)
            elif traits is not None:
                if list(self._groups.values()).count(self._groups[name]) > 1:
                    raise InputError(
                        f"layer {name}",
                        "an addition takes its output, whose scale the runtimes prescribe: the sum would be rounded, "
                        "and each runtime rounds it in another way",
                        "Put a linear layer between them",
                    )
                tensors[name] = TensorInfo(name, size, traits.scale, traits.zero_point)
            else:
                tensors[name] = self._tensor(name, low, float(np.float32(self._scale[self._groups[name]])))
        carried = carried_scales(self._graph, tensors) if self._carried else {}
        tensors |= {name: self._tensor(name, self._ranges[name][0], scale) for name, scale in carried.items()}
        kept = {name: replace(tensors[of], name=name, size=self._graph.sizes[name]) for name, of in self._kept.items()}
        return tensors | kept

    def _tensor(self, name: str, low: float, scale: float) -> TensorInfo:
        zero_point = 0 if name in self._centred else int(np.clip(np.rint(-128 - low / scale), -128, 127))
        return TensorInfo(name, self._graph.sizes[name], scale, zero_point)

    def _near_a_tie(self, tensors: Mapping[str, TensorInfo]) -> Stage | None:
        """A sigmoid or tanh with an entry of its table near a tie."""
        for stage in self._graph.stages:
            if stage.traits is None:
                continue
            source, target = tensors[stage.inputs[0]], tensors[stage.name]
            if tie_distance(stage.traits.name, source, target) < _CLEAR_OF_TIES:
                return stage
        return None
