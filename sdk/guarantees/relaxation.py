"""Bounds of a network's integers where its inputs lie in a box: ranges, and lines below and above each layer.

Sources: the ranges are interval arithmetic, layer by layer; the lines those of CROWN and DeepPoly (Zhang et al.,
2018; Singh et al., 2019), drawn around staircases of integers instead of activation functions: a layer of one number a
channel lies between two lines that are fitted to its values at all integers of its range. Lines are followed back from
a node to the inputs, where the box bounds them. Sums are float64; what they may be off by is bounded and taken off, so
that a bound is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..network import Network
from ..network.layer import Layer
from ..network.value_range import ValueRange

__all__ = ["Lines", "Relaxation", "lines_of", "relax"]

Reals = npt.NDArray[np.float64]

_MOST_POINTS = 256
"""At which a layer is looked at; a range of more integers is looked at in steps if the layer is monotone."""
_ROUNDING = 2.0**-50
"""Four times what one operation of float64 is off by, of its result."""
_LARGEST_WEIGHT = 128.0
"""Of an affine layer: see `Layer.affine`."""


@dataclass(frozen=True)
class Lines:
    """low_slope · x + low_offset ≤ f(x) ≤ high_slope · x + high_offset for all integers x of a range; [channels]."""

    low_slope: Reals
    low_offset: Reals
    high_slope: Reals
    high_offset: Reals


def lines_of(layer: Layer, x: ValueRange) -> Lines | None:
    """Lines around a layer of one input that is channelwise, for inputs within `x`; None where it has none.

    Of three slopes (flat; from end to end; from the first change to the last) each side takes the nearest.
    A range of more than 255 integers is looked at in steps, between which a monotone layer is bounded by its ends; of
    another it is None.
    """
    if not layer.channelwise or layer.input_count != 1:
        return None
    width = x.high - x.low
    widest = int(width.max())
    if widest >= _MOST_POINTS and not layer.monotone:
        return None
    steps = min(widest, _MOST_POINTS - 1)
    share = np.arange(steps + 1, dtype=np.int64)[:, None]
    if steps == widest:
        points = np.minimum(x.low + share, x.high)
        ahead = points
    else:
        points = x.low + width * share // steps
        ahead = np.concatenate([points[1:], points[-1:]])
    values = layer.evaluate(points.astype(np.int32)).astype(np.float64)
    at, end = points.astype(np.float64), ahead.astype(np.float64)
    reached = values if steps == widest else np.concatenate([values[1:], values[-1:]])
    first, last = values[0], values[-1]
    rise = last - first
    begins = np.where(values == first, at, x.low).max(axis=0)
    ends = np.where(values == last, at, x.high).min(axis=0)
    slopes = (np.zeros_like(rise), rise / np.maximum(width, 1), rise / np.maximum(ends - begins, 1))
    low = _nearest([(slope, _offset(values, slope, at, end, above=False)) for slope in slopes], values, at)
    high = _nearest([(slope, _offset(reached, slope, at, end, above=True)) for slope in slopes], values, at)
    return Lines(*low, *high)


def _offset(values: Reals, slope: Reals, at: Reals, end: Reals, *, above: bool) -> Reals:
    """The offset of a line of this slope below (above) the values at all integers from each `at` to its `end`."""
    place = np.where((slope >= 0) == above, at, end)
    gaps = values - slope * place
    room = _ROUNDING * (np.abs(values) + np.abs(slope * place)).max(axis=0)
    found: Reals = gaps.max(axis=0) + room if above else gaps.min(axis=0) - room
    return found


def _nearest(lines: list[tuple[Reals, Reals]], values: Reals, at: Reals) -> tuple[Reals, Reals]:
    """Of each channel the line that is nearest to its values, on average."""
    gaps = np.stack([np.abs(slope * at + offset - values).mean(axis=0) for slope, offset in lines])
    chosen = gaps.argmin(axis=0)
    channel = np.arange(len(chosen))
    slopes, offsets = (np.stack([line[part] for line in lines])[chosen, channel] for part in (0, 1))
    return slopes, offsets


@dataclass(frozen=True)
class Relaxation:
    """A network on a box of inputs.

    ranges : what each node's integers can be, by name; the first node's is the box.
    lines : of nodes that have them.
    """

    network: Network
    ranges: Mapping[str, ValueRange]
    lines: Mapping[str, Lines]

    def at_least(self, rows: Reals, name: str) -> tuple[Reals, Reals]:
        """A bound b [rows] with rows · y ≥ b for the integers y of node `name` on the whole box, and how it grows with
        each input, [rows, inputs]."""
        nodes = self.network.nodes
        wanted = {name: rows}
        bound = np.zeros(len(rows))
        for node in reversed(nodes[1:]):
            factors = wanted.pop(node.name, None)
            if factors is None:
                continue
            inputs = [self.ranges[source] for source in node.inputs]
            if node.layer.affine:
                pulled, constant = _through_affine(node.layer, factors, inputs)
            elif node.name in self.lines:
                pulled, constant = _through_lines(self.lines[node.name], factors, inputs[0])
            else:
                pulled, constant = [], _least(factors, self.ranges[node.name])
            bound += constant
            for source, part in zip(node.inputs, pulled, strict=False):
                wanted[source] = wanted[source] + part if source in wanted else part
        first = nodes[0].name
        growth = wanted.get(first, np.zeros((len(rows), self.network.input_size)))
        return bound + _least(growth, self.ranges[first]), growth


def _least(factors: Reals, x: ValueRange) -> Reals:
    """The least of factors · x over a range, less what its rounding may be."""
    products = np.where(factors > 0, factors * x.low, factors * x.high)
    found: Reals = products.sum(axis=1) - _ROUNDING * x.channels * np.abs(products).sum(axis=1)
    return found


def _largest(x: ValueRange) -> npt.NDArray[np.int64]:
    largest: npt.NDArray[np.int64] = np.maximum(np.abs(x.low), np.abs(x.high))
    return largest


def _through_affine(layer: Layer, factors: Reals, inputs: list[ValueRange]) -> tuple[list[Reals], Reals]:
    pulled = layer.wanted_inputs(factors)
    assert pulled is not None
    zeros = [np.zeros((1, x.channels), np.int32) for x in inputs]
    constants = layer.evaluate(*zeros)[0].astype(np.float64)
    reach = sum(float(_largest(x).sum()) for x in inputs) * _LARGEST_WEIGHT + np.abs(constants).max(initial=0.0)
    off = _ROUNDING * factors.shape[1] * np.abs(factors).sum(axis=1) * reach
    return list(pulled), factors @ constants - off


def _through_lines(lines: Lines, factors: Reals, x: ValueRange) -> tuple[list[Reals], Reals]:
    above = factors > 0
    slope = np.where(above, lines.low_slope, lines.high_slope)
    offset = np.where(above, lines.low_offset, lines.high_offset)
    reach = np.abs(slope) * _largest(x) + np.abs(offset)
    off = _ROUNDING * x.channels * (np.abs(factors) * reach).sum(axis=1)
    return [factors * slope], (factors * offset).sum(axis=1) - off


def relax(network: Network, low: npt.NDArray[np.integer], high: npt.NDArray[np.integer]) -> Relaxation:
    """Ranges and lines of every node where the input integers lie in low … high, each [inputs].

    The range of an affine layer is the narrower of what its inputs' ranges give and what lines give.
    """
    first = network.nodes[0].name
    ranges = {first: ValueRange(low.astype(np.int64), high.astype(np.int64))}
    lines: dict[str, Lines] = {}
    known = Relaxation(network, ranges, lines)
    for node in network.layers:
        inputs = [ranges[source] for source in node.inputs]
        found = node.layer.output_range(*inputs)
        if node.layer.affine and any(source != first for source in node.inputs):
            ranges[node.name] = found
            found = _narrower(known, node.name, found)
        ranges[node.name] = found
        drawn = None if node.layer.affine else lines_of(node.layer, inputs[0])
        if drawn is not None:
            lines[node.name] = drawn
    return known


def _narrower(known: Relaxation, name: str, found: ValueRange) -> ValueRange:
    each = np.eye(found.channels)
    bounds, _ = known.at_least(np.concatenate([each, -each]), name)
    low, high = np.ceil(bounds[: found.channels]), np.floor(-bounds[found.channels :])
    return ValueRange(np.maximum(found.low, low.astype(np.int64)), np.minimum(found.high, high.astype(np.int64)))
