"""Random integer networks: every mix of widths, bits, signs and residual paths that the quantized form allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, Threshold
from edgeml.network.layers.tables import Tables

__all__ = ["Shape", "network_of", "random_inputs", "random_network", "random_shape", "shapes"]


_T = TypeVar("_T")
_LARGEST_BARE = 2**14
"""Sums behind which no thresholds are needed: the sum of two, times 300 inputs of 8 bits, stays within 32 bits."""
_LEVELS_INSTEAD = 3
_LARGEST_LISTED = 255


@dataclass(frozen=True)
class Shape:
    """What decides a random network.

    Parameters
    ----------
    widths : sizes of the input and of each dense layer.
    weight_bits : of each dense layer; one less than widths.
    levels : thresholds per channel behind each dense layer but the last; 0 for none (where its sums are so large that
        the layers behind could pass 32 bits, it gets some).
    bases : smallest output of each of these threshold layers.
    residual : for each dense layer but the first, whether its input is the sum of its two predecessors' outputs
        (taken only where their sizes agree).
    input_bits, signed, zero_point : of the input.
    tables : for each dense layer, whether tables stand in its place; taken only where its inputs are 0 … 255. Empty:
        none do.
    seed : of weights, biases and thresholds.
    """

    widths: tuple[int, ...]
    weight_bits: tuple[int, ...]
    levels: tuple[int, ...]
    bases: tuple[int, ...]
    residual: tuple[bool, ...]
    input_bits: int
    signed: bool
    zero_point: int
    seed: int
    tables: tuple[bool, ...] = ()


def _weights(rng: np.random.Generator, bits: int, outputs: int, inputs: int) -> npt.NDArray[np.int64]:
    if bits == 1:
        return rng.choice(np.array([-1, 1]), (outputs, inputs))
    high = 2 ** (bits - 1) - 1
    kind = rng.integers(4)
    if kind == 0:  # narrow range
        return rng.integers(-high, high + 1, (outputs, inputs))
    if kind == 1:  # extreme values only
        return rng.choice(np.array([-high - 1, high]), (outputs, inputs))
    return rng.integers(-high - 1, high + 1, (outputs, inputs))


def network_of(shape: Shape, name: str = "random") -> Network:
    """The network that `shape` describes; the same shape gives the same network."""
    rng = np.random.default_rng(shape.seed)
    quantizer = InputQuantizer(
        shape.widths[0], np.array([0.1]), np.array([0.0]), shape.zero_point, shape.input_bits, shape.signed
    )
    nodes = [Node("input", quantizer)]
    ends = [nodes[0].name]  # outputs of input, first block, second block …
    sizes = [shape.widths[0]]

    def append(node_name: str, layer: object, *inputs: str) -> str:
        nodes.append(Node(node_name, layer, inputs))  # type: ignore[arg-type]
        return node_name

    def values_of(node_name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if node_name == nodes[0].name:
            reach = quantizer.output_range()
            return reach.low, reach.high
        partial = Network(name, (*nodes, *_sinks(nodes, node_name)), Output(np.array([1.0])))
        return partial.ranges[node_name].low, partial.ranges[node_name].high

    for k, width in enumerate(shape.widths[1:]):
        source = ends[-1]
        if k and shape.residual[k - 1] and len(ends) > 1 and sizes[-1] == sizes[-2]:
            source = append(f"sum{k}", Add(), ends[-1], ends[-2])
        weight = _weights(rng, shape.weight_bits[k], width, sizes[-1])
        zero_point = int(rng.integers(-3, 4)) if rng.integers(2) else 0
        bias = rng.integers(-1000, 1001, width)
        layer: Dense | Tables = Dense(weight, shape.weight_bits[k], bias, zero_point)
        if shape.tables[k : k + 1] == (True,):
            layer = _tables_for(rng, *values_of(source), shape.weight_bits[k], bias) or layer
        end = append(f"fc{k}", layer, source)
        last = k == len(shape.widths) - 2
        low, high = values_of(end)
        levels = 0 if last else shape.levels[k]
        if max(-int(low.min()), int(high.max())) > _LARGEST_BARE:
            levels = levels or _LEVELS_INSTEAD
        if not last and levels:
            spread = rng.normal(0.5, 0.2, (width, levels))
            thresholds = np.rint(low[:, None] + spread * (high - low)[:, None] + 1).astype(np.int64)
            thresholds[rng.random(width) < 0.05] = -(2**31)  # reached always
            thresholds[rng.random(width) < 0.05] = 2**31 - 1  # reached (almost) never
            thresholds = np.sort(np.clip(thresholds, -(2**31), 2**31 - 1), axis=1)
            end = append(f"act{k}", Threshold(thresholds, shape.bases[k]), end)
        ends.append(end)
        sizes.append(width)
    return Network(name, tuple(nodes), Output(np.array([0.5]), 0, tuple(f"class {i}" for i in range(sizes[-1]))))


def _tables_for(
    rng: np.random.Generator, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], bits: int, bias: npt.NDArray[Any]
) -> Tables | None:
    """Tables of values low … high, some of whose rows are the same, of inputs in any order, some of them twice."""
    if low.min() < 0 or high.max() > _LARGEST_LISTED:
        return None
    values = int(high.max()) + 1
    features = int(rng.integers(1, low.size + 2))
    rows = int(rng.integers(1, features * values + 1))
    entries = _weights(rng, bits, rows, bias.size)
    named = rng.integers(0, rows, (features, values))
    return Tables(entries, bits, named, rng.integers(0, low.size, features), bias, low.size)


def _sinks(nodes: list[Node], node_name: str) -> list[Node]:
    """Nodes that make `nodes` a whole network: the graph may have no unused output but the last."""
    used = {name for node in nodes for name in node.inputs}
    unused = [node for node in nodes if node.name not in used and node.name != node_name]
    sinks = []
    for position, node in enumerate(unused):
        sinks.append(Node(f"unused{position}", Add(), (node.name, node.name)))
    return sinks


def random_inputs(network: Network, samples: int, seed: int) -> npt.NDArray[np.int64]:
    """Input integers [samples, inputs] over the whole range; the first two samples hold its ends."""
    rng = np.random.default_rng(seed)
    low, high = network.quantizer.low, network.quantizer.high
    q = rng.integers(low, high + 1, (samples, network.input_size))
    q[:1], q[1:2] = low, high
    return q


def random_shape(rng: np.random.Generator, widest: int = 300, deepest: int = 6) -> Shape:
    """A shape drawn from `rng`: half of them small, and a third with equal widths, which residual paths need."""
    depth = int(rng.integers(1, deepest + 1))
    largest = int(rng.choice([8, 70, widest]))
    widths = rng.integers(1, largest + 1, depth + 1)
    if rng.integers(3) == 0:
        widths[1:-1] = widths[1] if depth > 1 else widths[1:-1]
    same_bits = int(rng.choice([1, 2, 2, 3, 4, 8]))
    mixed = rng.integers(3) == 0
    bits = tuple(int(rng.integers(1, 9)) if mixed else same_bits for _ in range(depth))
    levels = tuple(int(rng.choice([1, 2, 3, 3, 3, 7, 15, 16, 255])) for _ in range(depth))
    bases = tuple(int(rng.choice([0, 0, -2, -1, -128, 5])) for _ in range(depth))
    input_bits, signed = int(rng.choice([1, 2, 2, 4, 8, 8])), bool(rng.integers(2))
    low = -(2 ** (input_bits - 1)) if signed else 0
    return Shape(
        tuple(int(width) for width in widths),
        bits,
        levels,
        bases,
        tuple(bool(rng.integers(2)) for _ in range(depth)),
        input_bits,
        signed,
        int(rng.integers(low, low + 2**input_bits)),
        int(rng.integers(2**31)),
    )


def random_network(seed: int, name: str = "random", widest: int = 300, deepest: int = 6) -> Network:
    """The network of a random shape; the same arguments give the same network."""
    return network_of(random_shape(np.random.default_rng(seed), widest, deepest), name)


@st.composite
def shapes(draw: st.DrawFn, widest: int = 300, deepest: int = 6) -> Shape:
    """Hypothesis strategy for `Shape`; shrinks to few, narrow layers."""
    depth = draw(st.integers(1, deepest))
    width = st.one_of(st.integers(1, min(8, widest)), st.integers(1, widest))
    equal = draw(st.booleans())
    common = draw(width)
    widths = (draw(width), *(common if equal else draw(width) for _ in range(depth - 1)), draw(width))
    input_bits, signed = draw(st.integers(1, 8)), draw(st.booleans())
    low = -(2 ** (input_bits - 1)) if signed else 0

    def several(strategy: st.SearchStrategy[_T]) -> tuple[_T, ...]:
        return tuple(draw(st.lists(strategy, min_size=depth, max_size=depth)))

    return Shape(
        widths,
        several(st.integers(1, 8)),
        several(st.one_of(st.sampled_from([3, 1, 0, 7, 15]), st.integers(1, 255))),
        several(st.sampled_from([0, -1, -2, -128, 7])),
        tuple(bool(value) for value in several(st.integers(0, 1))),
        input_bits,
        signed,
        draw(st.integers(low, low + 2**input_bits - 1)),
        draw(st.integers(0, 2**31 - 1)),
        several(st.booleans()) if draw(st.booleans()) else (),
    )
