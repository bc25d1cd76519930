"""What a conversion is worth: the float model, Brevitas and the integer network side by side on held-back samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.frontends.mlp import Mlp
from edgeml.judging.scores import scores
from edgeml.network import Network, decisions, trace
from edgeml.network.task import VALUES

from .brevitas_network import BrevitasNetwork
from .model import QuantizedModel

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset

__all__ = ["evaluate"]

_BATCH = 1024
_RANDOM_VECTORS = 64


def evaluate(mlp: Mlp, model: QuantizedModel, network: Network, data: Dataset | None) -> dict[str, Any]:
    """Metrics on the held-back samples; Brevitas in float64 is held against golden at every layer on the way.

    Returns
    -------
    `accuracy` : shares of right answers of `float`, `brevitas` and `integer`, where there are classes; `mse`, `mae` and
        `r2` in its place where there are values, see `judging.scores`.
    `agreement` : share of samples that the integer network and the float model answer alike; not for values.
    `output_error` : root mean square of integer minus float outputs, relative to the deviation of the float ones.
    Nothing where there is no data: then random integers are compared, and no more can be said.

    Raises
    ------
    CheckFailed : an integer of Brevitas differs from golden's; layer, sample and channel are named.
    """
    brevitas = BrevitasNetwork(model)
    if data is None:
        quantizer = network.quantizer
        shape = (_RANDOM_VECTORS, network.input_size)
        q = np.random.default_rng(0).integers(quantizer.low, quantizer.high, shape, np.int32, endpoint=True)
        _compared(network, brevitas, q, 0)
        return {}
    found: dict[str, list[npt.NDArray[Any]]] = {"float": [], "brevitas": [], "integer": []}
    error, power = 0.0, 0.0
    centre = mlp.evaluate(data.x_test[:_BATCH]).mean(axis=0)
    for at in range(0, len(data.x_test), _BATCH):
        x = data.x_test[at : at + _BATCH]
        wanted = mlp.evaluate(x)
        integers, own = _compared(network, brevitas, network.quantizer.quantize(x), at)
        if network.task == VALUES:
            parts: tuple[npt.NDArray[Any], ...] = (wanted, network.output.real(own), network.output.real(integers))
        else:
            parts = mlp.decisions(wanted), decisions(network, own), decisions(network, integers)
        for name, part in zip(found, parts, strict=True):
            found[name].append(part)
        error += float(np.sum((network.output.real(integers) - wanted) ** 2))
        power += float(np.sum((wanted - centre) ** 2))
    answers = {name: np.concatenate(parts) for name, parts in found.items()}
    metrics: dict[str, Any] = {}
    if data.y_test is not None:
        metrics |= scores(network.task, data.y_test, answers)
    if network.task != VALUES:
        metrics["agreement"] = float(np.mean(answers["integer"] == answers["float"]))
    metrics["output_error"] = round(float(np.sqrt(error / power)), 6) if power > 0 else 0.0
    return metrics


def _compared(
    network: Network, brevitas: BrevitasNetwork, q: npt.NDArray[np.int32], first: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The outputs of golden and of Brevitas for one batch, equal at every layer that Brevitas shows."""
    golden, found = trace(network, q), brevitas.integers(q)
    for name, integers in found.items():
        if name not in golden:
            continue  # one-hot values, which the network has as tables
        if not np.array_equal(golden[name], integers):
            sample, channel = np.argwhere(golden[name] != integers)[0]
            raise CheckFailed(
                f"layer {name}, sample {first + sample}, channel {channel}",
                f"is {golden[name][sample, channel]} in the integer network and {integers[sample, channel]} in "
                "Brevitas (float64)",
                "This is a defect of edgeml: please report it with the model",
            )
    last = network.nodes[-1].name
    return golden[last], found[last]
