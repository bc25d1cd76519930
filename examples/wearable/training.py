"""The two float models: a small MLP on features, and leaky neurons on changes over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import nn

__all__ = ["float_classes", "train_mlp", "train_snn"]

_WIDTHS = (64, 32)
_HIDDEN = 64
_BATCH = 64
_RATE, _SNN_RATE = 3e-3, 1e-2
_INPUT_BITS = 8


def train_mlp(x: npt.NDArray[np.float32], y: npt.NDArray[np.int64], classes: int, epochs: int, seed: int) -> nn.Module:
    """(x − mean) / deviation, then Linear → BatchNorm → ReLU twice, then Linear; the same seed, the same weights."""
    import torch
    from torch import nn

    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6

    class Normalised(nn.Module):  # type: ignore[misc]
        """Features of any unit to mean 0 and deviation 1."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.from_numpy(mean))
            self.register_buffer("deviation", torch.from_numpy(deviation))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x - self.mean) / self.deviation

    torch.manual_seed(seed)
    layers: list[nn.Module] = [Normalised()]
    size = x.shape[1]
    for width in _WIDTHS:
        layers += [nn.Linear(size, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.2)]
        size = width
    model = nn.Sequential(*layers, nn.Linear(size, classes))
    _train(model, torch.from_numpy(x), torch.from_numpy(y), epochs, seed, lambda batch: model(batch), _RATE)
    return model.eval()


def float_classes(model: nn.Module, x: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The float model's answers."""
    import torch

    with torch.no_grad():
        answers: npt.NDArray[np.int64] = model(torch.from_numpy(x)).argmax(dim=1).numpy()
    return answers


def train_snn(x: npt.NDArray[np.float32], y: npt.NDArray[np.int64], classes: int, epochs: int, seed: int) -> nn.Module:
    """Two layers of snnTorch's leaky neurons, trained with surrogate gradients on changes of the rounded input, which
    is what edgeml's delta encoder sends; x [count, steps · 6]. The class that spikes most often is the answer."""
    import snntorch
    import torch
    from snntorch import surrogate
    from torch import nn

    torch.manual_seed(seed)
    channels = 6
    step = 2 * float(np.abs(x).max()) / 2**_INPUT_BITS
    levels = np.clip(np.rint(x.reshape(len(x), -1, channels) / step), -(2 ** (_INPUT_BITS - 1)), None)
    changes = torch.from_numpy(np.diff(levels, axis=1, prepend=0).astype(np.float32) * np.float32(step))
    slope = surrogate.fast_sigmoid(slope=10)
    model = nn.Sequential(
        nn.Linear(channels, _HIDDEN),
        snntorch.Leaky(beta=0.95, spike_grad=slope),
        nn.Linear(_HIDDEN, classes),
        snntorch.Leaky(beta=0.95, spike_grad=slope),
    )
    # Changes are small: larger weights than usual let neurons fire from the first epoch on.
    nn.init.normal_(model[0].weight, std=2.0)
    nn.init.normal_(model[2].weight, std=0.3)

    def spikes(batch: torch.Tensor) -> torch.Tensor:
        """Output spikes of each class, as logits: one more or less is worth half a unit."""
        first, second = model[1].init_leaky(), model[3].init_leaky()
        count = torch.zeros(len(batch), classes)
        for now in range(batch.shape[1]):
            hidden, first = model[1](model[0](batch[:, now]), first)
            out, second = model[3](model[2](hidden), second)
            count = count + out
        return count / 2

    _train(model, changes, torch.from_numpy(y), epochs, seed, spikes, _SNN_RATE)
    return model.eval()


def _train(model: Any, x: Any, y: Any, epochs: int, seed: int, logits: Callable[[Any], Any], rate: float) -> None:
    import torch
    from torch.nn import functional

    generator = torch.Generator().manual_seed(seed)
    batches = len(x) // _BATCH
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(epochs * batches, 2))
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for chosen in order[: batches * _BATCH].reshape(batches, _BATCH):
            optimizer.zero_grad()
            functional.cross_entropy(logits(x[chosen]), y[chosen], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
