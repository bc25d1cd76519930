"""Rate coding: the classic approximation of a float MLP by integrate-and-fire neurons, for comparison.

Robust percentile normalisation of activations (Rueckauer et al., 2017), thresholds balanced to it, and an initial
charge of half a threshold. The spiking network itself is integer and runs exactly; it is the model that it only
approximates, the better the more steps it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.operator import Role
from edgeml.judging.scores import scores
from edgeml.judging.task import require_fitting, stated, tail_note
from edgeml.network import InputQuantizer, Network, Node, Output, decisions
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.layers.spike_encoder import SpikeEncoder
from edgeml.network.layers.spike_readout import SpikeReadout
from edgeml.network.spiking.models.neuron_model import NeuronModel
from edgeml.network.spiking.recording import record
from edgeml.network.task import VALUES
from edgeml.options import read_values
from edgeml.plugins import Conversion, Progress

from .options import RATE

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset
    from edgeml.frontends.mlp import Mlp

__all__ = ["convert_rate"]

Floats = npt.NDArray[np.float64]
_THRESHOLD_BITS = 10
_MOST_BIAS = 2**18
_MOST_THRESHOLD = 2**28
_MOST_CALIBRATION = 4096


def _stages(mlp: Mlp) -> list[tuple[Floats, Floats]]:
    """The model as (weight, bias) with a ReLU between: affine parts folded; InputError naming what is neither."""
    stages: list[tuple[Floats, Floats]] = []
    weight: Floats | None = None
    bias: Floats = np.zeros(0)
    scale, shift = np.ones(mlp.input_size), np.zeros(mlp.input_size)
    for position, node in enumerate(mlp.nodes):
        operator, where = node.operator, node.origin or node.name
        if len(node.inputs) != 1 or node.inputs[0] != (mlp.nodes[position - 1].name if position else "input"):
            raise InputError(where, "rate coding takes a chain of layers, no residual paths", "Use --encoding unary")
        linear, affine, ends = mlp.linears.get(node.name), operator.scale_and_shift, operator.saturated_beyond
        if linear is not None and linear.gather is None and weight is None:
            weight, bias = linear.weight * scale, linear.bias + linear.weight @ shift
        elif affine is not None and weight is None:
            scale, shift = scale * affine[0], shift * affine[0] + affine[1]
        elif affine is not None and weight is not None:
            weight, bias = weight * affine[0][:, None], bias * affine[0] + affine[1]
        elif operator.role is Role.LINE and ends is not None and ends[0] == 0 and weight is not None:
            stages.append((weight, bias))
            weight, scale, shift = None, np.ones(len(bias)), np.zeros(len(bias))
        else:
            raise InputError(
                where,
                f"rate coding is for Linear, batch norm and ReLU in turn, found {operator.kind}",
                "Use an exact encoding (unary, sar, ttfs, graded, stbif) or the quantized form",
            )
    if weight is None:
        raise InputError(f"model {mlp.name}", "rate coding needs a linear layer at the end")
    return [*stages, (weight, bias)]


def convert_rate(mlp: Mlp, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
    """Convert `mlp` (Linear, batch norm, ReLU in a chain) to rate-coded integrate-and-fire neurons.

    options : those of `options.RATE`. Needs data to normalise with.
    metrics : accuracy (where there are labels), agreement of the answers with the float model, and both `over_steps`
        (of values: mse, mae, r2, and the last over_steps);
        wrong_values: the share of hidden activations whose spike count is not the rounded, clipped activation.
    """
    if data is None:
        raise InputError("rate coding", "needs data to find the range of each layer", "Pass --data")
    values = read_values(RATE, options)
    steps, percentile, weight_bits = values["steps"], values["percentile"], values["weight_bits"]
    mlp, dropped = mlp.without_tail(), tail_note(mlp)
    stages = _stages(mlp)
    require_fitting(mlp, data)
    x = np.asarray(data.x[:_MOST_CALIBRATION], np.float64)
    quantizer = _input_quantizer(x)
    network, scales = _network(mlp, stages, quantizer, x, steps, percentile, weight_bits)
    metrics = _metrics(network, mlp, stages, scales, data, steps)
    wrong = metrics["wrong_values"]
    note = (
        f"Rate coding approximates: over {steps} steps {wrong:.1%} of the hidden values are wrong. "
        "The exact encodings (unary, sar, ttfs, graded, stbif) have none wrong."
    )
    return Conversion(network, metrics, {}, (*dropped, note))


def _input_quantizer(x: Floats) -> InputQuantizer:
    signed = bool(x.min() < 0)
    largest = float(np.abs(x).max()) or 1.0  # data of zeros has no scale
    return InputQuantizer(x.shape[1], np.array([largest / (127 if signed else 255)]), np.zeros(1), 0, 8, signed)


def _unit(weight: Floats, bias: Floats, unit: float, steps: int, most: int) -> float:
    """The real value of one integer unit of a membrane: the largest weight is `most` of them, and biases (all there is
    in a layer of zeros) stay within 32 bits over all steps."""
    by_weight = float(np.abs(weight).max()) * unit / most
    by_bias = float(np.abs(bias).max()) * steps / _MOST_BIAS
    return max(by_weight, by_bias) or 1.0


def _neurons(
    weight: npt.NDArray[np.int32], weight_bits: int, bias: Floats, steps: int, fraction: int, threshold: int | None
) -> LeakyNeurons:
    """Neurons without a leak, their states with `fraction` bits below one unit of weight; `bias` in such units.

    threshold : of all of them, in units of the state; None for a layer that gives its membranes and does not fire.
    """
    neurons = len(bias)
    zeros = np.zeros(neurons, np.int32)
    model = NeuronModel(
        name="rate",
        weight_shift=fraction,
        reset="none" if threshold is None else "subtract",
        emission="membrane" if threshold is None else "binary",
    )
    return LeakyNeurons(
        model,
        steps,
        weight,
        weight_bits,
        np.full(neurons, threshold or 1, np.int32),
        zeros,
        zeros,
        np.rint(bias * 2**fraction).astype(np.int32),
        np.full(neurons, (threshold or 0) // 2, np.int32),
    )


def _network(
    mlp: Mlp,
    stages: list[tuple[Floats, Floats]],
    quantizer: InputQuantizer,
    x: Floats,
    steps: int,
    percentile: float,
    weight_bits: int,
) -> tuple[Network, list[float]]:
    """The integer network, and the real value of one full-rate activation per hidden layer."""
    nodes = [
        Node("input", quantizer),
        Node(
            "input_current",
            SpikeEncoder("direct", mlp.input_size, steps, quantizer.low, quantizer.high),
            ("input",),
        ),
    ]
    before, unit = "input_current", float(quantizer.scale[0])
    activation, scales, real = x, [], 1.0
    most = 2 ** (weight_bits - 1) - 1
    for k, (weight, bias) in enumerate(stages):
        last = k == len(stages) - 1
        activation = activation @ weight.T + bias
        # One integer unit of weight times one unit of input stands for `real`; one spike for the layer's scale.
        real = _unit(weight, bias, unit, steps, most)
        step = real / unit
        if not last:
            activation = np.maximum(activation, 0)
            positive = activation[activation > 0]
            # A layer that never fires on this data gets the threshold that its largest weight would reach.
            scales.append(float(np.percentile(positive, percentile)) if positive.size else real * most)
        integers = np.clip(np.rint(weight / step), -most - 1, most).astype(np.int32)
        # Fraction bits only if a threshold would else be too small a number to be hit closely.
        fraction = 0 if last else max(0, _THRESHOLD_BITS - int(np.log2(max(scales[-1] / real, 1))))
        threshold = 1 if last else min(max(1, round(scales[-1] / real * 2**fraction)), _MOST_THRESHOLD)
        layer = _neurons(integers, weight_bits, bias / real, steps, fraction, None if last else threshold)
        nodes.append(Node(f"neurons{k}", layer, (before,)))
        before = f"neurons{k}"
        unit = scales[-1] if not last else unit
    nodes.append(Node("membranes", SpikeReadout(steps, stages[-1][1].size, "last"), (before,)))
    linear = [node for node in mlp.nodes if node.name in mlp.linears]
    network = stated(Network(mlp.name, tuple(nodes), Output(np.array([real / steps]))), mlp)
    return network.with_origins({f"neurons{k}": node.origin for k, node in enumerate(linear)}), scales


def _metrics(
    network: Network,
    mlp: Mlp,
    stages: list[tuple[Floats, Floats]],
    scales: list[float],
    data: Dataset,
    steps: int,
) -> dict[str, Any]:
    x = np.asarray(data.x_test, np.float64)
    records = record(network, network.quantizer.quantize(x))
    readout = list(records)[-1]
    over_time = records[readout].membrane
    shown = sorted({t for t in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, steps) if t <= steps})
    metrics: dict[str, Any] = {"over_steps": {"steps": shown}}
    if network.task == VALUES:
        # The membrane of step t has seen t of all steps, and stands for so much less.
        answers: dict[int, npt.NDArray[Any]] = {t: network.output.real(over_time[t - 1]) * steps / t for t in shown}
        wanted: npt.NDArray[Any] = mlp.evaluate(x)
    else:
        answers, wanted = {t: decisions(network, over_time[t - 1]) for t in shown}, mlp.decisions(mlp.evaluate(x))
        metrics["over_steps"]["agreement"] = [float(np.mean(answers[t] == wanted)) for t in shown]
        metrics["agreement"] = metrics["over_steps"]["agreement"][-1]
    if data.y_test is not None:
        metrics |= scores(network.task, data.y_test, {"float": wanted, "integer": answers[steps]})
        name = "r2" if network.task == VALUES else "accuracy"
        curve = [scores(network.task, data.y_test, {"now": answers[t]})[name]["now"] for t in shown]
        metrics["over_steps"][name] = curve
    wrong, compared, activation = 0, 0, x
    for k, (weight, bias) in enumerate(stages[:-1]):
        activation = np.maximum(activation @ weight.T + bias, 0)
        expected = np.clip(np.rint(activation / scales[k] * steps), 0, steps)
        wrong += int(np.count_nonzero(records[f"neurons{k}"].spikes.sum(axis=0) != expected))
        compared += expected.size
    metrics["wrong_values"] = wrong / compared if compared else 0.0
    return metrics
