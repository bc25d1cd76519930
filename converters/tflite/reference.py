"""The float model beside the integer network of the tflite form, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edgeml.frontends.mlp import Mlp
from edgeml.judging.fidelity import FloatReference, Reading
from edgeml.network import Network

from .fusion import FloatGraph
from .model import Model

__all__ = ["float_reference"]

Floats = npt.NDArray[np.float64]


def float_reference(mlp: Mlp, graph: FloatGraph, model: Model, network: Network) -> FloatReference:
    """`mlp`, read through `graph` as it was before any training, beside `network`, which `model` was lowered to; where
    that takes bits of the features, `graph` begins behind them."""
    computed = {node.name for node in network.nodes}
    names = [stage.name for stage in graph.stages]

    def evaluate(x: Floats, known: Mapping[str, Floats]) -> Mapping[str, Floats]:
        values = graph.trace(x if model.encoded is None else model.encoded.features(x), known)
        return {name: values[name] for name in names}

    readings = {
        name: Reading(name, np.array([model.tensors[name].scale]), model.tensors[name].zero_point)
        for name in names[:-1]
        if name in computed
    }
    return FloatReference(mlp, network, evaluate, readings)
