"""The float model beside the integer network of the quantized form, node by node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edgeml.frontends.mlp import Mlp
from edgeml.judging.fidelity import FloatReference, Reading
from edgeml.network import Network

from .calibrate import float_trace
from .edge_tables import Grid
from .fold import FoldedMlp
from .model import QuantizedModel
from .placement import Placement

__all__ = ["float_reference"]

Floats = npt.NDArray[np.float64]


def float_reference(
    mlp: Mlp,
    folded: FoldedMlp,
    placement: Placement,
    model: QuantizedModel,
    network: Network,
    grids: Mapping[str, Grid],
) -> FloatReference:
    """`mlp`, read through `folded`, beside `network`: every quantizer of `placement`, and the output.

    Where all quantizers are of `grids`, `mlp` itself is read: `folded` has its functions on the grids alone.
    """
    last = placement.nodes[-1]
    nodes = {name: placement.node(name) for name in placement.quantizers}
    sources = {**{name: node.source for name, node in nodes.items()}, last.name: last.source}

    def on_grids(x: Floats, known: Mapping[str, Floats]) -> Mapping[str, Floats]:
        found = {name: grids[source] for name, source in sources.items() if name != last.name}
        given = {grid.root: grid.low + known[name] * grid.step for name, grid in found.items() if name in known}
        values = float_trace(mlp, np.asarray(x, np.float64), given)
        on_grid = {name: (values[grid.root] - grid.low) / grid.step for name, grid in found.items()}
        return {**on_grid, last.name: known.get(last.name, values[last.source])}

    def evaluate(x: Floats, known: Mapping[str, Floats]) -> Mapping[str, Floats]:
        given = {sources[name]: values for name, values in known.items()}
        values = float_trace(folded.mlp, folded.normalise(x), given)
        return {name: values[source] for name, source in sources.items()}

    readings = {
        name: Reading(placement.chain(nodes[name])[0], np.array([model.steps[name]]), -quantizer.offset)
        for name, quantizer in placement.quantizers.items()
        if name != last.name
    }
    all_on_grids = bool(grids) and all(sources[name] in grids for name in readings)
    return FloatReference(mlp, network, on_grids if all_on_grids else evaluate, readings)
