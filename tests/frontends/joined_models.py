"""Models of PyTorch that put tensors side by side."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class DenselyConnected(nn.Module):
    """Each layer takes the input and what all layers before it give, as DenseNets have it."""

    def __init__(self, inputs: int, growth: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(inputs + growth * place, growth) for place in range(3))
        self.norms = nn.ModuleList(nn.BatchNorm1d(growth) for _ in range(3))
        self.head = nn.Linear(inputs + 3 * growth, classes)

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            found.append(torch.relu(norm(layer(torch.cat(found, dim=1)))))
        result: Tensor = self.head(torch.cat(found, dim=1))
        return result


class Branches(nn.Module):
    """Two convolutions of unlike kernels, their channels side by side, as Inception has it."""

    def __init__(self, channels: int, length: int, classes: int) -> None:
        super().__init__()
        self.narrow, self.wide = nn.Conv1d(channels, 4, 1), nn.Conv1d(channels, 3, 3, padding=1)
        self.norm = nn.BatchNorm1d(7)
        self.head = nn.Linear(7 * length, classes)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.concat((self.narrow(x), self.wide(x)), dim=-2)
        result: Tensor = self.head(torch.relu(self.norm(both)).flatten(1))
        return result


JOINED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "densely connected": (lambda: DenselyConnected(5, 6, 3), (5,)),
    "branches": (lambda: Branches(2, 6, 3), (2, 6)),
}
"""By name, a model and the shape of one sample."""
