"""The float model beside the integer network of the quantized form, node by node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edgeml.frontends.mlp import Mlp
from edgeml.judging.fidelity import FloatReference, Reading
from edgeml.network import Network

from .calibrate import float_trace
from .fold import FoldedMlp
from .model import QuantizedModel
from .placement import Placement

__all__ = ["float_reference"]

Floats = npt.NDArray[np.float64]


def float_reference(
    mlp: Mlp, folded: FoldedMlp, placement: Placement, model: QuantizedModel, network: Network
) -> FloatReference:
    """`mlp`, read through `folded`, beside `network`: every quantizer of `placement`, and the output."""
    last = placement.nodes[-1]
    nodes = {name: placement.node(name) for name in placement.quantizers}
    sources = {**{name: node.source for name, node in nodes.items()}, last.name: last.source}

    def evaluate(x: Floats, known: Mapping[str, Floats]) -> Mapping[str, Floats]:
        given = {sources[name]: values for name, values in known.items()}
        values = float_trace(folded.mlp, folded.normalise(x), given)
        return {name: values[source] for name, source in sources.items()}

    readings = {
        name: Reading(placement.chain(nodes[name])[0], np.array([model.steps[name]]), -quantizer.offset)
        for name, quantizer in placement.quantizers.items()
        if name != last.name
    }
    return FloatReference(mlp, network, evaluate, readings)
