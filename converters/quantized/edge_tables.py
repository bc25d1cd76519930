"""Layers of edge functions (a KAN's) as encodings on a grid and weights that are the functions' values there.

y[o] = Σ_i φ[o, i](x[i]) on the grid x[i] = low[i] + q · step[i], q = 0 … 2^bits − 1, is Σ_i T[o, i, q[i]]: a linear
layer behind one-hot values, which becomes the integer layer `tables`. Each channel has a grid of its own, which costs
nothing: it is a scale and a shift before the encoding, and goes into thresholds or into the input's quantizer.

What stands between one layer's sums and the next one's functions and takes each channel by itself (a batch norm, a
clamp, a tanh) is part of the tables as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.affine import Affine
from edgeml.frontends.float_operators.edge_functions import EdgeFunctions
from edgeml.frontends.float_operators.encode import EQUAL, Encode
from edgeml.frontends.float_operators.linear import Linear
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.mlp import Mlp, MlpNode

from .options import Options

__all__ = ["edges_as_tables", "has_edges"]

Floats = npt.NDArray[np.float64]

_CUT = (0.0, 0.002, 0.01, 0.03)
"""Shares of the samples that may lie beyond an end of a grid."""
_MOST_NUMBERS = 2**22
_NARROW = 1e-12
"""Values that differ by less than this share of themselves are one."""


def has_edges(mlp: Mlp) -> bool:
    """Whether there are layers of edge functions."""
    return any(node.operator.role is Role.EDGES for node in mlp.nodes)


def edges_as_tables(mlp: Mlp, x: npt.NDArray[np.floating], options: Options) -> Mlp:
    """`mlp` with linear layers behind one-hot values in the place of its edge functions.

    Parameters
    ----------
    x : samples [samples, features] in the user's units, from which the grids are chosen.
    options : how many bits the grids have.

    Raises
    ------
    InputError : a function is not finite on its grid, or the tables are too large; the layer is named.
    """
    trace = mlp.trace(x)
    nodes: list[MlpNode] = []
    for node in mlp.nodes:
        if isinstance(node.operator, EdgeFunctions):
            root, chain = _behind(mlp, node)
            bits = _grid_bits(mlp, root, options)
            try:
                nodes += _tables(mlp, node, node.operator, root, chain, trace[root], bits)
            except InputError as error:
                raise InputError(node.where, f"{error.where} {error.problem}", error.remedy) from error
        else:
            nodes.append(node)
    return replace(mlp, nodes=tuple(nodes))


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
    mlp: Mlp, node: MlpNode, edges: EdgeFunctions, root: str, chain: Sequence[FloatOperator], x: Floats, bits: int
) -> list[MlpNode]:
    values = 1 << bits
    low, step = _grids(edges, chain, x, values)
    points = low + np.arange(values)[:, None] * step
    tables = edges.on_edges(_through(chain, points))
    middle = (tables.max(axis=2) + tables.min(axis=2)) / 2
    used = np.flatnonzero(edges.used_inputs)
    if not used.size:
        used = np.array([0])
    weight = (tables - middle[:, :, None])[:, used].reshape(edges.outputs, used.size * values)
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


def _grids(edges: EdgeFunctions, chain: Sequence[FloatOperator], x: Floats, values: int) -> tuple[Floats, Floats]:
    """Lowest point and step [inputs] of each channel's grid: of those that leave out few samples at either end, the
    one whose nearest points give the functions' values with the least squared error, each output's weighed by its
    variance."""
    most = max(_MOST_NUMBERS // (edges.outputs * edges.inputs), 1)
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
