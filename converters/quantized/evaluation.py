"""What a conversion is worth: the float model, Brevitas and the integer network side by side on held-back samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network, trace

from .brevitas_network import BrevitasNetwork
from .model import QuantizedModel

if TYPE_CHECKING:
    from edgeml.data import Dataset

__all__ = ["answers", "evaluate"]

_BATCH = 1024
_RANDOM_VECTORS = 64


def answers(outputs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The class of each row of outputs: argmax, ties to the lowest index; of a single output, whether it is > 0."""
    if outputs.shape[1] == 1:
        return np.asarray(outputs[:, 0] > 0, np.int64)
    return np.asarray(np.argmax(outputs, axis=1), np.int64)


def evaluate(mlp: Mlp, model: QuantizedModel, network: Network, data: Dataset | None) -> dict[str, Any]:
    """Metrics on the held-back samples; Brevitas in float64 is held against golden at every layer on the way.

    Returns
    -------
    `accuracy` : shares of right answers of `float`, `brevitas` and `integer`, where there are labels.
    `agreement` : share of samples that the integer network and the float model answer alike.
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
    counted = dict.fromkeys(("float", "brevitas", "integer"), 0)
    agreed, error, power = 0, 0.0, 0.0
    centre = mlp.evaluate(data.x_test[:_BATCH]).mean(axis=0)
    for at, x, y in _batches(data):
        wanted = mlp.evaluate(x)
        integers, own = _compared(network, brevitas, network.quantizer.quantize(x), at)
        found = {"float": answers(wanted), "brevitas": answers(own), "integer": answers(integers)}
        if y is not None:
            for name, each in found.items():
                counted[name] += int(np.sum(each == y))
        agreed += int(np.sum(found["integer"] == found["float"]))
        error += float(np.sum((network.output.real(integers) - wanted) ** 2))
        power += float(np.sum((wanted - centre) ** 2))
    samples = len(data.x_test)
    metrics: dict[str, Any] = {}
    if data.y_test is not None:
        metrics["accuracy"] = {name: right / samples for name, right in counted.items()}
    metrics["agreement"] = agreed / samples
    metrics["output_error"] = round(float(np.sqrt(error / power)), 6) if power > 0 else 0.0
    return metrics


def _batches(data: Dataset) -> Iterator[tuple[int, npt.NDArray[Any], npt.NDArray[np.int64] | None]]:
    for at in range(0, len(data.x_test), _BATCH):
        y = None if data.y_test is None else data.y_test[at : at + _BATCH]
        yield at, data.x_test[at : at + _BATCH], y


def _compared(
    network: Network, brevitas: BrevitasNetwork, q: npt.NDArray[np.int32], first: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The outputs of golden and of Brevitas for one batch, equal at every layer that Brevitas shows."""
    golden, found = trace(network, q), brevitas.integers(q)
    for name, integers in found.items():
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
