"""Layers of edge functions (a KAN's) as encodings on a grid and weights that are the functions' values there.

y[o] = Σ_i φ[o, i](x[i]) on the grid x[i] = low[i] + q · step[i], q = 0 … 2^bits − 1, is Σ_i T[o, i, q[i]]: a linear
layer behind one-hot values, which becomes the integer layer `tables`. Each channel has a grid of its own, which costs
nothing: it is a scale and a shift before the encoding, and goes into thresholds or into the input's quantizer.

What stands between one layer's sums and the next one's functions and takes each channel by itself (a batch norm, a
clamp, a tanh) is part of the tables as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.edge_functions import EdgeFunctions
from edgeml.frontends.float_operators.encode import EQUAL, Encode
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.float_operators.spread import Spread
from edgeml.frontends.mlp import Mlp, MlpNode

from .options import Options

__all__ = ["Grid", "Tabled", "edges_as_tables", "has_edges"]

Floats = npt.NDArray[np.float64]

_CUT = (0.0, 0.002, 0.01, 0.03)
"""Shares of the samples that may lie beyond an end of a grid."""
_MOST_NUMBERS = 2**22
_NARROW = 1e-12
"""Values that differ by less than this share of themselves are one."""


def has_edges(mlp: Mlp) -> bool:
    """Whether there are layers of edge functions."""
    return any(node.operator.role is Role.EDGES for node in mlp.nodes)


@dataclass(frozen=True, eq=False)
class Grid:
    """Values of the node `root` of the user's model as low + u · step; u are those of a node in `Tabled.mlp`."""

    root: str
    low: Floats
    step: Floats


@dataclass(frozen=True, eq=False)
class Tabled:
    """A model with tables in the place of its edge functions.

    Parameters
    ----------
    mlp : the model.
    grids : by node of `mlp`, what its values stand for: of each grid's node, and of the layer before it, which takes
        the grid in where nothing else takes its values.
    """

    mlp: Mlp
    grids: Mapping[str, Grid]


def edges_as_tables(mlp: Mlp, x: npt.NDArray[np.floating], options: Options) -> Tabled:
    """`mlp` with linear layers behind one-hot values in the place of its edge functions.

    Parameters
    ----------
    x : samples [samples, features] in the user's units, from which the grids are chosen.
    options : how many bits the grids have.

    Raises
    ------
    InputError : a function is not finite on its grid, or the tables are too large; the layer is named.
    """
    from .calibrate import float_trace, thinned_samples

    trace = float_trace(mlp, thinned_samples(x, max(mlp.sizes.values())))
    nodes: list[MlpNode] = []
    grids: dict[str, Grid] = {}
    for node in mlp.nodes:
        if (found := _edges(mlp, node)) is None:
            nodes.append(node)
            continue
        edges, start = found
        root, chain = _behind(mlp, start)
        try:
            made = _tables(mlp, node, edges, root, chain, trace[root], _grid_bits(mlp, root, options))
        except InputError as error:
            raise InputError(node.where, f"{error.where} {error.problem}", error.remedy) from error
        nodes += made
        affine = made[0].operator
        assert isinstance(affine, Affine)
        grids[root] = grids[made[0].name] = Grid(root, -affine.shift / affine.scale, 1.0 / affine.scale)
    return Tabled(replace(mlp, nodes=_used(nodes)), grids)


class Edges(Protocol):
    """Sums of functions of one input each, however a model has them."""

    @property
    def bias(self) -> Floats:
        """Of each output [outputs]."""
        ...

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        ...

    @property
    def used_inputs(self) -> npt.NDArray[np.bool_]:
        """Which inputs have edges that are more than a constant [inputs]."""
        ...

    def on_edges(self, points: Floats) -> Floats:
        """The functions' values [outputs, inputs, points] at points [points, inputs]."""
        ...


@dataclass(frozen=True, eq=False)
class _SpreadEdges:
    """φ[o, i](x) = Σ_j weight[o, j] · terms(spread(x))[j] over the terms j that are of input i."""

    spread: Spread
    terms: Sequence[FloatOperator]
    linear: Linear

    @property
    def bias(self) -> Floats:
        return self.linear.bias

    @property
    def inputs(self) -> int:
        return self.spread.inputs

    @property
    def used_inputs(self) -> npt.NDArray[np.bool_]:
        weighed = np.any(self.linear.weight != 0, axis=0)
        return np.isin(np.arange(self.inputs), self.spread.indices[weighed])

    def on_edges(self, points: Floats) -> Floats:
        terms = _through(self.terms, self.spread.evaluate(points))
        if not np.all(np.isfinite(terms)):
            raise InputError("edge functions", "are not finite on the values that their inputs take")
        values = np.zeros((len(self.bias), self.inputs, len(points)))
        order = np.argsort(self.spread.indices, kind="stable")
        for channel, places in zip(*_grouped(self.spread.indices[order], order), strict=True):
            values[:, channel] = np.einsum("oj,pj->op", self.linear.weight[:, places], terms[:, places])
        return values


def _grouped(
    keys: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
) -> tuple[list[int], list[npt.NDArray[np.int64]]]:
    """The different ones of sorted `keys`, and the parts of `order` that belong to each."""
    different, first = np.unique(keys, return_index=True)
    return different.tolist(), np.split(order, first[1:])


def _edges(mlp: Mlp, node: MlpNode) -> tuple[Edges, MlpNode] | None:
    """The edge functions whose sums a node gives, and the node that takes their inputs; None if it gives others."""
    if isinstance(node.operator, EdgeFunctions):
        return node.operator, node
    if not isinstance(node.operator, Linear):
        return None
    source, terms = _behind(mlp, node)
    start = next((each for each in mlp.nodes if each.name == source), None)
    if start is None or not isinstance(start.operator, Spread):
        return None
    return _SpreadEdges(start.operator, terms, node.operator), start


def _used(nodes: Sequence[MlpNode]) -> tuple[MlpNode, ...]:
    """The nodes that the last one needs."""
    needed = {nodes[-1].name}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return tuple(node for node in nodes if node.name in needed)


def _behind(mlp: Mlp, node: MlpNode) -> tuple[str, list[FloatOperator]]:
    """The node whose values take the grid, and the operators between it and `node`, each channel by itself."""
    by_name = {each.name: each for each in mlp.nodes}
    chain: list[FloatOperator] = []
    (source,) = node.inputs
    while source != "input" and by_name[source].operator.role in (Role.LINE, Role.FUNCTION):
        chain.insert(0, by_name[source].operator)
        (source,) = by_name[source].inputs
    return source, chain


def _grid_bits(mlp: Mlp, root: str, options: Options) -> int:
    """Bits of the activations behind `root`, or of the input."""
    if root == "input":
        return options.input_bits
    layers = [node.name for node in mlp.nodes if node.operator.role in (Role.WEIGHTS, Role.EDGES)]
    aliases = {layers[0]: "first", layers[-1]: "last"}
    for name in (root, aliases.get(root, root)):
        _, bits = options.layer_bits.get(name, (None, None))
        if bits:
            return bits
    return options.act_bits


def _tables(
    mlp: Mlp, node: MlpNode, edges: Edges, root: str, chain: Sequence[FloatOperator], x: Floats, bits: int
) -> list[MlpNode]:
    values = 1 << bits
    low, step = _grids(edges, chain, x, values)
    points = low + np.arange(values)[:, None] * step
    tables = edges.on_edges(_through(chain, points))
    middle = (tables.max(axis=2) + tables.min(axis=2)) / 2
    used = np.flatnonzero(edges.used_inputs)
    if not used.size:
        used = np.array([0])
    weight = (tables - middle[:, :, None])[:, used].reshape(len(edges.bias), used.size * values)
    encode = Encode(
        np.repeat(used, values).astype(np.float64),
        np.full(used.size * values, float(EQUAL)),
        np.tile(np.arange(values, dtype=np.float64), used.size),
        edges.inputs,
        bits,
    )
    taken = {each.name for each in mlp.nodes}
    grid, one_hot = (_free(f"{node.name}_{word}", taken) for word in ("grid", "value"))
    return [
        MlpNode(grid, Affine(1.0 / step, -low / step), (root,), node.origin),
        MlpNode(one_hot, encode, (grid,), node.origin),
        MlpNode(node.name, Linear(weight, edges.bias + middle.sum(axis=1)), (one_hot,), node.origin),
    ]


def _grids(edges: Edges, chain: Sequence[FloatOperator], x: Floats, values: int) -> tuple[Floats, Floats]:
    """Lowest point and step [inputs] of each channel's grid: of those that leave out few samples at either end, the
    one whose nearest points give the functions' values with the least squared error, each output's weighed by its
    variance."""
    most = max(_MOST_NUMBERS // (len(edges.bias) * edges.inputs), 1)
    x = x[np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(np.int64)]
    wanted = edges.on_edges(_through(chain, x))
    spread = wanted.sum(axis=1).var(axis=1)
    weight = 1.0 / np.maximum(spread, max(float(spread.mean()) * 1e-3, 1e-30))
    ends = [np.quantile(x, [cut, 1 - cut], axis=0) for cut in _CUT]
    best_low, best_step = np.zeros(edges.inputs), np.ones(edges.inputs)
    least = np.full(edges.inputs, np.inf)
    for low, _ in ends:
        for _, high in ends:
            wide = high - low > _NARROW * np.maximum(np.abs(low), np.abs(high)) + _NARROW**8
            step = np.where(wide, (high - low) / (values - 1), 1.0)
            tables = edges.on_edges(_through(chain, low + np.arange(values)[:, None] * step))
            q = np.clip(np.rint((x - low) / step), 0, values - 1).astype(np.int64)
            found = np.take_along_axis(tables, np.broadcast_to(q.T, wanted.shape), axis=2)
            error = np.einsum("o,ois->i", weight, (found - wanted) ** 2)
            better = error < least
            least = np.where(better, error, least)
            best_low, best_step = np.where(better, low, best_low), np.where(better, step, best_step)
    return best_low, best_step


def _through(chain: Sequence[FloatOperator], x: Floats) -> Floats:
    for operator in chain:
        x = operator.evaluate(x)
    return x


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
