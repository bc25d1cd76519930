"""Small pykan networks, trained for a second; importing this skips where pykan is not installed."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

if "kan.MultKAN" not in sys.modules:
    pytest.importorskip("kan", reason="needs pykan")

from kan import KAN

Floats = npt.NDArray[np.float32]

__all__ = ["KAN", "samples", "trained"]


def samples(count: int = 400) -> tuple[Floats, Floats]:
    """x [count, 2] in −1 … 1 and y = exp(sin(πx₀) + x₁²) [count, 1]."""
    x = np.random.default_rng(3).uniform(-1, 1, (count, 2)).astype(np.float32)
    return x, np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def trained(steps: int = 25, **settings: Any) -> Any:
    """A network of 2 inputs, 3 hidden nodes and 1 output that begins to know `samples`."""
    x, y = (torch.from_numpy(each) for each in samples())
    chosen = {"width": [2, 3, 1], "grid": 4, "k": 3, "seed": 0, "auto_save": False, **settings}
    network = KAN(**chosen)
    optimizer = torch.optim.Adam([each for each in network.parameters() if each.requires_grad], lr=0.05)
    for step in range(steps):
        if step == 5:
            network.update_grid_from_samples(x)
        optimizer.zero_grad()
        ((network(x) - y) ** 2).mean().backward()
        optimizer.step()
    return network
