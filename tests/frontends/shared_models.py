"""Models of PyTorch with layers that are applied at several positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Mixer(nn.Module):
    """Two linear layers over positions and two over channels, each pair beside a residual path."""

    def __init__(self, positions: int, inputs: int, channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, channels)
        self.norm = nn.BatchNorm1d(channels)
        self.over_positions = nn.Sequential(nn.Linear(positions, hidden), nn.ReLU(), nn.Linear(hidden, positions))
        self.over_channels = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        x = x + self.over_positions(self.norm(x.transpose(1, 2))).transpose(1, 2)
        x = torch.relu(x + self.over_channels(x))
        result: Tensor = self.head(x.mean(1))
        return result


class Patches(nn.Module):
    """Overlapping patches of a series [batch, time, channels], one linear layer for all, and their mean."""

    def __init__(self, channels: int, length: int, step: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.length, self.step = length, step
        self.patch = nn.Linear(channels * length, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        patches = x.unfold(1, self.length, self.step).flatten(2)
        hidden = torch.relu(self.norm(self.patch(patches).transpose(1, 2))).transpose(1, 2)
        result: Tensor = self.head(hidden.mean(1))
        return result


def sensor_net(channels: int, length: int, classes: int) -> nn.Module:
    """Conv1d, batch norm, ReLU, pool, twice, then a linear layer: keywords, gestures, machines."""
    return nn.Sequential(
        nn.Conv1d(channels, 8, 5, padding=2),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.AvgPool1d(2),
        nn.Conv1d(8, 8, 3, groups=8),
        nn.Conv1d(8, 12, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12 * (length // 2 - 2), classes),
    )


def picture_net(classes: int) -> nn.Module:
    """Conv2d on pictures [1, 8, 8]."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, classes),
    )


SHARED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mixer": (lambda: Mixer(6, 3, 8, 5, 4), (6, 3)),
    "patches": (lambda: Patches(3, 4, 2, 8, 4), (12, 3)),
    "sensor": (lambda: sensor_net(3, 12, 4), (3, 12)),
    "picture": (lambda: picture_net(4), (1, 8, 8)),
}
"""By name, a model and the shape of one sample."""


def lively(model: nn.Module, shape: tuple[int, ...], seed: int = 0) -> Any:
    """`model` in evaluation mode, its batch norms with statistics of random samples."""
    torch.manual_seed(seed)
    model.train()
    with torch.no_grad():
        for _ in range(20):
            model(torch.randn(32, *shape) + 0.3)
    return model.eval()
