"""How far fewer bits and fewer inputs of a layer move a model's outputs, measured on samples.

A layer is given a choice in place of training: its inputs are quantized, of each neuron's the ones of most power stay,
their weights and the bias are fitted anew to what the neuron gave (least squares on the samples), and the weights
rounded. The linear layers behind it are fitted to what they gave, too, from what reaches them now. The distortion is
what is left at the model's output: of classes the mean Kullback-Leibler divergence from the model's probabilities, of
values their mean squared error in units of their variance. Layers in a row make up for each other's errors, or add to
them: for those the distortion of both together is measured, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from ..frontends.float_operators.gather import Gather
from ..frontends.float_operators.weights import Weights
from ..frontends.graph_walk import walk
from ..frontends.mlp import Mlp, MlpNode
from ..network.task import BINARY, VALUES

__all__ = ["ALL", "Choice", "Distortion", "Layer", "distortion", "paired", "quantized_weight"]

Floats = npt.NDArray[np.float64]

ALL = 0
"""Of inputs: no limit."""
_SAMPLES = 512
_RIDGE = 1e-2
_LARGEST = 0.998
"""Share of activations below the highest level of their quantizer."""
_SCALES = np.linspace(0.3, 1.0, 15)


@dataclass(frozen=True, order=True)
class Choice:
    """What a layer may be given.

    Parameters
    ----------
    weight_bits : of its weights.
    fan_in : most inputs of a neuron, or ALL.
    input_bits : of the activations that it takes; 0 for those of the network's input, which are not chosen.
    """

    weight_bits: int
    fan_in: int = ALL
    input_bits: int = 0


@dataclass(frozen=True, eq=False)
class Layer:
    """A linear layer with its choices and what each does to the outputs.

    Parameters
    ----------
    name : in the model. inputs, outputs : its shape, of one position where it has several.
    gather : what each position takes; None where its weights are applied once.
    choices : all that were measured. distortion : of each, alone [choices].
    """

    name: str
    inputs: int
    outputs: int
    choices: tuple[Choice, ...]
    distortion: Floats
    gather: Gather | None = None

    @property
    def taken(self) -> int:
        """How many values it takes, at all positions together."""
        return self.inputs if self.gather is None else self.gather.inputs

    def of(self, kept: Sequence[int]) -> Layer:
        """With some of its choices only."""
        choices = tuple(self.choices[place] for place in kept)
        return replace(self, choices=choices, distortion=self.distortion[list(kept)])


@dataclass(frozen=True, eq=False)
class Distortion:
    """The layers of a model in computing order, and what is needed to measure more of them."""

    layers: tuple[Layer, ...]
    mlp: Mlp
    trace: dict[str, Floats]

    def as_json(self) -> dict[str, Any]:
        """For front.json: by layer and bits of weights, what rounding them disturbs while all inputs stay."""
        return {
            "layers": [
                {
                    "name": layer.name,
                    "weights": layer.inputs * layer.outputs,
                    "distortion": {
                        str(bits): float(min(value for choice, value in rows if choice.weight_bits == bits))
                        for bits in sorted({choice.weight_bits for choice, _ in rows})
                    },
                }
                for layer in self.layers
                if (rows := [row for row in zip(layer.choices, layer.distortion, strict=True) if row[0].fan_in == ALL])
            ]
        }


def distortion(
    mlp: Mlp,
    x: npt.NDArray[Any],
    weight_bits: Sequence[int],
    fan_in: Sequence[int],
    act_bits: Sequence[int],
    seed: int,
) -> Distortion:
    """Measured on up to 512 of the samples x; the same seed gives the same.

    Parameters
    ----------
    weight_bits, fan_in, act_bits : what each layer may have; a limit that a layer has not more inputs than is ALL.
    """
    rows = np.sort(np.random.default_rng(seed).choice(len(x), min(len(x), _SAMPLES), replace=False))
    trace = mlp.trace(x[rows])
    found = Distortion((), mlp, trace)
    layers = []
    for place, (name, linear) in enumerate(mlp.linears.items()):
        outputs, inputs = linear.weight.shape
        limits = sorted({limit if 0 < limit < inputs else ALL for limit in fan_in})
        bits = act_bits if place else (0,)
        choices = [Choice(*each) for each in product(sorted(weight_bits), limits, sorted(bits))]
        values = [_distance(found, {name: changed}) for changed in _changed(found, name, choices)]
        layers.append(Layer(name, inputs, outputs, tuple(choices), np.array(values), linear.gather))
    return Distortion(tuple(layers), mlp, trace)


def paired(found: Distortion) -> list[Floats]:
    """For each two layers in a row, by how much more their choices disturb together than alone
    [choices of the first, choices of the second]."""
    changed = {layer.name: _changed(found, layer.name, layer.choices) for layer in found.layers}
    pairs = []
    for first, second in zip(found.layers, found.layers[1:], strict=False):
        both = [
            [_distance(found, {first.name: one, second.name: other}) for other in changed[second.name]]
            for one in changed[first.name]
        ]
        pairs.append(np.array(both) - first.distortion[:, None] - second.distortion)
    return pairs


def quantized_weight(weight: Floats, bits: int) -> Floats:
    """`weight` [outputs, inputs] on 2^bits − 1 symmetric levels per row (1 bit: two), the scale of least squared
    error of a few tried."""
    if bits == 1:
        return np.asarray(np.where(weight >= 0, 1.0, -1.0) * np.mean(np.abs(weight), axis=1, keepdims=True))
    most = 2 ** (bits - 1) - 1
    largest = np.maximum(np.max(np.abs(weight), axis=1, keepdims=True), 1e-300)
    best, least = weight, np.full((len(weight), 1), np.inf)
    for share in _SCALES:
        scale = largest * share / most
        tried = np.clip(np.rint(weight / scale), -most, most) * scale
        error = np.sum((tried - weight) ** 2, axis=1, keepdims=True)
        best, least = np.where(error < least, tried, best), np.minimum(error, least)
    return best


@dataclass(frozen=True, eq=False)
class _Changed:
    """A linear layer with a choice, as a function of what it takes [samples, inputs]; its weights are fitted over all
    positions at once.

    Parameters
    ----------
    linear : of the model. usual : its inputs in the model [samples, inputs]. wanted : its outputs.
    fits : weights that were fitted to its usual inputs, by limit and bits of inputs.
    """

    linear: Weights
    usual: Floats
    wanted: Floats
    choice: Choice
    fits: dict[tuple[int, int], Floats]

    def __call__(self, x: Floats) -> Floats:
        seen = _quantized(x, self.usual, self.choice.input_bits)
        key = self.choice.fan_in, self.choice.input_bits
        fitted = self.fits.get(key) if x is self.usual else None
        if fitted is None:
            fitted = _fitted(self.linear, self.usual, seen, self.wanted, self.choice.fan_in)
            if x is self.usual:
                self.fits[key] = fitted
        return _applied(self.linear, quantized_weight(fitted, self.choice.weight_bits), seen, self.wanted)


def _applied(linear: Weights, weight: Floats, x: Floats, wanted: Floats) -> Floats:
    """The layer with other weights on x, its bias such that the means of `wanted` stay."""
    rows = linear.rows(x)
    return np.asarray(linear.joined((rows - rows.mean(axis=0)) @ weight.T + linear.split(wanted).mean(axis=0)))


def _changed(found: Distortion, name: str, choices: Sequence[Choice]) -> list[_Changed]:
    """The layer with each of its choices."""
    node = next(node for node in found.mlp.nodes if node.name == name)
    usual, wanted = found.trace[node.inputs[0]], found.trace[name]
    fits: dict[tuple[int, int], Floats] = {}
    return [_Changed(found.mlp.linears[name], usual, wanted, choice, fits) for choice in choices]


def _quantized(x: Floats, usual: Floats, bits: int) -> Floats:
    """On 2^bits levels over what usually occurs; 0 bits: as it is."""
    if not bits:
        return x
    low, high = min(float(np.quantile(usual, 1 - _LARGEST)), 0.0), float(np.quantile(usual, _LARGEST))
    step = max(high - low, 1e-300) / (2**bits - 1)
    return np.asarray(np.clip(np.rint((x - low) / step), 0, 2**bits - 1) * step + low)


def _fitted(linear: Weights, usual: Floats, x: Floats, wanted: Floats, fan_in: int) -> Floats:
    """Weights [outputs, inputs] on the inputs x that come nearest to the outputs `wanted`: for each neuron those of
    its inputs with most power in the model, at most `fan_in` unless that is ALL. With all inputs as usual they are the
    model's weights."""
    weight = linear.weight
    inputs = fan_in or weight.shape[1]
    if linear.kept is not None:
        inputs = min(inputs, int(linear.kept[0].sum()))
    usual, x, wanted = linear.rows(usual), linear.rows(x), linear.split(wanted)
    centred, target = x - x.mean(axis=0), wanted - wanted.mean(axis=0)
    gram = centred.T @ centred / len(x)
    ridge = _RIDGE * np.trace(gram) / len(gram) + 1e-12
    if inputs >= weight.shape[1]:
        left = (target - centred @ weight.T).T @ centred / len(x)
        return np.asarray(weight + np.linalg.solve(gram + ridge * np.eye(len(gram)), left.T).T)
    power = np.abs(weight) * usual.std(axis=0)
    places = np.sort(np.argsort(-power, axis=1, kind="stable")[:, :inputs], axis=1)
    moments = np.take_along_axis(target.T @ centred / len(x), places, axis=1)
    parts = gram[places[:, :, None], places[:, None, :]] + ridge * np.eye(inputs)
    result = np.zeros_like(weight)
    np.put_along_axis(result, places, np.linalg.solve(parts, moments[:, :, None])[:, :, 0], axis=1)
    return result


def _distance(found: Distortion, changed: dict[str, _Changed]) -> float:
    """Between the model's outputs and those with some layers changed, the linear layers behind fitted to that."""
    mlp, known = found.mlp, {}
    for node in mlp.nodes:
        if node.name in changed:
            break
        known[node.name] = found.trace[node.name]

    def compute(node: MlpNode, given: list[Floats]) -> Floats:
        if node.name in changed:
            return changed[node.name](*given)
        if node.name not in mlp.linears:
            return node.operator.evaluate(*given)
        linear, usual, outputs = mlp.linears[node.name], found.trace[node.inputs[0]], found.trace[node.name]
        return _applied(linear, _fitted(linear, usual, given[0], outputs, ALL), given[0], outputs)

    last = mlp.nodes[-1].name
    outputs = walk(mlp.nodes, {"input": found.trace["input"]}, compute, known)[last]
    wanted = found.trace[last]
    if mlp.task == VALUES:
        return float(np.mean((outputs - wanted) ** 2) / max(float(np.mean(np.var(wanted, axis=0))), 1e-300))
    p, q = _log_shares(mlp, wanted), _log_shares(mlp, outputs)
    return float(np.mean(np.sum(np.exp(p) * (p - q), axis=1)))


def _log_shares(mlp: Mlp, outputs: Floats) -> Floats:
    """Logarithms of the classes' probabilities [samples, classes]."""
    if mlp.task == BINARY:
        outputs = (outputs[:, :1] - mlp.threshold) * (4.0 if mlp.threshold else 1.0)
    if outputs.shape[1] == 1:
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    outputs = outputs - outputs.max(axis=1, keepdims=True)
    return np.asarray(outputs - np.log(np.sum(np.exp(outputs), axis=1, keepdims=True)))
