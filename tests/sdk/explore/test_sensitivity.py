"""Sensitivities against the whole Hessian of a small model, and the allocations made from them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from edgeml.explore.sensitivity import Sensitivity, allocate, quantized_weight, sensitivity
from edgeml.frontends.mlp import Affine, Linear, Mlp, MlpNode, Tanh

BITS = (2, 4, 8)


@pytest.fixture(scope="module")
def model() -> tuple[Mlp, np.ndarray, np.ndarray]:
    """Three features, three classes with some wrong labels (the loss has a minimum), trained till it hardly moves."""
    generator = np.random.default_rng(2)
    x = generator.normal(size=(300, 3))
    y = np.argmax(x @ generator.normal(size=(3, 3)), axis=1)
    y[:60] = generator.integers(0, 3, 60)
    affine = Affine(np.array([0.8, 1.1, -0.9, 1.0]), np.array([0.1, -0.2, 0.0, 0.3]))
    shapes = (4, 3), (4,), (3, 4), (3,)
    parameters = [torch.tensor(generator.normal(size=shape), requires_grad=True) for shape in shapes]
    optimizer = torch.optim.LBFGS(parameters, max_iter=200)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        w, b, v, c = parameters
        hidden = torch.tanh((torch.tensor(x) @ w.T + b) * torch.tensor(affine.scale) + torch.tensor(affine.shift))
        value = torch.nn.functional.cross_entropy(hidden @ v.T + c, torch.tensor(y))
        value = value + 0.003 * sum((each**2).sum() for each in parameters)
        value.backward()
        return value

    optimizer.step(loss)
    w, b, v, c = (each.detach().numpy() for each in parameters)
    nodes = (
        MlpNode("first", Linear(w, b), ("input",)),
        MlpNode("norm", affine, ("first",)),
        MlpNode("tanh", Tanh(), ("norm",)),
        MlpNode("second", Linear(v, c), ("tanh",)),
    )
    return Mlp("small", 3, nodes), x, y


def _hessian(mlp: Mlp, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The whole Hessian of the mean cross-entropy, by torch, weights of both layers in one vector."""
    first, norm, _, second = (node.operator for node in mlp.nodes)

    def loss(weights: torch.Tensor) -> torch.Tensor:
        hidden = torch.tensor(x) @ weights[:12].reshape(4, 3).T + torch.tensor(first.bias)
        hidden = torch.tanh(hidden * torch.tensor(norm.scale) + torch.tensor(norm.shift))
        outputs = hidden @ weights[12:].reshape(3, 4).T + torch.tensor(second.bias)
        return torch.nn.functional.cross_entropy(outputs, torch.tensor(y))

    at = torch.tensor(np.concatenate([first.weight.ravel(), second.weight.ravel()]))
    return torch.autograd.functional.hessian(loss, at).numpy()


def test_traces_and_mixed_terms_are_those_of_the_hessian(model: tuple[Mlp, np.ndarray, np.ndarray]) -> None:
    mlp, x, y = model
    found = sensitivity(mlp, x, y, BITS, 0, probes=2000)
    whole = _hessian(mlp, x, y)
    parts = slice(0, 12), slice(12, 24)
    weights = [mlp.nodes[0].operator.weight, mlp.nodes[3].operator.weight]
    exact = [np.mean(np.diag(whole)[part]) for part in parts]
    np.testing.assert_allclose(found.traces, exact, rtol=0.1)
    for i, b, j, c in product(range(2), range(3), range(2), range(3)):
        one, other = ((quantized_weight(weights[k], BITS[p]) - weights[k]).ravel() for k, p in ((i, b), (j, c)))
        assert found.mixed[i, b, j, c] == pytest.approx(one @ whole[parts[i], parts[j]] @ other, rel=1e-9, abs=1e-12)


def test_more_bits_disturb_less(model: tuple[Mlp, np.ndarray, np.ndarray]) -> None:
    mlp, x, y = model
    omega = sensitivity(mlp, x, y, BITS, 0).omega
    assert np.all(np.diff(omega, axis=1) < 0)


def _made_up(layers: int, bits: tuple[int, ...]) -> Sensitivity:
    generator = np.random.default_rng(layers)
    omega = np.sort(generator.uniform(0, 1, (layers, len(bits))), axis=1)[:, ::-1]
    mixed = generator.normal(0, 0.02, (layers, len(bits), layers, len(bits)))
    weights = tuple(int(w) for w in generator.integers(10, 100, layers))
    return Sensitivity(tuple("abcdefghijkl"[:layers]), weights, bits, np.ones(layers), omega, mixed)


@pytest.mark.parametrize("layers", [3, 10])
def test_allocations_keep_the_memory_and_spend_it_where_it_helps(layers: int) -> None:
    found = _made_up(layers, (1, 2, 4, 8))
    for mean in (2, 3, 6):
        chosen = allocate(found, mean)
        assert sum(b * w for b, w in zip(chosen, found.weights, strict=True)) <= mean * sum(found.weights)
        uniform = [max(place for place, bits in enumerate(found.bits) if bits <= mean)] * layers
        assert found.predicted([found.bits.index(b) for b in chosen]) <= found.predicted(uniform) + 0.05
