"""Which layers of a trained model need their bits: second-order sensitivities, and bit allocations made from them.

Quantizing the weights w of a trained model to w + δ raises its loss by about ½ · δᵀHδ, H the Hessian at w.

Within a layer i, as HAWQ-V2 has it (Dong et al., NeurIPS 2020): Ωᵢ(b) = mean trace of Hᵢᵢ · ‖δᵢ(b)‖², the trace by
Hutchinson's method: E[vᵀHv] over random signs v. Between layers i ≠ j HAWQ assumes nothing passes; here the mixed terms
δᵢ(b)ᵀ Hᵢⱼ δⱼ(c) are computed, each by one product of the Hessian with a vector:

    predicted(b₁ … bₙ) = ½ · Σᵢ Ωᵢ(bᵢ) + Σ_{i<j} δᵢ(bᵢ)ᵀ Hᵢⱼ δⱼ(bⱼ)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..frontends.float_operators.arrays import torch_arrays
from ..frontends.graph_walk import walk
from ..frontends.mlp import Mlp, MlpNode
from ..network.task import BINARY, VALUES

if TYPE_CHECKING:
    import torch

__all__ = ["Sensitivity", "allocate", "quantized_weight", "sensitivity"]

_SAMPLES = 512
_PROBES = 48
_MOST_ALLOCATIONS = 50_000
_SCALES = np.linspace(0.3, 1.0, 36)


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What quantizing each layer does to the loss.

    Parameters
    ----------
    layers : names of the linear layers in order. weights : their numbers of weights. bits : ascending.
    traces : mean of the diagonal of each layer's Hessian [layers].
    omega : Ω [layers, bits]. mixed : δᵢ(b)ᵀ Hᵢⱼ δⱼ(c) [layers, bits, layers, bits]; symmetric.
    """

    layers: tuple[str, ...]
    weights: tuple[int, ...]
    bits: tuple[int, ...]
    traces: npt.NDArray[np.float64]
    omega: npt.NDArray[np.float64]
    mixed: npt.NDArray[np.float64]

    def predicted(self, choice: Sequence[int]) -> float:
        """By how much the loss rises; `choice` holds a position in `bits` for each layer."""
        total = 0.5 * sum(float(self.omega[layer, place]) for layer, place in enumerate(choice))
        for first in range(len(choice)):
            for second in range(first + 1, len(choice)):
                total += float(self.mixed[first, choice[first], second, choice[second]])
        return total

    def as_json(self) -> dict[str, Any]:
        """For front.json."""
        return {
            "layers": [
                {
                    "name": name,
                    "weights": self.weights[layer],
                    "trace": float(self.traces[layer]),
                    "perturbation": {
                        str(bits): float(self.omega[layer, place]) for place, bits in enumerate(self.bits)
                    },
                }
                for layer, name in enumerate(self.layers)
            ]
        }


def quantized_weight(weight: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.float64]:
    """`weight` [outputs, inputs] on 2^bits − 1 symmetric levels per row (1 bit: two), the scale of least squared
    error of a few dozen tried."""
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


def sensitivity(
    mlp: Mlp, x: npt.NDArray[Any], y: npt.NDArray[Any], bits: Sequence[int], seed: int, probes: int = _PROBES
) -> Sensitivity:
    """Sensitivities by the loss of up to 512 samples (cross-entropy of classes, squared error of values); the same seed
    gives the same.

    `probes` random sign vectors estimate the traces. A trace below zero (the model is not at a minimum of the loss on
    these samples) counts as none.
    """
    import torch

    generator = np.random.default_rng(seed)
    rows = np.sort(generator.choice(len(x), min(len(x), _SAMPLES), replace=False))
    linears = list(mlp.linears.items())
    weights = {name: torch.tensor(linear.weight.copy(), requires_grad=True) for name, linear in linears}
    outputs = _evaluate(mlp, weights, torch.tensor(np.asarray(x[rows], dtype=np.float64)))
    if outputs.shape[1] == 1:
        outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
    wanted = torch.from_numpy(y[rows])
    if mlp.task == VALUES:
        loss = torch.nn.functional.mse_loss(outputs, wanted.double())
    elif mlp.task == BINARY:
        logits = (outputs[:, 0] - mlp.threshold) * (4.0 if mlp.threshold else 1.0)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted.double())
    else:
        loss = torch.nn.functional.cross_entropy(outputs, wanted)
    leaves = list(weights.values())
    gradients = torch.autograd.grad(loss, leaves, create_graph=True)

    def times_hessian(vectors: list[torch.Tensor]) -> list[npt.NDArray[np.float64]]:
        given = torch.autograd.grad(gradients, leaves, grad_outputs=vectors, retain_graph=True, allow_unused=True)
        zeros = (torch.zeros_like(leaf) for leaf in leaves)
        return [(zero if each is None else each).numpy() for each, zero in zip(given, zeros, strict=True)]

    traces = np.zeros(len(linears))
    for _ in range(probes):
        signs = [generator.choice(np.array([-1.0, 1.0]), leaf.shape) for leaf in leaves]
        products = times_hessian([torch.from_numpy(each) for each in signs])
        traces += [float(np.mean(v * hv)) for v, hv in zip(signs, products, strict=True)]
    traces = np.maximum(traces / probes, 0.0)
    deltas = [[quantized_weight(linear.weight, each) - linear.weight for each in bits] for _, linear in linears]
    count = len(linears), len(bits)
    omega = np.array([[traces[i] * float(np.sum(delta**2)) for delta in deltas[i]] for i in range(count[0])])
    mixed = np.zeros((*count, *count))
    for i, b in product(range(count[0]), range(count[1])):
        vectors = [torch.zeros_like(leaf) for leaf in leaves]
        vectors[i] = torch.from_numpy(deltas[i][b])
        products = times_hessian(vectors)
        for j, c in product(range(count[0]), range(count[1])):
            mixed[i, b, j, c] = float(np.sum(deltas[j][c] * products[j]))
    names = tuple(name for name, _ in linears)
    sizes = tuple(int(linear.weight.size) for _, linear in linears)
    return Sensitivity(names, sizes, tuple(bits), traces, omega, mixed)


def _evaluate(mlp: Mlp, weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    import torch

    arrays = torch_arrays()

    def compute(node: MlpNode, given: list[torch.Tensor]) -> torch.Tensor:
        parameters = {name: torch.tensor(array.copy()) for name, array in node.operator.parameters.items()}
        if node.name in weights:
            parameters["weight"] = weights[node.name]
        value: torch.Tensor = node.operator.compute(arrays, parameters, *given)
        return value

    return walk(mlp.nodes, {"input": x}, compute)[mlp.nodes[-1].name]


def allocate(found: Sensitivity, mean_bits: float) -> tuple[int, ...]:
    """The bits of each layer with the least predicted loss of all that take at most `mean_bits` a weight.

    Every allocation is tried where there are at most 50,000; else bits are added one layer at a time where they help
    most for the memory they take.
    """
    room = mean_bits * sum(found.weights) + 1e-9
    choices = range(len(found.bits))

    def memory(choice: Sequence[int]) -> int:
        return sum(found.bits[place] * count for place, count in zip(choice, found.weights, strict=True))

    if len(found.bits) ** len(found.layers) <= _MOST_ALLOCATIONS:
        fitting = [choice for choice in product(choices, repeat=len(found.layers)) if memory(choice) <= room]
        best = min(fitting, key=lambda choice: (found.predicted(choice), choice), default=(0,) * len(found.layers))
        return tuple(found.bits[place] for place in best)
    current = [0] * len(found.layers)
    while True:
        steps = []
        for layer, place in enumerate(current):
            raised = [*current[:layer], place + 1, *current[layer + 1 :]]
            if place + 1 < len(found.bits) and memory(raised) <= room:
                gain = found.predicted(current) - found.predicted(raised)
                steps.append((gain / (memory(raised) - memory(current)), raised))
        if not steps:
            return tuple(found.bits[place] for place in current)
        current = max(steps, key=lambda step: step[0])[1]
