"""Models of PyTorch that put tensors side by side, or multiply them: dense networks, gates, gMLP."""

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


class GatedLinear(nn.Module):
    """A block of halves, one of which opens the other: GLU."""

    def __init__(self, inputs: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.both, self.head = nn.Linear(inputs, 2 * hidden), nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(nn.functional.glu(self.both(x), dim=-1))
        return result


class SwiGlu(nn.Module):
    """The feed-forward block of language models: silu(W x) · (V x), then a projection; batch norm in front."""

    def __init__(self, inputs: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(inputs)
        self.gate, self.up = nn.Linear(inputs, hidden, bias=False), nn.Linear(inputs, hidden, bias=False)
        self.down, self.head = nn.Linear(hidden, inputs, bias=False), nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        y = self.down(nn.functional.silu(self.gate(y)) * self.up(y))
        result: Tensor = self.head(torch.relu(y))
        return result


class GatingMlp(nn.Module):
    """A block of gMLP, with batch norm in the place of LayerNorm: half of the channels, mixed over positions, opens the
    other half."""

    def __init__(self, positions: int, inputs: int, channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.embed, self.norm = nn.Linear(inputs, channels), nn.BatchNorm1d(channels)
        self.enter, self.leave = nn.Linear(channels, 2 * hidden), nn.Linear(hidden, channels)
        self.gate_norm, self.spatial = nn.BatchNorm1d(hidden), nn.Linear(positions, positions)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        y = self.norm(x.transpose(1, 2)).transpose(1, 2)
        u, v = nn.functional.gelu(self.enter(y)).chunk(2, dim=-1)
        v = self.spatial(self.gate_norm(v.transpose(1, 2))).transpose(1, 2)
        x = x + self.leave(u * v)
        result: Tensor = self.head(torch.relu(x).mean(1))
        return result


class SqueezeExcite(nn.Module):
    """Each channel of a convolution times a gate that all positions share."""

    def __init__(self, channels: int, length: int, classes: int) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv1d(channels, 4, 3, padding=1), nn.Linear(4, 4)
        self.head = nn.Linear(4 * length, classes)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.conv(x))
        y = torch.sigmoid(self.gate(y.mean(2)))[:, :, None] * y
        result: Tensor = self.head(y.flatten(1))
        return result


class TimeMixer(nn.Module):
    """A block of TSMixer: a layer over time beside a residual path, then two over features."""

    def __init__(self, length: int, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.time_norm, self.feature_norm = nn.BatchNorm1d(length), nn.BatchNorm1d(length)
        self.over_time, self.head = nn.Linear(length, length), nn.Linear(length * features, classes)
        self.up, self.down = nn.Linear(features, hidden), nn.Linear(hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        x = x + torch.relu(self.over_time(self.time_norm(x).transpose(1, 2))).transpose(1, 2)
        x = x + self.down(torch.relu(self.up(self.feature_norm(x))))
        result: Tensor = self.head(x.flatten(1))
        return result


GATED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "glu": (lambda: GatedLinear(5, 6, 3), (5,)),
    "swiglu": (lambda: SwiGlu(5, 8, 3), (5,)),
    "gmlp": (lambda: GatingMlp(4, 3, 6, 5, 3), (4, 3)),
    "squeeze and excite": (lambda: SqueezeExcite(2, 6, 3), (2, 6)),
}
"""Those that multiply."""

JOINED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "densely connected": (lambda: DenselyConnected(5, 6, 3), (5,)),
    "branches": (lambda: Branches(2, 6, 3), (2, 6)),
}
"""By name, a model and the shape of one sample."""
