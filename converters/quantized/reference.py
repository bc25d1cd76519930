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
from .quantizer_placement import Plan, PlannedQuantizer

__all__ = ["float_reference"]

Floats = npt.NDArray[np.float64]


def float_reference(mlp: Mlp, folded: FoldedMlp, plan: Plan, model: QuantizedModel, network: Network) -> FloatReference:
    """`mlp`, read through `folded`, beside `network`: every quantizer of `plan`, and the output."""
    quantizers = {node.name: node for node in plan.nodes if isinstance(node.operator, PlannedQuantizer)}
    last = plan.nodes[-1]
    sources = {**{name: node.source for name, node in quantizers.items()}, last.name: last.source}

    def evaluate(x: Floats, known: Mapping[str, Floats]) -> Mapping[str, Floats]:
        given = {sources[name]: values for name, values in known.items()}
        values = float_trace(folded.mlp, folded.normalise(x), given)
        return {name: values[source] for name, source in sources.items()}

    readings = {
        name: Reading(
            plan.chain(node)[0], np.array([model.steps[name]]), -0.5 if getattr(node.operator, "half", False) else 0.0
        )
        for name, node in quantizers.items()
        if name != last.name
    }
    return FloatReference(mlp, network, evaluate, readings)
