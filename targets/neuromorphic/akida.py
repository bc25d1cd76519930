"""Runs an exact network with payloads on the software backend of Akida 1.0."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network import Network

from .parameters import akida_parameters

__all__ = ["run_on_akida"]


def run_on_akida(network: Network, q: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], str]:
    """Outputs int32 [samples, outputs], and the version of the package."""
    import akida

    checked = network.check_input(np.asarray(q))
    p = akida_parameters(network)
    model = akida.Model()
    model.add(akida.InputData(input_shape=(1, 1, network.input_size), input_bits=p["input_bits"]))
    bias = np.zeros(network.output_size, np.int64)
    for entry in p["layers"]:
        weights = np.array(entry["weights"], np.int8)
        fires = "threshold" in entry
        layer = akida.FullyConnected(
            units=len(weights),
            weights_bits=entry["weights_bits"],
            activation=fires,
            act_bits=entry.get("activation_bits", 4),
            name=entry["name"],
        )
        model.add(layer)
        layer.set_variable("weights", weights.T.reshape(1, 1, *weights.T.shape))
        if fires:
            layer.set_variable("threshold", np.array(entry["threshold"], np.int32))
            layer.set_variable("act_step", np.array(entry["act_step"], np.float32))
        else:
            bias = np.array(entry["host_bias"], np.int64)
    result = model.forward(checked.astype(np.uint8)[:, None, None, :])[:, 0, 0]
    return (result.astype(np.int64) + bias).astype(np.int32), str(akida.__version__)
